/**
 * Where the page's models run, and why there: WebAssembly until the person says otherwise or lets it be measured. WebGPU's
 * build of the runtime is fetched only when it is asked for. Kept for this visit: a link does not carry the choice, since
 * whoever opens one has not asked for that download. Knows no element of the page.
 */
import { canSuspend, findWebAdapter, type WebAdapter } from '../../../infer/web-adapter.ts';
import type { WebProvider } from '../../../infer/web-runtime.ts';
import type { Timing } from '../worker/methods/timing.ts';

export const providerTitles: Readonly<Record<WebProvider, string>> = { wasm: 'WebAssembly', webgpu: 'WebGPU' };

/** What choosing WebGPU fetches here, compressed as hosts send it. */
export const webgpuDownload = canSuspend() ? '4.2 MB' : '6.8 MB';

/** Differences below this are none: other pages, other tabs. */
const worthTelling = 1.1;

export interface Measurement {
  readonly timings: Readonly<Record<WebProvider, Timing>>;
  /** Null where both are about as fast. */
  readonly faster: WebProvider | null;
  /** How many times as fast: the geometric mean over what was run. */
  readonly factor: number;
}

interface Means {
  /** Opens a model where panels will want it. */
  open(provider: WebProvider): Promise<unknown>;
  time(provider: WebProvider, signal: AbortSignal, onProgress: (what: string) => void): Promise<Timing>;
}

/** Fires `change` whenever something of it is another. */
export class ProviderChoice extends EventTarget {
  readonly #means: Means;
  #provider: WebProvider = 'wasm';
  #reason = 'the default, fastest for models this small';
  #adapter: WebAdapter | null | undefined;
  #activity: string | undefined;
  #trouble: string | undefined;
  #measurement: Measurement | undefined;
  #running: AbortController | undefined;

  constructor(means: Means) {
    super();
    this.#means = means;
  }

  get provider(): WebProvider {
    return this.#provider;
  }

  /** Why it is this one, to be read after its name. */
  get reason(): string {
    return this.#reason;
  }

  /** Null: there is none. Undefined: not looked for yet. */
  get adapter(): WebAdapter | null | undefined {
    return this.#adapter;
  }

  /** What is being done, if anything. */
  get activity(): string | undefined {
    return this.#activity;
  }

  /** What went wrong, and what follows from it. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  get measurement(): Measurement | undefined {
    return this.#measurement;
  }

  /** Looks for an adapter, once. */
  async look(): Promise<void> {
    if (this.#adapter !== undefined) return;
    const adapter = await findWebAdapter().catch(() => null);
    this.#change(() => {
      this.#adapter = adapter;
    });
  }

  /** The person's choice. WebGPU is taken once a model has opened on it; until then, and if none does, nothing changes. */
  async choose(provider: WebProvider): Promise<void> {
    const signal = this.#begin();
    if (provider === 'wasm') {
      this.#settle('wasm', 'your choice');
      return;
    }
    await this.#openWebgpu(signal, () => `your choice, on ${this.#adapterWords()}`);
  }

  /** Runs the same on both and takes the faster one; software that plays a GPU is measured, and never taken. */
  async measure(): Promise<void> {
    const signal = this.#begin();
    try {
      const [wasm, webgpu] = [await this.#time('wasm', signal), await this.#time('webgpu', signal)];
      const measurement = compare({ wasm, webgpu });
      const { faster } = measurement;
      this.#change(() => {
        this.#measurement = measurement;
      });
      const by = `measured here: ${measurementWords(measurement)}`;
      if (faster !== 'webgpu') this.#settle('wasm', by);
      else if (this.#adapter?.isSoftware) this.#settle('wasm', `${by}, but its adapter is software`);
      else await this.#openWebgpu(signal, () => by);
    } catch (error) {
      if (signal.aborted) return;
      this.#change(() => {
        this.#activity = undefined;
        this.#trouble = `The measurement did not finish, and nothing was changed. ${(error as Error).message}`;
      });
    }
  }

  /** Ends what is being done; the choice stays what it was. */
  cancel(): void {
    this.#running?.abort();
    this.#running = undefined;
    this.#change(() => {
      this.#activity = undefined;
    });
  }

  /** What is under way is given up: the last word counts. */
  #begin(): AbortSignal {
    this.#running?.abort();
    this.#running = new AbortController();
    this.#trouble = undefined;
    return this.#running.signal;
  }

  async #time(provider: WebProvider, signal: AbortSignal): Promise<Timing> {
    const name = providerTitles[provider];
    const say = (what: string) =>
      this.#change(() => {
        if (!signal.aborted) this.#activity = `Measuring ${name}: ${what}`;
      });
    say('opening');
    return this.#means.time(provider, signal, say);
  }

  async #openWebgpu(signal: AbortSignal, reason: () => string): Promise<void> {
    this.#change(() => {
      this.#activity = 'Fetching and starting the WebGPU build of ONNX Runtime';
    });
    try {
      await this.look();
      await this.#means.open('webgpu');
      if (!signal.aborted) this.#settle('webgpu', reason());
    } catch (error) {
      if (signal.aborted) return;
      this.#change(() => {
        this.#activity = undefined;
        this.#trouble = `WebGPU did not start, so models keep running on ${providerTitles[this.#provider]}. ${(error as Error).message}`;
      });
    }
  }

  #settle(provider: WebProvider, reason: string): void {
    this.#change(() => {
      this.#activity = undefined;
      this.#provider = provider;
      this.#reason = reason;
    });
  }

  #adapterWords(): string {
    const { name, isSoftware } = this.#adapter!;
    return isSoftware ? `${name}: software, slow` : name;
  }

  #change(apply: () => void): void {
    apply();
    this.dispatchEvent(new Event('change'));
  }
}

function compare(timings: Measurement['timings']): Measurement {
  const { wasm, webgpu } = timings;
  const logs = wasm.medians.map((median, i) => Math.log(webgpu.medians[i]! / median));
  const ratio = Math.exp(logs.reduce((sum, value) => sum + value, 0) / logs.length);
  const factor = Math.max(ratio, 1 / ratio);
  return { timings, factor, faster: factor < worthTelling ? null : ratio > 1 ? 'wasm' : 'webgpu' };
}

/** 3.2 times as fast as WebGPU */
function measurementWords({ faster, factor }: Measurement): string {
  if (faster === null) return 'as fast as WebGPU';
  const times = factor < 10 ? factor.toPrecision(2) : factor.toFixed(0);
  return faster === 'wasm' ? `${times} times as fast as WebGPU` : `${times} times as fast as ${providerTitles.wasm}`;
}
