/** The page's end of `protocol.ts`: a worker's methods as promises, with progress, pause and cancellation. */
import type { Methods } from './methods.ts';
import type { ArgumentOf, FromLab, Problem, ProgressOf, ResultOf, ToLab } from './protocol.ts';

/** An error that happened in a worker; `kind` is the name of its class there. */
export class LabError extends Error {
  override readonly name = 'LabError';
  readonly kind: string;

  constructor({ name, message }: Problem) {
    super(message);
    this.kind = name;
  }
}

export interface CallOptions<Progress> {
  /** Cancels the call: it rejects with the signal's reason at once. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
}

/** A call under way. */
export interface RunningCall<Result> {
  readonly result: Promise<Result>;
  pause(): void;
  resume(): void;
}

interface Waiting {
  resolve(value: unknown): void;
  reject(error: unknown): void;
  onProgress(progress: unknown): void;
}

/** One worker of the page. It starts with the first call. */
export class LabWorker {
  readonly #create: () => Worker;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #last = 0;

  constructor(create: () => Worker) {
    this.#create = create;
  }

  /** Calls a method that neither pauses nor is watched. */
  call<Name extends keyof Methods>(
    method: Name,
    argument: ArgumentOf<Methods[Name]>,
    options: CallOptions<ProgressOf<Methods[Name]>> = {},
  ): Promise<ResultOf<Methods[Name]>> {
    return this.start(method, argument, options).result;
  }

  start<Name extends keyof Methods>(
    method: Name,
    argument: ArgumentOf<Methods[Name]>,
    { signal, onProgress }: CallOptions<ProgressOf<Methods[Name]>> = {},
  ): RunningCall<ResultOf<Methods[Name]>> {
    this.#last += 1;
    const id = this.#last;
    const result = new Promise<unknown>((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason);
        return;
      }
      const onProgressOfAny = (onProgress ?? (() => {})) as (progress: unknown) => void;
      this.#waiting.set(id, { resolve, reject, onProgress: onProgressOfAny });
      signal?.addEventListener(
        'abort',
        () => {
          if (!this.#waiting.delete(id)) return;
          this.#say({ kind: 'cancel', id });
          reject(signal.reason);
        },
        { once: true },
      );
      this.#say({ kind: 'call', id, method, argument });
    });
    return {
      result: result as Promise<ResultOf<Methods[Name]>>,
      pause: () => this.#say({ kind: 'pause', id }),
      resume: () => this.#say({ kind: 'resume', id }),
    };
  }

  /** Ends the worker and what runs in it; another call starts another. */
  end(): void {
    this.#fail('it was ended');
  }

  #say(message: ToLab): void {
    this.#worker ??= this.#open();
    this.#worker.postMessage(message);
  }

  #open(): Worker {
    const worker = this.#create();
    worker.addEventListener('message', ({ data }: MessageEvent<FromLab>) => this.#receive(data));
    worker.addEventListener('error', ({ message }) => this.#fail(message || 'its script did not load'));
    worker.addEventListener('messageerror', () => this.#fail('an answer could not be read'));
    return worker;
  }

  #receive(message: FromLab): void {
    const waiting = this.#waiting.get(message.id);
    if (waiting === undefined) return; // Cancelled.
    if (message.kind === 'progress') {
      waiting.onProgress(message.value);
      return;
    }
    this.#waiting.delete(message.id);
    if (message.kind === 'done') waiting.resolve(message.value);
    else waiting.reject(new LabError(message.problem));
  }

  /** The worker is lost: whoever waits is told, and the next call starts another. */
  #fail(problem: string): void {
    this.#worker?.terminate();
    this.#worker = undefined;
    const error = new LabError({ name: 'WorkerError', message: `the worker that computes stopped: ${problem}` });
    for (const waiting of this.#waiting.values()) waiting.reject(error);
    this.#waiting.clear();
  }
}

/** True for the rejection of a call that was cancelled. */
export const isCancelled = (error: unknown): boolean => error instanceof DOMException && error.name === 'AbortError';
