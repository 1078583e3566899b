/** Where an error is least in the context length: longer contexts may hurt (Figure 3). All without a ridge. */
import { findMinimum } from '../../scalar-search.ts';
import type { Phase } from './resolvent.ts';
import { ridgelessIclRisk, ridgelessIdgRisk } from './ridgeless.ts';

export interface LengthMinimum {
  /** alpha of the shortest context from which on a longer one hurts. */
  readonly alpha: number;
  readonly risk: number;
}

/** A rise of less than this is not counted. Source: the authors' notebook of Figure 3. */
const SMALLEST_RISE = 1e-5;

/** The grid on which a rise is looked for: alpha from 10^-2 to 10^3. */
export interface LengthGrid {
  readonly low: number;
  readonly high: number;
  readonly count: number;
}

export const lengthGrid: LengthGrid = { low: 1e-2, high: 1e3, count: 500 };

/**
 * The first local minimum of e(alpha) on the grid's range, its ends not counted; null where there is none, up to
 * {@link SMALLEST_RISE}. (For many pretraining contexts e may rise a little from alpha = 0 before it falls.)
 */
export function lengthMinimum(
  of: 'iclRisk' | 'idgRisk',
  point: Pick<Phase, 'tau' | 'kappa' | 'rho'>,
  { low, high, count }: LengthGrid = lengthGrid,
): LengthMinimum | null {
  const risk = of === 'iclRisk' ? ridgelessIclRisk : ridgelessIdgRisk;
  const at = (logAlpha: number) => risk({ ...point, alpha: Math.exp(logAlpha) });
  const step = Math.log(high / low) / (count - 1);
  let highest = at(Math.log(low));
  let least = Number.POSITIVE_INFINITY;
  let where = 0;
  for (let i = 0; i < count; i++) {
    const value = at(Math.log(low) + i * step);
    if (value < least) {
      least = value;
      where = i;
    } else if (least > highest - SMALLEST_RISE) {
      // Still climbing from the shortest contexts: what is least there is an end of the grid and no minimum.
      highest = value;
      least = value;
      where = i;
    } else if (value > least + SMALLEST_RISE) {
      const from = Math.log(low) + Math.max(0, where - 1) * step;
      const logAlpha = findMinimum(at, from, Math.log(low) + (where + 1) * step);
      return { alpha: Math.exp(logAlpha), risk: at(logAlpha) };
    }
  }
  return null;
}
