/**
 * Training and testing on a random diagonal covariance: per prompt Lambda = diag(lambda_1 .. lambda_D) with independent entries,
 * shared by the context and the query. Source: section 4.3 and Theorem 4.5.
 *
 * The product formula G holds for diagonal Lambda only. For a law with rotations the stationary point solves the linear equation
 * E[Gamma Lambda P Lambda] = E[Lambda^2], of which G is not the solution.
 */
import { diagonal, type Matrix } from '../../matrix.ts';
import type { IntegrationOptions } from '../ode.ts';
import { decoupledFlow, type Trajectory } from './flow.ts';
import { balancedLimits, type Limits, reciprocalLength } from './gamma.ts';
import { shiftRisk, type TestLaw } from './shift.ts';

/** E[lambda], E[lambda^2], E[lambda^3] of one entry. */
export interface Moments {
  readonly first: number;
  readonly second: number;
  readonly third: number;
}

/** Moments of `scale` times an exponential variable of mean 1. */
export function exponentialMoments(scale = 1): Moments {
  return { first: scale, second: 2 * scale ** 2, third: 6 * scale ** 3 };
}

/**
 * E[f(lambda_1 .. lambda_D)], exactly, for any polynomial f of total degree at most 3 and independent entries.
 *
 * Around the means, E of every mixed product of degree 3 or less vanishes, so f(mean) plus each coordinate's own part is
 * all there is; and that part is a two-point Gauss rule, which is exact to degree 3. 2 D + 1 evaluations.
 */
export function expectationOverDiagonal(moments: readonly Moments[], f: (values: number[]) => number): number {
  const means = moments.map(({ first }) => first);
  const center = f(means);
  let expectation = center;
  moments.forEach(({ first, second, third }, i) => {
    const variance = second - first ** 2;
    if (!(variance > 0)) return;
    const skew = (third - 3 * first * second + 2 * first ** 3) / variance;
    // The rule's nodes d solve d^2 - skew d - variance = 0; its weights make the mean 0.
    const half = Math.sqrt(skew ** 2 + 4 * variance) / 2;
    const [above, below] = [skew / 2 + half, skew / 2 - half];
    const at = (offset: number) => f(means.with(i, first + offset)) - center;
    expectation += (above * at(below) - below * at(above)) / (2 * half);
  });
  return expectation;
}

/** The law of training prompts. */
export interface RandomTraining {
  /** One per coordinate. */
  readonly moments: readonly Moments[];
  readonly N: number;
  /** Default 0. */
  readonly trainingNoiseVariance?: number;
}

export interface RandomLimits extends Limits {
  /** gamma_i = E[((N+1)/N) lambda_i^3 + (1/N) lambda_i^2 sum_j lambda_j] */
  readonly gamma: number[];
  /** xi_i = E[lambda_i^2] */
  readonly xi: number[];
  /** zeta_ij = E[((N+1)/N) lambda_i^2 lambda_j + (1/N) lambda_i lambda_j sum_k lambda_k]; zeta_ii = gamma_i. */
  readonly zeta: number[][];
  /** G = E[Gamma Lambda^2]^-1 E[Lambda^2] = diag(xi_i / gamma_i), the limit of u U11. */
  readonly product: number[][];
  /** Half the mean squared error at the limit, (1/2) [E tr(Lambda) - sum xi_i^2 / gamma_i]. */
  readonly lossMinimum: number;
}

/**
 * What training on a random diagonal covariance converges to: u = ||G||_F^(1/2), U11 = G / u.
 * Source: Theorem 4.5. Training noise s^2, which the paper does not have, adds (s^2/N) E[lambda_i lambda_j] to zeta_ij.
 */
export function randomCovarianceLimits({ moments, N, trainingNoiseVariance = 0 }: RandomTraining): RandomLimits {
  const perN = reciprocalLength('N', N);
  const total = moments.reduce((sum, { first }) => sum + first, 0);
  const zeta = moments.map((a, i) =>
    moments.map((b, j) => {
      const others = total - a.first - (i === j ? 0 : b.first); // E of the sum over k not i, j
      const pair = i === j ? a.second : a.first * b.first; // E[lambda_i lambda_j]
      const square = i === j ? a.third : a.second * b.first; // E[lambda_i^2 lambda_j]
      const otherSquare = i === j ? 0 : a.first * b.second;
      return (1 + perN) * square + perN * (square + otherSquare + pair * (others + trainingNoiseVariance));
    }),
  );
  const gamma = zeta.map((row, i) => row[i]!);
  const xi = moments.map(({ second }) => second);
  const gain = xi.reduce((sum, value, i) => sum + value ** 2 / gamma[i]!, 0);
  return {
    ...balancedLimits(diagonal(xi.map((value, i) => value / gamma[i]!))),
    gamma,
    xi,
    zeta,
    lossMinimum: (total + trainingNoiseVariance - gain) / 2,
  };
}

/** Gradient flow for a random diagonal covariance, entry by entry. Source: the proof of Theorem 4.5. */
export function randomCovarianceFlow(
  flow: RandomTraining & {
    readonly U11: Matrix;
    readonly u: number;
    readonly times: readonly number[];
    readonly options?: Partial<IntegrationOptions>;
  },
): Trajectory {
  const { moments, U11, u, times, trainingNoiseVariance = 0, options } = flow;
  const { zeta, xi } = randomCovarianceLimits(flow);
  const lossAtZero = (moments.reduce((sum, { first }) => sum + first, 0) + trainingNoiseVariance) / 2;
  return decoupledFlow({ zeta, xi, lossAtZero, U11, u, times, ...(options === undefined ? {} : { options }) });
}

/**
 * The risk of x_q^T P (1/M) sum_i y_i x_i for any P when each test prompt has its own random diagonal covariance:
 * the average of {@link shiftRisk}, a polynomial of degree 3 in the variances. A query covariance that is given stays fixed.
 */
export function randomCovarianceRisk(
  law: Omit<TestLaw, 'contextCovariance'> & { readonly P: Matrix; readonly moments: readonly Moments[] },
): number {
  return expectationOverDiagonal(law.moments, (values) => shiftRisk({ ...law, contextCovariance: diagonal(values) }));
}

/** G = g I for Exp(1) variances: g = 1 / (3 + (D+5)/N). */
export function exponentialMultiplier(dimension: number, N: number): number {
  return 1 / (3 + (dimension + 5) * reciprocalLength('N', N));
}

/** Risk on the training law with Exp(1) variances at M = N: D (1 - 4/gamma), gamma = 6 + (2 D + 10)/N. */
export function exponentialTrainingRisk(dimension: number, N: number): number {
  return dimension * (1 - 4 / (6 + (2 * dimension + 10) * reciprocalLength('N', N)));
}

/**
 * Risk of P = g I on variances c Exp(1): D [c - 4 g c^2 + g^2 c^3 (6 + (12 + 2 (D-1))/M)]. For N and M infinite and training on the
 * same law with c = 1, D [c - (4/3) c^2 + (2/3) c^3]: at c = 4, six times worse than predicting 0.
 */
export function multiplierRiskOnExponential(law: {
  readonly multiplier: number;
  readonly scale: number;
  readonly dimension: number;
  readonly M: number;
}): number {
  const { multiplier: g, scale: c, dimension, M } = law;
  const spread = 6 + (12 + 2 * (dimension - 1)) * reciprocalLength('M', M);
  return dimension * (c - 4 * g * c ** 2 + g ** 2 * c ** 3 * spread);
}

/** Risk of P = g I on the identity covariance: D [1 - 2 g + g^2 (1 + (D+1)/M)]. */
export function multiplierRiskOnIdentity(multiplier: number, dimension: number, M: number): number {
  const spread = 1 + (dimension + 1) * reciprocalLength('M', M);
  return dimension * (1 - 2 * multiplier + multiplier ** 2 * spread);
}
