/**
 * What the machine can do at most, measured beside every benchmark: bytes copied, and multiplications and additions in a
 * large matrix product of ONNX Runtime on all cores. Shares of them say what is left to gain.
 */
import { availableParallelism } from 'node:os';
import { GraphBuilder } from '../export/graph-builder.ts';
import { serializeHelperGraph } from '../export/helper-graph.ts';
import { openStatefulSession, type StatefulSession } from '../infer/stateful-session.ts';

export interface MachineCeilings {
  /** Read and written by one thread copying 14 MB, in 10^9 bytes per second. */
  readonly copyGigabytes: number;
  /** 10^9 operations per second of a float32 product of large matrices on all cores. */
  readonly productGigaflops: number;
}

const copied = 3_500_000;
const side = 1024;

export interface CeilingMeter {
  measure(): Promise<MachineCeilings>;
  close(): Promise<void>;
}

/** `next = matrix x identity`: a product like any other. */
function productGraph(): Uint8Array {
  const builder = new GraphBuilder();
  const flat = builder.input('matrix', [side * side]);
  const identity = new Float32Array(side * side);
  for (let i = 0; i < side; i++) identity[i * (side + 1)] = 1;
  const matrix = builder.node('Reshape', [flat, builder.integers([side, side])], { shape: [side, side] });
  const right = builder.parameter('identity', [side, side], identity);
  const product = builder.node('MatMul', [matrix, right], { shape: [side, side] });
  const next = builder.node('Reshape', [product, builder.integers([side * side])], { shape: [side * side] });
  builder.output('next', next);
  return serializeHelperGraph(builder.build('product'));
}

const seconds = async (work: () => Promise<void> | void): Promise<number> => {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
};

/** @param isTiny Measures once, for a number that only shows that it can be measured. */
export async function openCeilings(isTiny: boolean): Promise<CeilingMeter> {
  const session: StatefulSession = await openStatefulSession(
    { bytes: productGraph(), state: [{ input: 'matrix', output: 'next' }], size: side * side, reports: [] },
    { provider: 'cpu', threads: availableParallelism() },
  );
  session.load([new Float32Array(side * side).fill(1)]);
  // Written once: memory that nobody has written is one page of zeros, which is read from the cache.
  const [from, to] = [new Float32Array(copied).fill(1), new Float32Array(copied).fill(1)];
  const [copies, products] = isTiny ? [1, 1] : [12, 6];
  const leastOf = async (count: number, work: () => Promise<void> | void): Promise<number> => {
    let least = Number.POSITIVE_INFINITY;
    for (let i = 0; i < count; i++) least = Math.min(least, await seconds(work));
    return least;
  };
  return {
    async measure() {
      const copying = await leastOf(copies, () => to.set(from));
      const multiplying = await leastOf(products, async () => void (await session.step([]).read()));
      return { copyGigabytes: (8 * copied) / copying / 1e9, productGigaflops: (2 * side ** 3) / multiplying / 1e9 };
    },
    close: () => session.close(),
  };
}
