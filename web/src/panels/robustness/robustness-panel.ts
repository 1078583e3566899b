/** Robustness: the risk of frozen models over prompt length and distribution shift, measured here and growing while it is. */
import { html, nothing, type TemplateResult } from 'lit';
import { keyed } from 'lit/directives/keyed.js';
import type { LibraryModel } from '../../app/library.ts';
import type { PanelState } from '../../app/link.ts';
import { Panel } from '../../app/panel.ts';
import type { Figure } from '../../components/figure-frame.ts';
import '../../components/figure-frame.ts';
import type { ModelDescription } from '../../worker/methods/models.ts';
import { evaluateCommand } from './command.ts';
import { curvePlaces, type Experiment, resolveExperiment } from './experiment.ts';
import { fields, type RobustnessValues } from './fields.ts';
import { progressView } from './progress-view.ts';
import { Rivals } from './rivals.ts';
import { rowsView, tableOf } from './rows-view.ts';
import { Run, type RunRequest } from './run.ts';
import { presetChoice, settingsView } from './settings-view.ts';
import '../../styles/robustness.css';

/** After the last change of a setting: a slider under a hand starts one run, not fifty. */
const settleTime = 250;

type Chart = typeof import('./chart.ts');

class Robustness extends Panel {
  #state!: PanelState<typeof fields>;
  readonly #rivals = new Rivals();
  #chart: Chart | undefined;
  #model: ModelDescription | undefined;
  /** The id whose file is being read, or was. */
  #asked: string | undefined;
  #problem: string | undefined;
  #run: Run | undefined;
  /** What the run measures, as text; another text is another run. */
  #key = '';
  #timer: ReturnType<typeof setTimeout> | undefined;
  #figure: { readonly parts: readonly unknown[]; readonly figure: Figure } | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    this.#state = this.watch(this.lab.link.stateOf('robustness', fields));
    this.watch(this.lab);
    this.watch(this.lab.link);
    this.watch(this.lab.library);
    this.watch(this.#rivals);
    this.lab.library.addEventListener('change', () => this.#attempt(this.#rivals.learnOwn(this.lab)));
    this.#attempt(
      import('./chart.ts').then((chart) => {
        this.#chart = chart;
        this.requestUpdate();
      }),
    );
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#run?.discard();
  }

  /** An error that nobody else shows is shown in the panel. */
  #attempt(work: Promise<unknown>): void {
    work.catch((error: unknown) => {
      this.#problem = (error as Error).message;
      this.requestUpdate();
    });
  }

  get #models(): readonly LibraryModel[] {
    return this.lab.library.models.filter(({ panels }) => panels === null || panels.includes('robustness'));
  }

  /** Reads the model that the link names; what is asked of it follows from its file. */
  #read(): void {
    const { model: id } = this.#state.values;
    if (id === this.#asked) return;
    this.#asked = id;
    this.#model = undefined;
    this.#problem = undefined;
    this.lab.library.describe(this.lab.foreground, id).then(
      (model) => {
        if (this.#asked !== id) return;
        const isFirst = this.#run === undefined;
        this.#model = model;
        this.requestUpdate();
        if (isFirst) this.#attempt(this.#rivals.learn(this.lab));
      },
      (error: Error) => {
        if (this.#asked !== id) return;
        this.#problem = error.message;
        this.requestUpdate();
      },
    );
  }

  protected override willUpdate(): void {
    if (this.lab.link.panel !== 'robustness') return;
    this.#read();
    const experiment = this.#experiment();
    const key = experiment === undefined ? '' : JSON.stringify(this.#request(experiment));
    if (key === this.#key) return;
    this.#key = key;
    // Nothing that belongs to other settings may come in from here on.
    this.#run?.discard();
    this.#run = undefined;
    clearTimeout(this.#timer);
    if (key !== '') this.#timer = setTimeout(() => this.#start(), this.#figure === undefined ? 0 : settleTime);
  }

  #experiment(): Experiment | undefined {
    return this.#model === undefined ? undefined : resolveExperiment(this.#state.values, this.#model);
  }

  #request(experiment: Experiment): RunRequest {
    const { model, compare, precision, prompts, seed } = this.#state.values;
    const { task, shift, levels, lengths, estimators } = experiment;
    return {
      ...{ model, compared: compare === '' ? null : compare, provider: this.lab.provider, task },
      shift: shift === null ? null : { name: shift.name, levels },
      ...{ lengths, estimators, prompts, seed },
      targetStandardError: Number(precision),
      prefixes: shift === null,
      curvePlaces: curvePlaces(experiment),
    };
  }

  #start(): void {
    const experiment = this.#experiment();
    if (experiment === undefined || experiment.levels.length === 0) return;
    this.#run?.discard();
    const run = new Run(this.lab, this.#request(experiment));
    run.addEventListener('change', () => this.requestUpdate());
    this.#run = run;
    this.requestUpdate();
  }

  protected override render(): TemplateResult {
    const { values, problems } = this.#state;
    const experiment = this.#experiment();
    const run = this.#run;
    const notices = [...problems, ...(experiment?.problems ?? [])];
    const trouble = run?.problem ?? this.#problem;
    const name = `robustness-${values.model}`;
    return html`
      <section class="panel robustness" aria-labelledby="robustness-title">
        <div class="intro">
          <h2 id="robustness-title">Robustness</h2>
          <p>
            How large a frozen model’s error becomes when test prompts differ from those of its training: each point is the
            mean over fresh prompts, measured here, on the exact curve where theory has one.
          </p>
          ${notices.map((notice) => html`<p class="notice" role="alert">${notice}</p>`)}
          ${trouble === undefined ? nothing : html`<p class="notice" role="alert">${trouble}</p>`}
        </div>
        <div class="seen">
          <div class="start">${presetChoice(this.#state, experiment)}</div>
          <div class="curve" ?data-stale=${run === undefined && this.#figure !== undefined}>
            <icl-figure-frame .figure=${this.#drawn(experiment, run)}></icl-figure-frame>
          </div>
          ${
            run === undefined
              ? nothing
              : keyed(
                  run,
                  progressView(run, () => this.#start()),
                )
          }
          ${run?.progress === undefined ? nothing : rowsView(run.progress, name)}
        </div>
        ${settingsView({
          state: this.#state,
          models: this.#models,
          rivals: this.#rivals.of(values.model, this.#models),
          rivalsHint: this.#rivals.hintFor(values.model),
          experiment,
        })}
      </section>
    `;
  }

  protected override updated(): void {
    const progress = this.#run?.progress;
    this.toggleAttribute('data-ready', progress !== undefined && progress.rows.length > 0);
  }

  /** The figure, drawn again only where something that is seen has changed. */
  #drawn(experiment: Experiment | undefined, run: Run | undefined): Figure | undefined {
    const chart = this.#chart;
    if (chart === undefined || experiment === undefined || run === undefined) return this.#figure?.figure;
    const { values } = this.#state;
    const { progress, curves } = run;
    if (progress === undefined && curves.points.length === 0) return this.#figure?.figure;
    const parts = [run, run.status, progress, curves, values.measure, values.axis, values.band];
    if (this.#figure?.parts.every((part, i) => part === parts[i])) return this.#figure.figure;
    this.#figure = { parts, figure: this.#makeFigure(chart, experiment, run, values) };
    return this.#figure.figure;
  }

  #makeFigure(chart: Chart, experiment: Experiment, run: Run, values: RobustnessValues): Figure {
    const { request, curves, progress, status } = run;
    const rows = progress?.rows ?? [];
    const models = [request.model, ...(request.compared === null ? [] : [request.compared])].map(
      (id) => this.lab.library.find(id)!,
    );
    const { shift, measure, lengths } = experiment;
    const usual = measure.name === 'squared-error' ? 'log' : 'linear';
    const yScale = values.axis === 'auto' ? usual : values.axis;
    const over =
      shift === null
        ? 'the number of pairs in the prompt'
        : `${shift.name.replaceAll('-', ' ')}, prompts of ${lengths[0]} pairs`;
    const prompts = status === 'stopped' && progress !== undefined ? progress.prompts : request.prompts;
    return {
      name: `robustness-${request.model}`,
      caption: `${sentence(measure.name)} over ${over}; ${models.map(({ title }) => title).join(' and ')}.`,
      provenance: { text: provenanceText(run), command: evaluateCommand(experiment, request, models, prompts) },
      draw: (context) =>
        chart.drawRobustness(context, { experiment, rows, curves, models, yScale, isBand: values.band }),
      table: () => tableOf(rows),
    };
  }
}

const sentence = (name: string): string => `${name[0]!.toUpperCase()}${name.slice(1).replaceAll('-', ' ')}`;

function provenanceText({ request, curves, progress }: Run): string {
  const papers = curves.papers.map(
    ({ authors, year, title, arxiv }) => `${authors} (${year}), “${title}”, arXiv ${arxiv}`,
  );
  const exact =
    curves.points.length === 0
      ? 'No closed form is known for it. '
      : `The exact curve is the risk of the model’s own numbers on the shifted law, by the formulas of ${papers.join('; ')}. `;
  const where = progress === undefined ? '' : ` on ${progress.report.provider}`;
  return (
    `${exact}Points are means over fresh prompts, drawn from seed ${request.seed} and answered${where}; all who answer have ` +
    'the same prompts, and every level the same random numbers. The command gives the same rows, up to rounding in float32.'
  );
}

customElements.define('icl-robustness', Robustness);
