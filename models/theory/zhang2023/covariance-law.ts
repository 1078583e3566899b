/**
 * Training on random covariances of any shape, diagonal or not, as a list of equally likely draws. Beyond Theorem 4.5, which is
 * about independent diagonal entries; on those it agrees with `random-covariance.ts`.
 *
 * A stationary point of the population loss with u != 0 has a product P = u U11 that solves a linear equation,
 *
 *   E[Gamma Lambda P Lambda] = E[Lambda^2],
 *
 * of which [E Gamma Lambda^2]^-1 E[Lambda^2], the theorem's formula, is the solution if all Lambda are diagonal, or if the law does
 * not change under rotations (then P is a multiple of I); otherwise it is not.
 */
import { UsageError } from '../../errors.ts';
import { inverse, type Matrix, multiply, trace } from '../../matrix.ts';
import { symmetricEigen } from '../../symmetric-eigen.ts';
import { gammaMatrix } from './gamma.ts';

export interface CovarianceLaw {
  /** Equally likely covariances, `[D, D]` each. */
  readonly draws: readonly Matrix[];
  /** Pairs in each training prompt; may be Infinity. */
  readonly N: number;
}

function meanOver(draws: readonly Matrix[], f: (covariance: Matrix) => Matrix): number[][] {
  const [first] = draws;
  if (first === undefined) throw new UsageError({ where: 'draws', expected: 'at least one covariance', got: 'none' });
  const sum = f(first).map((row) => row.map(() => 0));
  for (const draw of draws) {
    f(draw).forEach((row, i) => {
      row.forEach((value, j) => {
        sum[i]![j]! += value / draws.length;
      });
    });
  }
  return sum;
}

/** A (x) B: with rows laid one after the other, vec(A P B^T) = (A (x) B) vec(P). */
const kronecker = (A: Matrix, B: Matrix): number[][] =>
  A.flatMap((rowA) => B.map((rowB) => rowA.flatMap((a) => rowB.map((b) => a * b))));

/**
 * The product u U11 at which training on the law stops, `[D, D]`. D^6 work: for small D.
 * Not in the paper.
 */
export function stationaryProduct({ draws, N }: CovarianceLaw): number[][] {
  const operator = meanOver(draws, (Lambda) => kronecker(multiply(gammaMatrix(Lambda, N), Lambda), Lambda));
  const right = meanOver(draws, (Lambda) => multiply(Lambda, Lambda)).flat();
  const solution = multiply(
    inverse(operator),
    right.map((value) => [value]),
  );
  const size = draws[0]!.length;
  return Array.from({ length: size }, (_, i) => solution.slice(i * size, (i + 1) * size).map(([value]) => value!));
}

/** kappa = tr E[Lambda^2] / tr E[Gamma Lambda^2]: P = kappa I for a law that rotations do not change. Not in the paper. */
export function rotationInvariantMultiplier({ draws, N }: CovarianceLaw): number {
  const mean = (f: (covariance: Matrix) => Matrix) => trace(meanOver(draws, f));
  return (
    mean((Lambda) => multiply(Lambda, Lambda)) / mean((Lambda) => multiply(gammaMatrix(Lambda, N), Lambda, Lambda))
  );
}

/**
 * The sigma below which the paper's start, U11 = sigma Theta Theta^T, is proved to converge:
 * sigma^2 < 2 ||E[Lambda] Theta||_F^2 / (sqrt(D) E[||Gamma||_op ||Lambda||_F^2]). Only sufficient.
 * @param thetaSquare Theta Theta^T, of Frobenius norm 1.   Source: Theorem 4.5.
 */
export function randomInitialisationThreshold({ draws, N }: CovarianceLaw, thetaSquare: Matrix): number {
  const mean = meanOver(draws, (Lambda) => Lambda);
  const overlap = trace(multiply(mean, thetaSquare, mean)); // ||E[Lambda] Theta||_F^2
  const size = meanOver(draws, (Lambda) => {
    const largest = symmetricEigen(gammaMatrix(Lambda, N)).values.at(-1)!;
    return [[largest * trace(multiply(Lambda, Lambda))]];
  })[0]![0]!;
  return Math.sqrt((2 * overlap) / (Math.sqrt(thetaSquare.length) * size));
}
