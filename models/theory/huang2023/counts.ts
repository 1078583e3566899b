/**
 * Descent with sampled prompts: at every step fresh count vectors c ~ Multinomial(N, p), exact over the task w. What training
 * does, without its tokens.
 *
 * Counts are drawn feature by feature as binomials, each by inverting its distribution function at one uniform number.
 */
import { UsageError } from '../../errors.ts';
import { fillExponentialsForPrompts, type Generator } from '../../random.ts';
import { checkLength } from './finite-length.ts';

export interface CountSimulation {
  readonly probabilities: readonly number[];
  readonly N: number;
  readonly eta: number;
  readonly steps: number;
  /** Count vectors per step, shared by all queries. */
  readonly prompts: number;
  readonly generator: Generator;
  /** Sees V^T Q V, `[n * K + k]` for key n and query k, before each step and after the last; the array is reused. */
  readonly visit: (step: number, logits: Float64Array) => void;
}

/** Draws count vectors, `[prompts, K]`, from uniform numbers of the same shape. */
function multinomialFrom(uniforms: Float64Array, probabilities: readonly number[], N: number, out: Float64Array): void {
  const K = probabilities.length;
  for (let row = 0; row < out.length; row += K) {
    let left = N;
    let rest = 1;
    for (let k = 0; k < K - 1; k++) {
      const chance = Math.min(1, probabilities[k]! / rest);
      const count = left === 0 ? 0 : inverseBinomial(uniforms[row + k]!, left, chance);
      out[row + k] = count;
      left -= count;
      rest -= probabilities[k]!;
    }
    out[row + K - 1] = left;
  }
}

/** The smallest c with P(Binomial(n, p) <= c) >= u. From the ends inwards: n is some hundreds here. */
function inverseBinomial(u: number, n: number, p: number): number {
  if (p >= 1) return n;
  if (p > 0.5) return n - inverseBinomial(1 - u, n, 1 - p);
  let probability = (1 - p) ** n;
  let below = probability;
  const odds = p / (1 - p);
  let count = 0;
  while (below < u && count < n) {
    probability *= (odds * (n - count)) / (count + 1);
    count++;
    below += probability;
    if (probability === 0 && count > n * p) break;
  }
  return count;
}

/** @throws {UsageError} for a length at which (1 - p)^N underflows. */
export function simulateCounts({ probabilities, N, eta, steps, prompts, generator, visit }: CountSimulation): void {
  checkLength(N);
  if (N > 1000) throw new UsageError({ where: 'N', expected: 'at most 1000 pairs', got: String(N) });
  const K = probabilities.length;
  const exponentials = new Float32Array(prompts * K);
  const uniforms = new Float64Array(prompts * K);
  const counts = new Float64Array(prompts * K);
  const logits = new Float64Array(K * K);
  const weights = new Float64Array(K * K);
  const slopes = new Float64Array(K * K);
  const shares = new Float64Array(K);
  for (let step = 0; ; step++) {
    visit(step, logits);
    if (step >= steps) return;
    fillExponentialsForPrompts(generator, { prompt: step * prompts, purpose: 0 }, prompts, exponentials, K);
    for (let i = 0; i < uniforms.length; i++) uniforms[i] = -Math.expm1(-exponentials[i]!);
    multinomialFrom(uniforms, probabilities, N, counts);
    for (let i = 0; i < weights.length; i++) weights[i] = Math.exp(logits[i]!);
    slopes.fill(0);
    for (let row = 0; row < counts.length; row += K) {
      for (let k = 0; k < K; k++) {
        let total = 0;
        for (let n = 0; n < K; n++) {
          const weight = counts[row + n]! * weights[n * K + k]!;
          shares[n] = weight;
          total += weight;
        }
        let squares = 0;
        for (let n = 0; n < K; n++) {
          const share = shares[n]! / total;
          shares[n] = share;
          squares += share * share;
        }
        const own = shares[k]!;
        for (let n = 0; n < K; n++) {
          const share = shares[n]!;
          slopes[n * K + k] = slopes[n * K + k]! + share * (squares - own - share + (n === k ? 1 : 0));
        }
      }
    }
    for (let n = 0; n < K; n++) {
      for (let k = 0; k < K; k++) {
        logits[n * K + k] = logits[n * K + k]! + (eta * probabilities[k]! * slopes[n * K + k]!) / prompts;
      }
    }
  }
}
