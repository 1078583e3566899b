/**
 * The exact risk of *any* linear self-attention layer on Gaussian linear-regression prompts: not only at the paper's limits, and
 * with u12 and u21 not 0, as after real training. Not in the paper.
 *
 * With a = u12, b = u21, U = U11, S = (1/M) sum x_i x_i^T, c = (1/M) sum y_i x_i, t = (1/M) sum y_i^2, the prediction is
 *
 *   c^T (u U + a b^T) x_q  +  e,    e = v^T x_q + (1/M) (a^T x_q) (x_q^T U x_q),    v = U^T S a + u t b.
 *
 * The first term and y_q are odd in (w, noise), e is even, so E[first error * e] = 0 and the risk is the sum of
 * {@link shiftRisk} at P^T = u U + a b^T and E[e^2]. With Lambda the context's and Q the query's covariance,
 * tau = tr(Lambda C) + s^2 and H = (U + U^T)/2,
 *
 *   E[e^2] = E[v^T Q v] + (2/M) E[v]^T [tr(U Q) Q + 2 Q H Q] a + (1/M^2) E[(a^T x_q)^2 (x_q^T U x_q)^2]
 *   E[S A S] = Lambda A Lambda + (1/M) (Lambda A^T Lambda + tr(A Lambda) Lambda)
 *   E[t S] = tau Lambda + (2/M) Lambda C Lambda       (the noise is independent of S and enters by tau alone)
 *   E[t^2] = (1 + 2/M) (tau^2 + 2 tr(Lambda C Lambda C))
 *
 * and the last expectation is that of three Gaussian quadratic forms,
 * t1 t2^2 + 2 (t1 tr(B2^2) + 2 t2 tr(B1 B2)) + 8 tr(B1 B2^2) with B1 = Q a a^T, B2 = Q H, t_i = tr(B_i).
 */
import { ShapeError } from '../../errors.ts';
import { add, diagonal, identity, type Matrix, multiply, scaleMatrix, trace, transpose } from '../../matrix.ts';
import { covarianceMatrix } from '../../tasks/covariance.ts';
import type { LinearRegressionSpec } from '../../tasks/linear-regression.ts';
import { reciprocalLength } from './gamma.ts';
import { expectationOverDiagonal, exponentialMoments } from './random-covariance.ts';
import { resolveTestLaw, shiftRisk, type TestLaw } from './shift.ts';

/** The layer's matrices, row-major, `[D+1, D+1]` each. */
export interface LayerMatrices {
  /** W^PV */
  readonly projectionValue: ArrayLike<number>;
  /** W^KQ */
  readonly keyQuery: ArrayLike<number>;
}

/** The parts of the matrices that reach the prediction. */
export interface LayerBlocks {
  /** u12, `[D]`: last row of W^PV without its last entry. */
  readonly u12: number[];
  /** Lower right entry of W^PV. */
  readonly u: number;
  /** Upper left block of W^KQ, `[D, D]`. */
  readonly U11: number[][];
  /** u21, `[D]`: last row of W^KQ without its last entry. */
  readonly u21: number[];
}

/** @throws {ShapeError} unless both matrices have (D+1)^2 entries. */
export function layerBlocks({ projectionValue, keyQuery }: LayerMatrices, dimension: number): LayerBlocks {
  const side = dimension + 1;
  for (const [where, values] of Object.entries({ projectionValue, keyQuery })) {
    if (values.length !== side * side) {
      throw new ShapeError({ where, expected: `${side} x ${side} numbers`, got: String(values.length) });
    }
  }
  const row = (values: ArrayLike<number>, i: number) =>
    Array.from({ length: dimension }, (_, j) => values[i * side + j]!);
  return {
    u12: row(projectionValue, dimension),
    u: projectionValue[side * side - 1]!,
    U11: Array.from({ length: dimension }, (_, i) => row(keyQuery, i)),
    u21: row(keyQuery, dimension),
  };
}

const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, value, i) => sum + value * b[i]!, 0);

const apply = (matrix: Matrix, vector: readonly number[]): number[] => matrix.map((row) => dot(row, vector));

/** E[e^2] of the header: what u12 and u21 add. */
function evenPart({ u12: a, u, U11: U, u21: b }: LayerBlocks, law: Required<TestLaw>): number {
  const { contextCovariance: Lambda, queryCovariance: Q, taskCovariance: C, noiseVariance } = law;
  const perM = reciprocalLength('M', law.M);
  const LambdaC = multiply(Lambda, C);
  const tau = trace(LambdaC) + noiseVariance;
  const tauSquare = (1 + 2 * perM) * (tau ** 2 + 2 * trace(multiply(LambdaC, LambdaC))); // E[t^2]

  const A = multiply(U, Q, transpose(U)); // symmetric
  const SAS = add(
    multiply(Lambda, A, Lambda),
    scaleMatrix(add(multiply(Lambda, A, Lambda), scaleMatrix(Lambda, trace(multiply(A, Lambda)))), perM),
  );
  const tS = add(scaleMatrix(Lambda, tau), scaleMatrix(multiply(LambdaC, Lambda), 2 * perM));
  const Qb = apply(Q, b);
  const vQv = dot(a, apply(SAS, a)) + 2 * u * dot(a, apply(tS, apply(U, Qb))) + u ** 2 * tauSquare * dot(b, Qb);

  const H = scaleMatrix(add(U, transpose(U)), 0.5);
  const B2 = multiply(Q, H);
  const t2 = trace(B2);
  const Qa = apply(Q, a);
  const B2Qa = apply(B2, Qa); // Q H Q a
  const v = apply(transpose(U), apply(Lambda, a)).map((value, i) => value + u * tau * b[i]!); // E[v]
  const cross = t2 * dot(v, Qa) + 2 * dot(v, B2Qa);

  const t1 = dot(a, Qa);
  const own = t1 * t2 ** 2 + 2 * (t1 * trace(multiply(B2, B2)) + 2 * t2 * dot(a, B2Qa)) + 8 * dot(a, apply(B2, B2Qa));
  return vQv + 2 * perM * cross + perM ** 2 * own;
}

/**
 * The exact risk of a layer on prompts of fixed Gaussian laws, in float64. Equals {@link shiftRisk} when u12 = u21 = 0.
 * @throws {ShapeError} if the matrices do not fit the covariance. @throws {UsageError} if M is not a length.
 */
export function exactRisk(law: TestLaw & LayerMatrices): number {
  const blocks = layerBlocks(law, law.contextCovariance.length);
  const { u12, u, U11, u21 } = blocks;
  // P = (u U11 + u12 u21^T)^T
  const P = U11.map((row, i) => row.map((_, j) => u * U11[j]![i]! + u12[j]! * u21[i]!));
  const even = [...u12, ...u21].every((value) => value === 0) ? 0 : evenPart(blocks, resolveTestLaw(law));
  return shiftRisk({ ...law, P }) + even;
}

/**
 * The exact risk of a layer on a task as evaluation samples it, shifted or not. For `exponential` covariances the average over
 * them is exact too, since the risk is a polynomial of degree 3 in the variances.
 * @param M Context length, 1 or more; may be Infinity.
 */
export function exactTaskRisk(matrices: LayerMatrices, task: LinearRegressionSpec, M: number): number {
  const { dimension, covariance, queryCovariance, noiseVariance } = task;
  const taskCovariance = covarianceMatrix(task.taskCovariance, dimension) ?? identity(dimension);
  const query = queryCovariance === undefined ? undefined : covarianceMatrix(queryCovariance, dimension);
  const riskAt = (contextCovariance: Matrix): number =>
    exactRisk({
      ...matrices,
      contextCovariance,
      ...(query === undefined ? {} : { queryCovariance: query }),
      taskCovariance,
      noiseVariance,
      M,
    });
  if (covariance.kind === 'exponential') {
    const moments = new Array(dimension).fill(exponentialMoments(covariance.scale));
    return expectationOverDiagonal(moments, (values) => riskAt(diagonal(values)));
  }
  return riskAt(covarianceMatrix(covariance, dimension)!);
}
