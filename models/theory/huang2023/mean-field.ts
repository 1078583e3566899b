/**
 * One step of the population dynamics as N grows: counts are their expectations, so that
 *
 *   Attn_n = p_n e^{q_n} / sum_m p_m e^{q_m}
 *
 * for a query whose logits are q (q_k = A_k, q_n = B_{k,n}). With prediction = nu sum_i attn_i y_i (the paper: nu = 1) and
 * E[w w^T] = I,
 *
 *   L_k = ½ [(1 - nu Attn_k)^2 + nu^2 sum_{n != k} Attn_n^2]
 *   -dL_k/dq_n = nu Attn_n (nu sum_m Attn_m^2 - Attn_k - nu Attn_n + [n = k])
 *
 * which for nu = 1 is Attn_k (sum_{m != k} Attn_m^2 + (1 - Attn_k)^2) for the target and
 * Attn_n (sum_{m != k} Attn_m^2 - Attn_n - Attn_k (1 - Attn_k)) for the others. Times p_k these are alpha_k and beta_{k,n}.
 */
import type { QueryLaw } from './feature-law.ts';

/** What one query's logits mean. Arrays have one entry per group of features, each about one feature of the group. */
export interface QueryMoments {
  /** L_k */
  loss: number;
  /** E[Attn_n] */
  readonly attention: Float64Array;
  /** -dL_k/dq_n: alpha_k / p_k first, then beta_{k,n} / p_k. */
  readonly direction: Float64Array;
}

/** Computes the moments at given logits, one per group; the result is the same object at every call. */
export type MomentRule = (logits: Float64Array) => QueryMoments;

/** The rule of the limit of long prompts. */
export function meanFieldRule({ groups }: QueryLaw, nu = 1): MomentRule {
  const count = groups.length;
  const attention = new Float64Array(count);
  const direction = new Float64Array(count);
  const sizes = Float64Array.from(groups, ({ size }) => size);
  const probabilities = Float64Array.from(groups, ({ probability }) => probability);
  const moments: QueryMoments = { loss: 0, attention, direction };
  return (logits) => {
    let largest = Number.NEGATIVE_INFINITY;
    for (let g = 0; g < count; g++) largest = Math.max(largest, logits[g]!);
    let total = 0;
    for (let g = 0; g < count; g++) {
      const weight = probabilities[g]! * Math.exp(logits[g]! - largest);
      attention[g] = weight;
      total += sizes[g]! * weight;
    }
    let squares = 0;
    for (let g = 0; g < count; g++) {
      const share = attention[g]! / total;
      attention[g] = share;
      squares += sizes[g]! * share * share;
    }
    const own = attention[0]!;
    for (let g = 0; g < count; g++) {
      const share = attention[g]!;
      direction[g] = nu * share * (nu * squares - own - nu * share + (g === 0 ? 1 : 0));
    }
    moments.loss = (1 - 2 * nu * own + nu * nu * squares) / 2;
    return moments;
  };
}
