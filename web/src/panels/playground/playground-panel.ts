/** The playground: a context under one's hand, and what a frozen model predicts everywhere from it. */
import { html, nothing, type TemplateResult } from 'lit';
import '../../styles/playground.css';
import type { PanelState } from '../../app/link.ts';
import { Panel } from '../../app/panel.ts';
import { pageColor, watchTheme } from '../../app/theme-colors.ts';
import { isCancelled } from '../../worker/client.ts';
import type { ModelSummary } from '../../worker/methods/models.ts';
import { type Palette, paletteFrom } from './color-map.ts';
import { mostPairs, type Pair } from './pairs.ts';
import './plane.ts';
import type { PlaneAction } from './plane.ts';
import { PlaneAsker } from './plane-asker.ts';
import type { AnsweredPlane } from './plane-views.ts';
import { controlsOf } from './playground-controls.ts';
import { fields, type PlaygroundValues } from './playground-fields.ts';
import { planesOf } from './playground-planes.ts';
import { type Situation, situationOf, whyNoPlane } from './situation.ts';

const round = (value: number): number => Number(value.toFixed(3));

class Playground extends Panel {
  #state!: PanelState<typeof fields>;
  #asker!: PlaneAsker;
  #palette!: Palette;
  #unwatchTheme = () => {};
  /** The model and provider that is open or being opened, and what came of it. */
  #wanted = '';
  #summary: ModelSummary | undefined;
  #problem: string | undefined;
  /** What {@link #situation} was made from. */
  #from: { readonly values: PlaygroundValues; readonly summary: ModelSummary } | undefined;
  #situation: Situation | undefined;
  #answered: AnsweredPlane | undefined;
  #chosen: number | null = null;

  override connectedCallback(): void {
    super.connectedCallback();
    const { link, library, foreground } = this.lab;
    this.#state = this.watch(link.stateOf('playground', fields));
    this.watch(library);
    this.watch(this.lab);
    this.#palette = paletteFrom(pageColor);
    this.#unwatchTheme = watchTheme(() => {
      this.#palette = paletteFrom(pageColor);
      this.requestUpdate();
    });
    this.#asker = new PlaneAsker(foreground, {
      answered: (answered) => this.#show(answered),
      failed: (error) => this.#complain(error),
    });
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#unwatchTheme();
    this.#asker.cancel();
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
    if (!('ready' in this.dataset)) {
      this.dataset['ready'] = '';
      performance.mark('icl-playground-live');
    }
    this.requestUpdate();
  }

  #complain(error: unknown): void {
    if (isCancelled(error)) return;
    this.#problem = (error as Error).message;
    this.requestUpdate();
  }

  /** Pairs as the person has them now. */
  #setPairs(pairs: readonly Pair[], isChoice: boolean): void {
    this.#state.set({ pairs: pairs.map(({ x1, x2, y }) => [round(x1), round(x2), round(y)]) }, { isChoice });
  }

  readonly #act = (action: PlaneAction): void => {
    const situation = this.#situation;
    if (situation === undefined) return;
    const { pairs } = situation;
    switch (action.kind) {
      case 'choose':
        this.#choose(action.index);
        return;
      case 'probe':
        this.#state.set({ probe: [action.place] }, { isChoice: action.isFirst });
        return;
      case 'move': {
        const [x1, x2] = action.place;
        this.#chosen = action.index;
        // The view stays as it is under a moving hand.
        if (action.isFirst) this.#state.set({ half: situation.half });
        this.#setPairs(
          pairs.map((pair, i) => (i === action.index ? { ...pair, x1, x2 } : pair)),
          action.isFirst,
        );
        return;
      }
      case 'add': {
        if (pairs.length >= mostPairs) return;
        const [x1, x2] = action.place;
        this.#setPairs([...pairs, { x1, x2, y: this.#newResponse(situation, x1, x2) }], true);
        this.#choose(pairs.length);
        return;
      }
      case 'remove':
        if (pairs.length <= Math.max(1, situation.summary.minimumContext)) return;
        this.#setPairs(
          pairs.filter((_, i) => i !== action.index),
          true,
        );
        this.#choose(Math.min(action.index, pairs.length - 2));
        return;
      case 'respond':
        this.#respond(situation, action.index, action.step * (action.isFine ? 0.01 : 0.1));
        return;
    }
  };

  /** What a new pair is given: what the drawn function says there; of classes the class of the pair chosen last. */
  #newResponse({ responses, taskParameters, pairs }: Situation, x1: number, x2: number): number {
    if (responses.kind === 'number') return Number((taskParameters[0]! * x1 + taskParameters[1]! * x2).toFixed(2));
    return pairs[this.#chosen ?? pairs.length - 1]?.y ?? responses.values[0]!;
  }

  #respond({ pairs, responses }: Situation, index: number, by: number): void {
    const change = (y: number) => {
      if (responses.kind === 'number') return y + by;
      const { values } = responses;
      return values[(values.indexOf(y) + Math.sign(by) + values.length) % values.length]!;
    };
    this.#setPairs(
      pairs.map((pair, i) => (i === index ? { ...pair, y: change(pair.y) } : pair)),
      true,
    );
  }

  #choose(index: number): void {
    this.#chosen = index;
    this.requestUpdate();
    this.updateComplete
      .then(() => this.querySelector('icl-plane')?.updateComplete)
      .then(() => {
        this.querySelector('icl-plane')?.focusOn(index);
      });
  }

  protected override render(): TemplateResult {
    const situation = this.#situation;
    const { values, problems } = this.#state;
    const model = this.lab.library.find(values.model);
    const all = [...problems, ...(situation?.problems ?? []), ...(this.#problem === undefined ? [] : [this.#problem])];
    return html`
      <section class="panel playground" aria-labelledby="playground-title">
        <div class="intro">
          <h2 id="playground-title">Playground</h2>
          <p>${model?.about ?? nothing}</p>
          ${all.map((problem) => html`<p class="notice" role="alert">${problem}</p>`)}
        </div>
        <div>
          ${
            situation === undefined || this.#answered === undefined
              ? html`<p class="muted">${this.#problem === undefined ? 'The model is being fetched.' : nothing}</p>`
              : planesOf({
                  situation,
                  answered: this.#answered,
                  palette: this.#palette,
                  values,
                  chosen: this.#chosen,
                  modelTitle: model?.title ?? 'Model',
                  onAction: this.#act,
                })
          }
        </div>
        <div class="controls">${controlsOf({ lab: this.lab, state: this.#state, situation })}</div>
      </section>
    `;
  }
}

customElements.define('icl-playground', Playground);
