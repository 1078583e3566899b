/**
 * Questions that come faster than answers, such as from a hand that drags: one is under way, the newest waits, those between are
 * never asked. Knows no method and no panel.
 */
import { isCancelled } from './client.ts';

/**
 * Milliseconds for which an answer is waited for although a newer question waits: under a moving hand nothing would ever be
 * shown otherwise. After that it is cancelled.
 */
const PATIENCE = 250;

export class Latest<Argument, Result> {
  readonly #ask: (argument: Argument, signal: AbortSignal) => Promise<Result>;
  readonly #answered: (result: Result, argument: Argument) => void;
  readonly #failed: (error: unknown, argument: Argument) => void;
  #running: { readonly controller: AbortController; readonly since: number } | undefined;
  #next: Argument | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    ask: (argument: Argument, signal: AbortSignal) => Promise<Result>,
    on: { answered(result: Result, argument: Argument): void; failed(error: unknown, argument: Argument): void },
  ) {
    this.#ask = ask;
    this.#answered = on.answered;
    this.#failed = on.failed;
  }

  get isBusy(): boolean {
    return this.#running !== undefined;
  }

  ask(argument: Argument): void {
    const running = this.#running;
    if (running === undefined) {
      this.#start(argument);
      return;
    }
    this.#next = argument;
    const left = running.since + PATIENCE - performance.now();
    this.#timer ??= setTimeout(
      () => {
        this.#timer = undefined;
        if (this.#running === running && this.#next !== undefined) running.controller.abort();
      },
      Math.max(0, left),
    );
  }

  /** Nothing that was asked is answered any more. */
  cancel(): void {
    this.#next = undefined;
    this.#running?.controller.abort();
  }

  async #start(argument: Argument): Promise<void> {
    const running = { controller: new AbortController(), since: performance.now() };
    this.#running = running;
    try {
      this.#answered(await this.#ask(argument, running.controller.signal), argument);
    } catch (error) {
      if (!isCancelled(error)) this.#failed(error, argument);
    } finally {
      this.#running = undefined;
      clearTimeout(this.#timer);
      this.#timer = undefined;
      const next = this.#next;
      this.#next = undefined;
      if (next !== undefined) this.#start(next);
    }
  }
}
