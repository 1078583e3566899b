/** What all panels share: the link, the models, the workers, the provider. Made once. */
import type { WebProvider } from '../../../infer/web-runtime.ts';
import type { ModelId } from '../../../studies/built-in-models.ts';
import { LabWorker } from '../worker/client.ts';
import { Library } from './library.ts';
import type { Link } from './link.ts';
import { ProviderChoice } from './provider.ts';

const createWorker = () => new Worker(new URL('../worker/lab-worker.ts', import.meta.url), { type: 'module' });

/** The model that providers are tried and measured with. */
const usualModel: ModelId = 'zhang2023-2d';

/** Fires `change` when the provider is another. */
export class Lab extends EventTarget {
  readonly link: Link;
  readonly library = new Library();
  /** Answers what a hand on a slider waits for. */
  readonly foreground = new LabWorker(createWorker);
  /** Long runs: evaluations, verification. */
  readonly background = new LabWorker(createWorker);
  /** Trains, for minutes perhaps: neither waits for the others nor makes them wait. */
  readonly trainer = new LabWorker(createWorker);
  readonly providerChoice: ProviderChoice;

  constructor(link: Link) {
    super();
    this.link = link;
    this.providerChoice = new ProviderChoice({
      open: (provider) => this.library.open(this.foreground, usualModel, provider),
      time: async (provider, signal, onProgress) => {
        const model = this.library.find(usualModel)!;
        // A worker of its own: what the others have open is neither in the way nor disturbed.
        const worker = new LabWorker(createWorker);
        try {
          const argument = { name: model.title, bytes: await model.bytes(), provider };
          return await worker.call('timeModel', argument, { signal, onProgress });
        } finally {
          worker.end();
        }
      },
    });
    let last = this.provider;
    this.providerChoice.addEventListener('change', () => {
      if (this.provider === last) return;
      last = this.provider;
      this.dispatchEvent(new Event('change'));
    });
  }

  /** Where models run. WebAssembly until the person chooses otherwise: for models this small it is the faster one. */
  get provider(): WebProvider {
    return this.providerChoice.provider;
  }
}
