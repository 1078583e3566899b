/** The engines `onnx` and `tfjs` fit the same: 200 steps of every architecture, with every loss that it has. */
import { expect, test } from 'vitest';
import { resolveSizes } from '../../models/architecture.ts';
import { architectureNamed } from '../../models/attention/index.ts';
import { losses } from '../../train/losses.ts';
import { readRun } from '../../train/run-folder.ts';
import { train } from '../../train/train.ts';
import { regression } from '../models/attention/variants.ts';
import { expectClose } from '../tolerance.ts';
import { smallConfig, temporaryFolder } from './fixtures.ts';
import { sizesOf, trained } from './trained-architectures.ts';

const works = Object.entries(trained).flatMap(([model, choice]) => {
  const architecture = architectureNamed(model);
  const sizes = resolveSizes('test', architecture, sizesOf(choice));
  return losses
    .filter((loss) => loss.missing(architecture, sizes) === null)
    .map((loss) => ({ model, loss: loss.name, ...choice }));
});

test.each(works)('$model, $loss: 200 steps', { timeout: 60_000 }, async (work) => {
  const { model, loss, task = regression(2), scheme = 'generic', learningRate } = work;
  const config = smallConfig({
    task,
    model: { name: model, ...sizesOf(work) },
    loss: { name: loss },
    contextLength: 6,
    initialisation: { scheme, options: {} },
    // Epsilon is far above rounding: a gradient that is 0 but for rounding, as that of the keys' bias, must not become a step.
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
