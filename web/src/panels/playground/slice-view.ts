/**
 * Keeps the line chart up with the plane: Plot takes longer than a frame, so it is drawn a few times a second while a hand moves;
 * the band is asked for once the hand rests. Knows when, not what is drawn.
 */
import type { WebProvider } from '../../../../infer/web-runtime.ts';
import type { Figure } from '../../components/figure-frame.ts';
import { isCancelled, type LabWorker } from '../../worker/client.ts';
import type { Scatter } from '../../worker/methods/playground.ts';
import { lineThrough } from './geometry.ts';
import type { AnsweredPlane } from './plane-views.ts';

/** Milliseconds between two drawings, and from the last answer to the question for the band. */
const INTERVAL = 300;
const REST = 400;
const CONTEXTS = 64;
/** The band is left out where it would take longer than this, in milliseconds. */
const LONGEST = 3000;

/** Fires `change` when {@link figure} is another. */
export class SliceView extends EventTarget {
  readonly #worker: LabWorker;
  #figure: Figure | undefined;
  #latest: { answered: AnsweredPlane; provider: WebProvider; modelTitle: string } | undefined;
  #scatter: { readonly of: AnsweredPlane; readonly band: Scatter } | undefined;
  #drawTimer: ReturnType<typeof setTimeout> | undefined;
  #restTimer: ReturnType<typeof setTimeout> | undefined;
  #asking = new AbortController();

  constructor(worker: LabWorker) {
    super();
    this.#worker = worker;
  }

  get figure(): Figure | undefined {
    return this.#figure;
  }

  show(answered: AnsweredPlane, provider: WebProvider, modelTitle: string): void {
    this.#latest = { answered, provider, modelTitle };
    this.#drawTimer ??= setTimeout(() => this.#draw(), INTERVAL);
    clearTimeout(this.#restTimer);
    this.#asking.abort();
    this.#restTimer = setTimeout(() => this.#ask(), REST);
  }

  cancel(): void {
    clearTimeout(this.#drawTimer);
    clearTimeout(this.#restTimer);
    this.#asking.abort();
  }

  async #draw(): Promise<void> {
    const { sliceFigure } = await import('./slices.ts');
    this.#drawTimer = undefined;
    const { answered, modelTitle } = this.#latest!;
    const scatter = this.#scatter?.of === answered ? this.#scatter.band : null;
    this.#figure = sliceFigure({ answered, modelTitle, scatter });
    this.dispatchEvent(new Event('change'));
  }

  /** How the model's answers scatter over other pairs of the same task; where a person made the pairs there is no such law. */
  async #ask(): Promise<void> {
    const { answered, provider } = this.#latest!;
    const { situation, axis, sliceCount, milliseconds, model } = answered;
    const { isEdited, summary, testTask, taskParameters, pairs, probe, half } = situation;
    if (isEdited || (milliseconds / model.length) * CONTEXTS * sliceCount > LONGEST) return;
    this.#asking = new AbortController();
    try {
      const band = await this.#worker.call(
        'scatterAnswers',
        {
          model: summary.id,
          provider,
          testTask,
          taskParameters,
          context: pairs.length,
          query: lineThrough(probe, axis, half, sliceCount),
          seed: 1,
          contexts: CONTEXTS,
        },
        { signal: this.#asking.signal },
      );
      this.#scatter = { of: answered, band };
      await this.#draw();
    } catch (error) {
      // The band is an addition: without it the chart says nothing about scatter.
      if (!isCancelled(error)) this.#scatter = undefined;
    }
  }
}
