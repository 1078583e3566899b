/**
 * Comparing numbers: `|a - b| <= absolute + relative |b|`, NaN never equal, length first; a failure names the worst entry
 * and how many failed. Tolerances by what computed the numbers, with the reason.
 */
import { expect } from 'vitest';

export interface Tolerance {
  readonly relative: number;
  readonly absolute: number;
}

/** float64 against float64: rounding of a few hundred operations. */
export const float64: Tolerance = { relative: 1e-10, absolute: 1e-12 };

/** Numbers quoted from a paper's table to six or seven digits. */
export const printed: Tolerance = { relative: 0, absolute: 6e-7 };

export function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: Tolerance): void {
  expect(actual.length, 'length').toBe(expected.length);
  let failed = 0;
  let worst = -1;
  let worstExcess = 0;
  for (let i = 0; i < expected.length; i++) {
    const allowed = tolerance.absolute + tolerance.relative * Math.abs(expected[i]!);
    const excess = Math.abs(actual[i]! - expected[i]!) - allowed;
    if (!(excess <= 0)) {
      failed++;
      if (worst < 0 || Number.isNaN(excess) || excess > worstExcess) {
        worst = i;
        worstExcess = excess;
      }
    }
  }
  if (failed > 0) {
    expect.fail(
      `${failed} of ${expected.length} entries differ; worst at ${worst}: ${actual[worst]} instead of ${expected[worst]} ` +
        `(allowed: ${tolerance.absolute} + ${tolerance.relative} relative)`,
    );
  }
}
