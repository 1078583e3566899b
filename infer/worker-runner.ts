/**
 * The caller's end of one of a session's worker threads. What the two share is a few pieces of memory, used again and again:
 * a run makes no other garbage. A caller's own arrays are copied into it once, unless they are shared already.
 */
import { Worker } from 'node:worker_threads';
import { ProviderError } from '../models/errors.ts';
import type { PromptBatch } from '../models/prompts.ts';
import { compiledFile } from './compiled.ts';
import { providerUnavailable } from './providers.ts';
import { NotFiniteError, type Predictions, type Runner } from './session.ts';
import { blockBytes, type FromWorker, placeBlock, type ToWorker, type WorkerSettings } from './worker-protocol.ts';

interface Pending {
  readonly block: PromptBatch;
  readonly out: Predictions;
  readonly memory: SharedArrayBuffer;
  readonly answers: Predictions;
  resolve(): void;
  reject(error: unknown): void;
}

/** Runs blocks in a thread of its own until it is closed. */
export class WorkerRunner implements Runner {
  readonly shards = 1;
  readonly checksNumbers = true;
  readonly #worker: Worker;
  readonly #settings: WorkerSettings;
  /** Memory at rest. As many pieces exist as runs were ever under way at once. */
  readonly #memory: SharedArrayBuffer[] = [];
  /** Runs under way, oldest first. */
  readonly #pending: Pending[] = [];
  readonly #ended: Promise<void>;
  #death: ProviderError | undefined;

  private constructor(worker: Worker, settings: WorkerSettings) {
    this.#worker = worker;
    this.#settings = settings;
    this.#ended = new Promise((resolve) => {
      worker.on('error', (error) => this.#die(`the thread failed: ${error.message}`));
      worker.on('exit', (code) => {
        this.#die(`the thread ended with code ${code}`);
        resolve();
      });
    });
  }

  /** @throws {ProviderError} if ONNX Runtime does not open the session. */
  static async start(settings: WorkerSettings): Promise<{ runner: WorkerRunner; runtime: string }> {
    const worker = new Worker(compiledFile(import.meta.url, 'session-worker'), { workerData: settings, execArgv: [] });
    const runner = new WorkerRunner(worker, settings);
    const first = await new Promise<FromWorker>((resolve, reject) => {
      worker.once('message', resolve);
      runner.#ended.then(() => reject(runner.#death));
    });
    if (first.kind !== 'opened') {
      await worker.terminate();
      const { provider } = settings;
      const problem = first.kind === 'refused' ? first.problem : 'an answer nobody asked for';
      throw providerUnavailable(provider, problem, null);
    }
    worker.on('message', (message: FromWorker) => runner.#receive(message));
    return { runner, runtime: first.runtime };
  }

  /** Runs under way; infinitely many once the thread is gone. */
  get load(): number {
    return this.#death === undefined ? this.#pending.length : Number.POSITIVE_INFINITY;
  }

  run(block: PromptBatch, out: Predictions): Promise<void> {
    if (this.#death !== undefined) return Promise.reject(this.#death);
    const { prefixes } = this.#settings;
    const memory = this.#takeMemory(blockBytes(block, prefixes));
    const { prompts, answers } = placeBlock(block, prefixes, memory);
    return new Promise((resolve, reject) => {
      this.#pending.push({ block, out, memory, answers, resolve, reject });
      this.#say({ kind: 'run', prompts, answers });
    });
  }

  async close(): Promise<void> {
    if (this.#death === undefined) this.#say({ kind: 'close' });
    await this.#ended;
    this.#memory.length = 0;
  }

  #say(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  /** A piece at rest if one is large enough; otherwise a new one in its place. */
  #takeMemory(bytes: number): SharedArrayBuffer {
    const known = this.#memory.pop();
    return known !== undefined && known.byteLength >= bytes ? known : new SharedArrayBuffer(bytes);
  }

  #receive(message: FromWorker): void {
    const pending = this.#pending.shift();
    if (pending === undefined) return;
    const { block, out, memory, answers } = pending;
    this.#memory.push(memory);
    if (message.kind === 'answered') {
      out.prediction.set(answers.prediction);
      if (answers.prefixPrediction !== undefined) out.prefixPrediction!.set(answers.prefixPrediction);
      pending.resolve();
    } else if (message.kind === 'not-finite') {
      pending.reject(new NotFiniteError());
    } else {
      pending.reject(
        new ProviderError({
          where: `provider ${this.#settings.provider}`,
          expected: `answers to ${block.batch} prompts with ${block.context} pairs and ${block.queries} queries`,
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
