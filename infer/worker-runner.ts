/**
 * The caller's end of one of a session's worker threads: sends jobs, and knows which are under way and whether the thread
 * still lives. Whose memory a job lies in, it does not know.
 */
import { ProviderError } from '../models/errors.ts';
import { NotFiniteError } from './session.ts';
import { SessionThread } from './session-thread.ts';
import type { FromWorker, Job, ToWorker, WorkerSettings } from './worker-protocol.ts';

interface Pending {
  readonly job: Job;
  resolve(memory: ArrayBuffer | null): void;
  reject(error: unknown): void;
}

/** Answers jobs in a thread of its own until it is closed. */
export class WorkerRunner {
  readonly #worker: SessionThread;
  readonly #settings: WorkerSettings;
  /** Jobs under way, oldest first. */
  readonly #pending: Pending[] = [];
  readonly #ended: Promise<void>;
  #death: ProviderError | undefined;

  private constructor(worker: SessionThread, settings: WorkerSettings) {
    this.#worker = worker;
    this.#settings = settings;
    worker.on('message', (message) => this.#receive(message as FromWorker));
    this.#ended = new Promise((resolve) => {
      worker.on('failure', (problem) => this.#die(`the thread failed: ${problem}`));
      worker.on('exit', (code) => {
        this.#die(`the thread ended with code ${code}`);
        resolve();
      });
    });
  }

  /** @throws {ProviderError} if ONNX Runtime does not open the session. */
  static async start(settings: WorkerSettings): Promise<{ runner: WorkerRunner; runtime: string }> {
    const thread = new SessionThread('session-worker', settings);
    const opened = await thread.opened<FromWorker>();
    return { runner: new WorkerRunner(thread, settings), runtime: opened.runtime };
  }

  /** Jobs under way; infinitely many once the thread is gone. */
  get load(): number {
    return this.#death === undefined ? this.#pending.length : Number.POSITIVE_INFINITY;
  }

  /**
   * Works on a job until nothing of it is left to take. Gives its memory back, if it was handed over.
   * @throws {NotFiniteError} if a number is NaN or infinite. @throws {ProviderError} if ONNX Runtime or the thread fails.
   */
  answer(job: Job): Promise<ArrayBuffer | null> {
    if (this.#death !== undefined) return Promise.reject(this.#death);
    return new Promise((resolve, reject) => {
      this.#pending.push({ job, resolve, reject });
      this.#say({ kind: 'run', job }, job.memory === null ? [] : [job.memory]);
    });
  }

  async close(): Promise<void> {
    if (this.#death === undefined) this.#say({ kind: 'close' });
    await this.#ended;
  }

  #say(message: ToWorker, handedOver: readonly ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, handedOver);
  }

  #receive(message: FromWorker): void {
    const pending = this.#pending.shift();
    if (pending === undefined) return;
    const { batch, context, queries } = pending.job.prompts;
    if (message.kind === 'answered') {
      pending.resolve(message.memory);
    } else if (message.kind === 'not-finite') {
      pending.reject(new NotFiniteError());
    } else {
      pending.reject(
        new ProviderError({
          where: `provider ${this.#settings.provider}`,
          expected: `answers to ${batch} prompts with ${context} pairs and ${queries} queries`,
          got: message.kind === 'failed' ? message.problem : 'an answer nobody asked for',
        }),
      );
    }
  }

  /** The thread is gone: whoever waits is told, and so is whoever asks from now on. */
  #die(problem: string): void {
    const { provider } = this.#settings;
    this.#death ??= new ProviderError({
      where: `provider ${provider}`,
      expected: 'its thread to run until the session is closed',
      got: problem,
      remedy: 'Open the session again.',
    });
    for (const pending of this.#pending.splice(0)) pending.reject(this.#death);
  }
}
