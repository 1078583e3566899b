/**
 * The three errors of the ridge solution in the joint limit d -> infinity with alpha, kappa, tau fixed, for any ridge.
 *
 * Why they look so: on features x (x) h the pretraining is ridge regression with covariance Sigma_h = R_k + q I (h's last
 * entry is subleading), whose deterministic equivalent has effective ridge xi; with nu = q + xi,
 *   1 - 2 nu M - nu^2 M' = tr R^2 (R + nu)^-2,  1 - nu M = tr R (R + nu)^-1,  M + xi M' = tr (R + q)(R + nu)^-2
 * (traces divided by d), and each error is bias + noise times variance.
 */
import { contextVariance, effectiveRidge, type Phase, resolventTrace, resolventTraceDerivative } from './resolvent.ts';

export interface AsymptoticRisk {
  /** Mean squared error on fresh tasks, label noise included. */
  readonly iclRisk: number;
  /** Mean squared error on the pretraining tasks, fresh contexts ("in-distribution generalisation"). */
  readonly idgRisk: number;
  /** Mean squared error on the pretraining contexts themselves, without the penalty. */
  readonly trainRisk: number;
  /** Effective ridge. */
  readonly xi: number;
}

/**
 * With df2 = 1 - 2 xi M - xi^2 M' and N = rho + nu - nu^2 M - xi (1 - 2 nu M - nu^2 M'):
 *   e_IDG = tau N / (tau - df2)
 *   e_ICL = (1 + q') (1 - 2 nu M - nu^2 M' + (e_IDG / tau) (M + xi M')) - 2 (1 - nu M) + 1 + rho
 *   e_train = (lambda / xi)^2 e_IDG
 * M and M' at nu; q' = (1 + rho) / alpha' for test contexts of another length l' = alpha' d, which e_ICL feels here only.
 * @param testAlpha alpha'; default: as in pretraining. It changes `iclRisk` alone.
 * @throws {UsageError} on impossible numbers, and for tau = 1 with lambda = 0.
 * Source: Lu et al. (2025), results 1 and 2, and their code; e_train checked by simulation only.
 */
export function asymptoticRisk(phase: Phase, testAlpha: number = phase.alpha): AsymptoticRisk {
  const xi = effectiveRidge(phase);
  // lambda / xi, which without a ridge is a limit.
  const ratio = phase.lambda > 0 ? phase.lambda / xi : Math.max(0, phase.tau - 1) / phase.tau;
  return risksAt(xi, ratio, phase, testAlpha);
}

/** The errors at a known effective ridge: what searches over the ridge use. */
export function risksAt(
  xi: number,
  ratio: number,
  phase: Omit<Phase, 'lambda'>,
  testAlpha: number = phase.alpha,
): AsymptoticRisk {
  const { tau, kappa, rho } = phase;
  const nu = contextVariance(phase) + xi;
  const M = resolventTrace(nu, kappa);
  const D = resolventTraceDerivative(nu, kappa);
  const squared = 1 - 2 * nu * M - nu * nu * D;
  const df2 = 1 - 2 * xi * M - xi * xi * D;
  const idgRisk = (tau * (rho + nu - nu * nu * M - xi * squared)) / (tau - df2);
  const testVariance = (1 + rho) / testAlpha;
  const iclRisk = (1 + testVariance) * (squared + (idgRisk / tau) * (M + xi * D)) - 2 * (1 - nu * M) + 1 + rho;
  return { iclRisk, idgRisk, trainRisk: ratio * ratio * idgRisk, xi };
}

/** e_ICL - e_IDG: 0 for a model that treats seen and unseen tasks alike. */
export const taskGap = ({ iclRisk, idgRisk }: Pick<AsymptoticRisk, 'iclRisk' | 'idgRisk'>): number => iclRisk - idgRisk;

/**
 * The risk of ridge regression on the context alone, which knows that w ~ N(0, I): the Bayes risk,
 *   rho (1 + M_alpha(rho / alpha) / alpha).
 * Without noise it is (1 - alpha)_+, the part of w that the context does not span.
 */
export function contextRidgeRisk({ alpha, rho }: Pick<Phase, 'alpha' | 'rho'>): number {
  if (rho === 0) return Math.max(0, 1 - alpha);
  return rho * (1 + resolventTrace(rho / alpha, alpha) / alpha);
}
