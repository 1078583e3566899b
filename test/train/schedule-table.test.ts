/** A graph that counts steps for itself: its tables, and that it trains as an engine does that is told every rate. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as ort from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { parseModel } from '../../export/parse.ts';
import { writeTrainingStep } from '../../train/export-step.ts';
import { createOptimizer, type OptimizerSpec } from '../../train/optimizers.ts';
import { readRun } from '../../train/run-folder.ts';
import { type ScheduleSpec, scheduleFactor } from '../../train/schedule.ts';
import { tabulate } from '../../train/schedule-table.ts';
import { initialState, train } from '../../train/train.ts';
import { samplePrompts, smallConfig, temporaryFolder } from './fixtures.ts';

const adam = { name: 'adam', learningRate: 0.02, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 } as const;
const adamw = { ...adam, name: 'adamw', weightDecay: 0.1 } as const;
const sgd = { name: 'sgd', learningRate: 0.05, momentum: 0.5 } as const;
const cosine = { name: 'cosine', warmup: 0.1, final: 0 } as const;

describe('the table', () => {
  test.each([
    [adam, cosine],
    [adamw, { name: 'step', at: 0.7, factor: 0.1 }],
    [sgd, cosine],
  ] as [OptimizerSpec, ScheduleSpec][])('has the scalars of each step: %o', (optimizer, spec) => {
    const { rows, columns } = tabulate(optimizer, { spec, steps: 50 });
    expect(rows).toBe(50);
    const { scalars, scalarNames } = createOptimizer(optimizer);
    for (let step = 0; step < 50; step++) {
      const expected = scalars(optimizer.learningRate * scheduleFactor(spec, step, 50), step);
      for (const name of scalarNames) expect(columns[name]![step]).toBe(Math.fround(expected[name]!));
    }
  });

  test('at a constant rate ends where nothing changes any more, whatever the steps of the run', () => {
    const constant = { spec: { name: 'constant' }, steps: 10 } as const;
    const { rows, columns } = tabulate(adam, constant);
    expect(columns['stepSize']!.at(-1)).toBe(Math.fround(0.02));
    expect(columns['rootCorrection']!.at(-1)).toBe(1);
    expect(columns['rootCorrection']!.at(-2)).not.toBe(1);
    // 0.999^t has to fall below 2^-24 or so, half of what float32 sees at 1; the root halves it once more.
    expect(rows / (Math.log(2 ** -23) / Math.log(0.999))).toBeCloseTo(1, 1);
    expect(tabulate(sgd, constant).rows).toBe(1);
  });
});

/** What `docs/training-step.md` shows in Python: nothing is known here but the file and its metadata. */
async function trainWithFile(path: string, start: Float32Array, steps: number, draw: (step: number) => Float32Array[]) {
  const session = await ort.InferenceSession.create(path, { intraOpNumThreads: 1 });
  const { metadata } = parseModel(path, readFileSync(path));
  const step = JSON.parse(metadata['icl.training_step']!);
  const tensor = (values: Float32Array, shape: number[]) => new ort.Tensor('float32', values, shape);
  const inputs = new Map(session.inputMetadata.map((input) => [input.name, input]));
  const shapeOf = (name: string, batch: number, length: number) => {
    const shape = (inputs.get(name) as { readonly shape: readonly (number | string)[] }).shape;
    const known = shape.map((dim) => (dim === 'batch' ? batch : dim));
    const rest = length / known.reduce<number>((size, dim) => (typeof dim === 'number' ? size * dim : size), 1);
    return known.map((dim) => (typeof dim === 'number' ? dim : rest));
  };
  let state: Record<string, ort.Tensor> = Object.fromEntries(
    step.state.map(({ input }: { input: string }, i: number) => [
      input,
      tensor(i === 0 ? start : new Float32Array(step.size), [step.size]),
    ]),
  );
  const losses: number[] = [];
  for (let done = 0; done < steps; done++) {
    const values = draw(done);
    const feeds = step.batch.map((name: string, i: number) => [
      name,
      tensor(values[i]!, shapeOf(name, values[3]!.length, values[i]!.length)),
    ]);
    const outputs = await session.run({
      ...state,
      [step.step.input]: tensor(Float32Array.of(done), []),
      ...Object.fromEntries(feeds),
    });
    state = Object.fromEntries(
      step.state.map(({ input, output }: { input: string; output: string }) => [input, outputs[output]!]),
    );
    losses.push(outputs['loss']!.data[0] as number);
  }
  await session.release();
  return { losses, parameters: state['parameters']!.data as Float32Array, contract: step };
}

describe.each([
  { optimizer: adam, schedule: cosine },
  { optimizer: adamw, schedule: { name: 'step', at: 0.5, factor: 0.1 } },
  { optimizer: sgd, schedule: { name: 'constant' } },
] as const)('$optimizer.name, $schedule.name', ({ optimizer, schedule }) => {
  test('the exported file trains as the engine does, to the bit', async () => {
    const parent = temporaryFolder();
    const folder = join(parent, 'run');
    const config = smallConfig({ optimizer, schedule, engine: 'onnx', device: 'cpu', logEvery: 1, clipNorm: 5 });
    await train({ folder, config });
    const path = join(parent, 'step.onnx');
    writeTrainingStep(folder, 17, path);
    const start = Float32Array.from(Object.values(initialState(config).parameters).flatMap((values) => [...values]));
    const { losses, parameters, contract } = await trainWithFile(path, start, config.steps, (step) => {
      const { covariates, responses, query, targets } = samplePrompts(config, config.batch, step * config.batch);
      return [covariates, responses, query, targets];
    });
    expect(contract).toMatchObject({ schedule, scalars: [], loss: config.loss });
    const { metrics, checkpoint } = readRun(folder);
    expect(losses).toEqual(metrics.map(({ loss }) => loss));
    const kept = Object.values(checkpoint!.state.parameters).flatMap((values) => [...values]);
    expect([...parameters]).toEqual(kept);
  });
});
