/**
 * What the panel knows besides its link: the models that take its prompts, and the answers of the last prompt. Asks the
 * foreground worker; a newer question takes the place of an older one. Fires `change`.
 */
import type { WebProvider } from '../../../../infer/web-runtime.ts';
import type { MarkovChainSpec } from '../../../../models/tasks/markov-chain.ts';
import type { Lab } from '../../app/lab.ts';
import type { LibraryModel } from '../../app/library.ts';
import { isCancelled } from '../../worker/client.ts';
import type { MarkovAnswers } from '../../worker/methods/markov.ts';
import type { ModelSummary } from '../../worker/methods/models.ts';

/** A model of this panel that the foreground worker has. */
export interface OpenModel {
  readonly model: LibraryModel;
  readonly summary: ModelSummary;
  readonly task: MarkovChainSpec;
}

/** A prompt to be answered. */
export interface Question {
  readonly models: readonly string[];
  readonly provider: WebProvider;
  readonly task: MarkovChainSpec;
  readonly contextLength: number;
  readonly seed: number;
  readonly query: readonly number[] | null;
  readonly smoothing: number;
  readonly lengths: readonly number[];
}

export class MarkovSession extends EventTarget {
  readonly #lab: Lab;
  #open: readonly OpenModel[] = [];
  #answers: { readonly question: Question; readonly answers: MarkovAnswers } | undefined;
  #problem: string | undefined;
  #asked = '';
  #asking: AbortController | undefined;

  constructor(lab: Lab) {
    super();
    this.#lab = lab;
  }

  /** Models that are open and answer prompts of Markov chains, in the library's order. */
  get models(): readonly OpenModel[] {
    return this.#open;
  }

  /** The last answers, and what they answer. */
  get answers(): { readonly question: Question; readonly answers: MarkovAnswers } | undefined {
    return this.#answers;
  }

  /** What went wrong last, in words. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Opens every model that may suit, `first` before the others. Does nothing where they are open already. */
  async openModels(first: string): Promise<void> {
    const { library, foreground } = this.#lab;
    const mayTake = ({ panels }: LibraryModel) => panels === null || panels.includes('playground-markov');
    const candidates = library.models.filter(mayTake);
    const ordered = [...candidates.filter(({ id }) => id === first), ...candidates.filter(({ id }) => id !== first)];
    for (const model of ordered) {
      if (this.#open.some((open) => open.model === model)) continue;
      try {
        // To be listed; on WebGPU, where one session is open at a time, it is opened when it is asked.
        const summary = await library.open(foreground, model.id, 'wasm');
        const { task } = summary.metadata;
        if (task.name !== 'markov-chain') continue;
        const all = [...this.#open.filter((open) => open.model !== model), { model, summary, task }];
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
    this.#lab.foreground.call('answerMarkov', question, { signal: asking.signal }).then(
      (answers) => {
        this.#answers = { question, answers };
        this.#problem = undefined;
        this.dispatchEvent(new Event('change'));
      },
      (error: unknown) => {
        if (!isCancelled(error)) this.#fail(error);
      },
    );
  }

  #fail(error: unknown): void {
    this.#problem = (error as Error).message;
    this.dispatchEvent(new Event('change'));
  }
}
