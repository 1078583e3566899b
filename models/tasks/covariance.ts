/**
 * Covariances of covariates: how one is written down, what matrix it is, and how to draw from it.
 */
import * as v from 'valibot';
import { DataError, UsageError } from '../errors.ts';
import { choleskyFactor, diagonal, identity, type Matrix, scaleMatrix } from '../matrix.ts';
import { finite, positive } from '../schema.ts';

/** Plain data, so that a configuration can hold it. `exponential`: per prompt `scale * diag(Exp(1), .., Exp(1))`. */
export type Covariance =
  | { readonly kind: 'identity' }
  | { readonly kind: 'diagonal'; readonly spectrum: readonly number[] }
  | { readonly kind: 'matrix'; readonly matrix: Matrix }
  | { readonly kind: 'exponential'; readonly scale: number };

/** What a task's schema says about a covariance. */
export const covarianceSchema = v.variant(
  'kind',
  [
    v.strictObject({ kind: v.literal('identity') }),
    v.strictObject({ kind: v.literal('diagonal'), spectrum: v.array(finite, 'a list of variances') }),
    v.strictObject({ kind: v.literal('matrix'), matrix: v.array(v.array(finite), 'a list of rows') }),
    v.strictObject({ kind: v.literal('exponential'), scale: positive }),
  ],
  'a covariance with a kind: identity, diagonal, matrix or exponential',
);

/** The covariance as a matrix; undefined for one that is drawn anew for each prompt. */
export function covarianceMatrix(covariance: Covariance, dimension: number): number[][] | undefined {
  switch (covariance.kind) {
    case 'identity':
      return identity(dimension);
    case 'diagonal':
      return diagonal(covariance.spectrum);
    case 'matrix':
      return covariance.matrix.map((row) => [...row]);
    case 'exponential':
      return undefined;
  }
}

/** A covariance times a factor. */
export function scaledCovariance(covariance: Covariance, dimension: number, factor: number): Covariance {
  if (factor === 1) return covariance;
  if (covariance.kind === 'exponential') return { kind: 'exponential', scale: covariance.scale * factor };
  if (covariance.kind === 'matrix') return { kind: 'matrix', matrix: scaleMatrix(covariance.matrix, factor) };
  const spectrum = covariance.kind === 'diagonal' ? covariance.spectrum : new Array<number>(dimension).fill(1);
  return { kind: 'diagonal', spectrum: spectrum.map((value) => value * factor) };
}

/**
 * Checks a covariance against a dimension.
 * @throws {UsageError} on a wrong size, a negative variance, or a matrix that is not symmetric and positive definite.
 */
export function validateCovariance(where: string, covariance: Covariance, dimension: number): void {
  const wrongSize = (size: number) =>
    new UsageError({ where, expected: `${dimension} dimensions`, got: `${size}`, remedy: 'It must match d.' });
  if (covariance.kind === 'diagonal') {
    if (covariance.spectrum.length !== dimension) throw wrongSize(covariance.spectrum.length);
    const bad = covariance.spectrum.find((value) => !(value >= 0 && Number.isFinite(value)));
    if (bad !== undefined) {
      throw new UsageError({ where, expected: 'variances of 0 or more', got: String(bad) });
    }
  } else if (covariance.kind === 'matrix') {
    if (covariance.matrix.length !== dimension) throw wrongSize(covariance.matrix.length);
    requirePositiveDefinite(where, covariance.matrix);
  } else if (covariance.kind === 'exponential' && !(covariance.scale > 0 && Number.isFinite(covariance.scale))) {
    throw new UsageError({ where, expected: 'a scale above 0', got: String(covariance.scale) });
  }
}

/** A matrix that a user wrote: what is wrong with it is wrong usage. */
function requirePositiveDefinite(where: string, matrix: Matrix): void {
  try {
    choleskyFactor(where, matrix);
  } catch (cause) {
    if (!(cause instanceof DataError)) throw cause;
    throw new UsageError({ where, expected: cause.expected, got: cause.got, cause });
  }
}

/**
 * How a covariance is written on the command line:
 * `identity`, `[2,1.5,1]` (a diagonal), `[[1,.5],[.5,1]]` (a matrix), `power(p)` (diagonal i^-p), `exponential`,
 * `exponential(c)`.
 */
export function parseCovariance(where: string, text: string, dimension: number): Covariance {
  const covariance = readCovariance(where, text.trim(), dimension);
  validateCovariance(where, covariance, dimension);
  return covariance;
}

const forms = 'identity, [v1,..,vd], [[..],..], power(p), exponential or exponential(c)';

function readCovariance(where: string, text: string, dimension: number): Covariance {
  if (text === 'identity') return { kind: 'identity' };
  const call = /^(power|exponential)(?:\(([^()]*)\))?$/.exec(text);
  if (call !== null) {
    const argument = call[2] === undefined ? 1 : Number(call[2]);
    if (!Number.isFinite(argument) || call[2] === '') {
      throw new UsageError({ where, expected: `a number in ${call[1]}(..)`, got: JSON.stringify(call[2]) });
    }
    if (call[1] === 'exponential') return { kind: 'exponential', scale: argument };
    return { kind: 'diagonal', spectrum: Array.from({ length: dimension }, (_, i) => (i + 1) ** -argument) };
  }
  let value: unknown;
  try {
    value = JSON.parse(text.replaceAll(/(?<![\d.])\.(?=\d)/g, '0.'));
  } catch (cause) {
    throw new UsageError({ where, expected: forms, got: JSON.stringify(text), cause });
  }
  const isRow = (row: unknown): row is number[] => Array.isArray(row) && row.every((x) => typeof x === 'number');
  if (isRow(value)) return { kind: 'diagonal', spectrum: value };
  if (Array.isArray(value) && value.every(isRow)) return { kind: 'matrix', matrix: value };
  throw new UsageError({ where, expected: forms, got: JSON.stringify(text) });
}

/**
 * A function that turns standard normals into draws of a fixed covariance, in place: `rows` rows `[D]` from the start of an
 * array. Undefined for the identity, where nothing is to be done.
 * @throws {DataError} for a random covariance: its draws are scaled by the prompt's own variances.
 */
export function createTransform(
  covariance: Covariance,
  dimension: number,
): ((x: Float32Array, rows: number) => void) | undefined {
  switch (covariance.kind) {
    case 'identity':
      return undefined;
    case 'diagonal': {
      const deviations = Float64Array.from(covariance.spectrum, Math.sqrt);
      return (x, rows) => {
        for (let at = 0; at < rows * dimension; at += dimension) {
          for (let j = 0; j < dimension; j++) x[at + j] = x[at + j]! * deviations[j]!;
        }
      };
    }
    case 'matrix': {
      const factor = Float64Array.from(choleskyFactor('covariance', covariance.matrix).flat());
      return (x, rows) => multiplyRows(factor, dimension, x, rows);
    }
    case 'exponential':
      throw new DataError({
        where: 'createTransform',
        expected: 'a fixed covariance',
        got: 'one that is drawn for each prompt',
      });
  }
}

/**
 * Replaces each row x by F x, F lower triangular. Four rows at a time, which is twice as fast: their sums do not wait for
 * each other. The last rows, if fewer, are taken singly (all four the same row); sums are the same bits either way.
 */
function multiplyRows(factor: Float64Array, dimension: number, x: Float32Array, rows: number): void {
  let at = 0;
  for (const end = rows * dimension; at < end; ) {
    const step = at + 4 * dimension <= end ? dimension : 0;
    // From the last component up, so that none still needed is overwritten.
    for (let i = dimension - 1; i >= 0; i--) {
      let sum0 = 0;
      let sum1 = 0;
      let sum2 = 0;
      let sum3 = 0;
      for (let j = 0; j <= i; j++) {
        const f = factor[i * dimension + j]!;
        sum0 += f * x[at + j]!;
        sum1 += f * x[at + step + j]!;
        sum2 += f * x[at + 2 * step + j]!;
        sum3 += f * x[at + 3 * step + j]!;
      }
      x[at + i] = sum0;
      x[at + step + i] = sum1;
      x[at + 2 * step + i] = sum2;
      x[at + 3 * step + i] = sum3;
    }
    at += step === 0 ? dimension : 4 * dimension;
  }
}
