/**
 * How fast gradient descent converges: the Hessian of the cross-entropy at W = w Lambda^{-1}, its ends, the bound on its
 * largest eigenvalue that holds everywhere, and the contraction per step that follows.
 *
 * In whitened coordinates the Hessian commutes with rotations W -> U W U^T, so it has three eigenvalues only: on multiples of
 * I, on traceless symmetric and on antisymmetric matrices. Back in the data's coordinates it is that operator between two
 * factors (Lambda^{1/2} x Lambda^{1/2}).
 *
 * Source: Shen et al. (2025), Theorems 3.1 and 4.1: |W^t - W*|^2 <= exp(-t/kappa) |W^0 - W*|^2, kappa = l / alpha, least and
 * largest Hessian eigenvalue over the ball around W* that holds W^0. The reduction to three numbers is ours.
 */
import { symmetricEigen } from '../../symmetric-eigen.ts';
import { estimateOver, lossDerivative, type MixtureSetting } from './optimum.ts';
import { type Scores, softmaxInto } from './scores.ts';

/** Eigenvalues in whitened coordinates: of multiples of I, of traceless symmetric and of antisymmetric matrices. */
export interface InvariantForm {
  readonly scalar: number;
  readonly symmetric: number;
  readonly antisymmetric: number;
}

/**
 * The form W -> E[ (W q)^T P^T J P (W q) ] averaged over rotations, from E s^T J s (s = P q) and E tr(P^T J P) |q|^2.
 */
function invariantForm(dimension: number, along: number, total: number): InvariantForm {
  const d = dimension;
  const scalar = along / d;
  if (d === 1) return { scalar, symmetric: scalar, antisymmetric: scalar };
  const antisymmetric = (total - along) / (d * (d - 1));
  const symmetric = (total - scalar - (antisymmetric * d * (d - 1)) / 2) / ((d * (d + 1)) / 2 - 1);
  return { scalar, symmetric, antisymmetric };
}

/** The Hessian at W = w Lambda^{-1}, whitened: J = diag(yhat) - yhat yhat^T. */
export function hessianAt(points: Scores, dimension: number, w: number): InvariantForm {
  const { classes, scores, squaredNorm, perpendicular } = points;
  const yhat = new Float64Array(scores.length);
  const along = (i: number) => {
    const at = i * classes;
    let [first, second] = [0, 0];
    for (let k = at; k < at + classes; k++) {
      first += yhat[k]! * scores[k]!;
      second += yhat[k]! * scores[k]! ** 2;
    }
    return second - first * first;
  };
  const across = (i: number) => {
    const at = i * classes;
    let sum = 0;
    for (let k = at; k < at + classes; k++) sum += yhat[k]! * (1 - yhat[k]!) * perpendicular[k]!;
    return sum * squaredNorm[i]!;
  };
  for (let i = 0; i < points.count; i++) softmaxInto(scores, w, yhat, i * classes, classes);
  const alongMean = estimateOver(points, along).mean;
  return invariantForm(dimension, alongMean, alongMean + estimateOver(points, across).mean);
}

/**
 * A form that is at least the Hessian at every W: J is at most 1/2 (softmax), so 1/2 E[P^T P x q q^T]; for two classes
 * sigma' <= 1/4 and the difference of the two p, 1/4 E[p p^T x q q^T]. Closed.
 */
export function smoothnessForm({ dimension, classes, radius }: MixtureSetting, N: number): InvariantForm {
  const [d, c, r2] = [dimension, classes, radius * radius];
  const queries = d + r2;
  if (c === 2) {
    // p = mu/2 + noise of covariance C/N, C = I + s s^T/4.
    const shared = 2 * r2 + r2 * r2 * (1 + 1 / d);
    const along = (shared / 4) * (1 + 1 / N) + queries / N;
    const total = (r2 / 2 + (d + r2 / 2) / N) * queries;
    return invariantForm(d, along / 4, total / 4);
  }
  // E n_k^2 / N^2 and the class's noise.
  const share2 = 1 / (c * c) + (1 - 1 / c) / (c * N);
  const along = share2 * (c * r2 + r2 * r2 * (1 + (c - 1) / d)) + queries / N;
  const total = (c * share2 * r2 + d / N) * queries;
  return invariantForm(d, along / 2, total / 2);
}

/**
 * Ends of the spectrum of (Lambda^{1/2} x Lambda^{1/2}) F (Lambda^{1/2} x Lambda^{1/2}) for an invariant form F, from
 * Lambda's eigenvalues: off the diagonal of Lambda's eigenbasis F couples W_ij with W_ji only.
 */
export function spectrumEnds(form: InvariantForm, variances: readonly number[]): { least: number; largest: number } {
  const { scalar, symmetric, antisymmetric } = form;
  const d = variances.length;
  const shared = (scalar - symmetric) / d;
  const onDiagonal = variances.map((a, i) => variances.map((b, j) => a * b * ((i === j ? symmetric : 0) + shared)));
  const values = symmetricEigen(onDiagonal).values;
  for (let i = 0; i < d; i++) {
    for (let j = 0; j < i; j++) {
      const product = variances[i]! * variances[j]!;
      values.push(product * symmetric, product * antisymmetric);
    }
  }
  return { least: Math.min(...values), largest: Math.max(...values) };
}

/**
 * Population gradient descent from W = 0 with identity covariance stays on multiples of I:
 * w_{t+1} = w_t - (eta / d) f(w_t). @returns w_0 .. w_steps.
 */
export function descentPath(points: Scores, dimension: number, rate: number, steps: number): number[] {
  const path = [0];
  for (let t = 0; t < steps; t++) {
    const w = path.at(-1)!;
    path.push(w - (rate / dimension) * lossDerivative(points, w).mean);
  }
  return path;
}
