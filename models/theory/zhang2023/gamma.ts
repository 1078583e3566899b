/**
 * What training on one fixed covariance converges to: Gamma, the limits, the loss and its constants.
 *
 * The paper trains without label noise. With noise of variance s^2 on the training responses everything here holds with
 * Gamma + (s^2/N) I in Gamma's place (then E[S w w^T S] gains s^2 Lambda / N); `trainingNoiseVariance` is that s^2.
 */
import { UsageError } from '../../errors.ts';
import {
  add,
  frobeniusNorm,
  identity,
  inverse,
  type Matrix,
  multiply,
  scaleMatrix,
  trace,
  transpose,
} from '../../matrix.ts';
import { symmetricEigen } from '../../symmetric-eigen.ts';

/**
 * 1/length for a context length, which may be Infinity.
 * @throws {UsageError} unless it is a whole number of 1 or more, or Infinity.
 */
export function reciprocalLength(where: string, length: number): number {
  if (length === Infinity) return 0;
  if (!Number.isInteger(length) || length < 1) {
    throw new UsageError({ where, expected: 'a whole number of pairs, 1 or more, or Infinity', got: String(length) });
  }
  return 1 / length;
}

/**
 * Gamma = (1 + 1/N) Lambda + (tr(Lambda)/N) I, `[D, D]`; with training noise s^2, + (s^2/N) I.
 * Source: Theorem 4.1, eq. (4.1).
 * @throws {UsageError} if N is not a length.
 */
export function gammaMatrix(covariance: Matrix, N: number, trainingNoiseVariance = 0): number[][] {
  const perN = reciprocalLength('N', N);
  const ridge = (trace(covariance) + trainingNoiseVariance) * perN;
  return add(scaleMatrix(covariance, 1 + perN), scaleMatrix(identity(covariance.length), ridge));
}

export interface Limits {
  /** Lower right entry of W^PV. */
  readonly u: number;
  /** Upper left block of W^KQ, `[D, D]`. */
  readonly U11: number[][];
  /** u U11 = Gamma^-1: all that the prediction depends on. */
  readonly product: number[][];
}

/** The balanced pair u = ||P||_F^(1/2), U11 = P / u that gradient flow reaches for a product P. */
export function balancedLimits(product: number[][]): Limits {
  const u = Math.sqrt(frobeniusNorm(product));
  return { u, U11: scaleMatrix(product, 1 / u), product };
}

/**
 * Where gradient flow ends: u = [tr Gamma^-2]^(1/4), U11 = [tr Gamma^-2]^(-1/4) Gamma^-1, u12 = u21 = 0.
 * Stochastic training reaches the product u U11 = Gamma^-1, but not the single factors, since its noise breaks the
 * balance u^2 = ||U11||_F^2.
 * Source: Theorem 4.1.
 * @throws {DataError} if Gamma is singular: N = Infinity and a covariance without full rank.
 */
export function limits(covariance: Matrix, N: number, trainingNoiseVariance = 0): Limits {
  return balancedLimits(inverse(gammaMatrix(covariance, N, trainingNoiseVariance)));
}

/**
 * The least population loss, (1/2) [tr(Lambda) - tr(Lambda^2 Gamma^-1)]; with training noise s^2, + s^2/2.
 * Source: the global minimum of the loss in the proof of Theorem 4.1, plus the constant tr(Lambda)/2 that is left out there.
 */
export function lossMinimum(covariance: Matrix, N: number, trainingNoiseVariance = 0): number {
  const inverseGamma = inverse(gammaMatrix(covariance, N, trainingNoiseVariance));
  const gain = trace(multiply(covariance, covariance, inverseGamma));
  return (trace(covariance) + trainingNoiseVariance - gain) / 2;
}

/** A point on the invariant set u12 = u21 = 0, and the law of the training prompts. */
export interface TrainingPoint {
  readonly covariance: Matrix;
  readonly N: number;
  readonly U11: Matrix;
  readonly u: number;
  /** Default 0. */
  readonly trainingNoiseVariance?: number;
}

/**
 * The population loss with u12 = u21 = 0, half the mean squared error:
 * L = tr(Lambda)/2 + tr[(u^2/2) Gamma Lambda U11 Lambda U11^T - u Lambda^2 U11^T].
 * Source: the proof of Theorem 4.1, where the constant tr(Lambda)/2 is left out.
 */
export function populationLoss({ covariance, N, U11, u, trainingNoiseVariance = 0 }: TrainingPoint): number {
  const gamma = gammaMatrix(covariance, N, trainingNoiseVariance);
  const square = trace(multiply(gamma, covariance, U11, covariance, transpose(U11)));
  const linear = trace(multiply(covariance, covariance, transpose(U11)));
  return (trace(covariance) + trainingNoiseVariance) / 2 + (u * u * square) / 2 - u * linear;
}

/** Largest eigenvalue of a symmetric positive semidefinite matrix. */
function operatorNorm(matrix: Matrix): number {
  return symmetricEigen(matrix).values.at(-1)!;
}

/**
 * The sigma below which the paper's start is proved to converge: sigma^2 ||Gamma||_op sqrt(D) < 2. Only sufficient:
 * larger ones converge too in every case tried.
 * Source: Assumption 3.3 and Theorem 4.1.
 */
export function initialisationThreshold(covariance: Matrix, N: number): number {
  return Math.sqrt(2 / (Math.sqrt(covariance.length) * operatorNorm(gammaMatrix(covariance, N))));
}

/** The paper's start: u = sigma, U11 = sigma Theta Theta^T with ||Theta Theta^T||_F = 1. */
export interface Start {
  readonly covariance: Matrix;
  readonly N: number;
  readonly sigma: number;
  /** Theta Theta^T, `[D, D]`. */
  readonly thetaSquare: Matrix;
}

/** sigma^2 ||Lambda Theta||_F^2 (2 - sqrt(D) sigma^2 ||Gamma||_op): what both bounds below share. */
function startingStrength({ covariance, N, sigma, thetaSquare }: Start): number {
  const overlap = trace(multiply(covariance, thetaSquare, covariance)); // ||Lambda Theta||_F^2
  const room = 2 - Math.sqrt(covariance.length) * sigma ** 2 * operatorNorm(gammaMatrix(covariance, N));
  return sigma ** 2 * overlap * room;
}

/**
 * A lower bound on u^2 for all times:
 * sigma^2 ||Lambda Theta||_F^2 (2 - sqrt(D) sigma^2 ||Gamma||_op) / (2 sqrt(D) ||Lambda||_op^2).
 * Source: the lower bound on u in the proof of Theorem 4.1.
 */
export function scaleLowerBound(start: Start): number {
  const largest = operatorNorm(start.covariance);
  return startingStrength(start) / (2 * Math.sqrt(start.covariance.length) * largest ** 2);
}

/**
 * The constant mu of the Polyak-Lojasiewicz inequality ||grad L||^2 >= mu (L - L_min), so that the gap falls at least as
 * e^(-mu t):
 * mu = sigma^2 ||Lambda Theta||_F^2 [2 - sqrt(D) sigma^2 ||Gamma||_op] / (sqrt(D) ||Lambda||_op^2 tr(Gamma^-1 Lambda^-1) tr(Lambda^-1)).
 * True but very loose: measured ratios are twenty to a thousand times larger.
 * Source: the proof of Theorem 4.1. The fraction is sometimes quoted upside down.
 */
export function polyakConstant(start: Start): number {
  const { covariance, N } = start;
  const inverseCovariance = inverse(covariance);
  const inverseGamma = inverse(gammaMatrix(covariance, N));
  const denominator =
    Math.sqrt(covariance.length) *
    operatorNorm(covariance) ** 2 *
    trace(multiply(inverseGamma, inverseCovariance)) *
    trace(inverseCovariance);
  return startingStrength(start) / denominator;
}
