/**
 * Gradient flow d theta / dt = -grad L on the population loss, from any start with u12 = u21 = 0 (where they stay).
 *
 *   U11' = -u^2 Gamma Lambda U11 Lambda + u Lambda^2
 *   u'   = -tr[u Gamma Lambda U11 Lambda U11^T - Lambda^2 U11^T]
 *
 * In the eigenbasis of Lambda, and likewise for random diagonal covariances, each entry obeys
 * U_ij' = -zeta_ij u^2 U_ij + [i = j] xi_i u and u' = -u sum zeta_ij U_ij^2 + sum xi_i U_ii, with zeta_ij = gamma_i lambda_i
 * lambda_j, xi_i = lambda_i^2, or their expectations: D^2 work per evaluation instead of D^3. u^2 - ||U11||_F^2 is conserved.
 *
 * Source: the proofs of Theorem 4.1 (Lemma on the dynamics) and Theorem 4.5.
 */
import { UsageError } from '../../errors.ts';
import { add, type Matrix, multiply, scaleMatrix, trace, transpose } from '../../matrix.ts';
import { symmetricEigen } from '../../symmetric-eigen.ts';
import { type IntegrationOptions, integrate } from '../ode.ts';
import { gammaMatrix, reciprocalLength } from './gamma.ts';

export interface Trajectory {
  readonly times: readonly number[];
  /** Population loss, half the mean squared error, at each time. */
  readonly loss: number[];
  readonly u: number[];
  /** `[D, D]` at each time. */
  readonly U11: number[][][];
}

/** The flow in coordinates in which it decouples. */
export interface DecoupledFlow {
  /** zeta_ij, `[D, D]` */
  readonly zeta: Matrix;
  /** xi_i, `[D]` */
  readonly xi: readonly number[];
  /** The loss at U11 = 0, half the variance of the response. */
  readonly lossAtZero: number;
  readonly U11: Matrix;
  readonly u: number;
  readonly times: readonly number[];
  readonly options?: Partial<IntegrationOptions>;
}

/** Integrates the flow entry by entry. */
export function decoupledFlow({ zeta, xi, lossAtZero, U11, u, times, options }: DecoupledFlow): Trajectory {
  const size = xi.length;
  if (U11.length !== size || U11.some((row) => row.length !== size)) {
    throw new UsageError({ where: 'U11', expected: `a ${size} x ${size} matrix`, got: `${U11.length} rows` });
  }
  const rates = Float64Array.from(zeta.flat());
  const states = integrate(
    (x, out) => {
      const scale = x[size * size]!;
      let slope = 0;
      for (let i = 0, at = 0; i < size; i++) {
        for (let j = 0; j < size; j++, at++) {
          const value = x[at]!;
          const pull = rates[at]! * scale * value;
          out[at] = -scale * pull;
          slope -= pull * value;
        }
        const diagonal = i * size + i;
        out[diagonal] = out[diagonal]! + xi[i]! * scale;
        slope += xi[i]! * x[diagonal]!;
      }
      out[size * size] = slope;
    },
    [...U11.flat(), u],
    times,
    options,
  );
  const unpack = (state: Float64Array) =>
    Array.from({ length: size }, (_, i) => Array.from(state.subarray(i * size, (i + 1) * size)));
  return {
    times: [...times],
    u: states.map((state) => state[size * size]!),
    U11: states.map(unpack),
    loss: states.map((state) => {
      const scale = state[size * size]!;
      let loss = lossAtZero;
      for (let at = 0; at < size * size; at++) loss += (scale ** 2 * rates[at]! * state[at]! ** 2) / 2;
      for (let i = 0; i < size; i++) loss -= scale * xi[i]! * state[i * size + i]!;
      return loss;
    }),
  };
}

export interface GradientFlow {
  /** Lambda, `[D, D]` */
  readonly covariance: Matrix;
  readonly N: number;
  /** U11(0), `[D, D]`; the paper's start is sigma Theta Theta^T. */
  readonly U11: Matrix;
  /** u(0); the paper's start is sigma. */
  readonly u: number;
  /** From 0 on, ascending. Step k of gradient descent with learning rate eta is near time k eta. */
  readonly times: readonly number[];
  /** Default 0. */
  readonly trainingNoiseVariance?: number;
  readonly options?: Partial<IntegrationOptions>;
}

/**
 * Loss, u and U11 along gradient flow for a fixed covariance.
 * @throws {UsageError} on times that descend or a start of another size.
 */
export function gradientFlow(flow: GradientFlow): Trajectory {
  const { covariance, N, U11, u, times, trainingNoiseVariance = 0, options } = flow;
  reciprocalLength('N', N);
  const { values, vectors } = symmetricEigen(covariance);
  const gamma = gammaMatrix(covariance, N, trainingNoiseVariance);
  const toEigenbasis = (matrix: Matrix) => multiply(transpose(vectors), matrix, vectors);
  const gammaValues = toEigenbasis(gamma).map((row, i) => row[i]!);
  const decoupled = decoupledFlow({
    zeta: values.map((left, i) => values.map((right) => gammaValues[i]! * left * right)),
    xi: values.map((value) => value ** 2),
    lossAtZero: (trace(covariance) + trainingNoiseVariance) / 2,
    U11: toEigenbasis(U11),
    u,
    times,
    ...(options === undefined ? {} : { options }),
  });
  return { ...decoupled, U11: decoupled.U11.map((matrix) => multiply(vectors, matrix, transpose(vectors))) };
}

/**
 * The gradient of the population loss at a point with u12 = u21 = 0: dL/dU11 `[D, D]` and dL/du.
 * Its part along u12 and u21 is 0 there.
 */
export function populationGradient(point: {
  readonly covariance: Matrix;
  readonly N: number;
  readonly U11: Matrix;
  readonly u: number;
  readonly trainingNoiseVariance?: number;
}): { U11: number[][]; u: number } {
  const { covariance, N, U11, u, trainingNoiseVariance = 0 } = point;
  const gamma = gammaMatrix(covariance, N, trainingNoiseVariance);
  const square = multiply(covariance, covariance);
  const inner = multiply(gamma, covariance, U11, covariance);
  return {
    U11: add(scaleMatrix(inner, u * u), scaleMatrix(square, -u)),
    u: u * trace(multiply(inner, transpose(U11))) - trace(multiply(square, transpose(U11))),
  };
}

export interface IsotropicTrajectory {
  /** z = u^2 at each time; U11 = (u / sqrt(D)) I. */
  readonly scale: number[];
  readonly loss: number[];
  /** The limit of z, sqrt(D)/gamma. */
  readonly limit: number;
  /** When z is half its limit: the middle of the loss's one sudden drop. */
  readonly halfTime: number;
}

/**
 * The flow in closed form for Lambda = lambda I and the start u = sigma, U11 = (sigma / sqrt(D)) I: a logistic curve.
 *   z(t) = z_inf / (1 + (z_inf/sigma^2 - 1) e^(-2 sqrt(D) lambda^2 t)),  z_inf = sqrt(D)/gamma,  gamma = lambda (1 + (D+1)/N)
 *   L(t) = D lambda / 2 + gamma lambda^2 z^2 / 2 - sqrt(D) lambda^2 z
 * Not in the paper; it follows from the equations above.
 */
export function isotropicTrajectory(law: {
  readonly dimension: number;
  /** lambda */
  readonly variance: number;
  readonly N: number;
  readonly sigma: number;
  readonly times: readonly number[];
}): IsotropicTrajectory {
  const { dimension, variance, N, sigma, times } = law;
  const gamma = variance * (1 + (dimension + 1) * reciprocalLength('N', N));
  const root = Math.sqrt(dimension);
  const limit = root / gamma;
  const ratio = limit / sigma ** 2 - 1;
  const rate = 2 * root * variance ** 2;
  const scale = times.map((time) => limit / (1 + ratio * Math.exp(-rate * time)));
  const loss = scale.map((z) => (dimension * variance + gamma * (variance * z) ** 2) / 2 - root * variance ** 2 * z);
  return { scale, loss, limit, halfTime: Math.log(ratio) / rate };
}
