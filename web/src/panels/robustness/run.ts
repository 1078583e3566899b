/**
 * The panel's measurement, one at a time, from opening the models to the last prompt: it can be paused, resumed, stopped and
 * replaced by another. Fires `change` when there is something new. Knows workers, not elements.
 */
import type { WebProvider } from '../../../../infer/web-runtime.ts';
import type { TaskSpec } from '../../../../models/tasks/index.ts';
import type { Lab } from '../../app/lab.ts';
import { isCancelled, type RunningCall } from '../../worker/client.ts';
import type { Curves, MeasureArgument, MeasureProgress } from '../../worker/methods/robustness.ts';

export type RunStatus = 'opening' | 'running' | 'paused' | 'done' | 'stopped' | 'failed';

/** What is measured, and where exact curves are asked. */
export interface RunRequest extends Omit<MeasureArgument, 'model' | 'compared'> {
  readonly model: string;
  readonly compared: string | null;
  readonly provider: WebProvider;
  readonly task: TaskSpec;
  readonly curvePlaces: readonly number[];
}

const noCurves: Curves = { points: [], papers: [] };

export class Run extends EventTarget {
  readonly request: RunRequest;
  /** Ends the measurement. */
  readonly #controller = new AbortController();
  /** Ends the exact curves too. */
  readonly #replaced = new AbortController();
  #call: RunningCall<MeasureProgress> | undefined;
  #status: RunStatus = 'opening';
  #progress: MeasureProgress | undefined;
  /** The last whole round: what stays when the run is stopped. */
  #round: MeasureProgress | undefined;
  #curves = noCurves;
  #problem: string | undefined;
  #isDiscarded = false;

  constructor(lab: Lab, request: RunRequest) {
    super();
    this.request = request;
    this.#measure(lab).catch((error: unknown) => this.#fail(error));
    this.#draw(lab).catch((error: unknown) => this.#fail(error));
  }

  get status(): RunStatus {
    return this.#status;
  }

  get progress(): MeasureProgress | undefined {
    return this.#progress;
  }

  get curves(): Curves {
    return this.#curves;
  }

  /** Why it failed. */
  get problem(): string | undefined {
    return this.#problem;
  }

  pause(): void {
    if (this.#status !== 'running') return;
    this.#call?.pause();
    this.#become('paused');
  }

  resume(): void {
    if (this.#status !== 'paused') return;
    this.#call?.resume();
    this.#become('running');
  }

  /** Ends the measurement and keeps its last whole round, in which every point has had as many prompts as it wanted. */
  stop(): void {
    if (!['opening', 'running', 'paused'].includes(this.#status)) return;
    this.#controller.abort(new DOMException('stopped', 'AbortError'));
    this.#progress = this.#round ?? this.#progress;
    this.#become('stopped');
  }

  /** Ends everything: nothing more is fired. */
  discard(): void {
    this.#isDiscarded = true;
    for (const each of [this.#controller, this.#replaced]) each.abort(new DOMException('replaced', 'AbortError'));
  }

  async #measure(lab: Lab): Promise<void> {
    const { model, compared, provider, prefixes, curvePlaces: _, task: __, ...rest } = this.request;
    const { signal } = this.#controller;
    for (const id of compared === null ? [model] : [model, compared]) {
      await lab.library.open(lab.background, id, provider, { prefixes });
    }
    signal.throwIfAborted();
    const place = (id: string) => ({ id, provider });
    this.#call = lab.background.start(
      'measureRobustness',
      { ...rest, prefixes, model: place(model), compared: compared === null ? null : place(compared) },
      {
        signal,
        onProgress: (progress) => {
          this.#progress = progress;
          if (progress.isRoundComplete) this.#round = progress;
          this.#become(this.#status === 'opening' ? 'running' : this.#status);
        },
      },
    );
    this.#become('running');
    this.#progress = await this.#call.result;
    this.#become('done');
  }

  /** The exact curves need no runtime: they are there before the first prompt is answered. */
  async #draw(lab: Lab): Promise<void> {
    const { model, compared, shift, lengths, curvePlaces, task } = this.request;
    const models = compared === null ? [model] : [model, compared];
    for (const id of models) await lab.library.describe(lab.foreground, id);
    const take = (curves: Curves) => {
      this.#curves = curves;
      this.#become(this.#status);
    };
    const argument = { models, task, shift: shift?.name ?? null, at: curvePlaces, length: lengths[0]! };
    // A stop ends what is measured; a curve that is half drawn would say nothing.
    const curves = lab.foreground.call('exactRisks', argument, { onProgress: take, signal: this.#replaced.signal });
    take(await curves);
  }

  #become(status: RunStatus): void {
    if (this.#isDiscarded) return;
    this.#status = status;
    this.dispatchEvent(new Event('change'));
  }

  #fail(error: unknown): void {
    if (isCancelled(error)) return;
    this.#controller.abort(new DOMException('failed', 'AbortError'));
    this.#problem = (error as Error).message;
    this.#become('failed');
  }
}
