/** How covariances are written, checked and drawn from. */
import { describe, expect, it } from 'vitest';
import { multiply, transpose } from '../../../models/matrix.ts';
import {
  covarianceMatrix,
  createTransform,
  parseCovariance,
  validateCovariance,
} from '../../../models/tasks/covariance.ts';
import { expectClose } from '../../tolerance.ts';

describe('a covariance as text', () => {
  it.each([
    ['identity', { kind: 'identity' }],
    [' identity ', { kind: 'identity' }],
    ['[2,1.5,1]', { kind: 'diagonal', spectrum: [2, 1.5, 1] }],
    ['[2,.5,0]', { kind: 'diagonal', spectrum: [2, 0.5, 0] }],
    ['[[1,.5,0],[.5,1,-.25],[0,-.25,1]]', { kind: 'matrix', matrix: [[1, 0.5, 0], [0.5, 1, -0.25], [0, -0.25, 1]] }], // biome-ignore format: a matrix
    ['power(2)', { kind: 'diagonal', spectrum: [1, 1 / 4, 1 / 9] }],
    ['power(0)', { kind: 'diagonal', spectrum: [1, 1, 1] }],
    ['power', { kind: 'diagonal', spectrum: [1, 1 / 2, 1 / 3] }],
    ['power(-1)', { kind: 'diagonal', spectrum: [1, 2, 3] }],
    ['exponential', { kind: 'exponential', scale: 1 }],
    ['exponential(4)', { kind: 'exponential', scale: 4 }],
    ['exponential(.5)', { kind: 'exponential', scale: 0.5 }],
  ])('%s is read', (text, expected) => {
    expect(parseCovariance('covariance', text, 3)).toEqual(expected);
  });

  const forms = 'identity, [v1,..,vd], [[..],..], power(p), exponential or exponential(c)';
  it.each([
    ['', `covariance: expected ${forms}, got "".`],
    ['identty', `covariance: expected ${forms}, got "identty".`],
    ['3', `covariance: expected ${forms}, got "3".`],
    ['[1,2', `covariance: expected ${forms}, got "[1,2".`],
    ['[1,"2",3]', `covariance: expected ${forms}, got "[1,\\"2\\",3]".`],
    ['[[1,0,0],2,3]', `covariance: expected ${forms}, got "[[1,0,0],2,3]".`],
    ['power(x)', 'covariance: expected a number in power(..), got "x".'],
    ['power()', 'covariance: expected a number in power(..), got "".'],
    ['exponential()', 'covariance: expected a number in exponential(..), got "".'],
    ['exponential(0)', 'covariance: expected a scale above 0, got 0.'],
    ['exponential(-1)', 'covariance: expected a scale above 0, got -1.'],
    ['[1,2]', 'covariance: expected 3 dimensions, got 2. It must match d.'],
    ['[]', 'covariance: expected 3 dimensions, got 0. It must match d.'],
    ['[[1,0],[0,1]]', 'covariance: expected 3 dimensions, got 2. It must match d.'],
    ['[1,-2,3]', 'covariance: expected variances of 0 or more, got -2.'],
    ['[1,1e999,3]', 'covariance: expected variances of 0 or more, got Infinity.'],
    ['power(-1e6)', 'covariance: expected variances of 0 or more, got Infinity.'],
    ['[[1,0,0],[0,1],[0,0,1]]', 'covariance: expected a 3 x 3 matrix, got rows of other lengths.'],
    ['[[1,0,0],[1,1,0],[0,0,1]]', 'covariance: expected a symmetric matrix, got entries (1, 0) and (0, 1) of 1 and 0.'],
    [
      '[[1,2,0],[2,1,0],[0,0,1]]',
      'covariance: expected a positive definite matrix, got one with an eigenvalue of 0 or less.',
    ],
    [
      '[[1,0,0],[0,0,0],[0,0,1]]',
      'covariance: expected a positive definite matrix, got one with an eigenvalue of 0 or less.',
    ],
    ['[[1e999,0,0],[0,1,0],[0,0,1]]', 'covariance: expected finite numbers, got Infinity.'],
  ])('%s is refused', (text, message) => {
    expect(() => parseCovariance('covariance', text, 3)).toThrow(message);
  });

  it('is checked as wrong usage, exit code 2', () => {
    expect(() => validateCovariance('covariance', { kind: 'exponential', scale: Number.NaN }, 2)).toThrow(
      expect.objectContaining({ name: 'UsageError', exitCode: 2 }),
    );
    expect(() =>
      validateCovariance(
        'covariance',
        {
          kind: 'matrix',
          matrix: [
            [1, 2],
            [2, 1],
          ],
        },
        2,
      ),
    ).toThrow(expect.objectContaining({ name: 'UsageError', exitCode: 2 }));
  });
});

describe('a covariance as a matrix', () => {
  it('is what it says, and none for a random one', () => {
    expect(covarianceMatrix({ kind: 'identity' }, 2)).toEqual([[1, 0], [0, 1]]); // biome-ignore format: a matrix
    expect(covarianceMatrix({ kind: 'diagonal', spectrum: [3, 2] }, 2)).toEqual([[3, 0], [0, 2]]); // biome-ignore format: a matrix
    expect(covarianceMatrix({ kind: 'exponential', scale: 2 }, 2)).toBeUndefined();
  });

  it('turns unit vectors into the columns of a factor L with L L^T equal to it', () => {
    const matrix = [[2, 0.5, 0.3], [0.5, 1, -0.2], [0.3, -0.2, 0.7]]; // biome-ignore format: a matrix
    const transform = createTransform({ kind: 'matrix', matrix }, 3)!;
    const rows = Float32Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1);
    transform(rows, 3);
    const factorTransposed = [0, 1, 2].map((i) => [...rows.subarray(3 * i, 3 * i + 3)]);
    const product = multiply(transpose(factorTransposed), factorTransposed);
    expectClose(product.flat(), matrix.flat(), { relative: 1e-6, absolute: 1e-7 });
  });

  it('has no fixed transform if it is random', () => {
    expect(() => createTransform({ kind: 'exponential', scale: 1 }, 3)).toThrow('expected a fixed covariance');
  });
});
