/** The long run of the panel: distances to the truth over fresh prompts, which grow live and can be paused. Fires `change`. */
import type { Lab } from '../../app/lab.ts';
import { isCancelled, type RunningCall } from '../../worker/client.ts';
import type { MarkovErrors, MarkovErrorsArgument } from '../../worker/methods/markov.ts';

export type RunPhase = 'idle' | 'opening' | 'running' | 'paused' | 'done' | 'stopped' | 'failed';

export class MarkovRun extends EventTarget {
  readonly #lab: Lab;
  #phase: RunPhase = 'idle';
  #argument: MarkovErrorsArgument | undefined;
  #errors: MarkovErrors | undefined;
  #problem: string | undefined;
  #call: RunningCall<MarkovErrors> | undefined;
  #controller: AbortController | undefined;

  constructor(lab: Lab) {
    super();
    this.#lab = lab;
  }

  get phase(): RunPhase {
    return this.#phase;
  }

  /** What was measured, or is being measured. */
  get argument(): MarkovErrorsArgument | undefined {
    return this.#argument;
  }

  get errors(): MarkovErrors | undefined {
    return this.#errors;
  }

  get problem(): string | undefined {
    return this.#problem;
  }

  get isUnderWay(): boolean {
    return this.#phase === 'opening' || this.#phase === 'running' || this.#phase === 'paused';
  }

  async start(argument: MarkovErrorsArgument): Promise<void> {
    this.#controller?.abort(new DOMException('another run', 'AbortError'));
    const controller = new AbortController();
    this.#controller = controller;
    this.#argument = argument;
    this.#errors = undefined;
    this.#problem = undefined;
    this.#become('opening');
    const { library, background } = this.#lab;
    try {
      for (const id of argument.models) await library.describe(background, id);
      controller.signal.throwIfAborted();
      const onProgress = (errors: MarkovErrors) => {
        this.#errors = errors;
        this.dispatchEvent(new Event('change'));
      };
      this.#call = background.start('measureMarkov', argument, { signal: controller.signal, onProgress });
      this.#become('running');
      this.#errors = await this.#call.result;
      this.#become('done');
    } catch (error) {
      if (isCancelled(error) || controller !== this.#controller) return;
      this.#problem = (error as Error).message;
      this.#become('failed');
    }
  }

  pause(): void {
    this.#call?.pause();
    this.#become('paused');
  }

  resume(): void {
    this.#call?.resume();
    this.#become('running');
  }

  /** Keeps what was measured so far. */
  stop(): void {
    if (!this.isUnderWay) return;
    this.#controller?.abort(new DOMException('stopped', 'AbortError'));
    this.#become('stopped');
  }

  /** The question is another: what was measured is no answer to it. */
  drop(): void {
    this.stop();
    this.#errors = undefined;
    this.#argument = undefined;
    this.#become('idle');
  }

  #become(phase: RunPhase): void {
    this.#phase = phase;
    this.dispatchEvent(new Event('change'));
  }
}
