/** What may differ at test time on linear-regression prompts: their covariates, their query, their task vectors, their noise. */
import { UsageError } from '../errors.ts';
import { identity, multiply, trace, transpose } from '../matrix.ts';
import { type Covariance, covarianceMatrix, scaledCovariance } from '../tasks/covariance.ts';
import { defineShift, requireLevel, type Shift } from './shift.ts';

function fixedMatrix(shift: string, covariance: Covariance, dimension: number): number[][] {
  const matrix = covarianceMatrix(covariance, dimension);
  if (matrix === undefined) {
    throw new UsageError({
      where: `--shift ${shift}`,
      expected: 'a task whose covariance is fixed',
      got: `the covariance ${covariance.kind}`,
    });
  }
  return matrix;
}

/** Rotation by `angle` in the planes of the first and last axis, the second and last but one, and so on. */
function rotationMatrix(dimension: number, angle: number): number[][] {
  const rotation = identity(dimension);
  for (let i = 0, j = dimension - 1; i < j; i++, j--) {
    rotation[i]![i] = Math.cos(angle);
    rotation[i]![j] = -Math.sin(angle);
    rotation[j]![i] = Math.sin(angle);
    rotation[j]![j] = Math.cos(angle);
  }
  return rotation;
}

/** Spectrum proportional to i^-power, i = 1..D, with the given trace. */
function powerSpectrum(dimension: number, power: number, total: number): number[] {
  const raw = Array.from({ length: dimension }, (_, i) => (i + 1) ** -power);
  const sum = raw.reduce((a, b) => a + b, 0);
  return raw.map((value) => (value * total) / sum);
}

export const linearRegressionShifts: readonly Shift[] = [
  defineShift({
    name: 'covariate-scale',
    about: 'covariate',
    tasks: ['linear-regression'],
    level: 'c: context and query covariates are multiplied by c',
    description: 'covariate shift: the inputs change their unit',
    neutral: 1,
    levels: [0.25, 0.333, 0.5, 0.75, 1, 1.25, 1.5, 2, 3],
    apply(task, level) {
      requireLevel('covariate-scale', level, level > 0, 'a factor above 0');
      const rescale = (covariance: Covariance) => scaledCovariance(covariance, task.dimension, level * level);
      return {
        ...task,
        covariance: rescale(task.covariance),
        ...(task.queryCovariance === undefined ? {} : { queryCovariance: rescale(task.queryCovariance) }),
      };
    },
  }),
  defineShift({
    name: 'covariate-spectrum',
    about: 'covariate',
    tasks: ['linear-regression'],
    level: 'p: the spectrum becomes proportional to i^-p, the trace stays',
    description: 'covariate shift: the inputs become skewed',
    neutral: undefined,
    levels: [0, 0.5, 1, 1.5, 2],
    apply(task, level) {
      requireLevel('covariate-spectrum', level, true, 'an exponent');
      const total = trace(fixedMatrix('covariate-spectrum', task.covariance, task.dimension));
      return { ...task, covariance: { kind: 'diagonal', spectrum: powerSpectrum(task.dimension, level, total) } };
    },
  }),
  defineShift({
    name: 'covariate-rotation',
    about: 'covariate',
    tasks: ['linear-regression'],
    level: 'angle in degrees: the covariance is rotated in the planes (1, d), (2, d-1), ..',
    description: 'covariate shift: the principal axes turn (nothing changes for an isotropic covariance)',
    neutral: 0,
    levels: [0, 15, 30, 45, 60, 75, 90],
    apply(task, level) {
      requireLevel('covariate-rotation', level, true, 'an angle in degrees');
      const matrix = fixedMatrix('covariate-rotation', task.covariance, task.dimension);
      const rotation = rotationMatrix(task.dimension, (level * Math.PI) / 180);
      return { ...task, covariance: { kind: 'matrix', matrix: multiply(rotation, matrix, transpose(rotation)) } };
    },
  }),
  defineShift({
    name: 'covariate-isotropic',
    about: 'covariate',
    tasks: ['linear-regression'],
    level: 'v: the covariance becomes v times the identity',
    description: 'covariate shift: all directions alike, for models that were trained on others',
    neutral: undefined,
    levels: [0.25, 0.5, 1, 2, 4],
    apply(task, level) {
      requireLevel('covariate-isotropic', level, level > 0, 'a variance above 0');
      return { ...task, covariance: { kind: 'diagonal', spectrum: new Array<number>(task.dimension).fill(level) } };
    },
  }),
  defineShift({
    name: 'covariate-exponential',
    about: 'covariate',
    tasks: ['linear-regression'],
    level: 'c: every prompt draws its variances, c times exponentials of mean 1',
    description: 'covariate shift: each prompt has a covariance of its own',
    neutral: undefined,
    levels: [1, 4, 9],
    apply(task, level) {
      requireLevel('covariate-exponential', level, level > 0, 'a factor above 0');
      return { ...task, covariance: { kind: 'exponential', scale: level } };
    },
  }),
  defineShift({
    name: 'query-scale',
    about: 'query',
    tasks: ['linear-regression'],
    level: 'c: the query alone is multiplied by c',
    description: 'query shift: the question is asked further out than the examples',
    neutral: 1,
    levels: [0.25, 0.5, 1, 1.5, 2, 3],
    apply(task, level) {
      requireLevel('query-scale', level, level > 0, 'a factor above 0');
      fixedMatrix('query-scale', task.covariance, task.dimension);
      const covariance = task.queryCovariance ?? task.covariance;
      return { ...task, queryCovariance: scaledCovariance(covariance, task.dimension, level * level) };
    },
  }),
  defineShift({
    name: 'query-subspace',
    about: 'query',
    tasks: ['linear-regression'],
    level: 'k: the query lies in the last k dimensions, with variance d/k in each',
    description: 'query shift: the question is asked in few directions',
    neutral: undefined,
    levels: [1, 2, 3],
    isWhole: true,
    apply(task, level) {
      const { dimension } = task;
      const isGood = Number.isInteger(level) && level >= 1 && level <= dimension;
      requireLevel('query-subspace', level, isGood, `a whole number from 1 to ${dimension}`);
      const spectrum = Array.from({ length: dimension }, (_, i) => (i >= dimension - level ? dimension / level : 0));
      return { ...task, queryCovariance: { kind: 'diagonal', spectrum } };
    },
  }),
  defineShift({
    name: 'task-scale',
    about: 'task',
    tasks: ['linear-regression'],
    level: 's: task vectors are multiplied by s',
    description: 'task shift: the functions get steeper',
    neutral: 1,
    levels: [0.25, 0.5, 1, 2, 3],
    apply(task, level) {
      requireLevel('task-scale', level, level >= 0, 'a factor of 0 or more');
      return { ...task, taskCovariance: scaledCovariance(task.taskCovariance, task.dimension, level * level) };
    },
  }),
  defineShift({
    name: 'label-noise',
    about: 'task',
    tasks: ['linear-regression'],
    level: 'noise variance of all responses, in squared response units',
    description: 'label noise: the responses are not exact',
    neutral: undefined,
    levels: [0, 0.1, 0.25, 0.5, 1, 2],
    apply(task, level) {
      requireLevel('label-noise', level, level >= 0, 'a variance of 0 or more');
      return { ...task, noiseVariance: level };
    },
  }),
];
