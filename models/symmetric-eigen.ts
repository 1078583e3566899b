/**
 * Eigenvalues of small symmetric float64 matrices, from ml-matrix. Apart from `matrix.ts` since loading that package takes a thread
 * tens of milliseconds, and only theory asks.
 */
import { EigenvalueDecomposition, Matrix as MlMatrix } from 'ml-matrix';
import type { Matrix } from './matrix.ts';

/** Eigenvalues of a symmetric matrix, ascending, with orthonormal eigenvectors as columns. */
export function symmetricEigen(a: Matrix): { values: number[]; vectors: number[][] } {
  const decomposition = new EigenvalueDecomposition(new MlMatrix(a as number[][]), { assumeSymmetric: true });
  return { values: decomposition.realEigenvalues, vectors: decomposition.eigenvectorMatrix.to2DArray() };
}
