/**
 * What the panel knows besides its link: the models that take its prompts, and the answers of the last prompt. Asks the
 * foreground worker; a newer question takes the place of an older one. Fires `change`.
 */
import type { MarkovChainSpec } from '../../../../models/tasks/markov-chain.ts';
import type { Lab } from '../../app/lab.ts';
import type { LibraryModel } from '../../app/library.ts';
import { isCancelled } from '../../worker/client.ts';
import type { MarkovAnswers, MarkovArgument } from '../../worker/methods/markov.ts';
import type { ModelDescription } from '../../worker/methods/models.ts';

/** A model of this panel. */
export interface KnownModel {
  readonly model: LibraryModel;
  readonly description: ModelDescription;
  readonly task: MarkovChainSpec;
}

/** A prompt to be answered. */
export type Question = MarkovArgument;

export class MarkovSession extends EventTarget {
  readonly #lab: Lab;
  #open: readonly KnownModel[] = [];
  #answers: { readonly question: Question; readonly answers: MarkovAnswers } | undefined;
  #problem: string | undefined;
  #asked = '';
  #asking: AbortController | undefined;

  constructor(lab: Lab) {
    super();
    this.#lab = lab;
  }

  /** Models that the worker has and that answer prompts of Markov chains, in the library's order. */
  get models(): readonly KnownModel[] {
    return this.#open;
  }

  /** The last answers, and what they answer. Those of a model may be missing as long as it is being opened. */
  get answers(): { readonly question: Question; readonly answers: MarkovAnswers } | undefined {
    return this.#answers;
  }

  /** What went wrong last, in words. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Has the worker read every model that may suit, `first` before the others. Does nothing where it has. */
  async openModels(first: string): Promise<void> {
    const { library, foreground } = this.#lab;
    const mayTake = ({ panels }: LibraryModel) => panels === null || panels.includes('playground-markov');
    const candidates = library.models.filter(mayTake);
    const ordered = [...candidates.filter(({ id }) => id === first), ...candidates.filter(({ id }) => id !== first)];
    for (const model of ordered) {
      if (this.#open.some((open) => open.model === model)) continue;
      try {
        const description = await library.describe(foreground, model.id);
        const { task } = description.metadata;
        if (task.name !== 'markov-chain') continue;
        const all = [...this.#open.filter((open) => open.model !== model), { model, description, task }];
        this.#open = library.models.flatMap((each) => all.filter((open) => open.model === each));
      } catch (error) {
        // One of the person's own files may be of another kind; what is built in must open.
        if (model.origin === 'built-in') this.#fail(error);
      }
      this.dispatchEvent(new Event('change'));
    }
  }

  /** Asks, unless just this was asked last. */
  ask(question: Question): void {
    const text = JSON.stringify(question);
    if (text === this.#asked) return;
    this.#asked = text;
    this.#asking?.abort(new DOMException('a newer question', 'AbortError'));
    const asking = new AbortController();
    this.#asking = asking;
    const take = (answers: MarkovAnswers) => {
      this.#answers = { question, answers };
      this.#problem = undefined;
      this.dispatchEvent(new Event('change'));
    };
    const options = { signal: asking.signal, onProgress: take };
    this.#lab.foreground.call('answerMarkov', question, options).then(take, (error: unknown) => {
      if (!isCancelled(error)) this.#fail(error);
    });
  }

  #fail(error: unknown): void {
    this.#problem = (error as Error).message;
    this.dispatchEvent(new Event('change'));
  }
}
