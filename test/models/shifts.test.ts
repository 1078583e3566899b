/** Each shift changes what it says and nothing else. */
import { describe, expect, it } from 'vitest';
import { identity, scaleMatrix, trace } from '../../models/matrix.ts';
import { shiftNamed, shiftsFor } from '../../models/shifts/index.ts';
import { symmetricEigen } from '../../models/symmetric-eigen.ts';
import { type Covariance, covarianceMatrix } from '../../models/tasks/covariance.ts';
import { gaussianMixtureDefaults } from '../../models/tasks/gaussian-mixture.ts';
import { createSampler, type TaskSpec } from '../../models/tasks/index.ts';
import { type LinearRegressionSpec, linearRegressionDefaults } from '../../models/tasks/linear-regression.ts';
import { expectClose, float64 } from '../tolerance.ts';

const dimension = 4;
const matrix = [[2, 0.5, 0, 0.1], [0.5, 1, -0.2, 0], [0, -0.2, 0.7, 0.3], [0.1, 0, 0.3, 1.5]]; // biome-ignore format: a matrix
const task: LinearRegressionSpec = {
  ...linearRegressionDefaults,
  dimension,
  covariance: { kind: 'diagonal', spectrum: [2, 1, 0.5, 0.25] },
  noiseVariance: 0.1,
};
const skewed: LinearRegressionSpec = { ...task, covariance: { kind: 'matrix', matrix } };
const random: LinearRegressionSpec = { ...task, covariance: { kind: 'exponential', scale: 2 } };
const apply = (name: string, level: number, to: LinearRegressionSpec = task) => shiftNamed(name).apply(to, level);
const matrixOf = (covariance: Covariance) => covarianceMatrix(covariance, dimension)!;

describe('shifts', () => {
  it('give tasks that can be sampled, at all their own levels', () => {
    for (const shift of shiftsFor(task)) for (const level of shift.levels) createSampler(shift.apply(task, level));
  });

  it('change nothing at their neutral level', () => {
    for (const { neutral, apply } of shiftsFor(task)) {
      if (neutral === undefined) continue;
      const shifted = apply(task, neutral);
      const entries = (spec: LinearRegressionSpec) =>
        [spec.covariance, spec.queryCovariance ?? spec.covariance, spec.taskCovariance].flatMap((c) =>
          matrixOf(c).flat(),
        );
      expectClose(entries(shifted), entries(task), float64);
      expect(shifted.noiseVariance).toBe(task.noiseVariance);
    }
  });

  it('covariate-scale multiplies all covariates, so covariances by the square', () => {
    expect(apply('covariate-scale', 3)).toEqual({
      ...task,
      covariance: { kind: 'diagonal', spectrum: [18, 9, 4.5, 2.25] },
    });
    expect(matrixOf(apply('covariate-scale', 2, skewed).covariance)).toEqual(scaleMatrix(matrix, 4));
    expect(apply('covariate-scale', 2, random).covariance).toEqual({ kind: 'exponential', scale: 8 });
    const shifted = apply('covariate-scale', 2, { ...task, queryCovariance: { kind: 'identity' } });
    expect(matrixOf(shifted.queryCovariance!)).toEqual(scaleMatrix(identity(dimension), 4));
  });

  it('covariate-spectrum keeps the trace', () => {
    for (const level of [0, 1, 2.5]) {
      const spectrum = matrixOf(apply('covariate-spectrum', level).covariance).map((row, i) => row[i]!);
      expectClose([spectrum.reduce((a, b) => a + b, 0)], [3.75], float64);
      expectClose(
        spectrum.map((value, i) => value * (i + 1) ** level),
        new Array(4).fill(spectrum[0]),
        float64,
      );
    }
  });

  it('covariate-isotropic and covariate-exponential replace whatever covariance was there', () => {
    for (const of of [task, skewed, random]) {
      expect(matrixOf(apply('covariate-isotropic', 3, of).covariance)).toEqual(scaleMatrix(identity(dimension), 3));
      expect(apply('covariate-exponential', 4, of)).toEqual({ ...of, covariance: { kind: 'exponential', scale: 4 } });
    }
    expect(() => apply('covariate-exponential', 0)).toThrow('a factor above 0');
  });

  it('covariate-rotation keeps the eigenvalues; 90 degrees swaps first and last', () => {
    const eigenvalues = symmetricEigen(matrix).values;
    expectClose(
      symmetricEigen(matrixOf(apply('covariate-rotation', 33, skewed).covariance)).values,
      eigenvalues,
      float64,
    );
    const turned = matrixOf(apply('covariate-rotation', 90).covariance);
    expectClose(turned.flat(), [[0.25, 0, 0, 0], [0, 0.5, 0, 0], [0, 0, 1, 0], [0, 0, 0, 2]].flat(), float64); // biome-ignore format: a matrix
  });

  it('query-scale changes the query alone', () => {
    const shifted = apply('query-scale', 2);
    expect(shifted.covariance).toEqual(task.covariance);
    expect(shifted.queryCovariance).toEqual({ kind: 'diagonal', spectrum: [8, 4, 2, 1] });
  });

  it('query-subspace puts variance D/k on the last k dimensions', () => {
    const shifted = apply('query-subspace', 2);
    expect(shifted.queryCovariance).toEqual({ kind: 'diagonal', spectrum: [0, 0, 2, 2] });
    expect(trace(matrixOf(shifted.queryCovariance!))).toBe(dimension);
  });

  it('task-scale and label-noise change task and noise alone', () => {
    expect(apply('task-scale', 3)).toEqual({ ...task, taskCovariance: { kind: 'diagonal', spectrum: [9, 9, 9, 9] } });
    expect(apply('label-noise', 0.7)).toEqual({ ...task, noiseVariance: 0.7 });
  });

  it.each([
    ['covariate-scale', 0, task, '--shift covariate-scale: expected a factor above 0, got 0.'],
    ['covariate-scale', Number.NaN, task, 'got NaN.'],
    ['covariate-spectrum', Number.POSITIVE_INFINITY, task, 'expected an exponent, got Infinity.'],
    ['query-scale', -1, task, 'expected a factor above 0, got -1.'],
    ['query-subspace', 5, task, 'expected a whole number from 1 to 4, got 5.'],
    ['query-subspace', 1.5, task, 'expected a whole number from 1 to 4, got 1.5.'],
    ['task-scale', -1, task, 'expected a factor of 0 or more, got -1.'],
    ['label-noise', -1, task, 'expected a variance of 0 or more, got -1.'],
    ['covariate-rotation', 10, random, 'expected a task whose covariance is fixed, got the covariance exponential.'],
    ['covariate-spectrum', 1, random, 'expected a task whose covariance is fixed'],
    ['query-scale', 2, random, 'expected a task whose covariance is fixed'],
  ])('%s refuses %d', (name, level, to, message) => {
    expect(() => apply(name, level, to)).toThrow(message);
  });

  it('refuse tasks that they say nothing about', () => {
    const mixture: TaskSpec = { ...gaussianMixtureDefaults, dimension };
    expect(() => shiftNamed('label-noise').apply(mixture, 1)).toThrow(
      '--shift label-noise: expected a model of linear-regression, got gaussian-mixture.',
    );
    expect(shiftsFor(mixture).map(({ name }) => name)).not.toContain('label-noise');
    for (const shift of shiftsFor(mixture))
      for (const level of shift.levels) createSampler(shift.apply(mixture, level));
  });

  it('are found by name, or the nearest is suggested', () => {
    expect(() => shiftNamed('covariat-scale')).toThrow('Did you mean covariate-scale?');
  });
});
