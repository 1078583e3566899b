/**
 * The enlarged parameter space in which one layer's risk is quadratic: index map, features, and the map phi from a layer's
 * (b, A) into it. Indices count from 0 here.
 *
 * A layer with value row b (D+1 numbers) and key-query columns A `[D+1, D]` predicts b' G A x, where G = (1/n) sum z_i z_i'
 * over the context, z_i = (x_i, y_i), and x is the query. With g the upper triangle of G, row by row, m = (D+1)(D+2)/2 long,
 *
 *   b' G A x = <X, x (x) g>,   X = phi(b, A):   X^(j)_kk = b_k A_kj,   X^(j)_kl = b_k A_lj + b_l A_kj  for k < l,
 *
 * block X^(j) belonging to coordinate j of the query. The printed index formula skips entries from the second row on; the
 * one here does not.
 * Source: Ding et al. (2025), section 3 and Lemma 3.1.
 */
import type { Matrix } from '../../matrix.ts';

/** A layer's b `[D+1]` and A `[D+1, D]`. */
export interface LayerFactors {
  readonly b: readonly number[];
  readonly A: Matrix;
}

/** m: entries of the upper triangle of a (D+1) x (D+1) matrix. */
export const triangleSize = (dimension: number): number => ((dimension + 1) * (dimension + 2)) / 2;

/** The entries (k, l), k <= l, of the upper triangle in their order. */
export function trianglePairs(dimension: number): (readonly [number, number])[] {
  const pairs: (readonly [number, number])[] = [];
  for (let k = 0; k <= dimension; k++) for (let l = k; l <= dimension; l++) pairs.push([k, l]);
  return pairs;
}

/** Where G_kl, k <= l, times coordinate j of the query stands in x (x) g. */
export function featureIndex(dimension: number, j: number, k: number, l: number): number {
  return j * triangleSize(dimension) + k * (dimension + 1) - (k * (k - 1)) / 2 + (l - k);
}

/** phi(b, A), `[D m]`. */
export function phi({ b, A }: LayerFactors): Float64Array {
  const dimension = b.length - 1;
  const pairs = trianglePairs(dimension);
  const X = new Float64Array(dimension * pairs.length);
  for (let j = 0, at = 0; j < dimension; j++) {
    for (const [k, l] of pairs) {
      X[at++] = k === l ? b[k]! * A[k]![j]! : b[k]! * A[l]![j]! + b[l]! * A[k]![j]!;
    }
  }
  return X;
}

/** The symmetric matrix S_j of a block: z' S_j z = <X^(j), (z_k z_l)>, off-diagonal entries halved. */
export function blockMatrix(X: ArrayLike<number>, dimension: number, j: number): number[][] {
  const S = Array.from({ length: dimension + 1 }, () => new Array<number>(dimension + 1).fill(0));
  trianglePairs(dimension).forEach(([k, l], r) => {
    const value = X[j * triangleSize(dimension) + r]!;
    S[k]![l] = k === l ? value : value / 2;
    S[l]![k] = S[k]![l]!;
  });
  return S;
}

/** The features x (x) g of one prompt: rows z_i = (x_i, y_i) of the context, and the query x. */
export function promptFeatures(context: Matrix, query: readonly number[]): Float64Array {
  const dimension = query.length;
  const pairs = trianglePairs(dimension);
  const g = pairs.map(([k, l]) => context.reduce((sum, z) => sum + z[k]! * z[l]!, 0) / context.length);
  return Float64Array.from(query.flatMap((x) => g.map((value) => x * value)));
}
