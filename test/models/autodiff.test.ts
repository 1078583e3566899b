import { describe, expect, test } from 'vitest';
import { linearAttention } from '../../models/attention/linear-attention.ts';
import { differentiate, type ScalarFunction } from '../../models/autodiff.ts';
import { derivativeRules } from '../../models/derivative-rules.ts';
import { lengthAlong, type Ops, positionsAlong, scale } from '../../models/ops.ts';
import { createGenerator, fillNormals } from '../../models/random.ts';
import { fromFlat, type NdArray, referenceOps } from '../../models/reference-ops.ts';
import { type Shape, sizeOf } from '../../models/shape.ts';
import { halfMeanSquare } from '../../train/losses.ts';
import { expectClose } from '../tolerance.ts';

const generator = createGenerator(11, 0);

/** Numbers away from 0 and from one another. */
function draw(shape: Shape, purpose: number): NdArray {
  const values = new Float32Array(sizeOf(shape));
  fillNormals(generator, { prompt: 0, purpose }, values, 0, values.length);
  return fromFlat(
    shape,
    values.map((value) => value + Math.sign(value) * 0.3),
  );
}

/** The gradient by central differences, entry by entry. */
function centralDifferences(compute: (parameters: Record<string, NdArray>) => number, at: Record<string, NdArray>) {
  const step = 1e-5;
  return Object.fromEntries(
    Object.entries(at).map(([name, { shape, data }]) => {
      const gradient = data.map((value, i) => {
        const near = (by: number) => compute({ ...at, [name]: { shape, data: data.with(i, value + by) } });
        return (near(step) - near(-step)) / (2 * step);
      });
      return [name, gradient];
    }),
  );
}

/** Rounding of the differences: 1e-16 of a value over the step; the values are about 1. */
const tolerance = { relative: 1e-8, absolute: 1e-9 };

function expectGradient(compute: ScalarFunction, parameters: Record<string, NdArray>, inputs: Record<string, NdArray>) {
  const { value, gradients } = differentiate(referenceOps, compute, parameters, inputs);
  const run = (at: Record<string, NdArray>) => compute(referenceOps, at, inputs).data[0]!;
  expect(value.data[0]).toBe(run(parameters));
  const expected = centralDifferences(run, parameters);
  expect(Object.keys(gradients)).toEqual(Object.keys(parameters));
  for (const [name, gradient] of Object.entries(gradients)) {
    expect(gradient.shape, name).toEqual(parameters[name]!.shape);
    expectClose(gradient.data, expected[name]!, tolerance);
  }
}

type Expression = <T>(ops: Ops<T>, values: Readonly<Record<string, T>>) => T;

interface Case {
  readonly shapes: Record<string, Shape>;
  readonly of: Expression;
}

const cases: Record<string, Case> = {
  add: { shapes: { a: [3, 5], b: [3, 5] }, of: (ops, { a, b }) => ops.add(a!, b!) },
  'add, both broadcast': { shapes: { a: [3, 1, 5], b: [7, 1] }, of: (ops, { a, b }) => ops.add(a!, b!) },
  'add to a scalar': { shapes: { a: [], b: [3, 2] }, of: (ops, { a, b }) => ops.add(a!, b!) },
  sub: { shapes: { a: [3, 5], b: [5] }, of: (ops, { a, b }) => ops.sub(a!, b!) },
  mul: { shapes: { a: [2, 3, 5], b: [3, 1] }, of: (ops, { a, b }) => ops.mul(a!, b!) },
  'mul of a value by itself': { shapes: { a: [3, 5] }, of: (ops, { a }) => ops.mul(a!, a!) },
  'mul by a leading 1': { shapes: { a: [1, 1, 5], b: [2, 3, 5] }, of: (ops, { a, b }) => ops.mul(a!, b!) },
  div: { shapes: { a: [3, 1], b: [2, 1, 5] }, of: (ops, { a, b }) => ops.div(a!, b!) },
  sqrt: { shapes: { a: [3, 5] }, of: (ops, { a }) => ops.sqrt(ops.add(ops.mul(a!, a!), ops.constant(1))) },
  exp: { shapes: { a: [3, 5] }, of: (ops, { a }) => ops.exp(a!) },
  erf: { shapes: { a: [3, 5] }, of: (ops, { a }) => ops.erf(a!) },
  erfGate: { shapes: { a: [3, 5] }, of: (ops, { a }) => ops.erfGate(a!) },
  log: { shapes: { a: [3, 5] }, of: (ops, { a }) => ops.log(ops.add(ops.mul(a!, a!), ops.constant(1))) },
  sigmoid: { shapes: { a: [3, 5] }, of: (ops, { a }) => ops.sigmoid(a!) },
  softplus: { shapes: { a: [3, 5] }, of: (ops, { a }) => ops.softplus(a!) },
  logSumExp: { shapes: { a: [2, 3, 5] }, of: (ops, { a }) => ops.logSumExp(a!) },
  'logSumExp of a part': {
    shapes: { a: [2, 5], b: [2] },
    of: (ops, { a, b }) => ops.sub(ops.logSumExp(ops.slice(a!, 1, 0, 3)), b!),
  },
  softmax: { shapes: { a: [2, 3, 5] }, of: (ops, { a }) => ops.softmax(a!) },
  softMeans: { shapes: { a: [2, 3, 5], b: [2, 5, 7] }, of: (ops, { a, b }) => ops.softMeans(a!, b!) },
  'softMeans of shared values': { shapes: { a: [2, 3, 5], b: [5, 7] }, of: (ops, { a, b }) => ops.softMeans(a!, b!) },
  'softMeans by shared scores': { shapes: { a: [3, 5], b: [2, 5, 7] }, of: (ops, { a, b }) => ops.softMeans(a!, b!) },
  'softMeans of numbers': { shapes: { a: [2, 3, 5], b: [2, 5, 1] }, of: (ops, { a, b }) => ops.softMeans(a!, b!) },
  gram: { shapes: { a: [2, 3, 5] }, of: (ops, { a }) => ops.gram(a!) },
  'gram of one matrix': { shapes: { a: [3, 5] }, of: (ops, { a }) => ops.gram(a!) },
  normalize: { shapes: { a: [2, 3, 5] }, of: (ops, { a }) => ops.normalize(a!, { epsilon: 0.1, shift: 0 }) },
  'normalize, shifted': {
    shapes: { a: [2, 3, 5] },
    of: (ops, { a }) => ops.normalize(a!, { epsilon: 0.1, shift: 2 }),
  },
  minimum: { shapes: { a: [3, 5], b: [5] }, of: (ops, { a, b }) => ops.minimum(a!, b!) },
  'minimum with a number': { shapes: { a: [3, 5] }, of: (ops, { a }) => ops.minimum(a!, ops.constant(0.2)) },
  less: { shapes: { a: [3, 5], b: [5] }, of: (ops, { a, b }) => ops.mul(ops.less(a!, b!), a!) },
  matMul: { shapes: { a: [3, 5], b: [5, 7] }, of: (ops, { a, b }) => ops.matMul(a!, b!) },
  'matMul of batches': { shapes: { a: [2, 3, 5], b: [2, 5, 7] }, of: (ops, { a, b }) => ops.matMul(a!, b!) },
  'matMul, one right side': { shapes: { a: [2, 3, 5], b: [5, 7] }, of: (ops, { a, b }) => ops.matMul(a!, b!) },
  'matMul, one left side': { shapes: { a: [3, 5], b: [2, 5, 7] }, of: (ops, { a, b }) => ops.matMul(a!, b!) },
  'matMul, crossed batches': {
    shapes: { a: [2, 1, 3, 5], b: [7, 5, 2] },
    of: (ops, { a, b }) => ops.matMul(a!, b!),
  },
  'matMul to a column': { shapes: { a: [2, 3, 5], b: [2, 5, 1] }, of: (ops, { a, b }) => ops.matMul(a!, b!) },
  'matMul of a column and a row': {
    shapes: { a: [2, 3, 1], b: [2, 1, 5] },
    of: (ops, { a, b }) => ops.matMul(a!, b!),
  },
  'matMul of a batch with itself': { shapes: { a: [2, 3, 5] }, of: (ops, { a }) => ops.matMul(a!, ops.transpose(a!)) },
  transpose: { shapes: { a: [2, 3, 5] }, of: (ops, { a }) => ops.transpose(a!) },
  'transpose of a transpose': { shapes: { a: [3, 5] }, of: (ops, { a }) => ops.transpose(ops.transpose(a!)) },
  concat: { shapes: { a: [2, 3], b: [2, 5] }, of: (ops, { a, b }) => ops.concat([a!, b!, a!], -1) },
  'concat in front': { shapes: { a: [2, 3], b: [5, 3] }, of: (ops, { a, b }) => ops.concat([a!, b!], 0) },
  'slice from': { shapes: { a: [5, 3] }, of: (ops, { a }) => ops.slice(a!, 0, 2) },
  'slice to': { shapes: { a: [5, 3] }, of: (ops, { a }) => ops.slice(a!, -1, 0, -1) },
  'slice between': { shapes: { a: [7, 3] }, of: (ops, { a }) => ops.slice(a!, 0, 2, 5) },
  'slice from the end': { shapes: { a: [7, 3] }, of: (ops, { a }) => ops.slice(a!, 0, -3, -1) },
  'slice of everything': { shapes: { a: [7, 3] }, of: (ops, { a }) => ops.slice(a!, 0, 0) },
  'slices that overlap': {
    shapes: { a: [7, 3] },
    of: (ops, { a }) => ops.mul(ops.slice(a!, 0, 0, 5), ops.slice(a!, 0, 2)),
  },
  expandDims: { shapes: { a: [3, 5] }, of: (ops, { a }) => ops.expandDims(a!, 1) },
  'expandDims at the end': { shapes: { a: [3, 5] }, of: (ops, { a }) => ops.expandDims(a!, -1) },
  squeeze: { shapes: { a: [3, 1, 5] }, of: (ops, { a }) => ops.squeeze(a!, -2) },
  sum: { shapes: { a: [2, 3, 5] }, of: (ops, { a }) => ops.sum(a!, 1) },
  'sum, last': { shapes: { a: [2, 3, 5] }, of: (ops, { a }) => ops.sum(a!, -1) },
  mean: { shapes: { a: [2, 3, 5] }, of: (ops, { a }) => ops.mean(a!) },
  cumulativeSum: { shapes: { a: [2, 5, 3] }, of: (ops, { a }) => ops.cumulativeSum(a!, 1) },
  'cumulativeSum, last': { shapes: { a: [2, 5] }, of: (ops, { a }) => ops.cumulativeSum(a!, -1) },
  constant: { shapes: { a: [5] }, of: (ops, { a }) => scale(ops, a!, 3) },
  onesAlong: { shapes: { a: [3, 5] }, of: (ops, { a }) => ops.mul(positionsAlong(ops, a!, 1), a!) },
  'a length': { shapes: { a: [3, 5] }, of: (ops, { a }) => ops.div(a!, lengthAlong(ops, a!, 0)) },
};

describe('gradients against central differences in float64', () => {
  test.each(Object.entries(cases))('%s', (_, { shapes, of }) => {
    const parameters = Object.fromEntries(Object.entries(shapes).map(([name, shape], i) => [name, draw(shape, i)]));
    const weights = draw(of(referenceOps, parameters).shape, 9);
    // Random weights: a gradient of the right entries in the wrong places is seen.
    const weighted: ScalarFunction = (ops, values, inputs) => ops.mean(ops.mul(of(ops, values), inputs['weights']!));
    expectGradient(weighted, parameters, { weights });
    // Without them, what flows back begins as a single number for all entries.
    const plain: ScalarFunction = (ops, values) => ops.mean(of(ops, values));
    expectGradient(plain, parameters, {});
    // And with one axis of length 1.
    const summed: ScalarFunction = (ops, values) => {
      const result = of(ops, values);
      return ops.mean(ops.mul(ops.sum(ops.expandDims(result, -1), 0), ops.constant(2)));
    };
    if (weights.shape.length > 0) expectGradient(summed, parameters, {});
  });

  test('every rule has a case', () => {
    const covered = Object.keys(cases).map((name) => name.split(/[ ,]/)[0]);
    expect(Object.keys(derivativeRules).filter((name) => !covered.includes(name))).toEqual([]);
    expect(Object.keys(referenceOps).filter((name) => !Object.hasOwn(derivativeRules, name))).toEqual([
      'shapeOf',
      'inverseDeviation',
      'rows',
    ]);
  });
});

describe('how gradients flow', () => {
  test('the numbers of a product by hand', () => {
    const f: ScalarFunction = (ops, { a, b }) => ops.mul(a!, ops.mul(a!, b!));
    const at = { a: fromFlat([], [3]), b: fromFlat([], [5]) };
    const { value, gradients } = differentiate(referenceOps, f, at, {});
    expect([value, gradients['a'], gradients['b']].map((number) => number!.data[0])).toEqual([45, 30, 9]);
  });

  test('a parameter without influence has gradient 0, of its shape', () => {
    const at = { a: draw([3], 0), b: draw([2, 5], 1) };
    const f: ScalarFunction = (ops, { a, b }) => ops.add(ops.mean(a!), ops.mean(ops.less(b!, ops.constant(0))));
    const { gradients } = differentiate(referenceOps, f, at, {});
    expect(gradients['b']!.shape).toEqual([2, 5]);
    expectClose(gradients['b']!.data, new Float64Array(10), { relative: 0, absolute: 0 });
    const constant: ScalarFunction = (ops) => ops.constant(2);
    expectClose(differentiate(referenceOps, constant, at, {}).gradients['a']!.data, [0, 0, 0], {
      relative: 0,
      absolute: 0,
    });
  });

  test('nothing is computed for what no parameter has an influence on', () => {
    const calls: string[] = [];
    const counting = Object.fromEntries(
      Object.entries(referenceOps).map(([name, op]) => [
        name,
        (...args: unknown[]) => {
          if (name !== 'shapeOf') calls.push(name);
          return (op as (...args: unknown[]) => unknown)(...args);
        },
      ]),
    ) as unknown as typeof referenceOps;
    const f: ScalarFunction = (ops, { a }, { x }) => ops.mean(ops.mul(a!, ops.cumulativeSum(ops.sqrt(x!), 0)));
    const x = fromFlat([3], [1, 4, 9]);
    differentiate(counting, f, { a: draw([3], 0) }, { x });
    expect(calls.filter((name) => ['sqrt', 'cumulativeSum', 'sub'].includes(name))).toEqual(['sqrt', 'cumulativeSum']);
    expect(calls.filter((name) => name === 'mul')).toHaveLength(3);
  });

  /** Ranges of axis 1, of length 5, and of axis 0, of length 3; `padded` counts those that are filled up with zeros. */
  const slicings = {
    'parts of an axis': {
      ranges: [
        [1, 0, 2],
        [1, 2, 3],
        [1, 3],
      ],
      padded: 0,
    },
    'parts of an axis, one of them twice': {
      ranges: [
        [1, -2],
        [1, 0, 3],
        [1, 3, 5],
      ],
      padded: 0,
    },
    'parts with a gap': {
      ranges: [
        [1, 0, 2],
        [1, 3],
      ],
      padded: 2,
    },
    'parts that overlap': {
      ranges: [
        [1, 0, 3],
        [1, 2],
      ],
      padded: 2,
    },
    'parts of two axes': {
      ranges: [
        [1, 0, 2],
        [0, 0, 1],
        [0, 1],
        [1, 2],
      ],
      padded: 0,
    },
    'one part': { ranges: [[0, 1]], padded: 1 },
  } as const;

  test.each(Object.entries(slicings))('slices of one value: %s', (_, { ranges, padded }) => {
    const f: ScalarFunction = (ops, { a }) =>
      ranges
        .map(([axis, start, end], i) => {
          const part = ops.slice(a!, axis, start, end);
          return scale(ops, ops.mean(ops.mul(part, ops.mul(part, part))), i + 1);
        })
        .reduce((sum, term) => ops.add(sum, term));
    expectGradient(f, { a: draw([3, 5], 0) }, {});
    // Zeros for padding are cut out of the value, before it or behind it.
    let slices = 0;
    const counting = {
      ...referenceOps,
      slice: (...args: Parameters<typeof referenceOps.slice>) => {
        slices++;
        return referenceOps.slice(...args);
      },
    };
    differentiate(counting, f, { a: draw([3, 5], 0) }, {});
    expect(slices > ranges.length).toBe(padded > 0);
  });

  test('an operation without a rule fails by name', () => {
    const f: ScalarFunction = (ops, { a }) => ops.mean(ops.rows(a!));
    expect(() => differentiate(referenceOps, f, { a: draw([2, 3, 5], 0) }, {})).toThrow(
      'differentiate: expected operations that have a derivative, got rows. Write the forward pass without it',
    );
  });

  test('a result that is not a scalar is refused', () => {
    const f: ScalarFunction = (_, { a }) => a!;
    expect(() => differentiate(referenceOps, f, { a: draw([2, 3], 0) }, {})).toThrow(
      'differentiate: expected a scalar, got shape [2, 3]',
    );
  });
});

describe('linear attention and its loss', () => {
  const inputs = { covariates: draw([3, 7, 5], 20), responses: draw([3, 7], 21), query: draw([3, 2, 5], 22) };
  const targets = draw([3, 2], 23);
  const parameters = { projection_value: draw([6, 6], 24), key_query: draw([6, 6], 25) };

  test('against central differences', () => {
    const loss: ScalarFunction = (ops, values, { covariates, responses, query, targets }) => {
      const prompt = { covariates: covariates!, responses: responses!, query: query! };
      // Small parameters keep the loss, and with it the rounding of the differences, near 1.
      const small = { projection_value: scale(ops, values['projection_value']!, 0.2), key_query: values['key_query']! };
      return halfMeanSquare(ops, linearAttention.forward(ops, small, prompt), targets!);
    };
    expectGradient(loss, parameters, { ...inputs, targets });
  });

  test('all lengths at once', () => {
    const loss: ScalarFunction = (ops, values, { covariates, responses, query }) => {
      const prompt = { covariates: covariates!, responses: responses!, query: query! };
      const curve = linearAttention.prefixForward!(ops, values, prompt);
      return scale(ops, ops.mean(ops.mul(curve, curve)), 1e-3);
    };
    expectGradient(loss, parameters, inputs);
  });

  test('entries that reach no prediction have gradient 0', () => {
    const loss: ScalarFunction = (ops, values, { covariates, responses, query, targets }) => {
      const prompt = { covariates: covariates!, responses: responses!, query: query! };
      return halfMeanSquare(ops, linearAttention.forward(ops, values, prompt), targets!);
    };
    const { gradients } = differentiate(referenceOps, loss, parameters, { ...inputs, targets });
    expectClose(gradients['projection_value']!.data.subarray(0, 30), new Float64Array(30), {
      relative: 0,
      absolute: 0,
    });
    expect(gradients['key_query']!.data.every((value, i) => i % 6 !== 5 || value === 0)).toBe(true);
  });
});
