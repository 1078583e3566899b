/** The ridge that makes an error least. */
import { findMinimum } from '../../scalar-search.ts';
import { risksAt } from './asymptotic-risk.ts';
import { contextVariance, effectiveRidge, type Phase, resolventTrace, ridgeOf } from './resolvent.ts';

export interface OptimalRidge {
  /** 0 where any ridge hurts. */
  readonly lambda: number;
  /** The error there. */
  readonly risk: number;
}

/**
 * Least e_ICL or e_IDG over the ridge. Searched over the effective ridge xi, which is explicit in it. With infinitely many
 * tasks the answer is lambda = ((1 + q)^2 rho + q (1 + q)) / tau for both; else the two differ.
 */
export function optimalRidge(of: 'iclRisk' | 'idgRisk', point: Omit<Phase, 'lambda'>): OptimalRidge {
  const { tau, kappa } = point;
  const q = contextVariance(point);
  // Without a ridge xi starts at 0 (tau >= 1) or where xi M(q + xi) = 1 - tau.
  const least = tau < 1 ? effectiveRidge({ ...point, lambda: 0 }) : 0;
  const risk = (offset: number) => risksAt(least + offset, 0, point)[of];
  const scale = 1 + q + least;
  const grid = Array.from({ length: 121 }, (_, i) => scale * 10 ** (-9 + i / 10));
  let best = 0;
  for (let i = 1; i < grid.length; i++) if (risk(grid[i]!) < risk(grid[best]!)) best = i;
  if (best === 0 && (tau === 1 || risk(0) <= risk(grid[0]!))) {
    return { lambda: tau === 1 ? ridgeOf(grid[0]!, point) : 0, risk: risk(grid[0]!) };
  }
  const [low, high] = [grid[Math.max(0, best - 1)]!, grid[Math.min(grid.length - 1, best + 1)]!];
  const offset = Math.exp(findMinimum((log) => risk(Math.exp(log)), Math.log(low), Math.log(high)));
  const xi = least + offset;
  // Where tau < 1 the difference xi M - (1 - tau) cancels unless it is taken from the start of the range.
  const atLeast = least === 0 ? 1 - tau : least * resolventTrace(q + least, kappa);
  const lambda = (xi * (xi * resolventTrace(q + xi, kappa) - atLeast)) / tau;
  return { lambda, risk: risk(offset) };
}
