/** The playground: a context under one's hand, and what a frozen model predicts everywhere from it. */
import { html, type TemplateResult } from 'lit';
import { wholeNumber } from '../../app/fields.ts';
import type { PanelState } from '../../app/link.ts';
import { Panel } from '../../app/panel.ts';
import { slider } from '../../components/controls.ts';
import type { ModelSummary } from '../../worker/methods/models.ts';

const fields = { n: wholeNumber({ default: 20, low: 1, high: 100 }) };

class Playground extends Panel {
  #state!: PanelState<typeof fields>;
  #summary: ModelSummary | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    this.#state = this.watch(this.lab.link.stateOf('playground', fields));
    this.lab.library.open(this.lab.foreground, 'zhang2023-2d', this.lab.provider).then((summary) => {
      this.#summary = summary;
      this.requestUpdate();
    });
  }

  protected override render(): TemplateResult {
    return html`
      <section class="panel" aria-labelledby="playground-title">
        <div class="intro"><h2 id="playground-title">Playground</h2></div>
        <div>${this.#summary === undefined ? 'Opening the model' : html`<p>${this.#summary.report.runtime}</p>`}</div>
        <div class="controls">
          ${slider({ label: 'Pairs in the prompt', value: this.#state.values.n, low: 1, high: 100, step: 1, onInput: (n) => this.#state.set({ n }) })}
        </div>
      </section>
    `;
  }
}

customElements.define('icl-playground', Playground);
