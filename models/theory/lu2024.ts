/**
 * The asymptotic theory of Lu, Letey, Zavatone-Veth, Maiti, Pehlevan (2025), "Asymptotic theory of in-context learning by
 * linear attention" (PNAS 122(28), arXiv 2405.11751), in float64, and what follows from it.
 *
 * Notation: d token dimension, l context length, k pretraining tasks, n pretraining contexts;
 * alpha = l/d, kappa = k/d, tau = n/d^2; rho variance of the label noise (the signal's is 1); lambda ridge.
 */
export * from './lu2024/asymptotic-risk.ts';
export * from './lu2024/context-length.ts';
export * from './lu2024/finite-risk.ts';
export * from './lu2024/limits.ts';
export * from './lu2024/optimal-ridge.ts';
export * from './lu2024/report.ts';
export * from './lu2024/resolvent.ts';
export * from './lu2024/ridgeless.ts';
