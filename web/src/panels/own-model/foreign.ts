/** A file that other tools wrote: what it takes and gives, and the adapter that the person confirms. */
import { html, LitElement, type TemplateResult } from 'lit';
import type { Lab } from '../../app/lab.ts';
import { button, checkbox, numberInput, radios } from '../../components/controls.ts';
import type { ForeignDescription } from '../../worker/methods/inspect.ts';
import { graphSummary, signature } from './description.ts';
import { formatBytes } from './format.ts';

/** A foreign file as it was read. */
export interface ForeignFile {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly description: ForeignDescription;
}

/** Fires `adapted`, with the new file as its detail. */
class ForeignModelView extends LitElement {
  static override properties = {
    lab: { attribute: false },
    file: { attribute: false },
    proposal: { state: true },
    isNegated: { state: true },
    noiseVariance: { state: true },
    contextLength: { state: true },
    problem: { state: true },
  };
  declare lab: Lab;
  declare file: ForeignFile;
  declare proposal: number;
  declare isNegated: boolean;
  declare noiseVariance: number;
  declare contextLength: number;
  declare problem: string | undefined;

  constructor() {
    super();
    this.proposal = 0;
    this.isNegated = false;
    this.noiseVariance = 0;
    this.contextLength = 20;
  }

  protected override createRenderRoot(): this {
    return this;
  }

  protected override willUpdate(changed: Map<string, unknown>): void {
    if (!changed.has('file')) return;
    this.proposal = 0;
    this.problem = undefined;
  }

  protected override render(): TemplateResult {
    const { name, description } = this.file;
    const { graph, producer, bytes, reason } = description;
    return html`
      <h3 class="own-name">${name}</h3>
      <p>
        An ONNX file that was made elsewhere${producer === '' ? '' : html`, by ${producer}`}: ${formatBytes(bytes)}, operator set
        ${graph.opset}.
      </p>
      <section aria-labelledby="foreign-signature">
        <h3 id="foreign-signature">Inputs and outputs</h3>
        ${signature(graph.inputs, graph.outputs)}
      </section>
      <section aria-labelledby="foreign-adapter">
        <h3 id="foreign-adapter">Adapter</h3>
        ${reason === null ? this.#form() : html`<p class="notice" role="alert">${reason}</p>`}
      </section>
      ${graphSummary(graph)}
    `;
  }

  #form(): TemplateResult {
    const { proposals } = this.file.description;
    const { dimension } = proposals[this.proposal]!;
    return html`
      <p>
        Its inputs look like those of an in-context learner. Confirm what is what, and say what it was trained on: the panels draw
        prompts from that law. The adapter is a few nodes around the graph, which stays as it is.
      </p>
      <div class="adapter">
        ${radios({
          name: 'adapter-proposal',
          label: 'What is what',
          value: String(this.proposal),
          choices: proposals.map(({ title }, i) => ({ value: String(i), title })),
          onChange: (chosen) => {
            this.proposal = Number(chosen);
          },
        })}
        ${checkbox({
          label: 'The output is minus the prediction',
          isChecked: this.isNegated,
          onChange: (isChecked) => {
            this.isNegated = isChecked;
          },
        })}
        <p class="muted">
          Trained on linear functions y = w·x + noise of ${dimension} ${dimension === 1 ? 'covariate' : 'covariates'}, with x and w
          standard normal:
        </p>
        <div class="adapter-numbers">
          ${numberInput({
            label: 'Pairs in a training prompt',
            value: this.contextLength,
            low: 1,
            high: 10_000,
            step: 1,
            onChange: (value) => {
              this.contextLength = value;
            },
          })}
          ${numberInput({
            label: 'Variance of the noise',
            value: this.noiseVariance,
            low: 0,
            high: 1e6,
            step: 'any',
            onChange: (value) => {
              this.noiseVariance = value;
            },
          })}
        </div>
        <div class="buttons">${button({ label: 'Adapt and use', isPrimary: true, onClick: () => this.#adapt() })}</div>
        ${this.problem === undefined ? '' : html`<p class="notice" role="alert">${this.problem}</p>`}
      </div>
    `;
  }

  async #adapt(): Promise<void> {
    const { file, proposal, isNegated, noiseVariance, contextLength } = this;
    const { name, bytes } = file;
    this.problem = undefined;
    try {
      const argument = { name, bytes, proposal, isNegated, noiseVariance, contextLength };
      const adapted = await this.lab.background.call('adapt', argument);
      this.dispatchEvent(new CustomEvent('adapted', { detail: adapted }));
    } catch (error) {
      this.problem = (error as Error).message;
    }
  }
}

customElements.define('icl-foreign-model', ForeignModelView);
