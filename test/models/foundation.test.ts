/** Errors, shapes, small matrices and batches: what everything else leans on. */
import { describe, expect, it } from 'vitest';
import { DataError, didYouMean, IclError, ShapeError, UsageError, unknownName } from '../../models/errors.ts';
import { choleskyFactor, diagonal, identity, inverse, multiply, transpose } from '../../models/matrix.ts';
import { allocateBatch, sliceBatch, validateBatch } from '../../models/prompts.ts';
import { assertShape, broadcastShapes, normalizeAxis, stridesOf } from '../../models/shape.ts';
import { symmetricEigen } from '../../models/symmetric-eigen.ts';
import { expectClose, float64 } from '../tolerance.ts';

describe('errors', () => {
  it('say where, what was expected and got, and what to do; the facts are fields', () => {
    const cause = new Error('why');
    const error = new DataError({ where: 'here', expected: 'this', got: 'that', remedy: 'Do it.', cause });
    expect(error.message).toBe('here: expected this, got that. Do it.');
    expect(error).toMatchObject({
      name: 'DataError',
      where: 'here',
      expected: 'this',
      got: 'that',
      exitCode: 1,
      cause,
    });
    expect(error).toBeInstanceOf(IclError);
    expect(new UsageError({ where: 'a', expected: 'b', got: 'c' })).toMatchObject({
      message: 'a: expected b, got c.',
      exitCode: 2,
    });
  });

  it('suggest the nearest word, if one is near', () => {
    const known = ['identity', 'exponential', 'power'];
    expect(didYouMean('identty', known)).toBe('Did you mean identity?');
    expect(didYouMean('Exponentiel', known)).toBe('Did you mean exponential?');
    expect(didYouMean('zebra', known)).toBeUndefined();
    expect(unknownName('--covariance', 'powr', known).message).toBe(
      '--covariance: expected one of identity, exponential, power, got "powr". Did you mean power?',
    );
  });
});

describe('shapes', () => {
  it('have strides, axes and a broadcast', () => {
    expect(stridesOf([2, 3, 5])).toEqual([15, 5, 1]);
    expect([normalizeAxis('f', -1, 3), normalizeAxis('f', 0, 3)]).toEqual([2, 0]);
    for (const axis of [3, -4, 0.5]) expect(() => normalizeAxis('f', axis, 3)).toThrow(ShapeError);
    expect(broadcastShapes('f', [2, 1, 3], [5, 1])).toEqual([2, 5, 3]);
    expect(broadcastShapes<number | string>('f', ['batch', 1], [1, 'context'])).toEqual(['batch', 'context']);
    expect(() => broadcastShapes<number | string>('f', ['batch', 2], ['context', 2])).toThrow(ShapeError);
    expect(() => assertShape('f', [2, 3], [3, 2])).toThrow('f: expected shape [3, 2], got [2, 3].');
  });
});

describe('matrices', () => {
  const a = [[4, 1, 0.5], [1, 3, -0.2], [0.5, -0.2, 2]]; // biome-ignore format: a matrix

  it('are inverted, factored and diagonalised', () => {
    expectClose(multiply(a, inverse(a)).flat(), identity(3).flat(), float64);
    const factor = choleskyFactor('a', a);
    expectClose(multiply(factor, transpose(factor)).flat(), a.flat(), float64);
    const { values, vectors } = symmetricEigen(a);
    expect([...values].sort((x, y) => x - y)).toEqual(values);
    expectClose(multiply(vectors, diagonal(values), transpose(vectors)).flat(), a.flat(), float64);
    expectClose(multiply(vectors, transpose(vectors)).flat(), identity(3).flat(), float64);
  });

  it('refuse what cannot be', () => {
    expect(() => multiply(a, [[1], [2]])).toThrow('multiply: expected a matrix with 3 rows, got 2 rows.'); // biome-ignore format: a matrix
    expect(() => inverse(diagonal([1, 0]))).toThrow('inverse: expected an invertible matrix, got a singular one.');
    expect(() => choleskyFactor('a', [[1, Number.NaN], [Number.NaN, 1]])).toThrow('a: expected finite numbers, got NaN.'); // biome-ignore format: a matrix
    expect(() => choleskyFactor('a', [[1, 2], [2, 1]])).toThrow('a: expected a positive definite matrix'); // biome-ignore format: a matrix
  });
});

describe('batches', () => {
  const model = { dimension: 3, minimumContext: 1 };
  const batch = () => allocateBatch({ batch: 4, context: 5, queries: 2, dimension: 3 });

  it('are sliced without a copy', () => {
    const whole = batch();
    const part = sliceBatch(whole, 1, 3);
    expect([part.batch, part.covariates.length, part.responses.length, part.query.length]).toEqual([2, 30, 10, 12]);
    part.query[0] = 7;
    expect(whole.query[6]).toBe(7);
    validateBatch('run', whole, model);
  });

  it('name the tensor and the prompt that are wrong', () => {
    const check =
      (changes: object, expected = model) =>
      () =>
        validateBatch('run', { ...batch(), ...changes }, expected);
    expect(check({}, { ...model, dimension: 5 })).toThrow('run: expected covariates of dimension 5, got dimension 3.');
    expect(check({ batch: 0 })).toThrow('run: expected at least one prompt, got 0.');
    expect(check({ queries: 0 })).toThrow('run: expected at least one query per prompt, got 0.');
    expect(check({ context: 0 })).toThrow('run: expected a context of at least 1 pair, got 0.');
    expect(check({}, { ...model, minimumContext: 6 })).toThrow('a context of at least 6 pairs, got 5.');
    expect(check({ responses: new Float32Array(19) })).toThrow('run: responses: expected 4 x 5 numbers, got 19.');
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      const prompts = batch();
      prompts.query[13] = bad;
      expect(() => validateBatch('run', prompts, model)).toThrow(
        `run: query: expected finite numbers, got ${bad} in prompt 2.`,
      );
    }
  });
});
