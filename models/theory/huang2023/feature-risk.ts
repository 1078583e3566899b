/**
 * The exact risk of a softmax attention layer with any matrix Q on any features, orthonormal or not, at any length, under
 * any probabilities and label noise: by the integral of `finite-length.ts`, without sampling.
 *
 *   prediction - <w, v_k> = <w, nu sum_n Attn_n v_n - v_k> + noise,
 *   risk = sum_k p'_k E|nu sum_n Attn_n v_n - v_k|^2 + s^2 (1 + nu^2 E sum_i attn_i^2)
 *
 * with E[w w^T] = I; only V Q V^T and the Gram matrix V V^T enter. Not in the paper.
 */
import type { Matrix } from '../../matrix.ts';
import { checkLength, quadratureNodes, quadratureStep } from './finite-length.ts';

export interface FeatureRisk {
  /** v_n^T v_m, `[K, K]`; the identity for orthonormal features. */
  readonly gram: Matrix;
  /** Logits v_n^T Q v_k, key n and query k, `[K, K]`. */
  readonly logits: Matrix;
  /** Of the context's features. */
  readonly probabilities: readonly number[];
  /** Of the query's; default: the same. */
  readonly queryProbabilities?: readonly number[];
  /** Pairs in the prompt. */
  readonly length: number;
  /** Value weight; default 1. */
  readonly nu?: number;
  /** Default 0. */
  readonly noiseVariance?: number;
}

/** Mean squared error given that the query is v_k, for every k: twice L_k without noise. */
export function featureRisks(law: FeatureRisk): number[] {
  checkLength(law.length);
  return law.probabilities.map((_, k) => riskOfQuery(law, k));
}

/** Mean squared error over the query's law. */
export function featureRisk(law: FeatureRisk): number {
  checkLength(law.length);
  const queries = law.queryProbabilities ?? law.probabilities;
  return queries.reduce(
    (sum, probability, k) => (probability === 0 ? sum : sum + probability * riskOfQuery(law, k)),
    0,
  );
}

function riskOfQuery({ gram, logits, probabilities, length: N, nu = 1, noiseVariance = 0 }: FeatureRisk, k: number) {
  const shown = probabilities.map((p, n) => ({ p, n })).filter(({ p }) => p > 0);
  const largest = Math.max(...shown.map(({ n }) => logits[n]![k]!));
  const features = shown.map(({ p, n }) => ({ p, n, weight: Math.exp(logits[n]![k]! - largest) }));
  const mean = features.reduce((sum, { p, weight }) => sum + p * weight, 0);
  const smallest = Math.min(...features.map(({ weight }) => weight));
  const { first, count } = quadratureNodes(N, smallest, mean);
  const isOrthonormal = gram.every((row, i) => row.every((value, j) => value === (i === j ? 1 : 0)));
  const rows = features.map(({ n }) => features.map(({ n: m }) => gram[n]![m]!));
  const size = features.length;
  const shares = new Float64Array(size);
  let linear = 0; // E (G Attn)_k
  let quadratic = 0; // E Attn^T G Attn
  let tokens = 0; // E sum_i attn_i^2
  for (let i = 0; i < count; i++) {
    const u = Math.exp(first + i * quadratureStep);
    let phi = 0;
    for (let f = 0; f < size; f++) {
      const { p, weight } = features[f]!;
      shares[f] = p * Math.exp(-u * weight);
      phi += shares[f]!;
    }
    const one = N * Math.exp(N * Math.log(phi)) * quadratureStep * u;
    if (one === 0) continue;
    const two = one * (N - 1) * u;
    let single = 0;
    let cross = 0;
    for (let f = 0; f < size; f++) {
      const { weight, n } = features[f]!;
      const x = (weight * shares[f]!) / phi;
      shares[f] = x;
      linear += one * x * gram[k]![n]!;
      single += weight * x * gram[n]![n]!;
      tokens += one * u * weight * x;
    }
    for (let f = 0; f < size; f++) {
      if (isOrthonormal) cross += shares[f]! ** 2;
      else for (let g = 0; g < size; g++) cross += shares[f]! * shares[g]! * rows[f]![g]!;
    }
    quadratic += two * cross + one * u * single;
  }
  return nu ** 2 * quadratic - 2 * nu * linear + gram[k]![k]! + noiseVariance * (1 + nu ** 2 * tokens);
}
