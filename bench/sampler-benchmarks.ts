/** Drawing prompts, and classical estimators on them, against PyTorch. */

import { createEstimator } from '../models/estimators/index.ts';
import { allocateBatch } from '../models/prompts.ts';
import { createGenerator, generatorImplementation, streams } from '../models/random.ts';
import { createSampler } from '../models/tasks/index.ts';
import type { Benchmark, BenchmarkOptions, Contestant } from './benchmark.ts';
import { peersOf } from './peer.ts';
import { configOf } from './train-benchmarks.ts';

const sizesOf = ({ isTiny }: BenchmarkOptions, batch: number) =>
  isTiny ? { dimension: 2, context: 4, batch: 3 } : { dimension: 20, context: 40, batch };

/** Times a function that is over when it returns. */
function functionContestant(settings: Readonly<Record<string, unknown>>, count: number, work: () => void): Contestant {
  return {
    label: 'icl-onnx',
    settings: { ...settings, threads: 1 },
    async round() {
      const start = performance.now();
      for (let i = 0; i < count; i++) work();
      return (performance.now() - start) / count;
    },
    close: async () => {},
  };
}

const drawing = (sizes: { dimension: number; context: number; batch: number }) => {
  const { task } = configOf({ architecture: 'linear-attention', ...sizes, steps: 1 });
  const prompts = allocateBatch({ ...sizes, queries: 1 });
  const sampler = createSampler(task);
  return { prompts, draw: () => sampler.fill(createGenerator(0, streams.training), 0, prompts), task };
};

const sampler: Benchmark = {
  name: 'sampler',
  description: 'drawing the prompts of one training step, against PyTorch',
  async open(options) {
    const sizes = sizesOf(options, 256);
    const { draw } = drawing(sizes);
    const count = options.isTiny ? 1 : 100;
    const numbers = sizes.batch * (sizes.dimension * (sizes.context + 2));
    return {
      ours: functionContestant({ generator: `Philox4x32-10, ${generatorImplementation()}` }, count, draw),
      ...(await peersOf(options, { program: 'linear_attention', sizes, work: 'sample', count })),
      unit: 'ms per batch',
      work: { flops: 0, bytes: 4 * numbers },
      settings: { ...sizes, normals: numbers },
    };
  },
};

interface EstimatorBenchmark {
  readonly name: string;
  readonly description: string;
  /** Also what the peer calls it. */
  readonly estimator: 'least-squares' | 'ridge';
  readonly options?: Readonly<Record<string, number>>;
  readonly context: number;
}

function estimatorBenchmark({ name, description, estimator, options, context }: EstimatorBenchmark): Benchmark {
  return {
    name,
    description,
    rounds: 5,
    async open(benchmark) {
      const whole = sizesOf(benchmark, 20_000);
      const sizes = benchmark.isTiny ? whole : { ...whole, context };
      const { draw, prompts, task } = drawing(sizes);
      draw();
      const solver = createEstimator(estimator, { task, ...(options !== undefined && { options }) });
      const out = new Float64Array(sizes.batch);
      const { dimension } = sizes;
      // A factorization of the smaller side, without lower orders.
      const flops = 2 * sizes.batch * sizes.context * dimension * Math.min(sizes.context, dimension);
      return {
        ours: functionContestant({ estimator, ...options }, 1, () => solver.predict(prompts, out)),
        ...(await peersOf(benchmark, { program: 'least_squares', sizes, work: estimator, count: 1 })),
        unit: 'ms per batch',
        work: { flops, bytes: 4 * prompts.covariates.length },
        settings: sizes,
      };
    },
  };
}

const estimators: readonly Benchmark[] = [
  estimatorBenchmark({
    name: 'estimators',
    description: 'least squares on every prompt, in float64, against PyTorch (LAPACK)',
    estimator: 'least-squares',
    context: 40,
  }),
  estimatorBenchmark({
    name: 'estimators-minimum-norm',
    description: 'least squares of minimum norm, with fewer pairs than dimensions, against PyTorch (LAPACK)',
    estimator: 'least-squares',
    context: 10,
  }),
  estimatorBenchmark({
    name: 'estimators-ridge',
    description: 'ridge regression on every prompt, in float64, against PyTorch’s normal equations',
    estimator: 'ridge',
    options: { penalty: 0.25 },
    context: 40,
  }),
];

export const samplerBenchmarks: readonly Benchmark[] = [sampler, ...estimators];
