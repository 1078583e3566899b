/** The training-step graph against the same step in float64, against TensorFlow.js, and against the standard. */
import { describe, expect, test } from 'vitest';
import { parseModel } from '../../export/parse.ts';
import { printModel } from '../../export/print.ts';
import { readModel } from '../../export/read-model.ts';
import { allocateBatch, type BatchSizes, type LabelledBatch } from '../../models/prompts.ts';
import { createGenerator, fillNormals } from '../../models/random.ts';
import { createEngine } from '../../train/engines.ts';
import { createOptimizer, type OptimizerSpec, optimizers } from '../../train/optimizers.ts';
import { buildTrainingStep, exportTrainingStep, trainingStepModel } from '../../train/training-step.ts';
import { checkOfficially, hasOfficialChecker } from '../export/official-checker.ts';
import { expectGolden } from '../golden.ts';
import { expectClose } from '../tolerance.ts';
import { describeStep, origin, referenceStep, runStep, unflatten } from './step-fixtures.ts';

const [sgd, adam, adamw] = optimizers.map(({ defaults }) => defaults) as [
  OptimizerSpec & { name: 'sgd' },
  OptimizerSpec & { name: 'adam' },
  OptimizerSpec & { name: 'adamw' },
];
const momentum: OptimizerSpec = { ...sgd, momentum: 0.9 };

function normals(count: number, purpose: number, by = 1): Float32Array {
  const values = new Float32Array(count);
  fillNormals(createGenerator(5, 0), { prompt: 0, purpose }, values, 0, count);
  return values.map((value) => value * by);
}

/** Targets that no parameters explain, so that the gradient is not small. */
function randomBatch(sizes: BatchSizes): LabelledBatch {
  const batch = allocateBatch(sizes);
  [batch.covariates, batch.responses, batch.query, batch.targets].forEach((values, i) => {
    values.set(normals(values.length, 10 + i));
  });
  return batch;
}

/** Largest difference over the largest entry: what "relative" means for a vector. */
function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(actual.length).toBe(expected.length);
  let [error, size] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    error = Math.max(error, Math.abs(actual[i]! - expected[i]!));
    size = Math.max(size, Math.abs(expected[i]!));
  }
  return error / size;
}

describe.each([1, 3, 5, 20])('D = %i', (dimension) => {
  const sizes: BatchSizes[] = [
    { batch: 7, context: 11, queries: 1, dimension },
    { batch: 3, context: 5, queries: 2, dimension },
    { batch: 1, context: 1, queries: 1, dimension },
    { batch: 256, context: 41, queries: 1, dimension },
  ];

  test('the gradient is that of float64, to 1e-5', async () => {
    // With momentum the new velocity is the gradient itself, unrounded by the parameters.
    for (const size of sizes) {
      const description = {
        ...describeStep(dimension, momentum),
        queries: size.queries === 1 ? 1 : ('queries' as const),
      };
      const step = buildTrainingStep(description);
      const state = [normals(step.size, 1, 0.3), new Float32Array(step.size)];
      const batch = randomBatch(size);
      const expected = referenceStep(step, description, state, batch, { learningRate: 0.1 });
      const actual = await runStep(step, description, state, batch, { learningRate: 0.1 });
      expect(relativeError(actual.state[1]!, expected.gradient)).toBeLessThan(1e-5);
      expect(relativeError(actual.state[0]!, expected.state[0]!)).toBeLessThan(1e-6);
      expect(actual.loss / expected.loss - 1).toBeCloseTo(0, 5);
      expect(actual.gradientNorm / expected.gradientNorm - 1).toBeCloseTo(0, 5);
    }
  });

  test.each([
    ['sgd', sgd, null],
    ['sgd, clipped', sgd, 0.01],
    ['momentum, clipped far above', momentum, 1e6],
    ['adam', adam, null],
    ['adam, clipped', adam, 0.01],
    ['adamw', adamw, null],
  ] as const)('%s: a step from any state', async (_, optimizer, clipNorm) => {
    const description = describeStep(dimension, optimizer, clipNorm);
    const step = buildTrainingStep(description);
    // The second moment is a mean of squares.
    const state = step.state.map((_, i) =>
      normals(step.size, 20 + i, 0.3).map((value) => (i === 2 ? value ** 2 : value)),
    );
    const scalars = createOptimizer(optimizer).scalars(0.05, 3);
    const batch = randomBatch(sizes[0]!);
    const expected = referenceStep(step, description, state, batch, scalars);
    const actual = await runStep(step, description, state, batch, scalars);
    for (const [i, { output }] of step.state.entries()) {
      expect(relativeError(actual.state[i]!, expected.state[i]!), output).toBeLessThan(2e-5);
    }
  });
});

test('the gradient is that of TensorFlow.js', async () => {
  const description = describeStep(5, momentum);
  const step = buildTrainingStep(description);
  const parameters = normals(step.size, 1, 0.3);
  const zero = new Float32Array(step.size);
  const named = (vector: Float32Array) =>
    Object.fromEntries(
      Object.entries(unflatten(step, vector)).map(([name, { data }]) => [name, Float32Array.from(data)]),
    );
  const batch = randomBatch({ batch: 7, context: 11, queries: 1, dimension: 5 });
  const engine = await createEngine('tfjs', { ...description, device: 'cpu' });
  engine.loadState({ parameters: named(parameters), optimizer: { velocity: named(zero) } });
  const report = await engine.step(batch, { learningRate: 0.1 }).read();
  const { optimizer } = await engine.readState();
  engine.dispose();
  const actual = await runStep(step, description, [parameters, zero], batch, { learningRate: 0.1 });
  const theirs = step.parameters.flatMap(({ name }) => [...optimizer['velocity']![name]!]);
  expect(relativeError(actual.state[1]!, theirs)).toBeLessThan(2e-6);
  expectClose([actual.loss, actual.gradientNorm], [report.loss, report.gradientNorm], { relative: 2e-6, absolute: 0 });
});

test.each([
  ['adam', describeStep(5, adam)],
  ['momentum, clipped', describeStep(5, momentum, 1)],
])('the graph as text: %s', (name, description) => {
  const { graph } = buildTrainingStep(description);
  const file = name.startsWith('adam') ? 'training-step-adam.txt' : 'training-step-momentum.txt';
  expectGolden(file, printModel({ irVersion: 8, opset: 17, graph }));
});

test('only standard operators, none of which runs on the CPU alone', () => {
  for (const description of [describeStep(5, adam, 1), describeStep(1, momentum), describeStep(20, sgd)]) {
    const { graph } = buildTrainingStep(description);
    expect(graph.nodes.every(({ domain }) => domain === '')).toBe(true);
    const operators = new Set(graph.nodes.map(({ opType }) => opType));
    for (const banned of ['Shape', 'Split', 'Expand', 'Where', 'Loop']) expect(operators).not.toContain(banned);
  }
});

test('the metadata names every input and every output', () => {
  const description = describeStep(5, adam, 1);
  const model = parseModel('step.onnx', exportTrainingStep(description, origin));
  const contract = JSON.parse(model.metadata['icl.training_step']!);
  expect(contract).toEqual({
    schema: 1,
    state: [
      { slot: null, input: 'parameters', output: 'next_parameters' },
      { slot: 'firstMoment', input: 'first_moment', output: 'next_first_moment' },
      { slot: 'secondMoment', input: 'second_moment', output: 'next_second_moment' },
    ],
    size: 72,
    parameters: [
      { name: 'projection_value', shape: [6, 6], offset: 0 },
      { name: 'key_query', shape: [6, 6], offset: 36 },
    ],
    scalars: [
      { scalar: 'stepSize', input: 'step_size', formula: 'learning_rate / (1 - 0.9 ** t)' },
      { scalar: 'rootCorrection', input: 'root_correction', formula: '1 / sqrt(1 - 0.999 ** t)' },
    ],
    step: null,
    schedule: null,
    batch: ['covariates', 'responses', 'query', 'targets'],
    reports: ['loss', 'gradient_norm'],
    optimizer: adam,
    clipNorm: 1,
    loss: { name: 'squared-error' },
  });
  const named = [...contract.state, ...contract.scalars].map(({ input }: { input: string }) => input);
  expect(model.graph.inputs.map(({ name }) => name)).toEqual([...named, ...contract.batch]);
  const made = contract.state.map(({ output }: { output: string }) => output);
  expect(model.graph.outputs.map(({ name }) => name)).toEqual([...made, ...contract.reports]);
  expect(model.metadata).toMatchObject({ 'icl.study': 'zhang2023', 'icl.model': 'linear-attention' });
});

test('equal descriptions give equal bytes; both opsets hold the same graph', () => {
  const description = describeStep(3, adam);
  expect(Buffer.from(exportTrainingStep(description, origin)).equals(exportTrainingStep(description, origin))).toBe(
    true,
  );
  const step = buildTrainingStep(description);
  const [a, b] = ([17, 21] as const).map((opset) => trainingStepModel(step, description, origin, opset));
  expect(a!.graph).toEqual(b!.graph);
  expect([a!.irVersion, b!.irVersion]).toEqual([8, 10]);
});

test('who takes it for a frozen model is told what it is', () => {
  expect(() => readModel('step.onnx', exportTrainingStep(describeStep(3, adam), origin))).toThrow(
    'step.onnx: expected a frozen model, got a training step. Export the run without --training-step',
  );
});

describe.runIf(hasOfficialChecker())('the official checker', () => {
  test('accepts every training step, with full shape inference', () => {
    const descriptions = [1, 5, 20].flatMap((dimension) => [
      describeStep(dimension, adam),
      describeStep(dimension, momentum, 1),
      describeStep(dimension, sgd),
    ]);
    const checked = checkOfficially(descriptions.map((description) => exportTrainingStep(description, origin)));
    expect(checked).toHaveLength(9);
    for (const { compared } of checked) expect(compared).toBeGreaterThan(50);
  });
});
