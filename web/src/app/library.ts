/**
 * The models that the page has: built in, from a file the person chose, or trained here. Opens them in a worker when a panel
 * needs one. Knows no panel.
 */
import type { WebProvider } from '../../../infer/web-runtime.ts';
import { type CatalogueEntry, catalogue } from '../../catalogue.ts';
import type { LabWorker } from '../worker/client.ts';
import type { ModelDescription, ModelSummary } from '../worker/methods/models.ts';
import type { SessionChoice } from '../worker/open-models.ts';

export interface LibraryModel {
  readonly id: string;
  readonly title: string;
  /** A sentence or two: what it was trained on. */
  readonly about: string;
  readonly origin: 'built-in' | 'file' | 'trained';
  /** The panels that a built-in model is meant for; others are asked by their task. */
  readonly panels: CatalogueEntry['panels'] | null;
  /** The file. @throws if it cannot be fetched. */
  bytes(): Promise<Uint8Array>;
}

const files = import.meta.glob<string>('../../models/*.onnx', { query: '?url', import: 'default', eager: true });

const builtIn = catalogue.map(({ id, title, about, panels }): LibraryModel => {
  let fetched: Promise<Uint8Array> | undefined;
  return {
    id,
    title,
    about,
    origin: 'built-in',
    panels,
    bytes() {
      fetched ??= fetchBytes(id, files[`../../models/${id}.onnx`]);
      fetched.catch(() => {
        fetched = undefined;
      });
      return fetched;
    },
  };
});

async function fetchBytes(id: string, url: string | undefined): Promise<Uint8Array> {
  if (url === undefined) throw new Error(`the page was built without the model ${id}`);
  const response = await fetch(url);
  if (!response.ok) throw new Error(`the model ${id} could not be fetched: ${response.status} ${response.statusText}`);
  return new Uint8Array(await response.arrayBuffer());
}

/** Fires `change` when models come or go. */
export class Library extends EventTarget {
  #models: readonly LibraryModel[] = builtIn;
  readonly #opened = new Map<LabWorker, Map<string, Promise<ModelSummary>>>();
  #added = 0;

  get models(): readonly LibraryModel[] {
    return this.#models;
  }

  find(id: string): LibraryModel | undefined {
    return this.#models.find((model) => model.id === id);
  }

  /** Adds a model of the person's own; it is theirs until the page is left. */
  add({
    title,
    about,
    origin,
    bytes,
  }: Pick<LibraryModel, 'title' | 'about' | 'origin'> & { readonly bytes: Uint8Array }): LibraryModel {
    this.#added += 1;
    const added = { id: `own-${this.#added}`, title, about, origin, panels: null, bytes: async () => bytes };
    this.#models = [...this.#models, added];
    this.dispatchEvent(new Event('change'));
    return added;
  }

  /** Takes one of the person's own models away, from the workers too. */
  remove(id: string): void {
    const model = this.find(id);
    if (model === undefined || model.origin === 'built-in') return;
    this.#models = this.#models.filter((each) => each !== model);
    for (const [worker, known] of this.#opened) {
      const keys = [...known.keys()].filter((key) => key.startsWith(`${id} `));
      if (keys.length === 0) continue;
      for (const key of keys) known.delete(key);
      // Whoever uses it still is told by the call that fails.
      worker.call('closeModel', id).catch(() => {});
    }
    this.dispatchEvent(new Event('change'));
  }

  /** A model opened in a worker on a provider. Opened once; a failure is not remembered. */
  open(worker: LabWorker, id: string, provider: WebProvider, choice: SessionChoice = {}): Promise<ModelSummary> {
    const known = this.#opened.get(worker) ?? new Map<string, Promise<ModelSummary>>();
    this.#opened.set(worker, known);
    const key = `${id} ${provider} ${choice.prefixes ?? true}`;
    const before = known.get(key);
    if (before !== undefined) return before;
    const opening = this.#open(worker, id, provider, choice);
    known.set(key, opening);
    opening.catch(() => known.delete(key));
    return opening;
  }

  /** What a model's file says; its worker can open it from then on. Needs no runtime. */
  async describe(worker: LabWorker, id: string): Promise<ModelDescription> {
    const model = this.#require(id);
    return worker.call('describeModel', { id, name: model.title, bytes: await model.bytes() });
  }

  async #open(worker: LabWorker, id: string, provider: WebProvider, choice: SessionChoice): Promise<ModelSummary> {
    const model = this.#require(id);
    return worker.call('openModel', { id, name: model.title, bytes: await model.bytes(), provider, ...choice });
  }

  #require(id: string): LibraryModel {
    const model = this.find(id);
    if (model === undefined) throw new Error(`there is no model ${JSON.stringify(id)} here`);
    return model;
  }
}
