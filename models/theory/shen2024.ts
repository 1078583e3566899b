/**
 * The closed forms of Shen, Zhou, Yang, Shen (2025), "On the Training Convergence of Transformers for In-Context
 * Classification of Gaussian Mixtures" (ICML 2025, arXiv 2410.11778), in float64, and what follows from them.
 *
 * Notation: d covariates' dimension, Lambda their covariance about the class mean mu_k, c classes, N pairs in training, M at
 * test (either may be Infinity); the model's logit of class k is p_k^T W q with p_k = (1/M) sum_{i: y_i = k} x_i; for two
 * classes the sigmoid of the difference, which is the paper's binary model. sigma is the logistic function.
 */
export * from './shen2024/binary-scores.ts';
export * from './shen2024/convergence.ts';
export * from './shen2024/general-prior.ts';
export * from './shen2024/inference-error.ts';
export * from './shen2024/matrix-risk.ts';
export * from './shen2024/optimum.ts';
export * from './shen2024/report.ts';
export * from './shen2024/scores.ts';
