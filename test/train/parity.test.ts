/** The engines `onnx` and `tfjs` fit the same: 200 steps of every architecture, with every loss that it has. */
import { expect, test } from 'vitest';
import { resolveSizes } from '../../models/architecture.ts';
import { architectureNamed, architectures } from '../../models/attention/index.ts';
import type { TaskSpec } from '../../models/tasks/index.ts';
import { losses } from '../../train/losses.ts';
import { readRun } from '../../train/run-folder.ts';
import { train } from '../../train/train.ts';
import { classifierVariants, regression } from '../models/attention/variants.ts';
import { expectClose } from '../tolerance.ts';
import { smallConfig, temporaryFolder } from './fixtures.ts';

interface Choice {
  readonly options?: Record<string, number>;
  readonly scheme?: string;
  readonly learningRate: number;
  /** @default linear regression */
  readonly task?: TaskSpec;
}

const small = { layers: 1, width: 8, heads: 2, maxContext: 9 };

/**
 * Rates at which the models learn and do not yet oscillate: then a step carries the rounding of those before it on without
 * enlarging it. Adam's epsilon is far above rounding: a gradient that is 0 but for rounding, as that of the keys' bias, must
 * not become a step of full length.
 */
const choices: Record<string, Choice> = {
  'linear-attention': { learningRate: 0.02 },
  'linear-attention-classifier': { learningRate: 0.3, task: classifierVariants[0]!.task },
  'multilayer-linear-attention': { options: { layers: 2 }, learningRate: 0.01 },
  'sparse-linear-attention': { options: { layers: 2 }, learningRate: 0.01 },
  'softmax-attention': { learningRate: 0.05 },
  transformer: { options: small, scheme: 'fan-in', learningRate: 0.003 },
  'paired-transformer': { options: small, scheme: 'fan-in', learningRate: 0.003 },
};

test('every architecture is among those that are trained here', () => {
  expect(Object.keys(choices)).toEqual(architectures.map(({ name }) => name));
});

const works = Object.entries(choices).flatMap(([model, choice]) => {
  const architecture = architectureNamed(model);
  const sizes = resolveSizes('test', architecture, sizesOf(choice));
  return losses
    .filter((loss) => loss.missing(architecture, sizes) === null)
    .map((loss) => ({ model, loss: loss.name, ...choice }));
});

function sizesOf({ options, task = regression(2) }: Choice) {
  return { dimension: task.dimension, ...(options !== undefined && { options }) };
}

test.each(works)('$model, $loss: 200 steps', { timeout: 60_000 }, async (work) => {
  const { model, loss, task = regression(2), scheme = 'generic', learningRate } = work;
  const config = smallConfig({
    task,
    model: { name: model, ...sizesOf(work) },
    loss: { name: loss },
    contextLength: 6,
    initialisation: { scheme, options: {} },
    optimizer: { name: 'adam', learningRate, beta1: 0.9, beta2: 0.999, epsilon: 1e-4 },
    schedule: { name: 'constant' },
    clipNorm: 10,
    steps: 200,
    batch: 16,
    logEvery: 1,
    checkpointEvery: 200,
  });
  const curves: number[][] = [];
  for (const [engine, device] of [
    ['tfjs', 'wasm'],
    ['onnx', 'cpu'],
  ] as const) {
    const folder = `${temporaryFolder()}/run`;
    await train({ folder, config: { ...config, engine, device } });
    const { config: kept, isFinished, metrics } = readRun(folder);
    expect(kept.model).toEqual(config.model);
    expect(isFinished).toBe(true);
    expect(metrics.map(({ step }) => step)).toEqual(Array.from({ length: 200 }, (_, i) => i + 1));
    curves.push(metrics.map((row) => row.loss));
  }
  const [tfjs, onnx] = curves as [number[], number[]];
  // Measured: 2e-7 to 5e-6, and 2e-5 for the paired transformer, whose norms divide by small deviations.
  expectClose(tfjs, onnx, { relative: 1e-4, absolute: 0 });
});
