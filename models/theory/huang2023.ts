/**
 * The dynamics of Huang, Cheng, Liang (2024), "In-context Convergence of Transformers" (ICML, arXiv 2310.05249), in float64,
 * and what follows from them: one layer of softmax attention, trained by gradient descent from Q = 0 on prompts whose
 * covariates are K orthonormal features.
 *
 * Notation: feature k has probability p_k; A_k = v_k^T Q v_k and B_{k,n} = v_n^T Q v_k (query v_k, key v_n) are the logits;
 * Attn_n is the attention that all pairs showing v_n get together; N pairs per prompt, learning rate eta. L_k is half the
 * expected squared error when the query is v_k. The thresholds of the phases (0.49, 1.01) and their orders are the paper's;
 * all numbers of steps are computed here.
 */
export * from './huang2023/counts.ts';
export * from './huang2023/descent.ts';
export * from './huang2023/enumeration.ts';
export * from './huang2023/events.ts';
export * from './huang2023/feature-law.ts';
export * from './huang2023/feature-risk.ts';
export * from './huang2023/finite-length.ts';
export * from './huang2023/formulas.ts';
export * from './huang2023/mean-field.ts';
export * from './huang2023/report.ts';
