/** Draws as points, curves and tables of the figures. */
import { asymptoticRisk } from '../../models/theory/lu2024.ts';
import type { MeasuredPoint, Point } from '../figures/marks.ts';
import { showNumber } from '../numbers.ts';
import type { ReportTable } from '../report.ts';
import type { Estimate, GridResult } from './grid.ts';

export const measuredAt = (x: number, { mean, standardError }: Estimate): MeasuredPoint => ({
  x,
  y: mean,
  standardError,
});

export const unique = <T>(values: readonly T[]): T[] => [...new Set(values)];

export const nameOfKappa = (kappa: number) => (kappa === Number.POSITIVE_INFINITY ? '∞' : String(kappa));

/** Every draw's point as a row, with theory at the whole numbers that it was done at. */
export function gridTable(results: readonly GridResult[]): ReportTable {
  return {
    columns: [
      'd',
      'τ',
      'α',
      'κ',
      'ρ',
      'λ',
      'draws',
      'ICL',
      'std. error',
      'theory',
      'IDG',
      'std. error',
      'theory',
      'solver',
    ],
    rows: results.map(({ point, phase, iclRisk, idgRisk, results: draws }) => {
      const theory = point.kind === 'dmmse' ? null : asymptoticRisk(phase);
      const most = Math.max(...draws.map(({ iterations }) => iterations));
      return [
        point.d,
        showNumber(phase.tau, 4),
        showNumber(phase.alpha, 4),
        phase.kappa === Number.POSITIVE_INFINITY ? 'inf' : showNumber(phase.kappa, 4),
        phase.rho,
        phase.lambda,
        point.draws,
        iclRisk.mean,
        iclRisk.standardError,
        theory?.iclRisk ?? null,
        idgRisk.mean,
        idgRisk.standardError,
        theory?.idgRisk ?? null,
        most > 0 ? `${most} iterations` : draws[0]!.method,
      ];
    }),
  };
}

/** A curve on a grid; where it leaves the axis it is interrupted. */
export const curve = (grid: readonly number[], y: (x: number) => number): Point[] => grid.map((x) => ({ x, y: y(x) }));
