/**
 * The bilinear ridge problem by conjugate gradients on its normal equations, without ever forming their matrix:
 *   G -> sum_i (x_i^T G h_i) x_i h_i^T + penalty G
 * costs 4 n d m operations and no memory of order d^2 m^2.
 *
 * With more rows than unknowns the matrix is near c I (x) S, S = (1/n) sum h h^T, c = the mean square of an entry of x times
 * n: preconditioned with it, the number of iterations depends on n / (d m) alone. With fewer rows the plain iteration is
 * used: it stays in the span of the rows, and so finds the solution of least norm where there is no penalty.
 */
import { factorInPlace, solveInPlace } from '../../models/cholesky.ts';
import { TrainingError } from '../../models/errors.ts';
import type { BilinearRows } from './rows.ts';

export interface GradientOptions {
  /** Norm of the residual over that of the right-hand side, in the preconditioner's norm. */
  readonly tolerance: number;
  readonly maximumIterations: number;
  readonly signal?: AbortSignal | undefined;
}

export interface GradientSolution {
  /** G in padded rows. */
  readonly matrix: Float64Array;
  readonly iterations: number;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** @throws {TrainingError} if the tolerance is not reached. */
export function solveByGradients(rows: BilinearRows, penalty: number, options: GradientOptions): GradientSolution {
  const { tolerance, maximumIterations, signal } = options;
  const length = rows.matrixLength;
  const precondition = createPreconditioner(rows, penalty);
  const matrix = new Float64Array(length);
  const residual = new Float64Array(length);
  const product = new Float64Array(length);
  rows.combine(rows.y, residual);
  const scaled = new Float64Array(length);
  precondition(residual, scaled);
  const direction = Float64Array.from(scaled);
  let squared = dot(residual, scaled);
  const goal = tolerance * tolerance * squared;
  let iterations = 0;
  while (squared > goal) {
    if (iterations === maximumIterations) {
      throw new TrainingError({
        where: 'conjugate gradients',
        expected: `a residual of ${tolerance} after ${maximumIterations} iterations`,
        got: Math.sqrt((squared / goal) * tolerance * tolerance).toExponential(1),
        remedy: 'Use a larger ridge, or another number of contexts than d^2.',
      });
    }
    signal?.throwIfAborted();
    rows.applyGram(direction, product);
    for (let i = 0; i < length; i++) product[i] = product[i]! + penalty * direction[i]!;
    const step = squared / dot(direction, product);
    for (let i = 0; i < length; i++) {
      matrix[i] = matrix[i]! + step * direction[i]!;
      residual[i] = residual[i]! - step * product[i]!;
    }
    precondition(residual, scaled);
    const next = dot(residual, scaled);
    const ratio = next / squared;
    for (let i = 0; i < length; i++) direction[i] = scaled[i]! + ratio * direction[i]!;
    squared = next;
    iterations++;
  }
  return { matrix, iterations };
}

/** Writes P^-1 r, P = c I (x) S + penalty; or r itself where there are fewer rows than unknowns. */
function createPreconditioner(rows: BilinearRows, penalty: number): (r: Float64Array, out: Float64Array) => void {
  const { rows: n, columns, width } = rows.sizes;
  if (n < columns * width) return (r, out) => out.set(r);
  const { x, h, xStride, hStride } = rows;
  const meanSquare = dot(x, x) / columns;
  const inverse = inverseCovariance(h, n, width, hStride, meanSquare / n, penalty);
  return (r, out) => {
    for (let c = 0; c < xStride; c++) {
      const at = c * hStride;
      for (let j = 0; j < width; j++) {
        let sum = 0;
        for (let k = 0; k < width; k++) sum += inverse[j * width + k]! * r[at + k]!;
        out[at + j] = sum;
      }
    }
  };
}

/** (scale sum h h^T + penalty I)^-1 */
function inverseCovariance(
  h: Float64Array,
  n: number,
  width: number,
  stride: number,
  scale: number,
  penalty: number,
): Float64Array {
  const covariance = new Float64Array(width * width);
  // Four rows at a time: a sum is read and written once for all four. What is missing of the last four counts 0.
  for (let i = 0; i < n; i += 4) {
    const at0 = i * stride;
    const at1 = i + 1 < n ? at0 + stride : at0;
    const at2 = i + 2 < n ? at0 + 2 * stride : at0;
    const at3 = i + 3 < n ? at0 + 3 * stride : at0;
    const [s1, s2, s3] = [i + 1 < n ? scale : 0, i + 2 < n ? scale : 0, i + 3 < n ? scale : 0];
    for (let a = 0; a < width; a++) {
      const v0 = scale * h[at0 + a]!;
      const v1 = s1 * h[at1 + a]!;
      const v2 = s2 * h[at2 + a]!;
      const v3 = s3 * h[at3 + a]!;
      const to = a * width;
      for (let b = 0; b <= a; b++) {
        covariance[to + b] =
          covariance[to + b]! + v0 * h[at0 + b]! + v1 * h[at1 + b]! + (v2 * h[at2 + b]! + v3 * h[at3 + b]!);
      }
    }
  }
  for (let a = 0; a < width; a++) covariance[a * width + a] = covariance[a * width + a]! + penalty;
  factorInPlace('conjugate gradients: covariance of h', covariance, width);
  const inverse = new Float64Array(width * width);
  for (let a = 0; a < width; a++) {
    const column = inverse.subarray(a * width, (a + 1) * width);
    column[a] = 1;
    solveInPlace(covariance, width, column);
  }
  return inverse;
}
