/** The formulas that need no iteration: the start, the tail, the floor, and linear attention's best on the same prompts. */

/**
 * L_k at Q = 0, exactly: ½ [1 - 2 p_k + s_2 + (1 - s_2)/N] with s_2 = sum_n p_n^2. N may be Infinity.
 * Derived here (uniform attention: the second moments of multinomial counts).
 */
export function initialLoss(probabilities: readonly number[], target: number, N: number): number {
  const squares = probabilities.reduce((sum, p) => sum + p * p, 0);
  return (1 - 2 * probabilities[target]! + squares + (1 - squares) / N) / 2;
}

/**
 * The late law L_k ~ 1 / (4 p_k eta t): close to the target r = 1 - Attn_k obeys r' = -eta p_k r^3 up to the others' share.
 * Exactly, the ratio of the two tends to 1 - 1/K (Phase IV evens out the other features' attention); it is 1 to 1.4 when L_k is
 * around .001 or a little less. The paper bounds the time to eps by O(K log(K eps^{-1/2}) / (eps eta)), the same order up to the logarithm.
 */
export const tailLoss = (probability: number, eta: number, step: number): number => 1 / (4 * probability * eta * step);

/**
 * What no training removes, approximately: ½ (1 - p_k)^N (1 + 1/(K-1)). The query's feature is missing from the prompt with
 * probability (1 - p_k)^N; attention then spreads over the other K - 1 features. The paper: e^{-poly(K)}.
 */
export const missingFeatureFloor = (probability: number, K: number, N: number): number =>
  ((1 - probability) ** N * (1 + 1 / (K - 1))) / 2;

/**
 * The least L_k that any Q can have at a fixed value weight nu, as N grows: of ½ [(1 - nu a)^2 + nu^2 (1 - a)^2/(K-1)], target
 * attention a and the rest spread evenly. For nu <= 1 that is ½ (1 - nu)^2 at a = 1; for nu > 1 attention must be shared.
 */
export function valueWeightFloor(nu: number, K: number): number {
  const target = Math.min(1, (1 / nu + 1 / (K - 1)) / (1 + 1 / (K - 1)));
  return ((1 - nu * target) ** 2 + (nu ** 2 * (1 - target) ** 2) / (K - 1)) / 2;
}

/**
 * The least L_k of one-layer linear attention on the same prompts: prediction = P_kk (1/N) sum_i y_i <v_k, x_i> with the best
 * P_kk = 1/(p_k + (1 - p_k)/N), so that L_k = ½ (1 - p_k) / (N p_k + 1 - p_k). It falls like 1/(N p_k), softmax attention's
 * floor exponentially. Derived here.
 */
export const linearAttentionLoss = (probability: number, N: number): number =>
  (1 - probability) / (N * probability + 1 - probability) / 2;
