/**
 * Several worker threads that answer blocks side by side, each with a session of its own: models of this size do not fill
 * the cores from within one run. The first is opened at once, the others when there is work for them.
 */
import type { PromptBatch } from '../models/prompts.ts';
import type { Predictions, Runner } from './session.ts';
import type { WorkerSettings } from './worker-protocol.ts';
import { WorkerRunner } from './worker-runner.ts';

export class ShardedRunner implements Runner {
  readonly shards: number;
  readonly checksNumbers = true;
  readonly #settings: WorkerSettings;
  readonly #open: WorkerRunner[];
  /** The one that is being opened; settles when it is in `#open`. */
  #opening: Promise<void> | undefined;
  #failure: unknown;

  private constructor(settings: WorkerSettings, first: WorkerRunner, shards: number) {
    this.#settings = settings;
    this.#open = [first];
    this.shards = shards;
  }

  /** @throws {ProviderError} if ONNX Runtime does not open the session. */
  static async start(settings: WorkerSettings, shards: number): Promise<{ runner: Runner; runtime: string }> {
    const { runner, runtime } = await WorkerRunner.start(settings);
    return { runner: shards === 1 ? runner : new ShardedRunner(settings, runner, shards), runtime };
  }

  run(block: PromptBatch, out: Predictions): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    // A thread that is gone fails whatever it is asked, and so does the session from then on.
    const isGone = (runner: WorkerRunner) => runner.load === Number.POSITIVE_INFINITY;
    const free = this.#open.find(isGone) ?? this.#open.reduce((a, b) => (b.load < a.load ? b : a));
    if (free.load > 0 && this.#open.length < this.shards) this.#openAnother();
    return free.run(block, out);
  }

  async close(): Promise<void> {
    await this.#opening;
    await Promise.all(this.#open.map((runner) => runner.close()));
  }

  #openAnother(): void {
    this.#opening ??= WorkerRunner.start(this.#settings).then(
      ({ runner }) => {
        this.#open.push(runner);
        this.#opening = undefined;
      },
      (error: unknown) => {
        this.#failure = error;
      },
    );
  }
}
