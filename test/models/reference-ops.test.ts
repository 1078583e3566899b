/** The float64 reading of each operation: small answers on paper, numpy's rules, and clear errors. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { linearAttention } from '../../models/attention/linear-attention.ts';
import { lengthAlong, positionsAlong, scale } from '../../models/ops.ts';
import { allocateBatch } from '../../models/prompts.ts';
import { createGenerator } from '../../models/random.ts';
import {
  fromFlat,
  type NdArray,
  referenceOps as ops,
  referencePrediction,
  referencePrefixPrediction,
} from '../../models/reference-ops.ts';
import { type Shape, sizeOf } from '../../models/shape.ts';
import { createSampler } from '../../models/tasks/index.ts';
import { linearRegressionDefaults } from '../../models/tasks/linear-regression.ts';

/** 1, 2, 3, .. in the given shape. */
const counting = (...shape: number[]): NdArray =>
  fromFlat(
    shape,
    Array.from({ length: sizeOf(shape) }, (_, i) => i + 1),
  );

function expectArray(array: NdArray, shape: Shape, values: readonly number[]): void {
  expect(array.shape).toEqual(shape);
  expect([...array.data]).toEqual(values);
}

describe('elementwise operations', () => {
  it('compute', () => {
    const [a, b] = [fromFlat([3], [8, -2, 9]), fromFlat([3], [2, 4, 3])];
    expectArray(ops.add(a, b), [3], [10, 2, 12]);
    expectArray(ops.sub(a, b), [3], [6, -6, 6]);
    expectArray(ops.mul(a, b), [3], [16, -8, 27]);
    expectArray(ops.div(a, b), [3], [4, -0.5, 3]);
    expectArray(ops.minimum(a, b), [3], [2, -2, 3]);
    expectArray(ops.sqrt(fromFlat([2], [9, 2])), [2], [3, Math.SQRT2]);
    expectArray(scale(ops, a, 0.5), [3], [4, -1, 4.5]);
  });

  it('broadcast as numpy does', () => {
    expectArray(ops.add(counting(2, 1), counting(3)), [2, 3], [2, 3, 4, 3, 4, 5]);
    expectArray(ops.mul(counting(2, 1, 2), counting(3, 1)), [2, 3, 2], [1, 2, 2, 4, 3, 6, 3, 4, 6, 8, 9, 12]);
    expectArray(ops.sub(ops.constant(1), counting(2, 2)), [2, 2], [0, -1, -2, -3]);
    expectArray(ops.add(counting(1, 3), counting(3)), [1, 3], [2, 4, 6]);
    expectArray(ops.add(ops.constant(2), ops.constant(3)), [], [5]);
    expectArray(ops.add(counting(2, 0, 3), counting(3)), [2, 0, 3], []);
  });

  it('broadcast: every entry is that of the two indices', () => {
    const pair = fc.array(fc.tuple(fc.integer({ min: 1, max: 4 }), fc.constantFrom('both', 'left', 'right')), {
      maxLength: 4,
    });
    fc.assert(
      fc.property(pair, fc.nat(4), (axes, dropped) => {
        const a = counting(...axes.map(([length, side]) => (side === 'right' ? 1 : length)));
        const full = axes.map(([length, side]) => (side === 'left' ? 1 : length));
        const firstReal = full.findIndex((length) => length !== 1);
        const b = counting(...full.slice(Math.min(dropped, firstReal < 0 ? full.length : firstReal)));
        const got = ops.sub(a, b);
        expect(got.shape).toEqual(axes.map(([length]) => length));
        const at = (array: NdArray, index: number[]) => {
          const own = index.slice(index.length - array.shape.length);
          return array.data[
            own.reduce((offset, i, axis) => offset * array.shape[axis]! + (array.shape[axis] === 1 ? 0 : i), 0)
          ]!;
        };
        for (let flat = 0; flat < got.data.length; flat++) {
          const index: number[] = [];
          for (let axis = got.shape.length - 1, rest = flat; axis >= 0; axis--) {
            index.unshift(rest % got.shape[axis]!);
            rest = Math.floor(rest / got.shape[axis]!);
          }
          expect(got.data[flat]).toBe(at(a, index) - at(b, index));
        }
      }),
    );
  });
});

describe('matMul', () => {
  it('multiplies matrices and broadcasts what stands before them', () => {
    expectArray(ops.matMul(counting(2, 3), counting(3, 2)), [2, 2], [22, 28, 49, 64]);
    expectArray(ops.matMul(counting(1, 2), counting(3, 2, 1)), [3, 1, 1], [5, 11, 17]);
    expectArray(ops.matMul(counting(2, 1, 1, 2), counting(2, 2, 1)), [2, 2, 1, 1], [5, 11, 11, 25]);
    expectArray(ops.matMul(counting(2, 0), counting(0, 2)), [2, 2], [0, 0, 0, 0]);
  });

  it.each([
    [[2, 3], [2, 3], 'matMul: expected as many columns on the left as rows on the right, got [2, 3] and [2, 3].'],
    [[3], [3, 1], 'matMul: expected operands of rank 2 or more, got [3] and [3, 1].'],
    [[2, 1, 1], [3, 1, 1], 'matMul: expected shapes that broadcast, got [2] and [3].'],
  ])('refuses %j and %j', (a, b, message) => {
    expect(() => ops.matMul(counting(...a), counting(...b))).toThrow(message);
  });
});

describe('operations on shape', () => {
  it('transpose swaps the last two axes', () => {
    expectArray(ops.transpose(counting(2, 2, 3)), [2, 3, 2], [1, 4, 2, 5, 3, 6, 7, 10, 8, 11, 9, 12]);
  });

  it('concat joins along any axis', () => {
    expectArray(ops.concat([counting(2, 1), counting(2, 2)], -1), [2, 3], [1, 1, 2, 2, 3, 4]);
    expectArray(ops.concat([counting(1, 2), counting(2, 2)], 0), [3, 2], [1, 2, 1, 2, 3, 4]);
    expectArray(ops.concat([counting(2, 0), counting(2, 1)], 1), [2, 1], [1, 2]);
  });

  it('slice counts from either end', () => {
    const a = counting(3, 3);
    expectArray(ops.slice(a, 0, -1), [1, 3], [7, 8, 9]);
    expectArray(ops.slice(a, 1, 0, -1), [3, 2], [1, 2, 4, 5, 7, 8]);
    expectArray(ops.slice(a, -1, -2, 3), [3, 2], [2, 3, 5, 6, 8, 9]);
    expectArray(ops.slice(a, 0, 1, 1), [0, 3], []);
  });

  it('expandDims and squeeze undo each other', () => {
    const a = counting(2, 3);
    for (const [axis, shape] of [
      [0, [1, 2, 3]],
      [1, [2, 1, 3]],
      [2, [2, 3, 1]],
      [-1, [2, 3, 1]],
      [-3, [1, 2, 3]],
    ] as const) {
      // biome-ignore format: a table
      const expanded = ops.expandDims(a, axis);
      expectArray(expanded, shape, [...a.data]);
      expectArray(ops.squeeze(expanded, axis), [2, 3], [...a.data]);
    }
  });

  it('sum, mean and cumulativeSum', () => {
    const a = counting(2, 3);
    expectArray(ops.sum(a, 0), [3], [5, 7, 9]);
    expectArray(ops.sum(a, -1), [2], [6, 15]);
    expectArray(ops.mean(a), [], [3.5]);
    expectArray(ops.cumulativeSum(a, 1), [2, 3], [1, 3, 6, 4, 9, 15]);
    expectArray(ops.cumulativeSum(a, -2), [2, 3], [1, 2, 3, 5, 7, 9]);
  });

  it('onesAlong gives lengths and positions', () => {
    expectArray(ops.onesAlong(counting(2, 3), -1), [3], [1, 1, 1]);
    expectArray(lengthAlong(ops, counting(2, 3), 1), [], [3]);
    expectArray(positionsAlong(ops, counting(2, 3), 0), [2], [1, 2]);
  });

  it('leave their operands as they are', () => {
    const a = counting(2, 3);
    for (const out of [ops.cumulativeSum(a, 0), ops.sqrt(a), ops.transpose(a), ops.slice(a, 0, 0), ops.add(a, a)]) {
      expect(out.data.buffer).not.toBe(a.data.buffer);
    }
    expect([...a.data]).toEqual([1, 2, 3, 4, 5, 6]);
  });
});

describe('operations that cannot be', () => {
  const a = counting(2, 3);
  it.each<[() => unknown, string]>([
    [() => ops.add(a, counting(2)), 'add: expected shapes that broadcast, got [2, 3] and [2].'],
    [() => ops.div(a, counting(3, 3)), 'div: expected shapes that broadcast, got [2, 3] and [3, 3].'],
    [() => ops.transpose(counting(3)), 'transpose: expected rank 2 or more, got [3].'],
    [() => ops.concat([], 0), 'concat: expected at least one array, got none.'],
    [() => ops.concat([a, counting(3, 2)], 0), 'concat: expected shapes equal to [2, 3] but for axis 0, got [3, 2].'],
    [() => ops.concat([a, counting(2)], 0), 'concat: expected shapes equal to [2, 3] but for axis 0, got [2].'],
    [() => ops.slice(a, 1, 2, 1), 'slice: expected a range within axis 1 of [2, 3], got 2 to 1.'],
    [() => ops.slice(a, 1, -4), 'slice: expected a range within axis 1 of [2, 3], got -4 to the end.'],
    [() => ops.slice(a, 1, 0, 4), 'slice: expected a range within axis 1 of [2, 3], got 0 to 4.'],
    [() => ops.squeeze(a, 0), 'squeeze: expected length 1 along axis 0, got [2, 3].'],
    [() => ops.sum(a, 2), 'sum: expected an axis of a tensor of rank 2, got 2.'],
    [() => ops.expandDims(a, 3), 'expandDims: expected an axis of a tensor of rank 3, got 3.'],
    [() => fromFlat([2, 2], [1, 2, 3]), 'fromFlat: expected 4 numbers for shape [2, 2], got 3.'],
  ])('%s', (run, message) => {
    expect(run).toThrow(expect.objectContaining({ name: 'ShapeError', message }));
  });
});

describe('a whole architecture', () => {
  const dimension = 5;
  const sizes = { dimension };
  const parameters = linearAttention.initSchemes[1]!.initialise(sizes, { scale: 1 }, createGenerator(1, 2));
  const prompts = allocateBatch({ batch: 600, context: 200, queries: 3, dimension });
  createSampler({ ...linearRegressionDefaults, dimension }).fill(createGenerator(1, 1), 0, prompts);

  it('runs in blocks that do not show', () => {
    const whole = referencePrediction(linearAttention, parameters, sizes, prompts);
    const prefixes = referencePrefixPrediction(linearAttention, parameters, sizes, prompts);
    expect(whole).toHaveLength(600 * 3);
    expect(prefixes).toHaveLength(600 * 201 * 3);
    for (const b of [0, 1, 217, 599]) {
      for (let q = 0; q < 3; q++) {
        const last = prefixes[(b * 201 + 200) * 3 + q]!;
        expect(Math.abs(whole[b * 3 + q]! - last)).toBeLessThan(1e-9 * (1 + Math.abs(last)));
      }
    }
  });

  it('says what does not fit', () => {
    const run = (changes: object, values: Record<string, ArrayLike<number>> = parameters) =>
      referencePrediction(linearAttention, values, sizes, { ...prompts, ...changes });
    expect(() => run({ dimension: 4 })).toThrow('expected covariates of dimension 5, got dimension 4.');
    expect(() => run({ context: 0, covariates: new Float32Array(0), responses: new Float32Array(0) })).toThrow(
      'expected a context of at least 1 pair, got 0.',
    );
    expect(() => run({}, { key_query: parameters['key_query']! })).toThrow(
      'a parameter projection_value of shape [6, 6]',
    );
    expect(() => run({}, { ...parameters, key_query: [1] })).toThrow('expected 36 numbers for shape [6, 6], got 1.');
    const withoutPrefixes = { ...linearAttention } as { prefixForward?: unknown };
    delete withoutPrefixes.prefixForward;
    expect(() =>
      referencePrefixPrediction(withoutPrefixes as typeof linearAttention, parameters, sizes, prompts),
    ).toThrow('Run the lengths one by one.');
  });
});
