/**
 * The runner of a stateful graph on a GPU: its state and its reports stay there until somebody asks. Knows nothing of training.
 */
import type { Graph } from '../export/graph.ts';
import { GraphBuilder } from '../export/graph-builder.ts';
import { serializeHelperGraph } from '../export/helper-graph.ts';
import { createOrtSession, type OnnxRuntime, type OrtSession, type OrtTensor, runOptions } from './onnxruntime.ts';
import { type StatefulGraph, type StatefulRunner, tensorOf, tensorsOf } from './stateful-runner.ts';

/** Reports of this many runs are fetched at a time: each fetching waits for the GPU. */
const reportsAtOnce = 16;

/**
 * State and reports are tensors on the GPU. They are disposed of by hand, since garbage collection does not see how large
 * they are, and are fetched by running them through graphs of their own: asking the tensors themselves ends the process.
 */
export async function openOnGpu(
  ort: OnnxRuntime,
  { bytes, state, size, reports }: StatefulGraph,
): Promise<StatefulRunner> {
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
