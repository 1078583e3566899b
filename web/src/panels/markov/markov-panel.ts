/** A Markov chain under one's hand: its transition probabilities, the chains in the context, the next state that a frozen model predicts. */
import { html, nothing, type TemplateResult } from 'lit';
import type { MarkovChainSpec } from '../../../../models/tasks/markov-chain.ts';
import { geometricGrid } from '../../../../studies/figures/grids.ts';
import type { ValuesOf } from '../../app/fields.ts';
import type { PanelState } from '../../app/link.ts';
import { Panel } from '../../app/panel.ts';
import { providerTitles } from '../../app/provider.ts';
import { button, numberInput, radios, select, slider } from '../../components/controls.ts';
import { download } from '../../components/download.ts';
import '../../components/figure-frame.ts';
import '../../styles/markov.css';
import { fields, mostChains } from './fields.ts';
import { type Kernel, statesOf } from './kernel.ts';
import { kernelEditor, stateChip } from './kernel-editor.ts';
import { countsLook, formatAnswer, modelLooks, type Respondent, truthKey } from './palette.ts';
import {
  alongFigure,
  chainsFigure,
  diagramFigure,
  errorsFigure,
  measureWords,
  modelFile,
  nextStateFigure,
  promptAsJsonLine,
  promptFile,
  queriesFigure,
  type Shown,
} from './panel-figures.ts';
import { type Preset, presets } from './presets.ts';
import { MarkovRun } from './run.ts';
import { type KnownModel, MarkovSession, type Question } from './session.ts';

type Values = ValuesOf<typeof fields>;

/** What the link asks for, as far as it can be: with the models that are open. */
interface Setting {
  readonly main: KnownModel | undefined;
  readonly compared: KnownModel | undefined;
  readonly kernel: Kernel;
  /** Null: as drawn. */
  readonly query: readonly number[] | null;
  readonly problems: readonly string[];
}

/** Whole numbers from 1 to n, in about equal ratios. */
const lengthsUpTo = (n: number, count: number): readonly number[] =>
  n === 1 ? [1] : [...new Set(geometricGrid(1, n, count).map(Math.round))];

class Markov extends Panel {
  #state!: PanelState<typeof fields>;
  #session!: MarkovSession;
  #run!: MarkovRun;
  #runKey = '';

  override connectedCallback(): void {
    super.connectedCallback();
    const { lab } = this;
    this.#state ??= lab.link.stateOf('markov', fields);
    this.#session ??= new MarkovSession(lab);
    this.#run ??= new MarkovRun(lab);
    for (const target of [this.#state, this.#session, this.#run]) this.watch(target);
    const open = () => void this.#session.openModels(this.#state.values.model);
    this.watch(lab);
    this.watch(lab.library).addEventListener('change', open);
    open();
  }

  /** What can be shown of the link's wishes. */
  #setting(): Setting {
    const { values } = this.#state;
    const { models } = this.#session;
    const problems = [...this.#state.problems];
    const isHere = (id: string) => this.lab.library.find(id) !== undefined;
    if (values.model !== '' && !isHere(values.model)) {
      problems.push(`The link names the model ${JSON.stringify(values.model)}, which is not here.`);
    }
    const main =
      models.find(({ model }) => model.id === values.model) ??
      (values.model === '' || !isHere(values.model) ? models[0] : undefined);
    const states = main?.task.states ?? (values.kernel.length > 0 ? statesOf(values.kernel) : 2);
    let kernel = values.kernel.length > 0 ? values.kernel : presets[0].kernel(states);
    if (statesOf(kernel) !== states) {
      problems.push(`The link’s kernel has ${statesOf(kernel)} states, the model ${states}.`);
      kernel = presets[0].kernel(states);
    }
    let query: readonly number[] | null = null;
    if (values.query !== '' && main !== undefined) {
      query = [...values.query].map(Number);
      if (query.length !== main.task.dimension || !query.every((state) => state >= 0 && state < states)) {
        problems.push(
          `The link’s query ${JSON.stringify(values.query)} is not ${main.task.dimension} states below ${states}.`,
        );
        query = null;
      }
    }
    const others = main === undefined ? [] : this.#comparable(main);
    const compared = values.compare === '' ? others[0] : others.find(({ model }) => model.id === values.compare);
    if (!['', 'none'].includes(values.compare) && !isHere(values.compare)) {
      problems.push(`The link names the model ${JSON.stringify(values.compare)}, which is not here.`);
    }
    return { main, compared, kernel, query, problems };
  }

  /** Models that answer the same prompts. */
  #comparable({ model, task }: KnownModel): readonly KnownModel[] {
    return this.#session.models.filter(
      (other) => other.model !== model && other.task.dimension === task.dimension && other.task.states === task.states,
    );
  }

  #questionOf({ main, compared, kernel, query }: Setting): Question | undefined {
    if (main === undefined) return undefined;
    const { n, seed, smoothing } = this.#state.values;
    const { groups: _groups, ...task } = main.task;
    const { provider } = this.lab;
    return {
      models: [main, ...(compared === undefined ? [] : [compared])].map(({ model }) => model.id),
      provider,
      task: { ...task, kernel },
      contextLength: n,
      seed,
      query,
      smoothing,
      // On a GPU every new length compiles its shaders.
      lengths: lengthsUpTo(n, provider === 'wasm' ? 24 : 8),
    };
  }

  protected override render(): TemplateResult {
    const setting = this.#setting();
    const question = this.#questionOf(setting);
    if (question !== undefined) this.#session.ask(question);
    const shown = this.#shown();
    const current = setting.query?.at(-1) ?? shown?.answers.query.at(-1);
    const problem = this.#session.problem;
    return html`
      <section class="panel markov" aria-labelledby="markov-title">
        <div class="intro">
          <h2 id="markov-title">Markov chains</h2>
          <p>
            A prompt is a context of short chains, all moved by one and the same kernel, and a query: a chain without its last
            state. No weight of the model changes; whatever it knows of the kernel it reads from the context.
          </p>
          <p class="muted">${predictsWhat(setting.main)}</p>
          ${setting.problems.map((each) => html`<p class="notice" role="alert">${each}</p>`)}
          ${problem === undefined ? nothing : html`<p class="notice" role="alert">${problem}</p>`}
          ${this.#presets(setting)}
        </div>
        <div class="markov-kernel">
          <h3>The kernel: where a state goes next</h3>
          <div class="markov-kernel-parts">
            ${kernelEditor({ kernel: setting.kernel, current, onChange: (kernel) => this.#state.set({ kernel }) })}
            <icl-figure-frame .figure=${diagramFigure(setting.kernel, current)}></icl-figure-frame>
          </div>
        </div>
        <div class="controls">${this.#controls(setting, shown)}</div>
        <div class="markov-answers">${shown === undefined ? waiting : this.#answers(shown)}</div>
      </section>
    `;
  }

  protected override updated(): void {
    const last = this.#session.answers;
    const isAnswered = last?.question.models.every((id) => id in last.answers.asked) ?? false;
    if (isAnswered) this.dataset['ready'] = '';
  }

  /** The last answers with the looks of those who gave them. */
  #shown(): Shown | undefined {
    const last = this.#session.answers;
    if (last === undefined) return undefined;
    const asked = last.question.models.map((id) => this.#session.models.find(({ model }) => model.id === id));
    const [main] = asked;
    if (main === undefined) return undefined;
    const answered = last.question.models.filter((id) => id in last.answers.asked);
    return {
      ...last,
      main,
      respondents: this.#respondents(last.question.models).filter(
        ({ key }) => key === countsLook.key || answered.includes(key),
      ),
    };
  }

  #respondents(ids: readonly string[]): readonly Respondent[] {
    const titled = ids.map((id, i) => ({
      key: id,
      title: this.lab.library.find(id)?.title ?? id,
      ...modelLooks[i % modelLooks.length]!,
    }));
    return [...shorten(titled), countsLook];
  }

  #presets({ main, kernel }: Setting): TemplateResult {
    const { n, query } = this.#state.values;
    const states = main?.task.states ?? statesOf(kernel);
    const dimension = main?.task.dimension ?? 2;
    const queryOf = (preset: Preset) => (preset.query === undefined ? '' : String(preset.query).repeat(dimension));
    const chosen = presets.find(
      (preset) =>
        preset.kernel(states).join() === kernel.join() &&
        preset.n === n &&
        (preset.query === undefined || queryOf(preset) === query),
    );
    return html`
      <div class="presets" role="group" aria-label="Kernels to begin with">
        ${presets.map(
          (preset) => html`
            <button
              type="button"
              aria-pressed=${preset === chosen}
              @click=${() =>
                this.#state.set(
                  { kernel: preset.kernel(states), n: preset.n, query: queryOf(preset) },
                  { isChoice: true },
                )}
            >
              ${preset.title}
            </button>
          `,
        )}
      </div>
      <p class="preset-about" aria-live="polite">${chosen?.about ?? 'A kernel of your own.'}</p>
    `;
  }

  #controls({ main, compared, query }: Setting, shown: Shown | undefined): TemplateResult {
    const { values } = this.#state;
    const set = (patch: Partial<Values>, isChoice = true) => this.#state.set(patch, { isChoice });
    const { models } = this.#session;
    const named = ({ model }: KnownModel) => ({ value: model.id, title: capitalise(shortTitle(model.title)) });
    return html`
      ${select({
        label: 'Model',
        value: main?.model.id ?? '',
        choices: models.map(named),
        onChange: (model) => {
          const next = models.find((each) => each.model.id === model);
          const isSame = next?.task.states === main?.task.states && next?.task.dimension === main?.task.dimension;
          set({ model, compare: '', ...(isSame ? {} : { kernel: [], query: '' }) });
        },
        ...(main === undefined ? {} : { hint: main.model.about }),
      })}
      ${select({
        label: 'Beside it',
        value: compared?.model.id ?? 'none',
        choices: [
          { value: 'none', title: 'no other model' },
          ...(main === undefined ? [] : this.#comparable(main)).map(named),
        ],
        onChange: (compare) => set({ compare }),
        hint: 'Models that take the same prompts.',
      })}
      ${slider({
        label: 'Chains in the context, n',
        value: values.n,
        low: 1,
        high: mostChains,
        step: 1,
        hint: `Each of ${main === undefined ? 'a few' : main.task.dimension + 1} states; their length is fixed when a model is frozen.`,
        onInput: (n) => set({ n }, false),
      })}
      ${this.#queryChooser(main, query, shown)}
      ${numberInput({
        label: 'Seed',
        value: values.seed,
        low: 0,
        high: 2 ** 31 - 1,
        step: 1,
        hint: 'Which chains are drawn. Changing the kernel keeps the draws: a chain changes only where a probability passes its number.',
        onChange: (seed) => set({ seed }),
      })}
      <div class="buttons">${button({ label: 'Draw again', isPrimary: true, onClick: () => set({ seed: values.seed + 1 }) })}</div>
      ${numberInput({
        label: 'Smoothing of counts, c',
        value: values.smoothing,
        low: 0.01,
        high: 100,
        step: 'any',
        hint: 'Added to every count before counts become chances; 1 is best when rows are uniform.',
        onChange: (smoothing) => set({ smoothing }),
      })}
      ${
        shown === undefined
          ? nothing
          : html`
              <div class="buttons" role="group" aria-label="Take along">
                ${button({
                  label: 'Save the prompt',
                  onClick: () => download(promptFile, promptAsJsonLine(shown), 'application/jsonl'),
                })}
                ${button({
                  label: 'Save the model',
                  onClick: async () =>
                    download(
                      modelFile(shown.main),
                      (await shown.main.model.bytes()) as BlobPart,
                      'application/octet-stream',
                    ),
                })}
              </div>
            `
      }
    `;
  }

  #queryChooser(
    main: KnownModel | undefined,
    query: readonly number[] | null,
    shown: Shown | undefined,
  ): TemplateResult | typeof nothing {
    const states = query ?? shown?.answers.query;
    if (main === undefined || states === undefined || states.length !== main.task.dimension) return nothing;
    const turn = (t: number) => {
      const next = states.map((state, i) => (i === t ? (state + 1) % main.task.states : state));
      this.#state.set({ query: next.join('') }, { isChoice: true });
    };
    return html`
      <fieldset class="query-chooser">
        <legend>Query</legend>
        <div class="buttons">
          ${states.map(
            (state, t) => html`
              <button type="button" class="state-button" aria-label=${`State ${t + 1} of the query is ${state}: change it`} @click=${() => turn(t)}>
                ${stateChip(state)}
              </button>
            `,
          )}
          ${
            query === null
              ? html`<small>as drawn; press a state to change it</small>`
              : button({ label: 'As drawn', onClick: () => this.#state.set({ query: '' }, { isChoice: true }) })
          }
        </div>
      </fieldset>
    `;
  }

  #answers(shown: Shown): TemplateResult {
    const { answers, question } = shown;
    const isOpening = this.#session.problem === undefined && !question.models.every((id) => id in answers.asked);
    return html`
      <section aria-labelledby="markov-prompt">
        <h3 id="markov-prompt">The prompt</h3>
        <icl-figure-frame .figure=${chainsFigure(shown)}></icl-figure-frame>
      </section>
      <section aria-labelledby="markov-next">
        <h3 id="markov-next">What comes after ${answers.query.map(stateChip)}</h3>
        ${isOpening ? opening : nothing}
        <icl-figure-frame .figure=${nextStateFigure(shown)}></icl-figure-frame>
        ${otherAnswers(shown)}
      </section>
      <section aria-labelledby="markov-queries">
        <h3 id="markov-queries">Every query</h3>
        <icl-figure-frame .figure=${queriesFigure(shown)}></icl-figure-frame>
      </section>
      <section aria-labelledby="markov-along">
        <h3 id="markov-along">As chains are added</h3>
        <icl-figure-frame .figure=${alongFigure(shown)}></icl-figure-frame>
      </section>
      ${this.#errors(shown, question.task)}
    `;
  }

  #errors(shown: Shown, task: MarkovChainSpec): TemplateResult {
    const { values } = this.#state;
    const run = this.#run;
    const { kernel: _kernel, ...prior } = task;
    const { models, provider, smoothing, seed } = shown.question;
    const argument = {
      models,
      provider,
      task: values.law === 'kernel' ? task : prior,
      seed,
      smoothing,
      lengths: lengthsUpTo(values.n, 8),
      prompts: values.prompts,
    };
    const key = JSON.stringify(argument);
    if (run.argument !== undefined && key !== this.#runKey) queueMicrotask(() => run.drop());
    const start = () => {
      this.#runKey = key;
      run.start(argument);
    };
    const { errors } = run;
    return html`
      <section aria-labelledby="markov-errors">
        <h3 id="markov-errors">Over fresh prompts</h3>
        <div class="markov-run">
          ${radios({
            name: 'markov-law',
            label: 'Prompts of',
            value: values.law,
            choices: [
              { value: 'kernel', title: 'the kernel above' },
              { value: 'training', title: 'a kernel each, as in training' },
            ],
            onChange: (law) => this.#state.set({ law: law as Values['law'] }, { isChoice: true }),
          })}
          ${radios({
            name: 'markov-measure',
            label: 'Measured is the',
            value: values.measure,
            choices: (['squared', 'absolute'] as const).map((value) => ({
              value,
              title: measureWords(value, task.states),
            })),
            onChange: (measure) => this.#state.set({ measure: measure as Values['measure'] }, { isChoice: true }),
          })}
          ${numberInput({
            label: 'Prompts',
            value: values.prompts,
            low: 100,
            high: 100_000,
            step: 100,
            onChange: (prompts) => this.#state.set({ prompts }, { isChoice: true }),
          })}
        </div>
        <div class="buttons">
          ${
            run.isUnderWay
              ? html`
                  ${
                    run.phase === 'paused'
                      ? button({ label: 'Go on', isPrimary: true, onClick: () => run.resume() })
                      : button({ label: 'Pause', isDisabled: run.phase === 'opening', onClick: () => run.pause() })
                  }
                  ${button({ label: 'Stop', onClick: () => run.stop() })}
                `
              : button({ label: 'Measure', isPrimary: true, onClick: start })
          }
          ${
            run.isUnderWay
              ? html`<progress max=${values.prompts} value=${errors?.prompts ?? 0} aria-label="Prompts measured"></progress>`
              : nothing
          }
        </div>
        ${run.problem === undefined ? nothing : html`<p class="notice" role="alert">${run.problem}</p>`}
        ${
          errors === undefined || run.argument === undefined
            ? nothing
            : html`<icl-figure-frame
                .figure=${errorsFigure({
                  argument: run.argument,
                  errors,
                  respondents: this.#respondents(run.argument.models),
                  measure: values.measure,
                  main: shown.main,
                })}
              ></icl-figure-frame>`
        }
      </section>
    `;
  }
}

/** Titles that share a beginning say it once: what differs is what names them. */
function shorten<Each extends { readonly title: string }>(entries: readonly Each[]): readonly Each[] {
  const [first, ...rest] = entries.map(({ title }) => title.split(/, | /).slice(0, -1).length);
  if (first === undefined || rest.length === 0) return entries;
  const parts = entries.map(({ title }) => title.split(', '));
  const isCommon = parts.every((each) => each.length > 1 && each[0] === parts[0]![0]);
  return isCommon ? entries.map((entry, i) => ({ ...entry, title: parts[i]!.slice(1).join(', ') })) : entries;
}

/** Here all are about Markov chains. */
const shortTitle = (title: string): string => title.replace(/^Markov chains of /, '');
const capitalise = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

function predictsWhat(main: KnownModel | undefined): string {
  const states = main?.task.states ?? 2;
  return states === 2
    ? 'The model predicts one number: the mean of the next state, which with states 0 and 1 is the chance of a 1. It was trained on drawn states by their squared error, and nothing keeps its number between 0 and 1.'
    : `The model predicts one number: the mean of the next state, coded 0 to ${states - 1}. It was trained on drawn states by their squared error; it says nothing of single states’ chances.`;
}

const waiting = html`<p class="muted" role="status">Drawing a prompt.</p>`;

const opening = html`
  <p class="muted" role="status">The model is being opened; what needs none stands here already. The first visit fetches its runtime, some 4 MB.</p>
`;

/** What else answers such prompts, in numbers. */
function otherAnswers({ answers, question, respondents }: Shown): TemplateResult {
  const drawn = new Set([truthKey, ...respondents.map(({ key }) => key)]);
  const { asked, milliseconds } = answers;
  const others = Object.entries(asked).filter(([key]) => !drawn.has(key) && !question.models.includes(key));
  const times = respondents.flatMap(({ key, title }) =>
    key in milliseconds ? [`${milliseconds[key]!.toFixed(1)} ms (${title})`] : [],
  );
  const words: Readonly<Record<string, string>> = {
    'known-kernel-mode': 'the likeliest state under the true kernel',
    zero: 'always 0',
  };
  return html`
    <p class="muted">
      ${others.map(([key, value], i) => `${i > 0 ? '; ' : 'Also: '}${words[key] ?? key}, ${formatAnswer(value)}`)}.
      ${times.length === 0 ? nothing : `One run with every query took ${times.join(', ')} on ${providerTitles[question.provider]}.`}
    </p>
  `;
}

customElements.define('icl-markov', Markov);
