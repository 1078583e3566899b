/**
 * The closed forms of Ding, Lu, Lu, Nowicki, Gao (2025), "Optimality and NP-Hardness of Transformers in Learning Markovian
 * Dynamical Functions" (arXiv 2510.18638), in float64, and what follows from them.
 *
 * Notation: a chain has D + 1 states, the first D are the covariates x, the last is the response y; n chains are the context,
 * one more the query; a fresh kernel per prompt. b and A are the parts of a layer that reach its prediction b' G A x.
 */
export * from './ding2025/best-layer.ts';
export * from './ding2025/factoring.ts';
export * from './ding2025/features.ts';
export * from './ding2025/known-kernel.ts';
export * from './ding2025/length-two.ts';
export * from './ding2025/many-states.ts';
export * from './ding2025/moments.ts';
export * from './ding2025/objectives.ts';
export * from './ding2025/pareto.ts';
export * from './ding2025/quadratic.ts';
export * from './ding2025/report.ts';
export * from './ding2025/separability.ts';
