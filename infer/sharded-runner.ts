/**
 * The worker threads of a session in Node, and the memory that they share with the caller. Models of this size do not fill
 * the cores from within one run, so several threads answer side by side, each with a session of its own. The first is
 * opened at once, the others when there is work for them.
 */
import type { PromptBatch } from '../models/prompts.ts';
import { copyNumbers } from './copy-numbers.ts';
import type { Predictions, Runner } from './session.ts';
import { blockBytes, isShared, type Job, placeBlock, type WorkerSettings } from './worker-protocol.ts';
import { WorkerRunner } from './worker-runner.ts';

export class ShardedRunner implements Runner {
  readonly shards: number;
  readonly checksNumbers = true;
  readonly #settings: WorkerSettings;
  readonly #open: WorkerRunner[];
  /** The one that is being opened; settles when it is in `#open`. */
  #opening: Promise<void> | undefined;
  #failure: unknown;
  /** Who wants to know of a thread that has been opened. */
  readonly #expectant = new Set<(runner: WorkerRunner) => void>();
  /** Memory at rest, used again and again. As many pieces exist as runs were ever under way at once. */
  readonly #memory: SharedArrayBuffer[] = [];

  private constructor(settings: WorkerSettings, first: WorkerRunner, shards: number) {
    this.#settings = settings;
    this.#open = [first];
    this.shards = shards;
  }

  /** @throws {ProviderError} if ONNX Runtime does not open the session. */
  static async start(settings: WorkerSettings, shards: number): Promise<{ runner: Runner; runtime: string }> {
    const { runner, runtime } = await WorkerRunner.start(settings);
    return { runner: new ShardedRunner(settings, runner, shards), runtime };
  }

  /** Prompts that all threads see are not copied: all threads work on them together. */
  takesWhole(prompts: PromptBatch): boolean {
    return isShared(prompts);
  }

  async run(block: PromptBatch, room: () => Predictions, pieceSize: number): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    const { prefixes } = this.#settings;
    const memory = this.#takeMemory(blockBytes(block, prefixes));
    try {
      const job = placeBlock(block, prefixes, pieceSize, memory);
      const answered = this.takesWhole(block) ? this.#answerTogether(job) : this.#leastBusy().answer(job);
      let out: Predictions;
      try {
        out = room();
      } finally {
        await answered; // Until then the threads write to the memory.
      }
      const { prediction, prefixPrediction } = job.answers;
      copyNumbers(out.prediction, prediction);
      if (prefixPrediction !== undefined) copyNumbers(out.prefixPrediction!, prefixPrediction);
    } finally {
      this.#memory.push(memory);
    }
  }

  async close(): Promise<void> {
    await this.#opening;
    await Promise.all(this.#open.map((runner) => runner.close()));
    this.#memory.length = 0;
  }

  /** A piece at rest if one is large enough; otherwise a new one in its place. */
  #takeMemory(bytes: number): SharedArrayBuffer {
    const known = this.#memory.pop();
    return known !== undefined && known.byteLength >= bytes ? known : new SharedArrayBuffer(bytes);
  }

  /** A thread that is gone fails whatever it is asked, and so does the session from then on. */
  #leastBusy(): WorkerRunner {
    const isGone = (runner: WorkerRunner) => runner.load === Number.POSITIVE_INFINITY;
    const free = this.#open.find(isGone) ?? this.#open.reduce((a, b) => (b.load < a.load ? b : a));
    if (free.load > 0) this.#openAnother();
    return free;
  }

  /** As many threads as there are pieces, those included that open in the meantime. All are done when this settles. */
  async #answerTogether(job: Job): Promise<void> {
    const most = Math.ceil(job.prompts.batch / job.pieceSize);
    const asked: Promise<PromiseSettledResult<void>[]>[] = [];
    const ask = (runner: WorkerRunner) => {
      if (asked.length < most) asked.push(Promise.allSettled([runner.answer(job)]));
    };
    for (const runner of this.#open) ask(runner);
    if (asked.length < most) this.#openAnother();
    this.#expectant.add(ask);
    const failures: unknown[] = [];
    for (let i = 0; i < asked.length; i++) {
      for (const outcome of await asked[i]!) if (outcome.status === 'rejected') failures.push(outcome.reason);
    }
    this.#expectant.delete(ask);
    if (failures.length > 0) throw failures[0];
  }

  #openAnother(): void {
    if (this.#open.length === this.shards) return;
    this.#opening ??= WorkerRunner.start(this.#settings).then(
      ({ runner }) => {
        this.#open.push(runner);
        this.#opening = undefined;
        for (const ask of this.#expectant) ask(runner);
      },
      (error: unknown) => {
        this.#failure = error;
      },
    );
  }
}
