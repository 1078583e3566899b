/**
 * The caller's end of a session's worker thread. The caller's arrays are copied once, into a buffer that is transferred to
 * the worker and comes back with the answers, to be used again: a run makes no other garbage.
 */
import { Worker } from 'node:worker_threads';
import { ProviderError } from '../models/errors.ts';
import type { PromptBatch } from '../models/prompts.ts';
import { compiledFile } from './compiled.ts';
import { providerUnavailable } from './providers.ts';
import type { Predictions, Runner } from './session.ts';
import { blockBytes, blockViews, type FromWorker, type ToWorker, type WorkerSettings } from './worker-protocol.ts';

interface Pending {
  readonly block: PromptBatch;
  readonly out: Predictions;
  resolve(): void;
  reject(error: unknown): void;
}

/** Runs blocks in a thread of its own until it is closed. */
export class WorkerRunner implements Runner {
  readonly #worker: Worker;
  readonly #settings: WorkerSettings;
  /** Buffers at rest. As many exist as runs were ever under way at once: two. */
  readonly #buffers: ArrayBuffer[] = [];
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

  run(block: PromptBatch, out: Predictions): Promise<void> {
    if (this.#death !== undefined) return Promise.reject(this.#death);
    const { batch, context, queries, dimension, classes = 0 } = block;
    const sizes = { batch, context, queries, dimension, classes };
    const { prefixes } = this.#settings;
    const buffer = this.#takeBuffer(blockBytes(sizes, prefixes));
    const { prompts } = blockViews(buffer, sizes, prefixes);
    prompts.covariates.set(block.covariates);
    prompts.responses.set(block.responses);
    prompts.query.set(block.query);
    return new Promise((resolve, reject) => {
      this.#pending.push({ block, out, resolve, reject });
      this.#say({ kind: 'run', sizes, buffer }, [buffer]);
    });
  }

  async close(): Promise<void> {
    if (this.#death === undefined) this.#say({ kind: 'close' });
    await this.#ended;
    this.#buffers.length = 0;
  }

  #say(message: ToWorker, transfer: ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, transfer);
  }

  /** A buffer at rest if one is large enough; otherwise a new one in its place. */
  #takeBuffer(bytes: number): ArrayBuffer {
    const known = this.#buffers.pop();
    return known !== undefined && known.byteLength >= bytes ? known : new ArrayBuffer(bytes);
  }

  #receive(message: FromWorker): void {
    const pending = this.#pending.shift();
    if (pending === undefined || message.kind === 'opened' || message.kind === 'refused') return;
    const { block, out } = pending;
    if (message.kind === 'failed') {
      this.#buffers.push(message.buffer);
      const { provider } = this.#settings;
      pending.reject(
        new ProviderError({
          where: `provider ${provider}`,
          expected: `answers to ${block.batch} prompts with ${block.context} pairs and ${block.queries} queries`,
          got: message.problem,
        }),
      );
      return;
    }
    const { answers } = blockViews(message.buffer, block, this.#settings.prefixes);
    out.prediction.set(answers.prediction);
    if (answers.prefixPrediction !== undefined) out.prefixPrediction!.set(answers.prefixPrediction);
    this.#buffers.push(message.buffer);
    pending.resolve();
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
