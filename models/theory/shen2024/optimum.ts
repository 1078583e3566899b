/**
 * Where training ends: under a prior of means that is invariant under rotations of the whitened space, the cross-entropy of
 * the one-layer classifier is least at W*_N = w_N Lambda^{-1} for every N, one scalar. w_N is the root of
 *
 *   f(w) = E[ sum_k (softmax(w s)_k - P(y = k | q)) s_k ] = 0,
 *
 * which increases in w; w_N = c (1 + gamma_N) with gamma_N = O(c/N) < 0, of which the leading term is closed.
 *
 * Source: Shen et al. (2025), Theorem 3.1 and 4.1 (W* = c (Lambda^{-1} + G), |G| = O(c/N)); that G is gamma_N Lambda^{-1}
 * under invariance, and gamma's leading term, are derived here: the printed theorem only bounds G.
 */
import { DataError } from '../../errors.ts';
import { createGenerator, streams } from '../../random.ts';
import { chiSquareRule, normalRule, sphereCoordinateRule } from '../gauss-quadrature.ts';
import { pointsPerShift } from '../lattice.ts';
import { binaryScores } from './binary-scores.ts';
import { type LatticeSettings, latticeScores, type Scores, softmaxInto } from './scores.ts';

/** A task has c means r u_k, u_k independent and uniform on the unit sphere of the whitened R^d. */
export interface MixtureSetting {
  readonly dimension: number;
  readonly classes: number;
  readonly radius: number;
}

/** A number with its standard error: 0 where a quadrature gives it to 3 digits or more. */
export interface Estimate {
  readonly mean: number;
  readonly standardError: number;
}

/** Mean of group means, and their standard error; every group weighs the same. */
export function estimateOver({ count, groups, weights }: Scores, value: (point: number) => number): Estimate {
  const size = count / groups;
  const means = Array.from({ length: groups }, (_, group) => {
    let sum = 0;
    for (let i = group * size; i < (group + 1) * size; i++) sum += weights[i]! * value(i);
    return sum;
  });
  const mean = means.reduce((a, b) => a + b, 0) / groups;
  if (groups === 1) return { mean, standardError: 0 };
  const variance = means.reduce((sum, each) => sum + (each - mean) ** 2, 0) / (groups - 1);
  return { mean, standardError: Math.sqrt(variance / groups) };
}

/** Contexts of N pairs of a setting: two classes by quadrature, more by lattice points. */
export function trainingScores(setting: MixtureSetting, N: number, lattice?: LatticeSettings): Scores {
  const { dimension, classes, radius } = setting;
  if (classes === 2) return binaryScores({ dimension, radius, contextLength: N });
  const radii = new Array<number>(classes).fill(radius);
  return latticeScores({ dimension, radii, contextLength: N }, lattice);
}

/** f(w) of the head comment and f'(w) = E[ s^T J s ] > 0, J = diag(yhat) - yhat yhat^T, in one pass. */
function derivatives(points: Scores, w: number): { readonly first: Estimate; readonly second: number } {
  const { classes, count, scores: s, posterior } = points;
  const prediction = new Float64Array(count * classes);
  const slope = new Float64Array(count);
  const curvature = new Float64Array(count);
  for (let i = 0, at = 0; i < count; i++) {
    softmaxInto(s, w, prediction, at, classes);
    let [predicted, actual, square] = [0, 0, 0];
    for (const end = at + classes; at < end; at++) {
      const [score, yhat] = [s[at]!, prediction[at]!];
      predicted += yhat * score;
      actual += posterior[at]! * score;
      square += yhat * score * score;
    }
    slope[i] = predicted - actual;
    curvature[i] = square - predicted * predicted;
  }
  return { first: estimateOver(points, (i) => slope[i]!), second: estimateOver(points, (i) => curvature[i]!).mean };
}

/** f(w): d times the derivative of the loss along W = w Lambda^{-1} / sqrt(d), in whitened coordinates. */
export const lossDerivative = (scores: Scores, w: number): Estimate => derivatives(scores, w).first;

/**
 * The root w of f: the scalar of W* = w Lambda^{-1}, to some 14 digits on the given points, with the standard error that the
 * points leave. Newton steps, halved towards the bracket where they would leave it.
 */
export function optimalScale(scores: Scores): Estimate {
  let [low, high] = [0, Number.POSITIVE_INFINITY];
  let w = 0.7 * scores.classes;
  for (let step = 0; step < 60; step++) {
    const { first, second } = derivatives(scores, w);
    if (first.mean > 0) high = w;
    else low = w;
    const newton = w - first.mean / second;
    const inside = newton > low && newton < high;
    const next = inside ? newton : high < Number.POSITIVE_INFINITY ? (low + high) / 2 : 2 * w;
    if (Math.abs(next - w) < 1e-7 * w) return { mean: next, standardError: first.standardError / second };
    w = next;
  }
  throw new DataError({ where: 'optimalScale', expected: 'a root within 60 steps', got: `${w} still moving` });
}

/** w_N: for two classes to 3 digits or more by quadrature, with a standard error for more; c for N = Infinity. */
export function optimalScaleAt(setting: MixtureSetting, N: number, lattice?: LatticeSettings): Estimate {
  if (N === Number.POSITIVE_INFINITY) return { mean: setting.classes, standardError: 0 };
  return optimalScale(trainingScores(setting, N, lattice));
}

/**
 * lim N gamma_N, two classes, with a = A and C~ = I + s s^T/4 in whitened coordinates:
 *
 *   -2 E[ (q^T C~ q) (a sigma''(a) + 2 sigma'(a)) ] / E[ sigma'(a) a^2 ]
 */
export function binaryLeadingOrder({ dimension, radius }: Omit<MixtureSetting, 'classes'>): number {
  const angle = sphereCoordinateRule(40, dimension);
  const xi = normalRule(60);
  let [above, below] = [0, 0];
  angle.nodes.forEach((rho, i) => {
    const D2 = 2 * radius * radius * (1 - rho);
    const H2 = 2 * radius * radius * (1 + rho);
    const D = Math.sqrt(D2);
    // E[q^T C~ q | A] = A^2/D^2 + E S^2/H^2 + (d - 2) + E S^2/4, with S ~ N(H^2/2, H^2)
    const ofSum = (H2 > 1e-12 ? 1 + H2 / 4 : 0) + (H2 + (H2 * H2) / 4) / 4;
    const rest = chiSquareRule(1, Math.max(0, dimension - 2)).nodes[0]!;
    xi.nodes.forEach((x, j) => {
      const weight = angle.weights[i]! * xi.weights[j]!;
      const a = D2 / 2 + D * x;
      const along = D2 > 1e-12 ? a / D : 0;
      const s = 1 / (1 + Math.exp(-a));
      const first = s * (1 - s);
      const second = first * (1 - 2 * s);
      above += weight * (along * along + ofSum + rest) * (a * second + 2 * first);
      below += weight * first * a * a;
    });
  });
  return (-2 * above) / below;
}

/**
 * lim N gamma_N for c classes, with a_k = mu_k^T q, s = softmax(a), J = diag(s) - s s^T, H_klm = s_k [(delta_kl - s_l)
 * (delta_km - s_m) - J_lm] and K_kl = delta_kl c (|q|^2 + a_k^2) - a_k a_l, N times the covariance of c (p_k - mu_k/c)^T q:
 *
 *   -E[ tr(J K) + (1/2) sum_k a_k sum_lm H_klm K_lm ] / E[ a^T J a ]
 */
export function leadingOrder(setting: MixtureSetting, lattice: LatticeSettings = {}): Estimate {
  const { classes, dimension, radius } = setting;
  if (classes === 2) return { mean: binaryLeadingOrder(setting), standardError: 0 };
  const radii = new Array<number>(classes).fill(radius);
  const law = { dimension, radii, contextLength: Number.POSITIVE_INFINITY };
  const limit = latticeScores(law, { generator: createGenerator(0, streams.theory), ...lattice });
  const a = new Float64Array(classes);
  const curvature = (i: number) => {
    const s = limit.posterior.subarray(i * classes, (i + 1) * classes);
    for (let k = 0; k < classes; k++) a[k] = classes * limit.scores[i * classes + k]!;
    return { s, q2: limit.squaredNorm[i]! };
  };
  const numerator = (i: number) => {
    const { s, q2 } = curvature(i);
    // K = diag(v) - a a^T: every sum over l and m splits into one over l and a square.
    let [meanV, meanA, meanA2, meanAV, meanA3] = [0, 0, 0, 0, 0];
    for (let k = 0; k < classes; k++) {
      const v = classes * (q2 + a[k]! * a[k]!);
      meanV += s[k]! * v;
      meanA += s[k]! * a[k]!;
      meanA2 += s[k]! * a[k]! * a[k]!;
    }
    let [traceJK, sKs] = [meanV - meanA2 + meanA * meanA, 0];
    for (let k = 0; k < classes; k++) {
      const v = classes * (q2 + a[k]! * a[k]!);
      traceJK -= s[k]! * s[k]! * v;
      sKs += s[k]! * s[k]! * v;
    }
    sKs -= meanA * meanA;
    for (let k = 0; k < classes; k++) {
      const v = classes * (q2 + a[k]! * a[k]!);
      const diagonal = v - a[k]! * a[k]!;
      const Ks = v * s[k]! - a[k]! * meanA;
      meanAV += s[k]! * a[k]! * (diagonal - 2 * Ks + sKs);
      meanA3 += s[k]! * a[k]!;
    }
    return traceJK + 0.5 * (meanAV - meanA3 * traceJK);
  };
  const denominator = (i: number) => {
    const { s } = curvature(i);
    let [first, second] = [0, 0];
    for (let k = 0; k < classes; k++) {
      first += s[k]! * a[k]!;
      second += s[k]! * a[k]! * a[k]!;
    }
    return second - first * first;
  };
  const below = estimateOver(limit, denominator).mean;
  const ratio = -estimateOver(limit, numerator).mean / below;
  // The error of a ratio: of what is left of the numerator once the ratio times the denominator is taken off.
  const { standardError } = estimateOver(limit, (i) => numerator(i) + ratio * denominator(i));
  return { mean: ratio, standardError: standardError / below };
}

/** Lattice points in all, for the notes of a report. */
export const latticeSize = (shifts: number): number => shifts * pointsPerShift;
