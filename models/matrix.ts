/**
 * Small dense float64 matrices, row-major, for theory and samplers: a few dimensions, never a batch.
 * Decompositions come from ml-matrix; batches of systems are solved in `estimators/`, without allocation.
 */
import { CholeskyDecomposition, EigenvalueDecomposition, LuDecomposition, Matrix as MlMatrix } from 'ml-matrix';
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

/** @throws {DataError} if a is singular. */
export function inverse(a: Matrix): number[][] {
  const decomposition = new LuDecomposition(new MlMatrix(a as number[][]));
  if (decomposition.isSingular()) {
    throw new DataError({ where: 'inverse', expected: 'an invertible matrix', got: 'a singular one' });
  }
  return decomposition.solve(MlMatrix.eye(a.length)).to2DArray();
}

/** Eigenvalues of a symmetric matrix, ascending, with orthonormal eigenvectors as columns. */
export function symmetricEigen(a: Matrix): { values: number[]; vectors: number[][] } {
  const decomposition = new EigenvalueDecomposition(new MlMatrix(a as number[][]), { assumeSymmetric: true });
  return { values: decomposition.realEigenvalues, vectors: decomposition.eigenvectorMatrix.to2DArray() };
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
  // ml-matrix asks for symmetry to the last bit, which a product such as R Lambda R^T does not have.
  const symmetric = a.map((row, i) => row.map((value, j) => (value + a[j]![i]!) / 2));
  const decomposition = new CholeskyDecomposition(new MlMatrix(symmetric));
  if (!decomposition.isPositiveDefinite()) {
    throw new DataError({ where, expected: 'a positive definite matrix', got: 'one with an eigenvalue of 0 or less' });
  }
  return decomposition.lowerTriangularMatrix.to2DArray();
}
