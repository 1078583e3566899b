/** Losses over every position, from finite sets of prompts: predictions, gradients, engines and runs. */
import { describe, expect, test } from 'vitest';
import { outputOf } from '../../models/architecture.ts';
import { multilayerLinearAttention } from '../../models/attention/multilayer-linear-attention.ts';
import { UsageError } from '../../models/errors.ts';
import type { LabelledBatch } from '../../models/prompts.ts';
import { fromFlat, referenceOps, referencePrediction } from '../../models/reference-ops.ts';
import { parseConfig } from '../../train/config.ts';
import { createEngine } from '../../train/engines.ts';
import { losses, trainingLoss } from '../../train/losses.ts';
import { readRun } from '../../train/run-folder.ts';
import { train } from '../../train/train.ts';
import { createTrainingPrompts, promptNumber } from '../../train/training-prompts.ts';
import { buildTrainingStep } from '../../train/training-step.ts';
import { choosePairs, drawPrompts, linearVariant, variants } from '../models/attention/variants.ts';
import { expectClose, float64 } from '../tolerance.ts';
import { samplePrompts, smallConfig, temporaryFolder } from './fixtures.ts';
import { referenceStep, runStep } from './step-fixtures.ts';

const range = (length: number) => Array.from({ length }, (_, i) => i);
const sequential = [linearVariant, ...variants].filter(
  ({ architecture, sizes }) => architecture.sequenceForward !== undefined && outputOf(architecture, sizes) === 'value',
);
const loss = { name: 'sequence-squared-error' } as const;

/** The prompts whose query is x_{n+1}, with the pairs before it and its response. */
function promptsAt(prompts: LabelledBatch, n: number): LabelledBatch {
  const { batch, context, dimension } = prompts;
  if (n === context) return prompts;
  const starts = range(batch).map((b) => (b * context + n) * dimension);
  return {
    ...prompts,
    ...choosePairs(prompts, range(n)),
    query: Float32Array.from(starts.flatMap((at) => [...prompts.covariates.subarray(at, at + dimension)])),
    targets: Float32Array.from(range(batch), (b) => prompts.responses[b * context + n]!),
  };
}

describe.each(sequential)('$name', ({ architecture, sizes, parameters }) => {
  const prompts = drawPrompts({ batch: 5, context: 6, queries: 1, dimension: sizes.dimension });

  test('the loss is the mean, over positions, of the losses of the prompts so far', () => {
    const { batch, context, queries, dimension } = prompts;
    const shapes = Object.entries(architecture.parameterShapes(sizes));
    const named = Object.fromEntries(shapes.map(([name, shape]) => [name, fromFlat(shape, parameters[name]!)]));
    const inputs = {
      covariates: fromFlat([batch, context, dimension], prompts.covariates),
      responses: fromFlat([batch, context], prompts.responses),
      query: fromFlat([batch, queries, dimension], prompts.query),
      targets: fromFlat([batch, queries], prompts.targets),
    };
    const got = trainingLoss(architecture, sizes, loss)(referenceOps, named, inputs).data[0]!;
    const parts = range(context + 1).map((n) => {
      const at = promptsAt(prompts, n);
      // Without a pair these models predict 0, or are not defined: that position counts with its response.
      const answers =
        n < architecture.minimumContext
          ? new Float64Array(batch)
          : referencePrediction(architecture, parameters, sizes, at);
      return answers.reduce((sum, answer, b) => sum + (answer - at.targets[b]!) ** 2, 0) / (2 * batch);
    });
    expectClose([got], [parts.reduce((a, b) => a + b) / (context + 1)], float64);
  });

  const optimizer = { name: 'sgd', learningRate: 0.05, momentum: 0.9 } as const;
  const description = { architecture, sizes, optimizer, clipNorm: null, loss, contextLength: 6 };
  const step = buildTrainingStep(description);
  const flat = Float32Array.from(step.parameters.flatMap(({ name }) => [...parameters[name]!]));
  const start = [flat, new Float32Array(step.size)];
  const expected = referenceStep(step, description, start, prompts, { learningRate: 0.1 });
  const size = expected.gradient.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

  test('the gradient of the graph is that of float64, to 1e-5', async () => {
    const actual = await runStep(step, description, start, prompts, { learningRate: 0.1 });
    expectClose(actual.state[1]!, expected.gradient, { relative: 0, absolute: 1e-5 * size });
    expectClose([actual.loss], [expected.loss], { relative: 1e-5, absolute: 0 });
  });

  test.each(['cpu', 'wasm'] as const)('and so is that of TensorFlow.js on %s', async (device) => {
    const engine = await createEngine('tfjs', { ...description, device });
    const zeros = Object.fromEntries(
      Object.entries(parameters).map(([name, { length }]) => [name, new Float32Array(length)]),
    );
    engine.loadState({ parameters, optimizer: { velocity: zeros } });
    const report = await engine.step(prompts, { learningRate: 0.1 }).read();
    const { optimizer } = await engine.readState();
    engine.dispose();
    const gradient = step.parameters.flatMap(({ name }) => [...optimizer['velocity']![name]!]);
    expectClose(gradient, expected.gradient, { relative: 0, absolute: 1e-5 * size });
    expectClose([report.loss], [expected.loss], { relative: 1e-5, absolute: 0 });
  });
});

test('predicting 0 loses half the mean square of what is to be predicted', () => {
  const prompts = drawPrompts({ batch: 5, context: 6, queries: 1, dimension: 3 });
  const half = (values: readonly number[]) => values.reduce((sum, y) => sum + y * y, 0) / (2 * values.length);
  const [atQuery, atAll] = losses.map(({ zeroLoss }) => zeroLoss(prompts)) as [number, number];
  expect(atQuery).toBeCloseTo(half([...prompts.targets]), 12);
  expect(atAll).toBeCloseTo(half([...prompts.responses, ...prompts.targets]), 12);
});

test('an architecture whose pairs see later ones has no loss at every position', () => {
  const model = { name: multilayerLinearAttention.name, dimension: 2 };
  expect(() => smallConfig({ model, loss })).toThrow(
    'test: loss.name: expected an architecture whose predictions at x_1, x_2, .. are values and come from one pass, ' +
      'got multilayer-linear-attention with sequence-squared-error.',
  );
  expect(() =>
    parseConfig('test', { ...smallConfig(), loss: { name: 'sequence-squared-eror' } as unknown as typeof loss }),
  ).toThrow(
    'test: loss.name: expected one of squared-error, sequence-squared-error, cross-entropy, got "sequence-squared-eror".',
  );
});

test('a graph for every position needs its number', () => {
  const { architecture, sizes } = sequential[0]!;
  const optimizer = { name: 'sgd', learningRate: 0.05, momentum: 0 } as const;
  expect(() => buildTrainingStep({ architecture, sizes, optimizer, clipNorm: null, loss })).toThrow(UsageError);
});

describe('a finite set of prompts', () => {
  const numbersAt = (config: Parameters<typeof createTrainingPrompts>[0], steps: readonly number[]) => {
    const draw = createTrainingPrompts(config);
    return steps.map((step) => [...draw(step).covariates]);
  };
  const whole = (count: number) => samplePrompts(smallConfig(), count);
  const perPrompt = 5 * 2;

  test('is gone through in turn, and again', () => {
    const config = smallConfig({ batch: 3, trainingPrompts: 7 });
    const all = [...whole(7).covariates];
    const prompt = (i: number) => all.slice((i % 7) * perPrompt, ((i % 7) + 1) * perPrompt);
    const steps = [0, 1, 2, 3, 7, 100];
    expect(numbersAt(config, steps)).toEqual(steps.map((step) => [0, 1, 2].flatMap((b) => prompt(step * 3 + b))));
    expect(promptNumber(config, 3)).toBe(2);
  });

  test('of the size of a batch is the same at every step', () => {
    const config = smallConfig({ batch: 7, trainingPrompts: 7 });
    const all = [...whole(7).covariates];
    expect(numbersAt(config, [0, 1, 5])).toEqual([all, all, all]);
  });

  test('is no smaller than a batch', () => {
    expect(() => smallConfig({ batch: 8, trainingPrompts: 7 })).toThrow(
      'test: batch: expected at most trainingPrompts, 7: a step takes no prompt twice, got 8.',
    );
  });

  test.each(['onnx', 'tfjs'] as const)('a run of %s over it continues bit for bit', async (engine) => {
    const config = smallConfig({ engine, device: 'cpu', batch: 3, trainingPrompts: 7, steps: 20, loss });
    const folders = [temporaryFolder(), temporaryFolder()].map((folder) => `${folder}/run`);
    const abort = new AbortController();
    const options = { folder: folders[0]!, config: { ...config, checkpointEvery: 5 } };
    await train({ ...options, signal: AbortSignal.abort() });
    await train({ ...options, resume: true, signal: abort.signal, onProgress: () => abort.abort() });
    await train({ ...options, resume: true });
    const other = await train({ folder: folders[1]!, config });
    const { checkpoint, metrics, config: kept } = readRun(folders[0]!);
    expect(kept).toMatchObject({ loss, trainingPrompts: 7 });
    expect(checkpoint!.state.parameters).toEqual(other.parameters);
    expect(metrics.every((row) => typeof row.step === 'number' && Number.isFinite(row.loss))).toBe(true);
  });
});
