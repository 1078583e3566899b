/**
 * A graph that is run again and again on its own results: some of its outputs are the inputs of the next run. The state
 * stays where it is computed, and what a run says about itself is fetched only when somebody asks. One interface for every
 * provider; `stateful-session.ts` puts it into a thread. Knows nothing of training.
 */
import type { Graph } from '../export/graph.ts';
import { GraphBuilder } from '../export/graph-builder.ts';
import { serializeHelperGraph } from '../export/helper-graph.ts';
import { createOrtSession, type OnnxRuntime, type OrtSession, type OrtTensor, runOptions } from './onnxruntime.ts';
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
export function openStatefulRunner(
  ort: OnnxRuntime,
  graph: StatefulGraph,
  provider: ProviderName,
  threads: number,
): Promise<StatefulRunner> {
  // CUDA tensors cannot be held from JavaScript: there the state, which is small, travels.
  return provider === 'webgpu' ? openOnGpu(ort, graph) : openInMemory(ort, graph, provider, threads);
}

type Tensors = Record<string, OrtTensor>;

const tensorOf = (ort: OnnxRuntime, values: Float32Array, shape: readonly number[]): OrtTensor =>
  new ort.Tensor('float32', values, shape);

const tensorsOf = (ort: OnnxRuntime, feeds: readonly Feed[]): [string, OrtTensor][] =>
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
      if (writesInPlace) await session.run(inputs[current]!, targets, runOptions);
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

/** Reports of this many runs are fetched at a time: each fetching waits for the GPU. */
const reportsAtOnce = 16;

/**
 * State and reports are tensors on the GPU. They are disposed of by hand, since garbage collection does not see how large
 * they are, and are fetched by running them through graphs of their own: asking the tensors themselves ends the process.
 */
async function openOnGpu(ort: OnnxRuntime, { bytes, state, size, reports }: StatefulGraph): Promise<StatefulRunner> {
  const outputs = [...state.map(({ output }) => output), ...reports];
  const onGpu = Object.fromEntries(outputs.map((name) => [name, 'gpu-buffer' as const]));
  const sessions: OrtSession[] = [];
  const open = async (model: Uint8Array, locations?: typeof onGpu): Promise<OrtSession> => {
    const session = await createOrtSession(ort, model, 'webgpu', 1, locations);
    sessions.push(session);
    return session;
  };
  const close = async (): Promise<void> => {
    for (const session of sessions.splice(0)) await session.release();
  };
  try {
    const session = await open(bytes, onGpu);
    const stateReader = await open(serializeHelperGraph(copies(state.length, size)));
    const reportReader = await open(serializeHelperGraph(joined(reportsAtOnce * reports.length)));
    // Tensors in memory at first, and after loading: the first run takes them to the GPU.
    let current = state.map(() => tensorOf(ort, new Float32Array(size), [size]));
    let unread: OrtTensor[][] = [];
    const replace = (tensors: OrtTensor[]): void => {
      for (const tensor of current) tensor.dispose();
      current = tensors;
    };
    return {
      reportsAreFree: false,
      load(vectors) {
        replace(vectors.map((vector) => tensorOf(ort, Float32Array.from(vector), [size])));
      },
      async step(feeds) {
        const inputs = [...tensorsOf(ort, feeds), ...state.map(({ input }, i) => [input, current[i]!] as const)];
        const results = await session.run(Object.fromEntries(inputs), outputs, runOptions);
        replace(state.map(({ output }) => results[output]!));
        unread.push(reports.map((name) => results[name]!));
      },
      async takeReports() {
        const all: number[][] = [];
        while (unread.length > 0) {
          const part = unread.slice(0, reportsAtOnce);
          const last = part.at(-1)!;
          const padded = [...part, ...Array.from({ length: reportsAtOnce - part.length }, () => last)].flat();
          const results = await reportReader.run(named(padded), ['joined'], runOptions);
          unread = unread.slice(part.length);
          for (const tensor of part.flat()) tensor.dispose();
          const values = results['joined']!.data as Float32Array;
          for (const i of part.keys()) all.push([...values.subarray(i * reports.length, (i + 1) * reports.length)]);
        }
        return all;
      },
      async read() {
        const results = await stateReader.run(named(current), runOptions);
        return current.map((_, i) => Float32Array.from(results[`copy_${i}`]!.data as Float32Array));
      },
      tensorCount: () => current.length + unread.length * reports.length,
      async close() {
        replace([]);
        for (const tensor of unread.flat()) tensor.dispose();
        unread = [];
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

const named = (tensors: readonly OrtTensor[]): Record<string, OrtTensor> =>
  Object.fromEntries(tensors.map((tensor, i) => [`value_${i}`, tensor]));

/** `count` vectors, each as it is. */
function copies(count: number, size: number): Graph {
  const builder = new GraphBuilder();
  for (let i = 0; i < count; i++) builder.output(`copy_${i}`, builder.input(`value_${i}`, [size]));
  return builder.build('copies');
}

/** `count` numbers as one vector. */
function joined(count: number): Graph {
  const builder = new GraphBuilder();
  const parts = Array.from({ length: count }, (_, i) =>
    builder.node('Unsqueeze', [builder.input(`value_${i}`, []), builder.integers([0])], { shape: [1] }),
  );
  builder.output('joined', builder.node('Concat', parts, { shape: [count] }, { axis: { kind: 'int', value: 0 } }));
  return builder.build('joined');
}
