/** The playground: a context under one's hand, and what a frozen model predicts everywhere from it. */
import { html, nothing, type TemplateResult } from 'lit';
import '../../styles/playground.css';
import type { PanelState } from '../../app/link.ts';
import { Panel } from '../../app/panel.ts';
import { pageColor, watchTheme } from '../../app/theme-colors.ts';
import '../../components/figure-frame.ts';
import { isCancelled } from '../../worker/client.ts';
import type { ModelSummary } from '../../worker/methods/models.ts';
import { type Palette, paletteFrom } from './color-map.ts';
import { edit } from './hands.ts';
import { pairEditorOf } from './pair-editor.ts';
import type { Pair } from './pairs.ts';
import { parsePairs } from './pairs-csv.ts';
import './plane.ts';
import type { PlaneAction } from './plane.ts';
import { PlaneAsker } from './plane-asker.ts';
import type { AnsweredPlane } from './plane-views.ts';
import { controlsOf, presetControl } from './playground-controls.ts';
import { fields, type PlaygroundValues } from './playground-fields.ts';
import { planesOf } from './playground-planes.ts';
import { presetOf } from './presets.ts';
import { readingsOf, spokenReading } from './readings.ts';
import { type Situation, situationOf, whyNoPlane } from './situation.ts';
import { SliceView } from './slice-view.ts';
import { takeStoredFigure } from './stored-figure.ts';
import { takingOf } from './taking.ts';

/** Milliseconds without a movement after which the next one is a new step, and after which a result is read aloud. */
const PAUSE = 800;

const round = (value: number): number => Number(value.toFixed(3));

class Playground extends Panel {
  #state!: PanelState<typeof fields>;
  #asker!: PlaneAsker;
  #slice!: SliceView;
  #palette!: Palette;
  #unwatchTheme = () => {};
  /** What the page opened with, until the live model answers. */
  #stored: Element | null = null;
  /** The model and provider that is open or being opened, and what came of it. */
  #wanted = '';
  #summary: ModelSummary | undefined;
  #problem: string | undefined;
  /** What {@link #situation} was made from. */
  #from: { readonly values: PlaygroundValues; readonly summary: ModelSummary } | undefined;
  #situation: Situation | undefined;
  #answered: AnsweredPlane | undefined;
  #chosen: number | null = null;
  #isTableOpen = false;
  #refusal: string | undefined;
  /** When pairs or probe were last moved: movements that follow at once are one step of the history. */
  #moved = Number.NEGATIVE_INFINITY;
  /** What is read aloud once the hand rests. */
  #said = '';
  #sayTimer: ReturnType<typeof setTimeout> | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    const { link, library, foreground } = this.lab;
    this.#stored = takeStoredFigure();
    this.#state = this.watch(link.stateOf('playground', fields));
    this.watch(library);
    this.watch(this.lab);
    this.#palette = paletteFrom(pageColor);
    this.#unwatchTheme = watchTheme(() => {
      this.#palette = paletteFrom(pageColor);
      this.requestUpdate();
    });
    this.#slice = this.watch(new SliceView(foreground));
    this.#asker = new PlaneAsker(foreground, {
      answered: (answered) => this.#show(answered),
      failed: (error) => this.#complain(error),
    });
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#unwatchTheme();
    this.#asker.cancel();
    this.#slice.cancel();
    clearTimeout(this.#sayTimer);
  }

  protected override willUpdate(): void {
    const { values } = this.#state;
    const { provider } = this.lab;
    const wanted = `${values.model} ${provider}`;
    if (wanted !== this.#wanted) this.#open(wanted);
    const summary = this.#summary;
    if (summary === undefined || (this.#from?.values === values && this.#from.summary === summary)) return;
    this.#from = { values, summary };
    this.#problem = whyNoPlane(summary);
    this.#situation = undefined;
    if (this.#problem !== undefined) return;
    try {
      this.#situation = situationOf(values, summary);
    } catch (error) {
      this.#problem = (error as Error).message;
      return;
    }
    if (this.#chosen !== null && this.#chosen >= this.#situation.pairs.length) this.#chosen = null;
    this.#asker.ask({ situation: this.#situation, provider, axis: values.along === 'x1' ? 0 : 1 });
  }

  #open(wanted: string): void {
    this.#wanted = wanted;
    this.#summary = undefined;
    const { lab } = this;
    lab.library
      .open(lab.foreground, this.#state.values.model, lab.provider, { prefixes: false })
      .then((summary) => {
        if (this.#wanted !== wanted) return;
        this.#summary = summary;
        this.requestUpdate();
      })
      .catch((error: unknown) => {
        if (this.#wanted === wanted) this.#complain(error);
      });
  }

  #show(answered: AnsweredPlane): void {
    this.#answered = answered;
    this.#problem = undefined;
    this.#slice.show(answered, this.lab.provider, this.#modelTitle);
    this.#stored = null;
    if (!('ready' in this.dataset)) {
      this.dataset['ready'] = '';
      performance.mark('icl-live');
    }
    clearTimeout(this.#sayTimer);
    this.#sayTimer = setTimeout(() => {
      this.#said = spokenReading(answered, this.#modelTitle);
      this.requestUpdate();
    }, PAUSE);
    this.requestUpdate();
  }

  #complain(error: unknown): void {
    if (isCancelled(error)) return;
    this.#problem = (error as Error).message;
    this.requestUpdate();
  }

  get #modelTitle(): string {
    return this.lab.library.find(this.#state.values.model)?.title ?? 'Model';
  }

  /** Pairs as the person has them now. The view stays as it is under a hand. */
  #setPairs(pairs: readonly Pair[], half: number | null, isChoice: boolean): void {
    const rows = pairs.map(({ x1, x2, y }) => [round(x1), round(x2), round(y)]);
    this.#state.set({ pairs: rows, half }, { isChoice });
  }

  readonly #act = (action: PlaneAction): void => {
    const situation = this.#situation;
    if (situation === undefined) return;
    if (action.kind === 'choose') {
      this.#choose(action.index);
    } else if (action.kind === 'probe') {
      this.#state.set({ probe: [action.place], half: situation.half }, { isChoice: this.#isNewMove(action.isFirst) });
    } else {
      const edited = edit(situation, action, this.#chosen);
      if (edited === undefined) return;
      const isNew = action.kind === 'add' || action.kind === 'remove';
      const isChoice = isNew || this.#isNewMove(action.kind === 'move' ? action.isFirst : true);
      this.#setPairs(edited.pairs, situation.half, isChoice);
      if (isNew) this.#choose(edited.chosen);
      else this.#chosen = edited.chosen;
    }
  };

  #isNewMove(isFirst: boolean): boolean {
    const isLate = performance.now() - this.#moved > PAUSE;
    this.#moved = performance.now();
    return isFirst && isLate;
  }

  /** Makes a pair the chosen one, with the keyboard's focus. */
  async #choose(index: number): Promise<void> {
    this.#chosen = index;
    this.requestUpdate();
    await this.updateComplete;
    const plane = this.querySelector('icl-plane');
    await plane?.updateComplete;
    plane?.focusOn(index);
  }

  #change(index: number, pair: Pair): void {
    const { pairs, half } = this.#situation!;
    const fits = Math.max(Math.abs(pair.x1), Math.abs(pair.x2)) <= half;
    this.#setPairs(
      pairs.map((each, i) => (i === index ? pair : each)),
      fits ? half : null,
      true,
    );
  }

  #paste(text: string): void {
    this.#refusal = undefined;
    try {
      this.#setPairs(parsePairs(text, this.#situation!.responses), null, true);
    } catch (error) {
      this.#refusal = (error as Error).message;
      this.requestUpdate();
    }
  }

  protected override render(): TemplateResult {
    const situation = this.#situation;
    const { values, problems } = this.#state;
    const model = this.lab.library.find(values.model);
    const all = [...problems, ...(situation?.problems ?? []), ...(this.#problem === undefined ? [] : [this.#problem])];
    const look = presetOf(values)?.look;
    return html`
      <section class="panel playground" aria-labelledby="playground-title">
        <div class="intro">
          <h2 id="playground-title">Playground</h2>
          <div class="preset">${presetControl(this.#state)}</div>
          <p class="look">${look ?? model?.about ?? nothing}</p>
          ${all.map((problem) => html`<p class="notice" role="alert">${problem}</p>`)}
        </div>
        <p class="visually-hidden" role="status">${this.#said}</p>
        <div class="seen">${situation === undefined ? (this.#stored ?? this.#waiting()) : this.#seen(situation)}</div>
        <div class="controls">${controlsOf({ lab: this.lab, state: this.#state, situation })}</div>
      </section>
    `;
  }

  #waiting(): TemplateResult | typeof nothing {
    return this.#problem === undefined ? html`<p class="muted" role="status">The model is being fetched.</p>` : nothing;
  }

  #seen(situation: Situation): TemplateResult | Element | typeof nothing {
    const answered = this.#answered;
    const summary = this.#summary;
    if (answered === undefined || summary === undefined) return this.#stored ?? this.#waiting();
    const { values } = this.#state;
    const model = this.lab.library.find(values.model)!;
    const title = this.#modelTitle;
    return html`
      ${planesOf({ situation, answered, palette: this.#palette, values, chosen: this.#chosen, modelTitle: title, onAction: this.#act })}
      ${pairEditorOf({
        situation,
        chosen: this.#chosen,
        isOpen: this.#isTableOpen,
        refusal: this.#refusal,
        onOpen: (isOpen) => {
          this.#isTableOpen = isOpen;
          this.requestUpdate();
        },
        onChange: (index, pair) => this.#change(index, pair),
        onAdd: () => this.#act({ kind: 'add', place: situation.probe }),
        onRemove: (index) => this.#act({ kind: 'remove', index }),
        onPaste: (text) => this.#paste(text),
      })}
      ${readingsOf(answered, title, summary.report)}
      ${takingOf({
        answered,
        model,
        isDifference: values.view === 'difference',
        onProblem: (problem) => this.#complain(new Error(problem)),
      })}
      <h3 class="slice-title">Along a line</h3>
      <icl-figure-frame .figure=${this.#slice.figure}></icl-figure-frame>
    `;
  }
}

customElements.define('icl-playground', Playground);
