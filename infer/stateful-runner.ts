/**
 * A graph that is run again and again on its own results: some of its outputs are the inputs of the next run. The state
 * stays where it is computed, and what a run says about itself is fetched only when somebody asks. One interface for every
 * provider; `stateful-session.ts` puts it into a thread. Knows nothing of training.
 */
import { createOrtSession, type OnnxRuntime, type OrtTensor, runOptions } from './onnxruntime.ts';
import { type ProviderName, providerNamed } from './provider-table.ts';

/** A graph with what its inputs and outputs are for. All tensors are float32. */
export interface StatefulGraph {
  readonly bytes: Uint8Array;
  /** Vectors of `size` numbers: what comes out as `output` goes in as `input` next time. */
  readonly state: readonly { readonly input: string; readonly output: string }[];
  readonly size: number;
  /** Outputs that are single numbers. */
  readonly reports: readonly string[];
}

/** An input of one run. */
export interface Feed {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array;
  /** The numbers lie in memory that threads share, and stay until the run's report has been read. @default false */
  readonly stays?: boolean;
}

export interface StatefulRunner {
  /** Whether reports cost nothing, so that it is best to take them after each run. */
  readonly reportsAreFree: boolean;
  /** Replaces the state. The arrays are copied. */
  load(vectors: readonly Float32Array[]): void;
  /**
   * Runs once. When this resolves the feeds have been read; a GPU may still be computing. The same array of feeds again: the same
   * inputs, whose numbers may be others by now.
   */
  step(feeds: readonly Feed[]): Promise<void>;
  /** Reports of the runs since the last call, oldest first. */
  takeReports(): Promise<number[][]>;
  /** Copies of the state. */
  read(): Promise<Float32Array[]>;
  /** Tensors alive. */
  tensorCount(): number;
  close(): Promise<void>;
}

/** Opens what a provider needs. Errors are ONNX Runtime's own. All numbers of the state are 0. */
export async function openStatefulRunner(
  ort: OnnxRuntime,
  graph: StatefulGraph,
  provider: ProviderName,
  threads: number,
): Promise<StatefulRunner> {
  // CUDA tensors cannot be held from JavaScript: there the state, which is small, travels.
  if (provider !== 'webgpu') return openInMemory(ort, graph, provider, threads);
  // It writes graphs of its own: what that takes is loaded where it is used only.
  const { openOnGpu } = await import('./stateful-gpu-runner.ts');
  return openOnGpu(ort, graph);
}

type Tensors = Record<string, OrtTensor>;

export const tensorOf = (ort: OnnxRuntime, values: Float32Array, shape: readonly number[]): OrtTensor =>
  new ort.Tensor('float32', values, shape);

export const tensorsOf = (ort: OnnxRuntime, feeds: readonly Feed[]): [string, OrtTensor][] =>
  feeds.map(({ name, shape, values }) => [name, tensorOf(ort, values, shape)]);

/** Two sets of state tensors: one is read while the other is written. */
async function openInMemory(
  ort: OnnxRuntime,
  { bytes, state, size, reports }: StatefulGraph,
  provider: ProviderName,
  threads: number,
): Promise<StatefulRunner> {
  const session = await createOrtSession(ort, bytes, provider, threads);
  const writesInPlace = providerNamed(provider).runtime === 'onnxruntime-node';
  const numbers = reports.map(() => tensorOf(ort, new Float32Array(1), []));
  const sets = [0, 1].map(() => state.map(() => tensorOf(ort, new Float32Array(size), [size])));
  const inputsOf = (set: number): Tensors => Object.fromEntries(state.map(({ input }, i) => [input, sets[set]![i]!]));
  const outputsOf = (set: number): Tensors =>
    Object.fromEntries([
      ...state.map(({ output }, i) => [output, sets[set]![i]!] as const),
      ...reports.map((name, i) => [name, numbers[i]!] as const),
    ]);
  /** By the set that is read. */
  const fetches = [outputsOf(1), outputsOf(0)];
  const names = Object.keys(fetches[0]!);
  let current = 0;
  let feedsBefore: readonly Feed[] | undefined;
  let inputs: Tensors[] = [];
  let taken: number[][] = [];

  return {
    reportsAreFree: true,
    load(vectors) {
      for (const [i, vector] of vectors.entries()) (sets[current]![i]!.data as Float32Array).set(vector);
    },
    async step(feeds) {
      if (feeds !== feedsBefore) {
        const tensors = Object.fromEntries(tensorsOf(ort, feeds));
        inputs = sets.map((_, set) => ({ ...tensors, ...inputsOf(set) }));
        feedsBefore = feeds;
      }
      const targets = fetches[current]!;
      if (writesInPlace) await session.run(inputs[current]!, targets);
      else {
        const results = await session.run(inputs[current]!, names, runOptions);
        for (const name of names) {
          (targets[name]!.data as Float32Array).set(results[name]!.data as Float32Array);
          results[name]!.dispose();
        }
      }
      current = 1 - current;
      taken.push(numbers.map(({ data }) => (data as Float32Array)[0]!));
    },
    async takeReports() {
      const all = taken;
      taken = [];
      return all;
    },
    async read() {
      return sets[current]!.map(({ data }) => Float32Array.from(data as Float32Array));
    },
    tensorCount: () => 2 * state.length + numbers.length,
    async close() {
      await session.release();
    },
  };
}
