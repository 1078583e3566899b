/** The errors without a ridge (lambda -> 0+) in closed form: an independent way to the numbers of `asymptotic-risk.ts`. */
import { checkPhase, contextVariance, resolventTrace as M, type Phase, resolventTraceDerivative } from './resolvent.ts';

/**
 * With m = M_kappa(q) and mu = q M_{kappa/tau}(q):
 *   tau < 1: tau (1 + q) / (1 - tau) (1 - tau (1 - mu)^2 + mu (rho / q - 1)) - 2 tau (1 - mu) + 1 + rho
 *   tau > 1: (1 + q) (1 - 2 q m - q^2 M'(q) + m (rho + q - q^2 m) / (tau - 1)) - 2 (1 - q m) + 1 + rho
 * @throws {UsageError} on impossible numbers, and at tau = 1.
 */
export function ridgelessIclRisk(phase: Omit<Phase, 'lambda'>): number {
  checkPhase({ ...phase, lambda: 0 });
  const { tau, kappa, rho } = phase;
  const q = contextVariance(phase);
  if (tau < 1) {
    const mu = q * M(q, kappa / tau);
    const bracket = 1 - tau * (1 - mu) ** 2 + mu * (rho / q - 1);
    return ((tau * (1 + q)) / (1 - tau)) * bracket - 2 * tau * (1 - mu) + 1 + rho;
  }
  const m = M(q, kappa);
  const bracket = 1 - 2 * q * m - q * q * resolventTraceDerivative(q, kappa) + (m / (tau - 1)) * (rho + q - q * q * m);
  return (1 + q) * bracket - 2 * (1 - q * m) + 1 + rho;
}

/**
 * With xi = (1 - tau) q / (tau mu) and p = 1 / (1 - kappa (1 + kappa xi / (1 - tau))^-2):
 *   tau < 1: tau / (1 - tau) ((rho + q - 2 q (1 - tau) (q / xi + 1)) / (1 - p (1 - tau)) + tau mu (q + xi)^2 / q)
 *   tau > 1: tau / (tau - 1) (rho + q (1 - q m))
 * @throws {UsageError} on impossible numbers, and at tau = 1.
 */
export function ridgelessIdgRisk(phase: Omit<Phase, 'lambda'>): number {
  checkPhase({ ...phase, lambda: 0 });
  const { tau, kappa, rho } = phase;
  const q = contextVariance(phase);
  if (tau > 1) return (tau / (tau - 1)) * (rho + q * (1 - q * M(q, kappa)));
  const mu = q * M(q, kappa / tau);
  const xi = ((1 - tau) * q) / (tau * mu);
  // kappa / (1 + kappa xi / (1 - tau))^2 tends to 0 as the number of tasks grows.
  const p = kappa === Number.POSITIVE_INFINITY ? 1 : 1 / (1 - kappa / (1 + (kappa * xi) / (1 - tau)) ** 2);
  const first = (rho + q - 2 * q * (1 - tau) * (q / xi + 1)) / (1 - p * (1 - tau));
  return (tau / (1 - tau)) * (first + (tau * mu * (q + xi) ** 2) / q);
}
