/**
 * The exact risk of the trained layer, W^PV and W^KQ at the limits of Theorem 4.1, on prompts of the training covariance.
 * Its prediction is x_q^T Gamma^-1 (1/M) sum_i y_i x_i, whatever the responses are: one step of preconditioned gradient descent.
 */
import { identity, inverse, type Matrix, multiply, subtract, trace } from '../../matrix.ts';
import { symmetricEigen } from '../../symmetric-eigen.ts';
import { gammaMatrix, reciprocalLength } from './gamma.ts';
import { shiftRisk } from './shift.ts';

export interface Lengths {
  /** Lambda, `[D, D]`, in training and at test. */
  readonly covariance: Matrix;
  /** Context length in training; may be Infinity. */
  readonly N: number;
  /** Context length at test; may be Infinity. */
  readonly M: number;
  /** Noise on the responses in training, which the paper does not have. Default 0. */
  readonly trainingNoiseVariance?: number;
}

/** What the risk depends on in the joint law of (x, y), which need not be linear. */
export interface TaskMoments {
  /** Lambda^-1 E[x y]: the best linear predictor, `[D]`. */
  readonly a: readonly number[];
  /** Covariance of the vector x y, `[D, D]`. */
  readonly Sigma: Matrix;
  /** min_w E(<w, x> - y)^2 */
  readonly best: number;
}

/** Moments of y = <w, x> + noise for one fixed w: a = w, Sigma = |w|^2_Lambda Lambda + Lambda w w^T Lambda + s^2 Lambda. */
export function linearTaskMoments(covariance: Matrix, w: readonly number[], noiseVariance = 0): TaskMoments {
  const image = covariance.map((row) => row.reduce((sum, value, j) => sum + value * w[j]!, 0)); // Lambda w
  const size = image.reduce((sum, value, i) => sum + value * w[i]!, 0);
  const Sigma = covariance.map((row, i) =>
    row.map((value, j) => (size + noiseVariance) * value + image[i]! * image[j]!),
  );
  return { a: w, Sigma, best: noiseVariance };
}

/**
 * Theorem 4.2: the risk on prompts of any joint law with x ~ N(0, Lambda) and finite moments,
 *
 *   E(prediction - y_q)^2 = min_w E(<w, x_q> - y_q)^2 + (1/M) tr[Sigma Gamma^-2 Lambda]
 *     + (1/N^2) [|a|^2_{Gamma^-2 Lambda^3} + 2 tr(Lambda) |a|^2_{Gamma^-2 Lambda^2} + tr(Lambda)^2 |a|^2_{Gamma^-2 Lambda}],
 *
 * an equality. The bracket is |(I - Gamma^-1 Lambda) a|^2_Lambda, which is what is computed. M alone does not remove it.
 * Source: Theorem 4.2. Its proof defines the vector b with Lambda^-1 in one place; what is used, and right, is
 * b = Gamma^-1 E[x y].
 */
export function riskForTask(law: Lengths & TaskMoments): number {
  const { covariance, N, M, a, Sigma, best, trainingNoiseVariance = 0 } = law;
  const P = inverse(gammaMatrix(covariance, N, trainingNoiseVariance));
  const variance = trace(multiply(Sigma, P, covariance, P)) * reciprocalLength('M', M);
  const bias = multiply(
    subtract(identity(a.length), multiply(P, covariance)),
    a.map((value) => [value]),
  );
  const squaredBias = multiply([bias.map(([value]) => value!)], covariance, bias)[0]![0]!;
  return best + variance + squaredBias;
}

/**
 * The risk averaged over w ~ N(0, I), with label noise of variance s^2 on all responses:
 *
 *   R(N, M) = (1/M) [tr(Lambda) tr(Gamma^-2 Lambda^2) + tr(Gamma^-2 Lambda^3) + s^2 tr(Gamma^-2 Lambda^2)]
 *     + (1/N^2) [tr(Gamma^-2 Lambda^3) + 2 tr(Lambda) tr(Gamma^-2 Lambda^2) + tr(Lambda)^2 tr(Gamma^-2 Lambda)] + s^2.
 *
 * At M = N without noise it is twice the least loss. Source: Theorem 4.2, averaged.
 */
export function risk(law: Lengths & { readonly noiseVariance?: number }): number {
  const { covariance, N, M, noiseVariance = 0, trainingNoiseVariance = 0 } = law;
  const P = inverse(gammaMatrix(covariance, N, trainingNoiseVariance));
  return shiftRisk({ P, contextCovariance: covariance, noiseVariance, M });
}

/**
 * The same for Lambda = I without noise: D (D+1) / gamma^2 (1/M + (D+1)/N^2), gamma = 1 + (D+1)/N; at M = N it is
 * D (D+1) / (N + D + 1).
 */
export function isotropicRisk(dimension: number, N: number, M: number): number {
  const perN = reciprocalLength('N', N);
  const gamma = 1 + (dimension + 1) * perN;
  return ((dimension * (dimension + 1)) / gamma ** 2) * (reciprocalLength('M', M) + (dimension + 1) * perN ** 2);
}

/**
 * The part of the bound that no test length removes: (1 + 2 D + D^2 kappa) tr(Lambda) / N^2, kappa the condition number of Lambda.
 * Source: Corollary 4.3.
 */
export function floorBound(covariance: Matrix, N: number): number {
  const perN = reciprocalLength('N', N);
  if (perN === 0) return 0;
  const { values } = symmetricEigen(covariance);
  const d = covariance.length;
  return (1 + 2 * d + (d * d * values.at(-1)!) / values[0]!) * trace(covariance) * perN ** 2;
}

/**
 * An upper bound on {@link risk}: s^2 + (D+1) tr(Lambda)/M + s^2 D/M + (1 + 2 D + D^2 kappa) tr(Lambda)/N^2.
 * Source: Theorem 4.2 and Corollary 4.3, which have no noise; its two terms follow from Gamma >= Lambda in the same way.
 */
export function riskBound(law: Lengths & { readonly noiseVariance?: number }): number {
  const { covariance, N, M, noiseVariance = 0 } = law;
  const d = covariance.length;
  const perM = reciprocalLength('M', M);
  return noiseVariance + ((d + 1) * trace(covariance) + d * noiseVariance) * perM + floorBound(covariance, N);
}

/**
 * A test length M >= (D+1) tr(Lambda)/epsilon for which the noiseless risk is proved to be at most epsilon above {@link floorBound}.
 * Source: Corollary 4.3.
 */
export function sufficientLength(covariance: Matrix, epsilon: number): number {
  return Math.max(1, Math.ceil(((covariance.length + 1) * trace(covariance)) / epsilon));
}
