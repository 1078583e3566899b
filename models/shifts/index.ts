/**
 * What may differ at test time from training. A shift is data: a name, what its level means, and how it changes a task.
 * Test-time prompt length is not here: every evaluation has its own list of lengths.
 */
import { UsageError, unknownName } from '../errors.ts';
import { identity, multiply, scaleMatrix, trace, transpose } from '../matrix.ts';
import { type Covariance, covarianceMatrix } from '../tasks/covariance.ts';
import type { TaskSpec } from '../tasks/index.ts';

export interface Shift {
  readonly name: string;
  /** What the level is, with its unit. */
  readonly level: string;
  readonly description: string;
  /** The level at which nothing is shifted; undefined where every level replaces what training had. */
  readonly neutral: number | undefined;
  /** Levels to try when the user names none. */
  readonly levels: readonly number[];
  /** @throws {UsageError} if the level is impossible, or the task's covariance has no such shift. */
  apply(task: TaskSpec, level: number): TaskSpec;
}

function requireLevel(shift: string, level: number, isGood: boolean, expected: string): void {
  if (!isGood || !Number.isFinite(level)) {
    throw new UsageError({ where: `--shift ${shift}`, expected, got: String(level) });
  }
}

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

/** A covariance times a factor. */
function scaledCovariance(covariance: Covariance, dimension: number, factor: number): Covariance {
  if (covariance.kind === 'exponential') return { kind: 'exponential', scale: covariance.scale * factor };
  if (covariance.kind === 'matrix') return { kind: 'matrix', matrix: scaleMatrix(covariance.matrix, factor) };
  const spectrum = covariance.kind === 'diagonal' ? covariance.spectrum : new Array<number>(dimension).fill(1);
  return { kind: 'diagonal', spectrum: spectrum.map((value) => value * factor) };
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

export const shifts: readonly Shift[] = [
  {
    name: 'covariate-scale',
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
  },
  {
    name: 'covariate-spectrum',
    level: 'p: the spectrum becomes proportional to i^-p, the trace stays',
    description: 'covariate shift: the inputs become skewed',
    neutral: undefined,
    levels: [0, 0.5, 1, 1.5, 2],
    apply(task, level) {
      requireLevel('covariate-spectrum', level, true, 'an exponent');
      const total = trace(fixedMatrix('covariate-spectrum', task.covariance, task.dimension));
      return { ...task, covariance: { kind: 'diagonal', spectrum: powerSpectrum(task.dimension, level, total) } };
    },
  },
  {
    name: 'covariate-rotation',
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
  },
  {
    name: 'query-scale',
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
  },
  {
    name: 'query-subspace',
    level: 'k: the query lies in the last k dimensions, with variance d/k in each',
    description: 'query shift: the question is asked in few directions',
    neutral: undefined,
    levels: [1, 2, 3],
    apply(task, level) {
      const { dimension } = task;
      const isGood = Number.isInteger(level) && level >= 1 && level <= dimension;
      requireLevel('query-subspace', level, isGood, `a whole number from 1 to ${dimension}`);
      const spectrum = Array.from({ length: dimension }, (_, i) => (i >= dimension - level ? dimension / level : 0));
      return { ...task, queryCovariance: { kind: 'diagonal', spectrum } };
    },
  },
  {
    name: 'task-scale',
    level: 's: task vectors are multiplied by s',
    description: 'task shift: the functions get steeper',
    neutral: 1,
    levels: [0.25, 0.5, 1, 2, 3],
    apply(task, level) {
      requireLevel('task-scale', level, level >= 0, 'a factor of 0 or more');
      return { ...task, taskCovariance: scaledCovariance(task.taskCovariance, task.dimension, level * level) };
    },
  },
  {
    name: 'label-noise',
    level: 'noise variance of all responses, in squared response units',
    description: 'label noise: the responses are not exact',
    neutral: undefined,
    levels: [0, 0.1, 0.25, 0.5, 1, 2],
    apply(task, level) {
      requireLevel('label-noise', level, level >= 0, 'a variance of 0 or more');
      return { ...task, noiseVariance: level };
    },
  },
];

/** @throws {UsageError} naming the nearest known shift. */
export function shiftNamed(name: string): Shift {
  const found = shifts.find((shift) => shift.name === name);
  if (found === undefined) {
    throw unknownName(
      '--shift',
      name,
      shifts.map((shift) => shift.name),
    );
  }
  return found;
}
