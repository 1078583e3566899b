/** Whether the providers of this browser agree with the float64 reference and with each other, on one model. */
import { html, LitElement, nothing, type TemplateResult } from 'lit';
import type { VerifyResult } from '../../../../infer/verify-session.ts';
import type { WebProvider } from '../../../../infer/web-runtime.ts';
import type { Lab } from '../../app/lab.ts';
import { providerTitles, webgpuDownload } from '../../app/provider.ts';
import { button, checkbox } from '../../components/controls.ts';
import { provenanceLine } from '../../components/figure-frame.ts';
import { quote } from '../../components/shell-word.ts';
import { isCancelled } from '../../worker/client.ts';
import { formatCount, formatNumber } from './format.ts';

interface Comparison {
  readonly provider: WebProvider;
  readonly against: WebProvider | null;
}

interface Row extends Comparison {
  readonly result: VerifyResult;
}

class Parity extends LitElement {
  static override properties = {
    lab: { attribute: false },
    model: {},
    file: {},
    hasReference: { attribute: false },
    rows: { state: true },
    activity: { state: true },
    problem: { state: true },
    withWebgpu: { state: true },
  };
  declare lab: Lab;
  /** Its id in the library. */
  declare model: string;
  /** Name of its file, for the command. */
  declare file: string;
  /** Whether there is a float64 reading of it. */
  declare hasReference: boolean;
  declare rows: readonly Row[];
  declare activity: string | undefined;
  declare problem: string | undefined;
  declare withWebgpu: boolean;
  #running: AbortController | undefined;
  readonly #render = () => this.requestUpdate();

  constructor() {
    super();
    this.rows = [];
    this.withWebgpu = false;
    this.hasReference = true;
  }

  protected override createRenderRoot(): this {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.lab.providerChoice.addEventListener('change', this.#render);
    this.lab.providerChoice.look();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.lab.providerChoice.removeEventListener('change', this.#render);
    this.#running?.abort();
  }

  protected override willUpdate(changed: Map<string, unknown>): void {
    if (!changed.has('model')) return;
    this.#running?.abort();
    this.rows = [];
    this.problem = undefined;
    this.activity = undefined;
  }

  protected override render(): TemplateResult {
    const { activity, problem, rows, hasReference } = this;
    const isRunning = activity !== undefined;
    const cannot = !hasReference && !this.withWebgpu;
    return html`
      <p>
        ${
          hasReference
            ? 'The same prompts, drawn from the training law at many sizes, are answered here and by the architecture computed in float64.'
            : 'There is no float64 reading of a model that was made elsewhere. WebGPU and WebAssembly can be compared with each other.'
        }
      </p>
      ${this.#webgpuChoice()}
      <div class="buttons">
        ${button({ label: hasReference ? 'Verify here' : 'Compare here', isDisabled: isRunning || cannot, onClick: () => this.#run() })}
        ${isRunning ? button({ label: 'Cancel', onClick: () => this.#running?.abort() }) : nothing}
      </div>
      <p role="status" class="muted">${activity ?? ''}</p>
      ${problem === undefined ? nothing : html`<p class="notice" role="alert">${problem}</p>`}
      ${rows.length === 0 ? nothing : resultTable(rows)}
      ${
        hasReference
          ? provenanceLine({
              text: 'Largest difference over all predictions, divided by the prediction’s own size or by the root mean square of predictions from as many pairs, whichever is larger: a prediction is a sum whose terms may cancel, and its rounding error is that of the terms. float32 keeps 7 digits; allowed is a few times what was measured on many machines.',
              command: `icl verify ${quote(this.file)} --provider ${this.withWebgpu ? 'wasm,webgpu' : 'wasm'}`,
            })
          : nothing
      }
    `;
  }

  #webgpuChoice(): TemplateResult {
    const { adapter } = this.lab.providerChoice;
    if (!adapter) {
      return html`<p class="muted">${adapter === null ? 'This browser has no WebGPU adapter: only WebAssembly can be verified.' : ''}</p>`;
    }
    const kind = adapter.isSoftware ? `${adapter.name}: software, slow; fewer prompts are compared` : adapter.name;
    return html`
      <p>
        ${checkbox({
          label: 'On WebGPU too',
          isChecked: this.withWebgpu,
          onChange: (isChecked) => {
            this.withWebgpu = isChecked;
          },
        })}
        <small>${kind}. Fetches ${webgpuDownload} if that was not fetched yet.</small>
      </p>
    `;
  }

  async #run(): Promise<void> {
    this.#running?.abort();
    const running = new AbortController();
    this.#running = running;
    this.problem = undefined;
    this.rows = [];
    const wanted: readonly Comparison[] = [
      ...(this.hasReference ? [{ provider: 'wasm', against: null } as const] : []),
      ...(this.hasReference && this.withWebgpu ? [{ provider: 'webgpu', against: null } as const] : []),
      ...(this.withWebgpu ? [{ provider: 'webgpu', against: 'wasm' } as const] : []),
    ];
    try {
      for (const comparison of wanted) {
        const result = await this.#compare(comparison, running.signal);
        this.rows = [...this.rows, { ...comparison, result }];
      }
    } catch (error) {
      if (!isCancelled(error)) this.problem = (error as Error).message;
    } finally {
      if (this.#running === running) this.activity = undefined;
    }
  }

  async #compare({ provider, against }: Comparison, signal: AbortSignal): Promise<VerifyResult> {
    const { background, library, providerChoice } = this.lab;
    const title = wordsOf({ provider, against });
    const say = (text: string) => {
      if (!signal.aborted) this.activity = text;
    };
    for (const each of against === null ? [provider] : [provider, against]) {
      say(`Opening it on ${providerTitles[each]} …`);
      await library.open(background, this.model, each);
      signal.throwIfAborted();
    }
    const isSmall = provider === 'webgpu' && (providerChoice.adapter?.isSoftware ?? false);
    return background.call(
      'verify',
      { model: this.model, provider, against, isSmall },
      { signal, onProgress: ({ done, cases }) => say(`${title}: ${done} of ${cases} sizes`) },
    );
  }
}

const wordsOf = ({ provider, against }: Comparison): string =>
  `${providerTitles[provider]} and ${against === null ? 'the float64 reference' : providerTitles[against]}`;

function resultTable(rows: readonly Row[]): TemplateResult {
  return html`
    <div class="scrolls" tabindex="0" role="group" aria-label="How far providers are apart">
      <table class="numbers">
        <thead>
          <tr>
            <th scope="col">compared</th>
            <th scope="col"><span class="visually-hidden">Verdict</span></th>
            <th scope="col">largest difference</th>
            <th scope="col">allowed</th>
            <th scope="col">numbers</th>
            <th scope="col">with</th>
          </tr>
        </thead>
        <tbody>
          ${rows.map(
            (row) => html`
              <tr>
                <th scope="row">${wordsOf(row)}</th>
                <td><strong>${row.result.ok ? '✓ agree' : '✗ differ'}</strong></td>
                <td>${formatNumber(row.result.maxRelative)}</td>
                <td>${formatNumber(row.result.tolerance.relative)}</td>
                <td>${formatCount(row.result.compared)}</td>
                <td>${row.result.runtime}${row.result.adapter === null ? '' : `, ${row.result.adapter}`}</td>
              </tr>
            `,
          )}
        </tbody>
      </table>
    </div>
    ${rows.map(worstEntry)}
  `;
}

function worstEntry(row: Row): TemplateResult | typeof nothing {
  const { worst } = row.result;
  if (worst === null) return html`<p><small>${wordsOf(row)}: every number is exactly the same.</small></p>`;
  const { output, batch, context, queries, index, got, reference } = worst;
  return html`
    <p>
      <small>
        ${wordsOf(row)} are farthest apart at <code>${output}[${index.join(', ')}]</code>, with ${batch} prompts of ${context}
        pairs and ${queries} ${queries === 1 ? 'query' : 'queries'}: ${formatDigits(got)} and ${formatDigits(reference)}.
      </small>
    </p>
  `;
}

const formatDigits = (value: number): string => String(Number(value.toPrecision(9))).replace('-', '−');

customElements.define('icl-parity', Parity);
