/**
 * The random numbers that everything about a one-layer classifier depends on, as weighted points.
 *
 * In whitened coordinates (x -> Lambda^{-1/2} x) a model W = w Lambda^{-1} gives class k the logit w s_k with
 *
 *   s_k = p_k^T q,  p_k = (1/M) sum_{i: y_i = k} x_i,
 *
 * and the truth is the softmax of the log-odds t_k = mu_k^T q - |mu_k|^2 / 2 + log pi_k. Given the query, the task's other
 * means enter through their angle with q only, and the context through class counts and one normal a class: some 3c numbers
 * however large the dimension. For two classes a product of Gauss rules gives w_N to 3 digits or more; for more, and
 * under shifts, lattice points do, with a standard error. Nothing here knows w.
 *
 * Source: Shen, Zhou, Yang, Shen (2025), "On the Training Convergence of Transformers for In-Context Classification of
 * Gaussian Mixtures" (arXiv 2410.11778); the reduction is ours. mu_k = r_k times a uniform point of the unit sphere.
 */
import { createGenerator, type Generator, streams } from '../../random.ts';
import { normalQuantile, pointsPerShift, quantileFunction, visitLattice } from '../lattice.ts';
import { binomialQuantiles } from './binomial.ts';

/** The law of a prompt in the whitened coordinates of training. */
export interface MixtureLaw {
  readonly dimension: number;
  /** r_k, the norm of mean k: its length is the number of classes. */
  readonly radii: readonly number[];
  /** pi_k. Default: uniform. */
  readonly prior?: readonly number[];
  /** Covariates have covariance kappa I about their mean. Default 1. */
  readonly covarianceScale?: number;
  /** A token's noise has variance kappa (1 - a) or kappa (1 + a), with equal chance. Default 0: Gaussian. */
  readonly scaleMixture?: number;
  /** Pairs in the context, M; Infinity for the limit. */
  readonly contextLength: number;
}

/** Points in groups of equal total weight 1; the groups are independent estimates, one group alone is a quadrature. */
export interface Scores {
  readonly classes: number;
  readonly count: number;
  readonly groups: number;
  /** `[count]`, 1 in all for each group. */
  readonly weights: Float64Array;
  /** `[count, classes]` s_k. */
  readonly scores: Float64Array;
  /** `[count, classes]` t_k, up to a constant for each point. */
  readonly truth: Float64Array;
  /** `[count, classes]` P(y = k | q), the softmax of the truth. */
  readonly posterior: Float64Array;
  /** `[count]` |q|^2. */
  readonly squaredNorm: Float64Array;
  /** `[count, classes]` E |p_k - (p_k^T q) q / |q|^2|^2 given the rest: what the Hessian needs beside s_k. */
  readonly perpendicular: Float64Array;
}

/** Scores that are still 0. */
export function allocateScores(classes: number, count: number, groups: number): Scores {
  const array = (columns: number) => new Float64Array(count * columns);
  return {
    classes,
    count,
    groups,
    weights: array(1),
    scores: array(classes),
    truth: array(classes),
    posterior: array(classes),
    squaredNorm: array(1),
    perpendicular: array(classes),
  };
}

/** Writes the softmax of `from[at .. at + classes]`, times `factor`, to the same place of `to`. */
export function softmaxInto(from: Float64Array, factor: number, to: Float64Array, at: number, classes: number): void {
  let largest = Number.NEGATIVE_INFINITY;
  for (let k = 0; k < classes; k++) largest = Math.max(largest, factor * from[at + k]!);
  let sum = 0;
  for (let k = 0; k < classes; k++) {
    const size = Math.exp(factor * from[at + k]! - largest);
    to[at + k] = size;
    sum += size;
  }
  for (let k = 0; k < classes; k++) to[at + k]! /= sum;
}

/** Fills in the posterior, the softmax of the truth. */
export function finishScores(scores: Scores): Scores {
  const { count, classes, truth, posterior } = scores;
  for (let i = 0; i < count; i++) softmaxInto(truth, 1, posterior, i * classes, classes);
  return scores;
}

export interface LatticeSettings {
  /** Default 8 shifts of 4093 points. */
  readonly shifts?: number;
  readonly generator?: Generator;
}

/**
 * Any number of classes and any law, on lattice points: given the query's class y,
 *
 *   mu_y^T q = r_y^2 + r_y sqrt(kappa) e,   |q|^2 = (r_y + sqrt(kappa) e)^2 + kappa chi^2_{d-1},   mu_k^T q = r_k |q| t_k (k != y)
 *
 * with e standard normal and t_k coordinates of uniform points of the sphere, all independent;
 * s_k = (n_k mu_k^T q + sqrt(n_k kappa) |q| g_k) / M with multinomial counts n.
 */
export function latticeScores(law: MixtureLaw, { shifts = 8, generator }: LatticeSettings = {}): Scores {
  const { dimension, radii, contextLength: M, covarianceScale: kappa = 1, scaleMixture = 0 } = law;
  const classes = radii.length;
  const prior = law.prior ?? radii.map(() => 1 / classes);
  const hasNoise = Number.isFinite(M);
  const isExchangeable = radii.every((r) => r === radii[0]) && prior.every((p) => p === prior[0]);
  // Exchangeable classes: the query's class may as well be the first.
  const queryClasses = isExchangeable ? [0] : radii.map((_, y) => y);
  const groupSize = pointsPerShift * queryClasses.length;
  const out = allocateScores(classes, shifts * groupSize, shifts);
  const restQuantile =
    dimension === 1
      ? () => 0
      : quantileFunction((x) => x ** (dimension - 2) * Math.exp((-x * x) / 2), 0, Math.sqrt(dimension) + 8);
  const angleQuantile =
    dimension === 1
      ? (u: number) => (u < 0.5 ? 0 : Math.PI)
      : quantileFunction((angle) => Math.sin(angle) ** (dimension - 2), 0, Math.PI);
  const countsOf = hasNoise ? binomialQuantiles() : () => 0;
  const mixed = scaleMixture === 0 ? 0 : 1;
  // e, rest of q, variance of q | t_k | g_k | n_k | tokens of class k with the larger variance
  const dimensions = 3 + 4 * classes;
  const scales = [kappa * (1 - scaleMixture), kappa * (1 + scaleMixture)];
  visitLattice({ dimensions, shifts, generator: generator ?? createGenerator(0, streams.theory) }, (u, index) => {
    queryClasses.forEach((y, place) => {
      const at = index * queryClasses.length + place;
      const base = at * classes;
      const own = Math.sqrt(mixed ? scales[u[2]! < 0.5 ? 0 : 1]! : kappa);
      const e = normalQuantile(u[0]!);
      const along = radii[y]! + own * e;
      const q2 = along * along + own * own * restQuantile(u[1]!) ** 2;
      const norm = Math.sqrt(q2);
      out.weights[at] = (isExchangeable ? 1 : prior[y]!) / pointsPerShift;
      out.squaredNorm[at] = q2;
      let left = M;
      let chanceLeft = 1;
      for (let k = 0; k < classes; k++) {
        const r = radii[k]!;
        const product = k === y ? r * along : r * norm * Math.cos(angleQuantile(u[3 + k]!));
        out.truth[base + k] = logDensity({ product, q2, r, scales, kappa, dimension }) + Math.log(prior[k]!);
        let share = prior[k]!;
        let noise = 0;
        if (hasNoise) {
          const isLast = k === classes - 1;
          const n = isLast ? left : countsOf(left, Math.min(1, prior[k]! / chanceLeft), u[3 + 2 * classes + k]!);
          left -= n;
          chanceLeft -= prior[k]!;
          share = n / M;
          const wide = mixed ? countsOf(n, 0.5, u[3 + 3 * classes + k]!) : 0;
          noise = (mixed ? (n - wide) * scales[0]! + wide * scales[1]! : n * kappa) / (M * M);
        }
        out.scores[base + k] =
          share * product + (hasNoise ? Math.sqrt(noise * q2) * normalQuantile(u[3 + classes + k]!) : 0);
        out.perpendicular[base + k] =
          share * share * Math.max(0, r * r - (product * product) / q2) + (dimension - 1) * noise;
      }
    });
  });
  return finishScores(out);
}

interface DensityAt {
  /** mu_k^T q and |q|^2, with |mu_k| = r. */
  readonly product: number;
  readonly q2: number;
  readonly r: number;
  /** The two variances of a scale mixture; equal ones are a Gaussian. */
  readonly scales: readonly number[];
  readonly kappa: number;
  readonly dimension: number;
}

/** Log density of q given class k, up to what all classes share. */
function logDensity({ product, q2, r, scales, kappa, dimension }: DensityAt): number {
  if (scales[0] === scales[1]) return (2 * product - r * r) / (2 * kappa);
  const distance2 = q2 - 2 * product + r * r;
  const [narrow, wide] = scales.map((v) => -distance2 / (2 * v) - (dimension / 2) * Math.log(v)) as [number, number];
  const largest = Math.max(narrow, wide);
  return largest + Math.log(Math.exp(narrow - largest) + Math.exp(wide - largest));
}
