/** Your model: an ONNX file that the person chose, what it is, whether every provider here agrees on it, where to use it. */
import { html, nothing, type TemplateResult } from 'lit';
import { text } from '../../app/fields.ts';
import type { LibraryModel } from '../../app/library.ts';
import type { PanelState } from '../../app/link.ts';
import { Panel } from '../../app/panel.ts';
import { button, select } from '../../components/controls.ts';
import { download } from '../../components/download.ts';
import '../../components/figure-frame.ts';
import type { Figure } from '../../components/figure-frame.ts';
import '../../styles/own-model.css';
import type { ModelDescription } from '../../worker/methods/inspect.ts';
import { aboutModel, graphSummary, parameterTable, signature } from './description.ts';
import './foreign.ts';
import type { ForeignFile } from './foreign.ts';
import { formatBytes } from './format.ts';
import './parity.ts';
import { usesOf } from '../../app/uses.ts';
import { weightsFigure } from './weights.ts';

const fields = { model: text('zhang2023-2d') };

/** Larger files would be read too, but these models are thousands of times smaller. */
const largestFile = 64e6;

/** A model that is shown. */
interface Shown {
  readonly model: LibraryModel;
  readonly description: ModelDescription;
  readonly weights: Figure | undefined;
}

class OwnModel extends Panel {
  static override properties = {
    ...Panel.properties,
    shown: { state: true },
    foreign: { state: true },
    activity: { state: true },
    problem: { state: true },
    isDropping: { state: true },
  };
  declare shown: Shown | undefined;
  /** A file made elsewhere that waits for an adapter; it is shown instead. */
  declare foreign: ForeignFile | undefined;
  declare activity: string | undefined;
  declare problem: string | undefined;
  declare isDropping: boolean;
  #state!: PanelState<typeof fields>;
  /** Id of the model that is shown or being read. */
  #wanted: string | undefined;
  readonly #onDragOver = (event: DragEvent) => this.#dragOver(event);
  readonly #onDragLeave = (event: DragEvent) => {
    if (event.relatedTarget === null) this.isDropping = false;
  };
  readonly #onDrop = (event: DragEvent) => this.#drop(event);

  override connectedCallback(): void {
    super.connectedCallback();
    this.#state = this.watch(this.lab.link.stateOf('own-model', fields));
    this.watch(this.lab.library);
    this.watch(this.lab.link);
    // A file that misses the panel by a finger's breadth is meant for it too.
    document.addEventListener('dragover', this.#onDragOver);
    document.addEventListener('dragleave', this.#onDragLeave);
    document.addEventListener('drop', this.#onDrop);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener('dragover', this.#onDragOver);
    document.removeEventListener('dragleave', this.#onDragLeave);
    document.removeEventListener('drop', this.#onDrop);
  }

  protected override willUpdate(): void {
    const { model: id } = this.#state.values;
    if (id === this.#wanted) return;
    this.#wanted = id;
    this.#show(id);
  }

  protected override updated(): void {
    this.toggleAttribute('data-ready', this.shown !== undefined && this.activity === undefined);
  }

  protected override render(): TemplateResult {
    const notices = [...this.#state.problems, ...(this.problem === undefined ? [] : [this.problem])];
    return html`
      <section class=${this.isDropping ? 'panel dropping' : 'panel'} aria-labelledby="own-model-title">
        <div class="intro">
          <h2 id="own-model-title">Your model</h2>
          <p>
            What an ONNX file is, what it holds, and whether this browser computes it right. Drop one anywhere on this panel. It
            is read here and sent nowhere; it is yours until you leave the page.
          </p>
          ${notices.map((notice) => html`<p class="notice" role="alert">${notice}</p>`)}
        </div>
        ${this.foreign === undefined ? this.#ours() : this.#theirs(this.foreign)}
      </section>
    `;
  }

  #ours(): TemplateResult {
    const { shown } = this;
    return html`
      <div class="own-model">${shown === undefined ? nothing : this.#description(shown)}</div>
      <div class="controls">${this.#chooser()} ${shown === undefined ? nothing : this.#actions(shown)}</div>
    `;
  }

  #theirs(file: ForeignFile): TemplateResult {
    const take = ({ detail }: CustomEvent<Uint8Array>) => this.#takeAdapted(file, detail);
    return html`
      <icl-foreign-model class="own-model" .lab=${this.lab} .file=${file} @adapted=${take}></icl-foreign-model>
      <div class="controls">
        ${this.#chooser()}
        <div class="buttons">
          ${button({
            label: 'Leave it',
            onClick: () => {
              this.foreign = undefined;
            },
          })}
        </div>
      </div>
    `;
  }

  #chooser(): TemplateResult {
    const groups = { 'built-in': 'Built in', file: 'Yours', trained: 'Trained here' } as const;
    const { models } = this.lab.library;
    const { model } = this.#state.values;
    return html`
      <label class="drop">
        <span>Choose an .onnx file, or drop it</span>
        <input type="file" accept=".onnx" multiple @change=${this.#choose} />
        <small role="status">${this.activity ?? `at most ${formatBytes(largestFile)}`}</small>
      </label>
      ${select({
        label: 'Model',
        value: model,
        choices: models.map(({ id, title, origin }) => ({ value: id, title, group: groups[origin] })),
        onChange: (chosen) => {
          this.foreign = undefined;
          this.#state.set({ model: chosen }, { isChoice: true });
        },
      })}
    `;
  }

  #description({ model, description, weights }: Shown): TemplateResult {
    return html`
      <h3 class="own-name">${model.title}</h3>
      ${model.about === '' ? nothing : html`<p>${model.about}</p>`}
      ${aboutModel(description)}
      <section aria-labelledby="own-signature">
        <h3 id="own-signature">Inputs and outputs</h3>
        ${signature(description.graph.inputs, description.graph.outputs)}
      </section>
      <section aria-labelledby="own-weights">
        <h3 id="own-weights">Weights</h3>
        ${
          weights === undefined
            ? html`<p>Its matrices are too large to be read as heat maps.</p>`
            : html`<icl-figure-frame .figure=${weights}></icl-figure-frame>`
        }
        ${parameterTable(description)}
      </section>
      <section aria-labelledby="own-parity">
        <h3 id="own-parity">Does it compute right here?</h3>
        ${recordedParity(description.metadata.parity)}
        <icl-parity .lab=${this.lab} .model=${model.id} .file=${pathOf(model)} .hasReference=${description.hasReference}></icl-parity>
      </section>
      ${graphSummary(description.graph)}
    `;
  }

  #actions({ model, description }: Shown): TemplateResult {
    const take = async () => download(fileNameOf(model), (await model.bytes()) as BlobPart, 'application/octet-stream');
    return html`
      <section aria-labelledby="own-use">
        <h3 id="own-use">Use it</h3>
        <ul class="uses">
          ${usesOf(model.id, description).map(
            ({ href, title, about }) => html`<li><a href=${href}>${title}</a> <small>${about}</small></li>`,
          )}
        </ul>
      </section>
      <div class="buttons">
        ${button({ label: 'Download .onnx', onClick: () => take().catch((error: Error) => this.#tell(error.message)) })}
        ${model.origin === 'built-in' ? nothing : button({ label: 'Remove', onClick: () => this.#remove(model.id) })}
      </div>
    `;
  }

  /** Reads the model that the link names. */
  async #show(id: string): Promise<void> {
    const model = this.lab.library.find(id);
    if (model === undefined) {
      this.problem = `There is no model ${JSON.stringify(id)} here. A link cannot carry a file: models of your own are gone once the page is left. Choose another, or the file again.`;
      return;
    }
    this.activity = `Reading ${model.title} …`;
    try {
      const bytes = await model.bytes();
      const description = await this.lab.background.call('inspectModel', { name: model.title, bytes });
      if (this.#wanted === id && description.kind === 'model') await this.#take(model, description);
    } catch (error) {
      if (this.#wanted === id) this.#tell((error as Error).message);
    } finally {
      if (this.#wanted === id) this.activity = undefined;
    }
  }

  async #take(model: LibraryModel, description: ModelDescription): Promise<void> {
    const { matrices } = description;
    const weights = matrices.length === 0 ? undefined : await weightsFigure(stemOf(fileNameOf(model)), matrices);
    this.shown = { model, description, weights };
  }

  /** A file from outside: it is read first, and among the models once it is one. */
  async #read(file: File): Promise<void> {
    this.problem = undefined;
    if (file.size > largestFile) {
      this.#tell(
        `${file.name}: expected at most ${formatBytes(largestFile)}, got ${formatBytes(file.size)}. The command line takes larger files: icl inspect.`,
      );
      return;
    }
    this.activity = `Reading ${file.name} …`;
    try {
      const bytes = new Uint8Array(await file.arrayBuffer());
      const description = await this.lab.background.call('inspectModel', { name: file.name, bytes });
      this.foreign = undefined;
      if (description.kind === 'foreign') this.foreign = { name: file.name, bytes, description };
      else await this.#add(file.name, 'A file of yours.', bytes, description);
    } catch (error) {
      this.#tell((error as Error).message);
    } finally {
      this.activity = undefined;
    }
  }

  /** A model of the person's own is among all models from now on. */
  async #add(title: string, about: string, bytes: Uint8Array, description: ModelDescription): Promise<void> {
    const model = this.lab.library.add({ title, about, origin: 'file', bytes });
    this.#wanted = model.id;
    await this.#take(model, description);
    this.#state.set({ model: model.id }, { isChoice: true });
  }

  async #takeAdapted({ name }: ForeignFile, bytes: Uint8Array): Promise<void> {
    try {
      const description = await this.lab.background.call('inspectModel', { name, bytes });
      if (description.kind !== 'model') return;
      const title = `${stemOf(name)}-adapted.onnx`;
      await this.#add(title, `Your file ${name}, behind an adapter.`, bytes, description);
      this.foreign = undefined;
    } catch (error) {
      this.#tell((error as Error).message);
    }
  }

  async #readAll(files: Iterable<File>): Promise<void> {
    for (const file of files) await this.#read(file);
  }

  #remove(id: string): void {
    this.#state.set({ model: fields.model.default }, { isChoice: true });
    this.lab.library.remove(id);
  }

  #tell(problem: string): void {
    this.problem = problem;
  }

  #choose(event: Event): void {
    const input = event.target as HTMLInputElement;
    const files = [...(input.files ?? [])];
    // The same file can be chosen again after it was changed.
    input.value = '';
    this.#readAll(files);
  }

  #isMine(event: DragEvent): boolean {
    return !this.hidden && (event.dataTransfer?.types.includes('Files') ?? false);
  }

  #dragOver(event: DragEvent): void {
    if (!this.#isMine(event)) return;
    event.preventDefault();
    this.isDropping = true;
  }

  #drop(event: DragEvent): void {
    if (!this.#isMine(event)) return;
    event.preventDefault();
    this.isDropping = false;
    this.#readAll([...event.dataTransfer!.files]);
  }
}

const stemOf = (file: string): string => file.replace(/\.onnx$/i, '');

/** What the file is called when it is taken away: built-in ones by their id. */
const fileNameOf = ({ id, title, origin }: LibraryModel): string =>
  origin === 'built-in' ? `${id}.onnx` : title.replace(/(\.onnx)?$/i, '.onnx');

/** Where a command finds it: built-in ones lie in a checkout. */
const pathOf = (model: LibraryModel): string =>
  model.origin === 'built-in' ? `web/models/${model.id}.onnx` : fileNameOf(model);

/** What was measured when the file was written, if it says so. */
function recordedParity(parity: unknown): TemplateResult | typeof nothing {
  if (!Array.isArray(parity) || parity.length === 0) return nothing;
  const words = parity.map((entry) => {
    const { provider, maxRelative, ok } = entry as { provider?: unknown; maxRelative?: unknown; ok?: unknown };
    return `${String(provider)} ${typeof maxRelative === 'number' ? maxRelative.toExponential(1).replace('-', '−') : '?'}${ok === true ? '' : ' (above tolerance)'}`;
  });
  return html`<p class="muted">Recorded in the file, largest relative difference from the reference: ${words.join(', ').slice(0, 400)}.</p>`;
}

customElements.define('icl-own-model', OwnModel);
