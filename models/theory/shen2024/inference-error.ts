/**
 * How far the prediction of a model W = w Lambda^{-1} is from the true law of the label: total variation (1/2) sum_k
 * |yhat_k - P_k|, expected over test prompts. Exact by lattice points, its first order in closed form, and an upper bound.
 *
 * Source: Shen et al. (2025), Theorems 3.2 and 4.2: O(1/N + 1/sqrt(M)) for two classes, O(c^2/N + c^{3/2}/sqrt(M)) for c.
 * The first-order forms are derived here; the bound is the theorem's in our reading of it.
 */
import { errorFunction } from '../../error-function.ts';
import { inverse, type Matrix } from '../../matrix.ts';
import { symmetricEigen } from '../../symmetric-eigen.ts';
import { type Estimate, estimateOver, type MixtureSetting } from './optimum.ts';
import { type LatticeSettings, latticeScores, type Scores, softmaxInto } from './scores.ts';

/** Expected scores of predictions, each with a standard error. */
export interface ClassificationRisks {
  readonly totalVariation: Estimate;
  /** -sum_k P_k log yhat_k. */
  readonly crossEntropy: Estimate;
  /** Chance that the likeliest predicted class is the label. */
  readonly accuracy: Estimate;
  /** Chance that the truly likeliest class is: no predictor has more. */
  readonly bayesAccuracy: Estimate;
}

/** The expectations over the points' law, which may be shifted, for logits w s_k. */
export function classificationRisks(points: Scores, w: number): ClassificationRisks {
  const { classes, count, scores, posterior } = points;
  const prediction = new Float64Array(count * classes);
  for (let i = 0; i < count; i++) softmaxInto(scores, w, prediction, i * classes, classes);
  const over = (value: (at: number) => number) => estimateOver(points, (i) => value(i * classes));
  return {
    totalVariation: over((at) => {
      let sum = 0;
      for (let k = at; k < at + classes; k++) sum += Math.abs(prediction[k]! - posterior[k]!);
      return sum / 2;
    }),
    crossEntropy: over((at) => {
      let sum = 0;
      for (let k = at; k < at + classes; k++) if (posterior[k]! > 0) sum -= posterior[k]! * Math.log(prediction[k]!);
      return sum;
    }),
    accuracy: over((at) => posterior[indexOfLargest(prediction, at, classes)]!),
    bayesAccuracy: over((at) => posterior[indexOfLargest(posterior, at, classes)]!),
  };
}

function indexOfLargest(values: Float64Array, at: number, classes: number): number {
  let best = at;
  for (let k = at + 1; k < at + classes; k++) if (values[k]! > values[best]!) best = k;
  return best;
}

/** E |b + S g| for a standard normal g: S sqrt(2/pi) exp(-b^2 / 2 S^2) + b (1 - 2 Phi(-b/S)). */
export function meanAbsoluteNormal(b: number, S: number): number {
  if (S === 0) return Math.abs(b);
  const ratio = b / S;
  return S * Math.sqrt(2 / Math.PI) * Math.exp((-ratio * ratio) / 2) + b * errorFunction(ratio / Math.SQRT2);
}

/**
 * E TV at first order in gamma and 1/sqrt(M), c classes: yhat - P = J (gamma a + e), e ~ N(0, K/M), each entry normal:
 *
 *   (1/2) sum_k E|b_k + S_k g|,  b = gamma J a,  S_k^2 = (J K J)_kk / M,  K_kl = delta_kl c (|q|^2 + a_k^2) - a_k a_l
 *
 * For two classes sigma'(A) E|gamma A + S g| with S^2 = ((mu_0 + mu_1)^T q)^2 / M + 4 |q|^2 / M.
 */
export function firstOrderTotalVariation(
  setting: MixtureSetting,
  { gamma, M }: { readonly gamma: number; readonly M: number },
  lattice?: LatticeSettings,
): Estimate {
  const { classes, dimension, radius } = setting;
  const radii = new Array<number>(classes).fill(radius);
  const limit = latticeScores({ dimension, radii, contextLength: Number.POSITIVE_INFINITY }, lattice);
  return estimateOver(limit, (i) => {
    const at = i * classes;
    const a = (k: number) => classes * limit.scores[at + k]!;
    const q2 = limit.squaredNorm[i]!;
    let [meanA, weighted] = [0, 0];
    for (let k = 0; k < classes; k++) {
      const s = limit.posterior[at + k]!;
      meanA += s * a(k);
      weighted += s * s * (q2 + a(k) ** 2);
    }
    let sum = 0;
    for (let k = 0; k < classes; k++) {
      const s = limit.posterior[at + k]!;
      const Ja = s * (a(k) - meanA);
      // sum_l J_kl^2 v_l = s_k^2 (sum_l s_l^2 v_l + (1 - 2 s_k) v_k), v_l = c (|q|^2 + a_l^2)
      const square = s * s * classes * (weighted + (1 - 2 * s) * (q2 + a(k) ** 2));
      sum += meanAbsoluteNormal(gamma * Ja, Math.sqrt(Math.max(0, square - Ja * Ja) / M));
    }
    return sum / 2;
  });
}

/** One binary task and query in the data's own coordinates, and the trained W = 2 (Lambda^{-1} + G). */
export interface BinaryPrompt {
  readonly covariance: Matrix;
  readonly means: readonly [readonly number[], readonly number[]];
  readonly query: readonly number[];
  readonly G: Matrix;
  /** Pairs in the test prompt. */
  readonly M: number;
}

const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
const apply = (matrix: Matrix, vector: readonly number[]) => matrix.map((row) => dot(row, vector));

function logOdds({ covariance, means: [mu0, mu1], query }: BinaryPrompt) {
  const solved = apply(inverse(covariance), query);
  const difference = mu1.map((value, i) => value - mu0[i]!);
  const sum = mu1.map((value, i) => value + mu0[i]!);
  const a = dot(difference, solved);
  const s = 1 / (1 + Math.exp(-a));
  return { solved, difference, sum, slope: s * (1 - s) };
}

/** First order of E|yhat - P(y = 1 | q)| over contexts, for one task and query of equal norms. */
export function firstOrderError(prompt: BinaryPrompt): number {
  const { solved, difference, sum, slope } = logOdds(prompt);
  const b = dot(difference, apply(prompt.G, prompt.query));
  const variance = (dot(sum, solved) ** 2 + 4 * dot(prompt.query, solved)) / prompt.M;
  return slope * meanAbsoluteNormal(b, Math.sqrt(variance));
}

/**
 * The theorem's bound at first order, with u = 2 (mu_0 + mu_1):
 *
 *   sigma'(a) { max|G_ij| sum_ij |mu_i q_j| + M^{-1/2} [ |u^T Lambda^{-1} q| / 2 + 2 sqrt(2/pi) sum_ij |(Lambda^{-1/2})_ij q_j| ] }
 */
export function errorBound(prompt: BinaryPrompt): number {
  const { solved, difference, sum, slope } = logOdds(prompt);
  const { query, G, covariance, M } = prompt;
  const l1 = (vector: readonly number[]) => vector.reduce((total, value) => total + Math.abs(value), 0);
  const largest = Math.max(...G.flat().map(Math.abs));
  const { values, vectors } = symmetricEigen(covariance);
  let roots = 0;
  for (let i = 0; i < query.length; i++) {
    for (let j = 0; j < query.length; j++) {
      const root = values.reduce((t, value, k) => t + (vectors[i]![k]! * vectors[j]![k]!) / Math.sqrt(value), 0);
      roots += Math.abs(root * query[j]!);
    }
  }
  const sampling = (Math.abs(2 * dot(sum, solved)) / 2 + 2 * Math.sqrt(2 / Math.PI) * roots) / Math.sqrt(M);
  return slope * (largest * l1(difference) * l1(query) + sampling);
}
