/**
 * Small dense float64 matrices, row-major, for theory and samplers: a few dimensions, never a batch.
 * Samplers need them in every thread that draws, so this loads nothing: eigenvalues, which only theory asks for, are in
 * `symmetric-eigen.ts`. Batches of systems are solved in `estimators/`, without allocation.
 */
import { DataError, ShapeError } from './errors.ts';

/** A square or rectangular matrix as rows. */
export type Matrix = readonly (readonly number[])[];

export const identity = (size: number): number[][] =>
  Array.from({ length: size }, (_, i) => Array.from({ length: size }, (_, j) => (i === j ? 1 : 0)));

export const diagonal = (values: readonly number[]): number[][] =>
  values.map((value, i) => values.map((_, j) => (i === j ? value : 0)));

export const transpose = (a: Matrix): number[][] => a[0]!.map((_, j) => a.map((row) => row[j]!));

export function multiply(...factors: Matrix[]): number[][] {
  return factors.slice(1).reduce<number[][]>(
    product,
    factors[0]!.map((row) => [...row]),
  );
}

function product(left: Matrix, right: Matrix): number[][] {
  if (left[0]!.length !== right.length) {
    throw new ShapeError({
      where: 'multiply',
      expected: `a matrix with ${left[0]!.length} rows`,
      got: `${right.length} rows`,
    });
  }
  const columns = right[0]!.length;
  return left.map((row) => {
    const out = new Array<number>(columns).fill(0);
    for (let k = 0; k < right.length; k++) {
      const factor = row[k]!;
      const other = right[k]!;
      for (let j = 0; j < columns; j++) out[j] = out[j]! + factor * other[j]!;
    }
    return out;
  });
}

export const add = (a: Matrix, b: Matrix): number[][] => a.map((row, i) => row.map((value, j) => value + b[i]![j]!));

export const subtract = (a: Matrix, b: Matrix): number[][] =>
  a.map((row, i) => row.map((value, j) => value - b[i]![j]!));

export const scaleMatrix = (a: Matrix, factor: number): number[][] => a.map((row) => row.map((v) => v * factor));

export const trace = (a: Matrix): number => a.reduce((sum, row, i) => sum + row[i]!, 0);

export const frobeniusNorm = (a: Matrix): number =>
  Math.sqrt(a.reduce((sum, row) => sum + row.reduce((s, value) => s + value * value, 0), 0));

/** Gauss-Jordan elimination with the largest pivot of each column. @throws {DataError} if a is singular. */
export function inverse(a: Matrix): number[][] {
  const size = a.length;
  const rows = a.map((row, i) => [...row, ...a.map((_, j) => (i === j ? 1 : 0))]); // [a | 1], which becomes [1 | a^{-1}]
  for (let column = 0; column < size; column++) {
    let pivot = column;
    for (let i = column + 1; i < size; i++) {
      if (Math.abs(rows[i]![column]!) > Math.abs(rows[pivot]![column]!)) pivot = i;
    }
    [rows[column], rows[pivot]] = [rows[pivot]!, rows[column]!];
    const row = rows[column]!;
    const divisor = row[column]!;
    if (divisor === 0) {
      throw new DataError({ where: 'inverse', expected: 'an invertible matrix', got: 'a singular one' });
    }
    for (let j = column; j < 2 * size; j++) row[j] = row[j]! / divisor;
    for (const other of rows) {
      const factor = other[column]!;
      if (other === row || factor === 0) continue;
      for (let j = column; j < 2 * size; j++) other[j] = other[j]! - factor * row[j]!;
    }
  }
  return rows.map((row) => row.slice(size));
}

/**
 * Lower triangular L with L L^T = a.
 * @throws {DataError} if a is not square, finite, symmetric and positive definite.
 */
export function choleskyFactor(where: string, a: Matrix): number[][] {
  const size = a.length;
  if (a.some((row) => row.length !== size)) {
    throw new DataError({ where, expected: `a ${size} x ${size} matrix`, got: 'rows of other lengths' });
  }
  const notFinite = a.flat().find((value) => !Number.isFinite(value));
  if (notFinite !== undefined) throw new DataError({ where, expected: 'finite numbers', got: String(notFinite) });
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < i; j++) {
      if (Math.abs(a[i]![j]! - a[j]![i]!) > 1e-9 * Math.max(1, Math.abs(a[i]![j]!))) {
        throw new DataError({
          where,
          expected: 'a symmetric matrix',
          got: `entries (${i}, ${j}) and (${j}, ${i}) of ${a[i]![j]} and ${a[j]![i]}`,
        });
      }
    }
  }
  const factor = a.map((row) => row.map(() => 0));
  for (let i = 0; i < size; i++) {
    const row = factor[i]!;
    for (let j = 0; j <= i; j++) {
      let known = 0;
      for (let k = 0; k < j; k++) known += row[k]! * factor[j]![k]!;
      const rest = (a[i]![j]! + a[j]![i]!) / 2 - known;
      if (j < i) row[j] = rest / factor[j]![j]!;
      else if (rest > 0) row[i] = Math.sqrt(rest);
      else {
        throw new DataError({
          where,
          expected: 'a positive definite matrix',
          got: 'one with an eigenvalue of 0 or less',
        });
      }
    }
  }
  return factor;
}
