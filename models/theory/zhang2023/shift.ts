/**
 * The exact risk of a prediction x_q^T P (1/M) sum_i y_i x_i, for any matrix P, when every law may differ from training.
 * Includes what distribution shifts do to linear attention (section 4.2 of the paper, in words there, in numbers here).
 */
import { add, identity, type Matrix, multiply, scaleMatrix, subtract, trace, transpose } from '../../matrix.ts';
import { reciprocalLength } from './gamma.ts';

/** The law of Gaussian linear-regression prompts at test. Absent covariances take the values named here. */
export interface TestLaw {
  /** Covariance of the context's covariates, `[D, D]`. */
  readonly contextCovariance: Matrix;
  /** E[x_q x_q^T]. Default: as the context's. */
  readonly queryCovariance?: Matrix;
  /** C = E[w w^T]. Default: the identity. */
  readonly taskCovariance?: Matrix;
  /** Variance of the noise on the context's responses. Default 0. */
  readonly noiseVariance?: number;
  /** Variance of the noise on the response at the query. Default: as the context's. */
  readonly queryNoiseVariance?: number;
  /** Context length; may be Infinity. */
  readonly M: number;
}

export function resolveTestLaw(law: TestLaw): Required<TestLaw> {
  const noiseVariance = law.noiseVariance ?? 0;
  return {
    contextCovariance: law.contextCovariance,
    queryCovariance: law.queryCovariance ?? law.contextCovariance,
    taskCovariance: law.taskCovariance ?? identity(law.contextCovariance.length),
    noiseVariance,
    queryNoiseVariance: law.queryNoiseVariance ?? noiseVariance,
    M: law.M,
  };
}

/**
 * E(x_q^T P (1/M) sum_i y_i x_i - y_q)^2 for y_i = <w, x_i> + noise, with Lambda the context's and Q the query's covariance:
 *
 *   R = tr(Q [P E P^T - P Lambda C - C Lambda P^T + C]) + s_q^2,
 *   E = Lambda C Lambda + (1/M) (Lambda C Lambda + tr(C Lambda) Lambda + s^2 Lambda),
 *
 * computed as squared bias plus variance, tr(Q [(I - P Lambda) C (I - P Lambda)^T + P V P^T]) with V the 1/M part of E, in
 * which nothing cancels. P = Gamma^-1 is the trained layer. Only the context has to be Gaussian; the query enters through
 * Q alone and must not depend on the context.
 * @param law.P `[D, D]`
 */
export function shiftRisk(law: TestLaw & { readonly P: Matrix }): number {
  const { contextCovariance, queryCovariance, taskCovariance, noiseVariance, queryNoiseVariance, M } =
    resolveTestLaw(law);
  const { P } = law;
  const perM = reciprocalLength('M', M);
  const spread = trace(multiply(taskCovariance, contextCovariance)) + noiseVariance;
  const variance = scaleMatrix(
    add(multiply(contextCovariance, taskCovariance, contextCovariance), scaleMatrix(contextCovariance, spread)),
    perM,
  );
  const rest = subtract(identity(P.length), multiply(P, contextCovariance));
  const error = add(multiply(rest, taskCovariance, transpose(rest)), multiply(P, variance, transpose(P)));
  return trace(multiply(queryCovariance, error)) + queryNoiseVariance;
}

export interface PromptingLimits {
  /** Context in one random orthant, the query anywhere: (4/pi^2) (D - 1). */
  readonly randomQuadrants: number;
  /** Context in one random orthant, the query in the opposite one. */
  readonly oppositeQuadrants: number;
  /** Context and query of covariance 2 I in the first D/2 dimensions, 0 in the others: 1. */
  readonly halfSubspace: number;
  /** Context and query with spectrum proportional to i^-2 and trace D. */
  readonly skewed: number;
}

/**
 * Risk over D, for N and M both infinite, of a layer trained on the identity, under the prompting strategies of Garg, Tsipras,
 * Liang, Valiant (2022), section 4, with w ~ N(0, I): the mean of |(E[x x^T] - I) x_q|^2 / D over signs and queries.
 * Not in the paper. `halfSubspace` takes D even.
 */
export function promptingLimits(dimension: number): PromptingLimits {
  const d = dimension;
  const spectrum = Array.from({ length: d }, (_, i) => (i + 1) ** -2);
  const total = spectrum.reduce((sum, value) => sum + value, 0);
  // In one orthant with signs s, E[x x^T] - I = (2/pi) (s s^T - I).
  const quadrant = 4 / Math.PI ** 2;
  return {
    randomQuadrants: quadrant * (d - 1),
    oppositeQuadrants: (quadrant * ((d - 2) * (d + (d * (d - 1) * 2) / Math.PI) + d)) / d,
    halfSubspace: 1,
    skewed: spectrum.reduce((sum, value) => sum + ((value * d) / total) * (1 - (value * d) / total) ** 2, 0) / d,
  };
}
