/** The worker's end of `protocol.ts`: answers calls with the methods it is given. */
import { createBreather } from '../../../infer/breathe.ts';
import type { CallContext, FromLab, ToLab } from './protocol.ts';

/** A call under way. */
class RunningCall {
  readonly #controller = new AbortController();
  #paused: { readonly over: Promise<void>; readonly end: () => void } | undefined;

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  pause(): void {
    if (this.#paused !== undefined) return;
    let end = () => {};
    const over = new Promise<void>((resolve) => {
      end = resolve;
    });
    this.#paused = { over, end };
  }

  resume(): void {
    this.#paused?.end();
    this.#paused = undefined;
  }

  cancel(): void {
    this.#controller.abort(new DOMException('cancelled', 'AbortError'));
    this.resume();
  }

  async turn(breathe: () => Promise<void>): Promise<void> {
    await breathe();
    await this.#paused?.over;
    this.signal.throwIfAborted();
  }
}

type AnyMethod = (argument: never, context: CallContext<unknown>) => Promise<unknown>;

/** Answers the page until the worker ends. Calls run side by side as far as they give turns. */
export function serve(methods: Readonly<Record<string, AnyMethod>>): void {
  const running = new Map<number, RunningCall>();
  const say = (message: FromLab) => postMessage(message);

  const answer = async (id: number, name: string, argument: unknown): Promise<void> => {
    const call = new RunningCall();
    running.set(id, call);
    const breather = createBreather();
    try {
      const method = methods[name];
      if (method === undefined) throw new Error(`the worker has no method ${JSON.stringify(name)}`);
      const value = await method(argument as never, {
        signal: call.signal,
        report: (progress) => say({ kind: 'progress', id, value: progress }),
        turn: () => call.turn(breather.breathe),
      });
      say({ kind: 'done', id, value });
    } catch (error) {
      const { name: kind, message } = error instanceof Error ? error : new Error(String(error));
      say({ kind: 'failed', id, problem: { name: kind, message } });
    } finally {
      running.delete(id);
    }
  };

  addEventListener('message', ({ data }: MessageEvent<ToLab>) => {
    if (data.kind === 'call') answer(data.id, data.method, data.argument);
    else running.get(data.id)?.[data.kind]();
  });
}
