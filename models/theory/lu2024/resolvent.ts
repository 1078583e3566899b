/**
 * The trace of the resolvent of the tasks' sample covariance in the limit, and the effective ridge that solves the
 * self-consistent equation of the pretraining.
 */
import { UsageError } from '../../errors.ts';
import { findRoot } from '../../scalar-search.ts';

/** A point of the phase diagram. */
export interface Phase {
  /** Pretraining contexts n / d^2. */
  readonly tau: number;
  /** Context length l / d. */
  readonly alpha: number;
  /** Task diversity k / d; Infinity: every context has a task of its own. */
  readonly kappa: number;
  /** Variance of the label noise; the signal's is 1. */
  readonly rho: number;
  /** Ridge; 0: the limit from above. */
  readonly lambda: number;
}

/** @throws {UsageError} naming the number that is impossible. */
export function checkPhase({ tau, alpha, kappa, rho, lambda }: Phase): void {
  const positive = { tau, alpha, kappa };
  for (const [where, value] of Object.entries(positive)) {
    if (!(value > 0) || (where !== 'kappa' && !Number.isFinite(value))) {
      throw new UsageError({ where, expected: 'a number above 0', got: String(value) });
    }
  }
  for (const [where, value] of Object.entries({ rho, lambda })) {
    if (!(value >= 0 && Number.isFinite(value))) {
      throw new UsageError({ where, expected: 'a number, 0 or more', got: String(value) });
    }
  }
  if (lambda === 0 && tau === 1) {
    throw new UsageError({
      where: 'tau',
      expected: 'another value than 1 without a ridge: both errors are infinite there',
      got: '1 with lambda = 0',
      remedy: 'Set lambda above 0, or tau beside 1.',
    });
  }
}

/** q = (1 + rho) / alpha: the variance that a finite context adds to each feature. */
export const contextVariance = ({ alpha, rho }: Pick<Phase, 'alpha' | 'rho'>): number => (1 + rho) / alpha;

/**
 * M_kappa(s) = lim (1/d) tr (R_k + s I)^-1 with R_k = (1/k) sum_j w_j w_j^T, by the Marchenko-Pastur law:
 *   M = 2 / (a + D),  a = s + 1 - 1/kappa,  D = sqrt(a^2 + 4 s / kappa)
 * Where a < 0 (few tasks, small s) a + D cancels, and the conjugate (D - a) kappa / (2 s) is used.
 */
export function resolventTrace(s: number, kappa: number): number {
  if (kappa === Number.POSITIVE_INFINITY) return 1 / (1 + s);
  const a = s + 1 - 1 / kappa;
  const D = Math.sqrt(a * a + (4 * s) / kappa);
  return a > 0 ? 2 / (a + D) : ((D - a) * kappa) / (2 * s);
}

/** M'_kappa(s) = -lim (1/d) tr (R_k + s I)^-2 = -(M^2 / 2) (1 + (s + 1 + 1/kappa) / D). */
export function resolventTraceDerivative(s: number, kappa: number): number {
  if (kappa === Number.POSITIVE_INFINITY) return -1 / (1 + s) ** 2;
  const a = s + 1 - 1 / kappa;
  const D = Math.sqrt(a * a + (4 * s) / kappa);
  return -0.5 * resolventTrace(s, kappa) ** 2 * (1 + (s + 1 + 1 / kappa) / D);
}

/**
 * The effective ridge: the unique positive root xi of
 *   xi M_kappa(q + xi) - tau lambda / xi = 1 - tau,
 * whose left side increases in xi. Without a ridge 0 for tau > 1, where tau lambda / xi tends to tau - 1, and
 * (1 - tau) / (tau M_{kappa/tau}(q)) for tau < 1.
 * @throws {UsageError} on impossible numbers, and for tau = 1 with lambda = 0.
 */
export function effectiveRidge(phase: Phase): number {
  checkPhase(phase);
  const { tau, kappa, lambda } = phase;
  const q = contextVariance(phase);
  if (lambda === 0) return tau > 1 ? 0 : (1 - tau) / (tau * resolventTrace(q, kappa / tau));
  const f = (logXi: number) => {
    const xi = Math.exp(logXi);
    return xi * resolventTrace(q + xi, kappa) - (tau * lambda) / xi - (1 - tau);
  };
  let high = 0;
  while (f(high) < 0) high += 2;
  let low = high;
  while (f(low) > 0) low -= 2;
  return Math.exp(findRoot(f, low, high));
}

/** The ridge that has a given effective ridge: lambda = xi (xi M(q + xi) - 1 + tau) / tau. Below 0 where there is none. */
export function ridgeOf(xi: number, phase: Omit<Phase, 'lambda'>): number {
  const M = resolventTrace(contextVariance(phase) + xi, phase.kappa);
  return (xi * (xi * M - 1 + phase.tau)) / phase.tau;
}
