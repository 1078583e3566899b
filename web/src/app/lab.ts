/** What all panels share: the link, the models, the workers, the provider. Made once. */
import type { WebProvider } from '../../../infer/web-runtime.ts';
import { LabWorker } from '../worker/client.ts';
import { Library } from './library.ts';
import type { Link } from './link.ts';

const createWorker = () => new Worker(new URL('../worker/lab-worker.ts', import.meta.url), { type: 'module' });

/** Fires `change` when the provider is another. */
export class Lab extends EventTarget {
  readonly link: Link;
  readonly library = new Library();
  /** Answers what a hand on a slider waits for. */
  readonly foreground = new LabWorker(createWorker);
  /** Long runs: evaluations, training, verification. */
  readonly background = new LabWorker(createWorker);
  #provider: WebProvider = 'wasm';

  constructor(link: Link) {
    super();
    this.link = link;
  }

  /** Where models run. WebAssembly until the person chooses otherwise: for models this small it is the faster one. */
  get provider(): WebProvider {
    return this.#provider;
  }

  set provider(provider: WebProvider) {
    this.#provider = provider;
    this.dispatchEvent(new Event('change'));
  }
}
