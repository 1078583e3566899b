/** Training: a model is fitted in the page, its loss beside the theoretical minimum, its weights moving to theirs. */
import { html, nothing, type TemplateResult } from 'lit';
import { createRef, ref } from 'lit/directives/ref.js';
import '../../components/figure-frame.ts';
import '../../styles/training.css';
import type { PanelState } from '../../app/link.ts';
import { Panel } from '../../app/panel.ts';
import { button, checkbox, numberInput } from '../../components/controls.ts';
import type { Figure } from '../../components/figure-frame.ts';
import type { StudySummary } from '../../worker/training/runs.ts';
import { lossFigure, matrixFigure, trackFigure } from './figures.ts';
import { type KeptModel, keepModel, outcome } from './outcome.ts';
import { Painter } from './painter.ts';
import { TrainingSession } from './session.ts';
import { presetChoice, type SetupOptions, setup } from './setup.ts';
import { statusOf } from './status.ts';
import { fields, requestOf, type TrainingValues } from './training-fields.ts';

const figureNames = ['loss', 'matrix', 'track'] as const;
type FigureName = (typeof figureNames)[number];

const makers = { loss: lossFigure, matrix: matrixFigure, track: trackFigure } as const;

class Training extends Panel {
  #state!: PanelState<typeof fields>;
  #session!: TrainingSession;
  #studies: readonly StudySummary[] = [];
  #figures: Partial<Record<FigureName, Figure>> = {};
  #kept: readonly KeptModel[] = [];
  /** What went wrong beside the training itself. */
  #trouble: string | undefined;
  readonly #status = createRef<HTMLElement>();
  readonly #painter = new Painter(figureNames, (name) => this.#paint(name));

  override connectedCallback(): void {
    super.connectedCallback();
    this.#state ??= this.lab.link.stateOf('training', fields);
    this.#state.addEventListener('change', this.#follow);
    if (this.#session === undefined) {
      this.#session = new TrainingSession(this.lab);
      this.#session.addEventListener('change', () => this.#painter.request());
      this.lab.foreground
        .call('listStudies', null)
        .then((studies) => {
          this.#studies = studies;
          this.requestUpdate();
        })
        .catch((error: unknown) => this.#say(error));
    }
    this.#follow();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#state.removeEventListener('change', this.#follow);
  }

  /** The link says something else: what is trained may be another thing. */
  readonly #follow = () => {
    const request = requestOf(this.#state.values);
    if (JSON.stringify(request) !== JSON.stringify(this.#session.request)) this.#session.prepare(request);
    this.#session.setStop(this.#state.values.pause || null);
    this.#painter.request();
  };

  async #paint(name: FigureName): Promise<void> {
    const { preparation } = this.#session;
    if (preparation !== undefined) {
      const figure = makers[name]({ ...this.#session.seen(), preparation, isLog: this.#state.values.log });
      const { [name]: _, ...others } = this.#figures;
      this.#figures = figure === undefined ? others : { ...this.#figures, [name]: figure };
    }
    this.requestUpdate();
    await this.updateComplete;
    if (name === 'track' && this.#session.phase !== 'preparing') this.dataset['ready'] = this.#session.phase;
  }

  protected override render(): TemplateResult {
    const session = this.#session;
    const { values, problems } = this.#state;
    const options: SetupOptions = {
      values,
      studies: this.#studies,
      isLocked: session.isUnderWay,
      set: (patch) => this.#set(patch),
    };
    const notices = [...problems, session.problem, this.#trouble].filter((each) => each !== undefined);
    return html`
      <section class="panel training" aria-labelledby="training-title">
        <div class="intro">
          <h2 id="training-title">Training</h2>
          <p>
            A model is trained from the start, in this page, by the same steps as on the command line. What theory says of the end stands
            beside it.
          </p>
        </div>
        <div class="seen">
          ${notices.map((notice) => html`<p class="notice" role="alert">${notice}</p>`)}
          <div class="choose">
            ${presetChoice(options)}
            <div class="buttons" role="group" aria-label="Training">${this.#buttons()}</div>
          </div>
          ${statusOf(session)}
          ${checkbox({ label: 'More room for early steps (logarithmic axis)', isChecked: values.log, onChange: (log) => this.#set({ log }) })}
          ${session.preparation === undefined ? nothing : figureNames.map((name) => this.#frame(name))}
          ${
            session.preparation?.theory.remark
              ? html`<p class="muted">${session.preparation.theory.remark}</p>`
              : nothing
          }
        </div>
        <div class="controls">
          ${setup(options)}
          ${numberInput({
            label: 'Pause after step',
            value: values.pause,
            low: 0,
            high: 1_000_000,
            step: 1,
            hint: '0: train to the end.',
            onChange: (pause) => this.#set({ pause }),
          })}
          ${outcome({
            isPossible: session.hasModel,
            kept: this.#kept,
            onUse: () => this.#freeze((frozen) => this.#keep(frozen)),
            onSave: (save) => this.#freeze(save),
          })}
        </div>
        <p class="visually-hidden" role="status" ${ref(this.#status)}>${phaseWords[session.phase]}</p>
      </section>
    `;
  }

  #frame(name: FigureName): TemplateResult | typeof nothing {
    const figure = this.#figures[name];
    return figure === undefined ? nothing : html`<icl-figure-frame class=${name} .figure=${figure}></icl-figure-frame>`;
  }

  #buttons(): TemplateResult[] {
    const session = this.#session;
    const { phase } = session;
    const start = (isSingle: boolean) => session.start(this.lab.provider, this.#state.values.pause || null, isSingle);
    const isPossible = session.preparation !== undefined;
    if (phase === 'running' || phase === 'starting') {
      return [
        button({
          label: 'Pause',
          isPrimary: true,
          isDisabled: phase === 'starting',
          onClick: () => session.steer('pause'),
        }),
        button({ label: 'Stop', isDisabled: phase === 'starting', onClick: () => session.steer('stop') }),
      ];
    }
    if (phase === 'paused') {
      return [
        button({ label: 'Resume', isPrimary: true, onClick: () => session.steer('resume') }),
        button({ label: 'One step', onClick: () => session.steer('step') }),
        button({ label: 'Stop', onClick: () => session.steer('stop') }),
      ];
    }
    const label = session.step > 0 ? 'Train again' : 'Train';
    return [
      button({ label, isPrimary: true, isDisabled: !isPossible, onClick: () => void start(false) }),
      button({ label: 'One step', isDisabled: !isPossible, onClick: () => void start(true) }),
    ];
  }

  #set(patch: Partial<TrainingValues>): void {
    this.#state.set(patch, { isChoice: true });
  }

  #freeze(use: (frozen: Awaited<ReturnType<TrainingSession['freeze']>>) => void): void {
    this.#trouble = undefined;
    this.#session
      .freeze()
      .then(use)
      .catch((error: unknown) => this.#say(error));
  }

  #keep(frozen: Awaited<ReturnType<TrainingSession['freeze']>>): void {
    this.#kept = [...this.#kept, keepModel(this.lab.library, frozen)];
    this.requestUpdate();
  }

  #say(error: unknown): void {
    this.#trouble = (error as Error).message;
    this.requestUpdate();
  }
}

const phaseWords = {
  preparing: 'Reading the settings',
  ready: 'Ready to train',
  starting: 'Starting',
  running: 'Training',
  paused: 'Paused',
  done: 'Training has ended',
  failed: 'Training cannot go on',
} as const;

customElements.define('icl-training', Training);
