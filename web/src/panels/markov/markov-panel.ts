/** A Markov chain under one's hand: its transition probabilities, the chains in the context, the next state that a frozen model predicts. */
import { html, nothing, type TemplateResult } from 'lit';
import { guard } from 'lit/directives/guard.js';
import type { PanelState } from '../../app/link.ts';
import { Panel } from '../../app/panel.ts';
import { providerTitles } from '../../app/provider.ts';
import '../../components/figure-frame.ts';
import '../../styles/markov.css';
import { fields } from './fields.ts';
import { argumentOf, freshPrompts } from './fresh-prompts.ts';
import { kernelEditor, stateChip } from './kernel-editor.ts';
import { countsLook, formatAnswer, modelLooks, type Respondent, truthKey } from './palette.ts';
import { panelControls, presetChooser } from './panel-controls.ts';
import {
  alongFigure,
  chainsFigure,
  diagramFigure,
  nextStateFigure,
  queriesFigure,
  type Shown,
} from './panel-figures.ts';
import { MarkovRun } from './run.ts';
import { type KnownModel, MarkovSession } from './session.ts';
import { type Change, questionOf, settingOf } from './setting.ts';

class Markov extends Panel {
  #state!: PanelState<typeof fields>;
  #session!: MarkovSession;
  #run!: MarkovRun;
  readonly #change: Change = (patch, isChoice = false) => this.#state.set(patch, { isChoice });

  override connectedCallback(): void {
    super.connectedCallback();
    const { lab } = this;
    this.#state ??= lab.link.stateOf('markov', fields);
    this.#session ??= new MarkovSession(lab);
    this.#run ??= new MarkovRun(lab);
    for (const target of [lab, this.#state, this.#session, this.#run]) this.watch(target);
    const open = () => void this.#session.openModels(this.#state.values.model);
    this.watch(lab.library).addEventListener('change', open);
    open();
  }

  protected override render(): TemplateResult {
    const { values, problems } = this.#state;
    const { models, problem } = this.#session;
    const setting = settingOf(values, models, this.lab.library);
    const question = questionOf(setting, values, this.lab.provider);
    if (question !== undefined) this.#session.ask(question);
    const shown = this.#shown();
    const current = setting.query?.at(-1) ?? shown?.answers.query.at(-1);
    const change = this.#change;
    return html`
      <section class="panel markov" aria-labelledby="markov-title">
        <div class="intro">
          <h2 id="markov-title">Markov chains</h2>
          <p>
            A prompt is a context of short chains, all moved by one and the same kernel, and a query: a chain without its last
            state. No weight of the model changes; whatever it knows of the kernel it reads from the context.
          </p>
          <p class="muted">${predictsWhat(setting.main)}</p>
          ${[...problems, ...setting.problems].map((each) => html`<p class="notice" role="alert">${each}</p>`)}
          ${problem === undefined ? nothing : html`<p class="notice" role="alert">${problem}</p>`}
          ${presetChooser(setting, values, change)}
        </div>
        <div class="markov-kernel">
          <h3>The kernel: where a state goes next</h3>
          <div class="markov-kernel-parts">
            ${kernelEditor({ kernel: setting.kernel, current, onChange: (kernel) => change({ kernel }) })}
            ${guard(
              [setting.kernel.join(), current],
              () => html`<icl-figure-frame .figure=${diagramFigure(setting.kernel, current)}></icl-figure-frame>`,
            )}
          </div>
        </div>
        <div class="controls">${panelControls({ setting, values, models, shown, change })}</div>
        <div class="markov-answers">
          ${
            shown === undefined
              ? html`<p class="muted" role="status">Drawing a prompt.</p>`
              : html`
                  ${guard([this.#session.answers, problem], () => this.#answers(shown))}
                  ${freshPrompts({
                    ...{ shown, values, run: this.#run, change },
                    respondentsOf: (ids) => this.#respondents(ids),
                  })}
                `
          }
        </div>
      </section>
    `;
  }

  protected override updated(): void {
    const last = this.#session.answers;
    if (last?.question.models.every((id) => id in last.answers.asked)) this.dataset['ready'] = '';
    // What was measured is no answer to another question.
    const { argument } = this.#run;
    const shown = this.#shown();
    if (argument === undefined || shown === undefined) return;
    if (JSON.stringify(argument) !== JSON.stringify(argumentOf(shown, this.#state.values))) this.#run.drop();
  }

  /** The last answers with the looks of those who gave them. */
  #shown(): Shown | undefined {
    const last = this.#session.answers;
    const main = this.#session.models.find(({ model }) => model.id === last?.question.models[0]);
    if (last === undefined || main === undefined) return undefined;
    const respondents = this.#respondents(last.question.models).filter(({ key }) => key in last.answers.asked);
    return { ...last, main, respondents };
  }

  /** The models, then counting. */
  #respondents(ids: readonly string[]): readonly Respondent[] {
    const titled = ids.map((id, i) => ({
      key: id,
      title: this.lab.library.find(id)?.title ?? id,
      ...modelLooks[i % modelLooks.length]!,
    }));
    return [...shorten(titled), countsLook];
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
    `;
  }
}

/** Titles with a common beginning, up to a comma: what differs is what names them here. */
function shorten<Each extends { readonly title: string }>(entries: readonly Each[]): readonly Each[] {
  const parts = entries.map(({ title }) => title.split(', '));
  const isCommon = parts.length > 1 && parts.every((each) => each.length > 1 && each[0] === parts[0]![0]);
  return isCommon ? entries.map((entry, i) => ({ ...entry, title: parts[i]!.slice(1).join(', ') })) : entries;
}

const opening = html`
  <p class="muted" role="status">
    The model is being opened; what needs none stands here already. The first visit fetches its runtime, some 4 MB.
  </p>
`;

function predictsWhat(main: KnownModel | undefined): string {
  const states = main?.task.states ?? 2;
  return states === 2
    ? 'The model predicts one number: the mean of the next state, which with states 0 and 1 is the chance of a 1. It was trained on drawn states by their squared error, and nothing keeps its number between 0 and 1.'
    : `The model predicts one number: the mean of the next state, coded 0 to ${states - 1}. It was trained on drawn states by their squared error; it says nothing of single states’ chances.`;
}

/** What else answers such prompts, in numbers, and how long the models took. */
function otherAnswers({ answers, question, respondents }: Shown): TemplateResult {
  const { asked, milliseconds } = answers;
  const drawn = new Set([truthKey, ...respondents.map(({ key }) => key)]);
  const others = Object.entries(asked).filter(([key]) => !drawn.has(key));
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
      ${times.length === 0 ? nothing : `One run took ${times.join(', ')} on ${providerTitles[question.provider]}.`}
    </p>
  `;
}

customElements.define('icl-markov', Markov);
