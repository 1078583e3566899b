/**
 * K features in D dimensions, each of length 1: the covariates of prompts that show features instead of drawing vectors.
 * A dictionary is plain data; the vectors follow from it, the same everywhere.
 */
import * as v from 'valibot';
import { DataError, UsageError } from '../errors.ts';
import type { Matrix } from '../matrix.ts';
import { createGenerator, fillNormals, streams } from '../random.ts';
import { finite, wholeNumber } from '../schema.ts';

/**
 * `basis`: the first K unit vectors. `rotation`: orthonormal in a random position. `equicorrelated`: v_n^T v_m = correlation
 * for all n != m. `gaussian`: independent uniform directions, of which there may be more than dimensions.
 */
export type FeatureDictionary =
  | { readonly kind: 'basis' }
  | { readonly kind: 'rotation'; readonly seed: number }
  | { readonly kind: 'equicorrelated'; readonly correlation: number }
  | { readonly kind: 'gaussian'; readonly seed: number };

export const dictionarySchema = v.variant(
  'kind',
  [
    v.strictObject({ kind: v.literal('basis') }),
    v.strictObject({ kind: v.literal('rotation'), seed: wholeNumber(0) }),
    v.strictObject({ kind: v.literal('equicorrelated'), correlation: finite }),
    v.strictObject({ kind: v.literal('gaussian'), seed: wholeNumber(0) }),
  ],
  'a dictionary with a kind: basis, rotation, equicorrelated or gaussian',
);

/** `[K][D]`: the vectors v_1, .., v_K. @throws {UsageError} if K of them do not fit into D dimensions. */
export function featureVectors(dictionary: FeatureDictionary, count: number, dimension: number): Matrix {
  if (dictionary.kind !== 'gaussian' && count > dimension) {
    throw new UsageError({
      where: 'd',
      expected: `${count} dimensions or more for ${count} independent features`,
      got: String(dimension),
    });
  }
  const unit = (k: number) => Array.from({ length: dimension }, (_, j) => (j === k ? 1 : 0));
  switch (dictionary.kind) {
    case 'basis':
      return Array.from({ length: count }, (_, k) => unit(k));
    case 'rotation':
      return orthonormalise(randomRows(dictionary.seed, count, dimension));
    case 'equicorrelated':
      return equicorrelated(dictionary.correlation, count, dimension);
    case 'gaussian':
      return randomRows(dictionary.seed, count, dimension).map(normalise);
  }
}

/** `[K][K]`: v_n^T v_m. */
export function gramMatrix(vectors: Matrix): Matrix {
  return vectors.map((a) => vectors.map((b) => a.reduce((sum, value, j) => sum + value * b[j]!, 0)));
}

function randomRows(seed: number, count: number, dimension: number): number[][] {
  const values = new Float32Array(count * dimension);
  fillNormals(createGenerator(seed, streams.initialisation), { prompt: 0, purpose: 255 }, values, 0, values.length);
  return Array.from({ length: count }, (_, k) => [...values.subarray(k * dimension, (k + 1) * dimension)]);
}

function normalise(row: readonly number[]): number[] {
  const norm = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0));
  return row.map((value) => value / norm);
}

/** Gram and Schmidt, twice: once leaves errors that the second removes. */
function orthonormalise(rows: readonly (readonly number[])[]): number[][] {
  const done: number[][] = [];
  for (const row of rows) {
    let current = normalise(row);
    for (let pass = 0; pass < 2; pass++) {
      for (const other of done) {
        const overlap = current.reduce((sum, value, j) => sum + value * other[j]!, 0);
        current = current.map((value, j) => value - overlap * other[j]!);
      }
      current = normalise(current);
    }
    done.push(current);
  }
  return done;
}

/** Rows of the symmetric root of (1 - c) I + c 11^T. @throws {DataError} if that is not positive definite. */
function equicorrelated(correlation: number, count: number, dimension: number): number[][] {
  const [small, large] = [1 - correlation, 1 + (count - 1) * correlation];
  if (!(small > 0 && large > 0)) {
    throw new DataError({
      where: 'correlation',
      expected: `a number between ${(-1 / Math.max(1, count - 1)).toPrecision(3)} and 1 for ${count} features`,
      got: String(correlation),
    });
  }
  const shared = (Math.sqrt(large) - Math.sqrt(small)) / count;
  return Array.from({ length: count }, (_, n) =>
    Array.from({ length: dimension }, (_unused, j) => (j < count ? shared + (j === n ? Math.sqrt(small) : 0) : 0)),
  );
}
