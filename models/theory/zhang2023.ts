/**
 * The closed forms of Zhang, Frei, Bartlett (2024), "Trained Transformers Learn Linear Models In-Context"
 * (JMLR 25(49), arXiv 2306.09927), in float64, and what follows from them. Equations and theorems are numbered as there.
 *
 * Notation: D covariates' dimension, Lambda their covariance, N context length in training, M at test (either may be
 * Infinity), W^PV and W^KQ the layer's matrices with last row (u12^T, u) and first D columns [U11; u21^T].
 */
export * from './zhang2023/bayes-risk.ts';
export * from './zhang2023/covariance-law.ts';
export * from './zhang2023/exact-risk.ts';
export * from './zhang2023/flow.ts';
export * from './zhang2023/gamma.ts';
export * from './zhang2023/random-covariance.ts';
export * from './zhang2023/report.ts';
export * from './zhang2023/risk.ts';
export * from './zhang2023/shift.ts';
