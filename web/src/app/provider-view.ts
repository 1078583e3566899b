/** Where models run, in the page's head: always shown, with its reason; opened, the choice and a measurement. */
import { html, LitElement, nothing, type TemplateResult } from 'lit';
import type { WebProvider } from '../../../infer/web-runtime.ts';
import { button } from '../components/controls.ts';
import { timedWork } from '../worker/methods/timed-work.ts';
import { type Measurement, type ProviderChoice, providerTitles, webgpuDownload } from './provider.ts';

class ProviderView extends LitElement {
  static override properties = { choice: { attribute: false } };
  declare choice: ProviderChoice;
  readonly #render = () => this.requestUpdate();

  protected override createRenderRoot(): this {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.choice.addEventListener('change', this.#render);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.choice.removeEventListener('change', this.#render);
  }

  protected override render(): TemplateResult {
    const { provider, reason, activity, trouble, measurement } = this.choice;
    return html`
      <details class="provider" @toggle=${() => this.choice.look()}>
        <summary>Runs on <strong>${providerTitles[provider]}</strong>: ${reason}</summary>
        <div class="provider-choice">
          <fieldset class="radios">
            <legend>Where models run, on this machine</legend>
            ${this.#radio('wasm', 'WebAssembly', 'needs no graphics processor')} ${this.#webgpu()}
          </fieldset>
          ${this.#measure()}
          ${measurement === undefined ? nothing : measurementTable(measurement)}
          <p><small>Holds until you leave the page. A link does not carry it: nobody fetches more than they asked for.</small></p>
        </div>
      </details>
      <p class="provider-activity" role="status">
        ${
          activity === undefined
            ? nothing
            : html`${activity} … ${button({ label: 'Cancel', onClick: () => this.choice.cancel() })}`
        }
      </p>
      ${trouble === undefined ? nothing : html`<p class="notice" role="alert">${trouble}</p>`}
    `;
  }

  #radio(provider: WebProvider, title: string, hint: string, isPossible = true): TemplateResult {
    return html`
      <label>
        <input
          type="radio"
          name="provider"
          value=${provider}
          .checked=${this.choice.provider === provider}
          ?disabled=${!isPossible}
          @change=${() => this.#choose(provider)}
        />
        <span>${title} <small>${hint}</small></span>
      </label>
    `;
  }

  #webgpu(): TemplateResult {
    const { adapter } = this.choice;
    if (adapter === undefined) return this.#radio('webgpu', 'WebGPU', 'looking for an adapter', false);
    if (adapter === null) return this.#radio('webgpu', 'WebGPU', 'this browser has no WebGPU adapter', false);
    const { name, isSoftware } = adapter;
    const kind = isSoftware ? 'software, slow' : 'a graphics processor';
    return this.#radio('webgpu', 'WebGPU', `${kind}: ${name}; fetches ${webgpuDownload} the first time`);
  }

  /** The radio shows what is, not what was asked for: WebGPU may not start. */
  #choose(provider: WebProvider): void {
    this.choice.choose(provider);
    this.requestUpdate();
    for (const input of this.querySelectorAll<HTMLInputElement>('input[name=provider]')) {
      input.checked = input.value === this.choice.provider;
    }
  }

  #measure(): TemplateResult | typeof nothing {
    const { adapter, activity } = this.choice;
    if (!adapter) return nothing;
    return html`
      <div>
        ${button({ label: 'Measure both', isDisabled: activity !== undefined, onClick: () => this.choice.measure() })}
        <small>
          Answers the same prompts on both and takes the faster one${
            adapter.isSoftware ? ', though never software' : ''
          }. Fetches WebGPU's build of ONNX Runtime, ${webgpuDownload}.
        </small>
      </div>
    `;
  }
}

function measurementTable({ timings }: Measurement): TemplateResult {
  const providers: readonly WebProvider[] = ['wasm', 'webgpu'];
  const row = (title: string, pick: (provider: WebProvider) => number) =>
    html`<tr><th scope="row">${title}</th>${providers.map((each) => html`<td>${milliseconds(pick(each))}</td>`)}</tr>`;
  return html`
    <table class="timings">
      <caption>Milliseconds, 20 pairs a prompt; the median of several runs</caption>
      <thead><tr><td></td>${providers.map((each) => html`<th scope="col">${providerTitles[each]}</th>`)}</tr></thead>
      <tbody>
        ${timedWork.map(({ title }, i) => row(title, (each) => timings[each].medians[i]!))}
        ${row('to start, once', (each) => timings[each].opening)}
      </tbody>
    </table>
  `;
}

const milliseconds = (value: number): string => (value >= 10 ? value.toFixed(0) : value.toFixed(value >= 1 ? 1 : 2));

customElements.define('icl-provider', ProviderView);
