/** Configurations: what is filled in, what is refused and how it says so. */
import { describe, expect, test } from 'vitest';
import { UsageError } from '../../models/errors.ts';
import { gaussianMixtureDefaults } from '../../models/tasks/gaussian-mixture.ts';
import { configDefaults, parseConfig, type TrainingConfig } from '../../train/config.ts';
import { configHash, differingKeys } from '../../train/config-identity.ts';
import { smallConfig } from './fixtures.ts';

const minimal = {
  study: 'zhang2023',
  settings: { d: 3, covariance: 'identity' },
  model: { name: 'linear-attention', dimension: 3 },
  task: {
    name: 'linear-regression',
    dimension: 3,
    covariance: { kind: 'identity' },
    taskCovariance: { kind: 'identity' },
    noiseVariance: 0,
  },
  contextLength: 10,
};

test('every default is written out', () => {
  const config = parseConfig('config.json', minimal);
  expect(config).toEqual({
    ...minimal,
    ...configDefaults,
    loss: { name: 'squared-error' },
    initialisation: { scheme: 'generic', options: { scale: 0.05 } },
  });
  expect(parseConfig('config.json', JSON.parse(JSON.stringify(config)))).toEqual(config);
});

const mixture = {
  ...minimal,
  model: { name: 'linear-attention-classifier', dimension: 3 },
  task: { ...gaussianMixtureDefaults, dimension: 3 },
};

test('a model of probabilities is trained by their cross-entropy', () => {
  const { loss, model } = parseConfig('c.json', mixture);
  expect(loss).toEqual({ name: 'cross-entropy' });
  expect(model).toEqual({ name: 'linear-attention-classifier', dimension: 3, options: { classes: 0, full: 0 } });
});

describe('a task that the model cannot be asked', () => {
  const oneHot = { ...mixture.task, classes: 3, labels: 'one-hot' };
  const classes = (count: number) => ({ ...mixture.model, options: { classes: count } });
  test.each([
    [
      { task: minimal.task },
      'a task that asks for the probability of a label +1, as linear-attention-classifier predicts',
    ],
    [{ model: minimal.model }, 'got gaussian-mixture, which asks for the probability of a label +1.'],
    [{ task: oneHot }, "got one-hot responses of 3 classes. The model's option classes must be 3."],
    [{ model: classes(3) }, "got responses of one number. The model's option classes must be 0, or absent."],
    [{ task: oneHot, model: classes(4) }, 'expected one-hot responses of 4 classes'],
    [
      { task: oneHot, model: classes(1) },
      'options.classes: expected 2 or more, or 0 for responses of one number, got 1.',
    ],
    [{ loss: { name: 'squared-error' } }, 'c.json: loss.name: expected a model that predicts a value'],
    [
      { ...minimal, loss: { name: 'cross-entropy' } },
      'c.json: loss.name: expected a model that predicts probabilities',
    ],
    [{ task: { ...mixture.task, radius: -1 } }, 'c.json: task.radius: expected a number above 0, got -1.'],
    [{ task: { ...mixture.task, raduis: 1 } }, 'Did you mean radius?'],
  ])('%j', (change, message) => {
    expect(() => parseConfig('c.json', { ...mixture, ...change })).toThrow(UsageError);
    expect(() => parseConfig('c.json', { ...mixture, ...change })).toThrow(message);
  });
});

test('an optimizer, a schedule and a start are completed from their own defaults', () => {
  const config = parseConfig('config.json', {
    ...minimal,
    optimizer: { name: 'sgd', learningRate: 0.1 },
    schedule: { name: 'step', at: 0.5 },
    initialisation: { scheme: 'paper' },
  });
  expect(config.optimizer).toEqual({ name: 'sgd', learningRate: 0.1, momentum: 0 });
  expect(config.schedule).toEqual({ name: 'step', at: 0.5, factor: 0.1 });
  expect(config.initialisation).toEqual({ scheme: 'paper', options: { sigma: 0.1 } });
});

describe('refused', () => {
  const cases: [what: string, change: object, message: string][] = [
    ['an unknown key', { step: 5 }, 'got "step". Did you mean steps?'],
    ['an unknown key inside', { optimizer: { name: 'adam', learningrate: 1 } }, 'Did you mean learningRate?'],
    ['a key of another kind', { optimizer: { name: 'sgd', beta1: 0.9 } }, 'c.json: optimizer.beta1: expected one of'],
    ['an unknown optimizer', { optimizer: { name: 'lion' } }, 'expected an optimizer with a name: sgd, adam, adamw'],
    ['an unknown schedule', { schedule: { name: 'linear' } }, 'expected a schedule with a name'],
    ['an unknown covariance', { task: { ...minimal.task, covariance: { kind: 'x' } } }, 'c.json: task.covariance.kind'],
    ['an unknown model', { model: { name: 'linear-atention', dimension: 3 } }, 'c.json: model.name: expected one of'],
    ['an unknown start', { initialisation: { scheme: 'papr' } }, 'Did you mean paper?'],
    ['an unknown option of a start', { initialisation: { scheme: 'paper', options: { s: 1 } } }, 'one of sigma'],
    [
      'an unknown device',
      { device: 'gpu' },
      'c.json: device: expected one of auto, cuda, webgpu, cpu, tensorflow-gpu, wasm',
    ],
    ['no steps', { steps: 0 }, 'c.json: steps: expected a whole number, 1 or more, got 0.'],
    ['half a step', { steps: 2.5 }, 'a whole number, 1 or more, got 2.5.'],
    ['a text for a number', { batch: '64' }, 'c.json: batch: expected a whole number, 1 or more, got "64".'],
    [
      'a rate of 0',
      { optimizer: { name: 'adam', learningRate: 0 } },
      'learningRate: expected a number above 0, got 0.',
    ],
    [
      'a rate that is infinite',
      { optimizer: { name: 'adam', learningRate: Number.POSITIVE_INFINITY } },
      'learningRate',
    ],
    ['a momentum of 1', { optimizer: { name: 'sgd', momentum: 1 } }, 'a number from 0 to below 1, got 1.'],
    ['a negative clip', { clipNorm: -1 }, 'c.json: clipNorm: expected a number above 0, got -1.'],
    ['a negative seed', { seed: -1 }, 'c.json: seed: expected a whole number, 0 or more, got -1.'],
    ['another schema', { schema: 2 }, 'c.json: schema: expected schema 1, got 2.'],
    ['another engine', { engine: 'torch' }, 'c.json: engine'],
    ['two dimensions', { model: { name: 'linear-attention', dimension: 4 } }, 'c.json: task.dimension: expected 4'],
    [
      'a spectrum of another length',
      { task: { ...minimal.task, covariance: { kind: 'diagonal', spectrum: [1] } } },
      'expected 3 dimensions',
    ],
  ];
  test.each(cases)('%s', (_what, change, message) => {
    const parse = () => parseConfig('c.json', { ...minimal, ...change });
    expect(parse).toThrow(UsageError);
    expect(parse).toThrow(message);
  });

  test('a missing key', () => {
    const { task: _task, ...rest } = minimal;
    expect(() => parseConfig('c.json', rest)).toThrow('c.json: task: expected');
  });

  test('what is not an object', () => {
    expect(() => parseConfig('c.json', [])).toThrow(UsageError);
    expect(() => parseConfig('c.json', null)).toThrow('c.json: expected Object, got null.');
  });

  test('a covariance that is not positive definite', () => {
    const covariance = {
      kind: 'matrix',
      matrix: [
        [1, 2, 0],
        [2, 1, 0],
        [0, 0, 1],
      ],
    } as const; // prettier-ignore
    expect(() => parseConfig('c.json', { ...minimal, task: { ...minimal.task, covariance } })).toThrow(
      'positive definite',
    );
  });
});

describe('identity', () => {
  const base = smallConfig();
  const same: Partial<TrainingConfig>[] = [
    { device: 'wasm' },
    { engine: 'onnx' },
    { logEvery: 1 },
    { checkpointEvery: 3 },
    { versions: { node: '99' } },
  ];
  test.each(same)('is not changed by %o', (change) => {
    expect(configHash({ ...base, ...change })).toBe(configHash(base));
    expect(differingKeys(base, { ...base, ...change })).toEqual([]);
  });

  const other: Partial<TrainingConfig>[] = [
    { seed: 8 },
    { steps: 41 },
    { batch: 17 },
    { contextLength: 6 },
    { clipNorm: 1 },
    { loss: { name: 'sequence-squared-error' } },
    { trainingPrompts: 64 },
    { schedule: { name: 'constant' } },
    { initialisation: { scheme: 'generic', options: { scale: 0.06 } } },
  ];
  test.each(other)('is changed by %o', (change) => {
    expect(configHash({ ...base, ...change })).not.toBe(configHash(base));
    expect(differingKeys(base, { ...base, ...change })).toContain(Object.keys(change)[0]);
  });

  test('with a constant schedule the number of steps is not part of it', () => {
    const constant = smallConfig({ schedule: { name: 'constant' } });
    expect(configHash({ ...constant, steps: 4000 })).toBe(configHash(constant));
  });
});
