/**
 * The worker threads of a session in Node, and the memory through which they are asked. Models of this size do not fill
 * the cores from within one run, so several threads answer side by side, each with a session of its own. The first is
 * opened at once, the others when there is work for them.
 */
import type { PromptBatch } from '../models/prompts.ts';
import { copyNumbers } from './copy-numbers.ts';
import type { Predictions, Runner } from './session.ts';
import { answersIn, blockBytes, isShared, type Job, placeBlock, type WorkerSettings } from './worker-protocol.ts';
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
  /** Memory at rest, used again and again. As many pieces of each kind exist as runs were ever under way at once. */
  readonly #shared: SharedArrayBuffer[] = [];
  readonly #handedOver: ArrayBuffer[] = [];

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
    const bytes = blockBytes(block, this.#settings.prefixes);
    if (isShared(block)) await this.#runShared(block, room, pieceSize, bytes);
    else await this.#runHandedOver(block, room, pieceSize, bytes);
  }

  async #runShared(block: PromptBatch, room: () => Predictions, pieceSize: number, bytes: number): Promise<void> {
    const memory = take(this.#shared, bytes) ?? new SharedArrayBuffer(bytes);
    try {
      const job = placeBlock(block, this.#settings.prefixes, pieceSize, memory);
      const [out] = await withRoom(room, this.#answerTogether(job));
      copyAnswers(out, job.answers);
    } finally {
      this.#shared.push(memory);
    }
  }

  async #runHandedOver(block: PromptBatch, room: () => Predictions, pieceSize: number, bytes: number): Promise<void> {
    const { prefixes } = this.#settings;
    const memory = take(this.#handedOver, bytes) ?? new ArrayBuffer(bytes);
    const job = placeBlock(block, prefixes, pieceSize, memory);
    const [out, returned] = await withRoom(room, this.#leastBusy().answer(job));
    copyAnswers(out, answersIn(returned!, block, prefixes));
    this.#handedOver.push(returned!);
  }

  async close(): Promise<void> {
    await this.#opening;
    await Promise.all(this.#open.map((runner) => runner.close()));
    this.#shared.length = 0;
    this.#handedOver.length = 0;
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
    const asked: Promise<PromiseSettledResult<unknown>[]>[] = [];
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

/** A piece at rest if it is large enough; otherwise it is let go. */
function take<M extends ArrayBufferLike>(atRest: M[], bytes: number): M | undefined {
  const memory = atRest.pop();
  return memory !== undefined && memory.byteLength >= bytes ? memory : undefined;
}

/** Makes room while threads work, and waits for them whatever happens: until they are done they write to their memory. */
async function withRoom<T>(room: () => Predictions, working: Promise<T>): Promise<readonly [Predictions, T]> {
  let out: Predictions;
  try {
    out = room();
  } finally {
    await working;
  }
  return [out, await working];
}

function copyAnswers(out: Predictions, { prediction, prefixPrediction }: Predictions): void {
  copyNumbers(out.prediction, prediction);
  if (prefixPrediction !== undefined) copyNumbers(out.prefixPrediction!, prefixPrediction);
}
