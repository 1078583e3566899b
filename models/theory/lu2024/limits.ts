/** What the asymptotic errors tend to, and how fast, along the edges of the phase diagram. All without a ridge. */
import { contextVariance, type Phase, resolventTrace, resolventTraceDerivative } from './resolvent.ts';

type Point = Pick<Phase, 'alpha' | 'kappa' | 'rho'>;

/** Both errors after infinitely many contexts, tau -> infinity: Gamma = R_k (R_k + q I)^-1. */
export function infiniteContexts(point: Point): { iclRisk: number; idgRisk: number } {
  const { kappa, rho } = point;
  const q = contextVariance(point);
  const m = resolventTrace(q, kappa);
  const squared = 1 - 2 * q * m - q * q * resolventTraceDerivative(q, kappa);
  return { iclRisk: (1 + q) * squared - 2 * (1 - q * m) + 1 + rho, idgRisk: rho + q * (1 - q * m) };
}

/** The residues of the double-descent peak: lim |tau - 1| e as tau -> 1, the same from either side. */
export function peakResidues(point: Point): { icl: number; idg: number } {
  const q = contextVariance(point);
  const m = resolventTrace(q, point.kappa);
  const idg = point.rho + q * (1 - q * m);
  return { icl: (1 + q) * m * idg, idg };
}

/** Both errors as tau -> infinity and then alpha -> infinity: rho + (1 - kappa)_+ and rho. Task diversity decides. */
export const longContexts = ({ kappa, rho }: Pick<Phase, 'kappa' | 'rho'>): { iclRisk: number; idgRisk: number } => ({
  iclRisk: rho + Math.max(0, 1 - kappa),
  idgRisk: rho,
});

/** e_ICL - e_IDG as alpha and tau grow together, tau / alpha = c: (1 - kappa)_+ (1 + (rho / (1 + rho)) / c). */
export function jointGap({ kappa, rho }: Pick<Phase, 'kappa' | 'rho'>, c: number): number {
  return Math.max(0, 1 - kappa) * (1 + rho / (1 + rho) / c);
}

/**
 * How e_ICL - e_IDG vanishes in that limit, to leading order in q = (1 + rho) / alpha:
 * sqrt(q) (1/2 + rho / ((1 + rho) c)) at kappa = 1, and rho / ((kappa - 1) c alpha) above.
 */
export function jointGapDecay(point: Point, c: number): number {
  const { alpha, kappa, rho } = point;
  if (kappa === 1) return Math.sqrt(contextVariance(point)) * (0.5 + rho / ((1 + rho) * c));
  return rho / ((kappa - 1) * c * alpha);
}

/** lim kappa (e_ICL - e_IDG) for many tasks, tau > 1: 2 q^2 / (1+q)^3 + (rho + q / (1+q)) / ((1+q)^2 (tau - 1)). */
export function diverseGap(point: Pick<Phase, 'alpha' | 'rho' | 'tau'>): number {
  const q = contextVariance(point);
  return (2 * q * q) / (1 + q) ** 3 + (point.rho + q / (1 + q)) / ((1 + q) ** 2 * (point.tau - 1));
}

/**
 * lim e_ICL / alpha for long contexts at fixed tau: above 0 if kappa < min(tau, 1), so that there too long a context hurts:
 * (rho / (1 + rho)) (1 - kappa) / (tau - 1) for tau > 1, (rho / (1 + rho)) (tau - kappa) / (1 - tau) for tau < 1.
 */
export function longContextSlope({ tau, kappa, rho }: Pick<Phase, 'tau' | 'kappa' | 'rho'>): number {
  if (kappa >= Math.min(tau, 1)) return 0;
  return (rho / (1 + rho)) * (tau > 1 ? (1 - kappa) / (tau - 1) : (tau - kappa) / (1 - tau));
}
