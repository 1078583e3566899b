/**
 * Asks a worker what a situation's model and its comparisons answer: the newest situation wins, on a grid as fine as the machine
 * answers while a hand moves, and finer once it rests. Knows the worker's methods; knows nothing that is seen.
 */
import type { WebProvider } from '../../../../infer/web-runtime.ts';
import type { LabWorker } from '../../worker/client.ts';
import { Latest } from '../../worker/latest.ts';
import type { PlaneAnswers } from '../../worker/methods/playground.ts';
import { promptOf } from './pairs.ts';
import { queriesOf, SLICE } from './plane-queries.ts';
import type { AnsweredPlane } from './plane-views.ts';
import type { Situation } from './situation.ts';

export interface Question {
  readonly situation: Situation;
  readonly provider: WebProvider;
  readonly axis: 0 | 1;
}

interface SizedQuestion extends Question {
  readonly size: number;
}

const sizes = [65, 33, 17] as const;
/** Milliseconds that an answer may take while a hand moves, and once it rests. */
const QUICK = 60;
const PATIENT = 4000;
/** A hand that does nothing for so many milliseconds rests. */
const REST = 250;

export class PlaneAsker {
  readonly #latest: Latest<SizedQuestion, PlaneAnswers>;
  /** Milliseconds per query, of the last run of this model and provider. */
  #cost: { readonly key: string; readonly perQuery: number } | undefined;
  #rest: ReturnType<typeof setTimeout> | undefined;

  constructor(worker: LabWorker, on: { answered(answered: AnsweredPlane): void; failed(error: unknown): void }) {
    this.#latest = new Latest((question, signal) => this.#send(worker, question, signal), {
      answered: (answers, { situation, size, provider, ...question }) => {
        const queries = size * size + SLICE + 1;
        this.#cost = { key: keyOf({ situation, provider }), perQuery: answers.milliseconds / queries };
        on.answered({ ...answers, situation, size, sliceCount: SLICE, axis: question.axis });
        this.#refineAfter({ situation, provider, ...question }, size);
      },
      failed: on.failed,
    });
  }

  ask(question: Question): void {
    clearTimeout(this.#rest);
    this.#latest.ask({ ...question, size: this.#sizeWithin(question, QUICK) });
  }

  cancel(): void {
    clearTimeout(this.#rest);
    this.#latest.cancel();
  }

  /** The finest grid that is answered in time; before anything is known, the middle one. */
  #sizeWithin(question: Question, milliseconds: number): number {
    const cost = this.#cost;
    if (cost?.key !== keyOf(question)) return sizes[1];
    return sizes.find((size) => size * size * cost.perQuery <= milliseconds) ?? sizes.at(-1)!;
  }

  #refineAfter(question: Question, size: number): void {
    clearTimeout(this.#rest);
    this.#rest = setTimeout(() => {
      const best = this.#sizeWithin(question, PATIENT);
      if (best > size && !this.#latest.isBusy) this.#latest.ask({ ...question, size: best });
    }, REST);
  }

  #send(worker: LabWorker, question: SizedQuestion, signal: AbortSignal): Promise<PlaneAnswers> {
    const { situation, provider, size } = question;
    const { pairs, responses, task, testTask, isEdited, taskParameters, comparison, comparisons, summary } = situation;
    return worker.call(
      'answerPlane',
      {
        model: summary.id,
        provider,
        prompt: promptOf(pairs, responses, queriesOf(question, size)),
        task,
        testTask,
        ...(isEdited ? {} : { taskParameters }),
        comparison: comparison.request,
        others: comparisons.map(({ request }) => request),
      },
      { signal },
    );
  }
}

const keyOf = ({ situation, provider }: Pick<Question, 'situation' | 'provider'>): string =>
  `${situation.summary.id} ${provider}`;
