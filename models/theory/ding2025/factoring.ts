/**
 * From the enlarged parameters back to a layer: the exact factoring of X = phi(b, A), and how far X is from being of that form.
 *
 * phi says S_j = (b A_j' + A_j b') / 2 with one b for all j: rank at most 2, at most one eigenvalue of either sign. So where
 * X = phi(b, A), the eigenvectors of one S_j give b up to a choice of two, and the rest is a linear system: recovery takes
 * polynomial time. (Theorem 3.5 of the paper calls the problem NP-hard; its proof is about a wider class of bilinear systems,
 * with arbitrary matrices in the place of phi's: `separability.ts`.) What stays hard is the projection where X is not of
 * that form, as X* is not from D = 2 on: the risk over (b, A) has local minima.
 * Source: Ding et al. (2025), section 3.2, Theorem 3.5, Example C.16.
 */
import { symmetricEigen } from '../../symmetric-eigen.ts';
import { blockMatrix, type LayerFactors, phi, trianglePairs, triangleSize } from './features.ts';
import { solveSemidefinite } from './quadratic.ts';

export interface Recovery extends LayerFactors {
  /** ||phi(b, A) - X|| / ||X||: rounding where X is realisable. */
  readonly residual: number;
}

/** The map A -> phi(b, A) of one block: `[m, D+1]`. */
function blockOfB(b: readonly number[], dimension: number): number[][] {
  return trianglePairs(dimension).map(([k, l]) => {
    const row = new Array<number>(dimension + 1).fill(0);
    row[l] = b[k]!;
    row[k] = k === l ? b[k]! : b[l]!;
    return row;
  });
}

/** A that minimises ||phi(b, A) - X|| for this b. */
function projectOnB(X: ArrayLike<number>, b: readonly number[]): Recovery {
  const dimension = b.length - 1;
  const m = triangleSize(dimension);
  const block = blockOfB(b, dimension);
  const normal = Float64Array.from({ length: (dimension + 1) ** 2 }, (_, i) =>
    block.reduce((sum, row) => sum + row[Math.floor(i / (dimension + 1))]! * row[i % (dimension + 1)]!, 0),
  );
  const A = Array.from({ length: dimension + 1 }, () => new Array<number>(dimension).fill(0));
  for (let j = 0; j < dimension; j++) {
    const right = Float64Array.from({ length: dimension + 1 }, (_, i) =>
      block.reduce((sum, row, r) => sum + row[i]! * X[j * m + r]!, 0),
    );
    solveSemidefinite(normal, right).x.forEach((value, i) => {
      A[i]![j] = value;
    });
  }
  const realised = phi({ b, A });
  const norm = Math.hypot(...Array.from(X));
  const residual = Math.hypot(...realised.map((value, i) => value - X[i]!)) / norm;
  return { b, A, residual };
}

/**
 * The layer with phi(b, A) = X, if there is one; otherwise what the same construction gives, with a large residual.
 * b = sqrt(lambda+) u+ +- sqrt(-lambda-) u-, of the block with the largest norm.
 */
export function factorLayer(X: ArrayLike<number>, dimension: number): Recovery {
  const blocks = Array.from({ length: dimension }, (_, j) => blockMatrix(X, dimension, j));
  const norms = blocks.map((S) => Math.hypot(...S.flat()));
  const { values, vectors } = symmetricEigen(blocks[norms.indexOf(Math.max(...norms))]!);
  const low = Math.sqrt(Math.max(0, -values[0]!));
  const high = Math.sqrt(Math.max(0, values.at(-1)!));
  const candidates = [1, -1].map((sign) =>
    projectOnB(
      X,
      vectors.map((row) => high * row.at(-1)! + sign * low * row[0]!),
    ),
  );
  return candidates.reduce((best, other) => (other.residual < best.residual ? other : best));
}

/** Eigenvalues of every S_j, ascending. A realisable X has at most one of either sign in each. */
export function blockEigenvalues(X: ArrayLike<number>, dimension: number): number[][] {
  return Array.from({ length: dimension }, (_, j) => symmetricEigen(blockMatrix(X, dimension, j)).values);
}

/**
 * The largest share ||S_j - nearest matrix with at most one eigenvalue of either sign|| / ||S_j||: a lower bound, for that
 * block, of how far X stays from every layer. 0 at D = 1 unless the discriminant is negative.
 */
export function signatureResidual(X: ArrayLike<number>, dimension: number): number {
  const shares = blockEigenvalues(X, dimension).map((values) => {
    const kept = (values[0]! < 0 ? values[0]! ** 2 : 0) + (values.at(-1)! > 0 ? values.at(-1)! ** 2 : 0);
    const total = values.reduce((sum, value) => sum + value * value, 0);
    return Math.sqrt(Math.max(0, total - kept) / total);
  });
  return Math.max(...shares);
}
