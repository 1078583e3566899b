/** Claims: how a comparison of a measurement with theory is put into a row, and when it is flagged. */
import type { EvaluationRow } from '../infer/evaluate.ts';
import type { Claim } from './study.ts';

/** More standard errors than this between measurement and theory flag a claim. */
export const largestZ = 4;

export interface Comparison {
  readonly label: string;
  readonly theory: number;
  readonly measured: number;
  readonly standardError: number;
}

/** z of one comparison. A measurement without any spread agrees if it is the theory's number up to float32 rounding. */
export function zScore({ theory, measured, standardError }: Omit<Comparison, 'label'>): number {
  const difference = measured - theory;
  const rounding = 1e-6 * (Math.abs(theory) + Math.abs(measured)) + 1e-9;
  const isRounding = Number.isFinite(measured) && Math.abs(difference) <= rounding && standardError <= rounding;
  if (isRounding) return 0;
  return difference / standardError;
}

/** One claim about several comparisons: the row shows the one with the largest |z|. */
export function statisticalClaim(statement: string, comparisons: readonly Comparison[]): Claim {
  const scored = comparisons.map((comparison) => ({ ...comparison, z: zScore(comparison) }));
  const worst = scored.reduce((a, b) => (Math.abs(b.z) > Math.abs(a.z) || Number.isNaN(b.z) ? b : a));
  const holds = Math.abs(worst.z) <= largestZ;
  return {
    statement: comparisons.length === 1 ? statement : `${statement}; worst of ${comparisons.length}: ${worst.label}`,
    points: comparisons.length,
    theory: worst.theory,
    measured: worst.measured,
    standardError: worst.standardError,
    z: worst.z,
    verdict: holds ? 'agrees' : `differs by more than ${largestZ} standard errors`,
    holds,
  };
}

/** A claim that something without a standard error stays below a limit. */
export function boundClaim(
  statement: string,
  { measured, limit, theory = null, shown }: { measured: number; limit: number; theory?: number | null; shown: string },
): Claim {
  const holds = measured <= limit;
  return {
    statement,
    points: 1,
    theory,
    measured,
    standardError: null,
    z: null,
    verdict: holds ? `within ${shown}` : `above ${shown}`,
    holds,
  };
}

/** The comparisons that evaluation rows make: those of the model that have a theory value. */
export function comparisonsOf(rows: readonly EvaluationRow[]): Comparison[] {
  return rows.flatMap(({ estimator, shift, level, contextLength, theory, risk, standardError }) =>
    estimator === 'model' && theory !== null
      ? [
          {
            label: shift === null ? `M = ${contextLength}` : `${shift} ${level}`,
            theory,
            measured: risk,
            standardError,
          },
        ]
      : [],
  );
}
