/** The plane's frame in units of its drawing, the same for what is live and for what is taken away: axes, places, marks. */

import type { Mark } from '../../../../studies/figures/theme.ts';
import { linearTicks } from '../../../../studies/figures/ticks.ts';
import type { Place } from './geometry.ts';

/** The drawing is `side` wide and high; the square plane stands in it. */
export const frame = { side: 440, left: 36, top: 8, inner: 396 } as const;

export const toX = (x1: number, half: number): number => frame.left + ((x1 + half) / (2 * half)) * frame.inner;
export const toY = (x2: number, half: number): number => frame.top + ((half - x2) / (2 * half)) * frame.inner;

/** A place of the drawing as a place of the plane. */
export const toPlace = (x: number, y: number, half: number): Place => [
  ((x - frame.left) / frame.inner) * 2 * half - half,
  half - ((y - frame.top) / frame.inner) * 2 * half,
];

export const ticksOf = (half: number): readonly number[] => linearTicks([-half, half], 6);

/** A mark about (0, 0), as the data of a path. */
export function markPath(mark: Mark, r: number): string {
  switch (mark) {
    case 'square': {
      const s = 0.88 * r;
      return `M${-s} ${-s}H${s}V${s}H${-s}Z`;
    }
    case 'triangle': {
      const w = 1.1 * r;
      return `M0 ${-1.15 * r}L${w} ${0.8 * r}H${-w}Z`;
    }
    case 'diamond2':
      return `M0 ${-1.2 * r}L${1.2 * r} 0L0 ${1.2 * r}L${-1.2 * r} 0Z`;
    case 'hexagon':
      return `M${r} 0L${r / 2} ${0.87 * r}H${-r / 2}L${-r} 0L${-r / 2} ${-0.87 * r}H${r / 2}Z`;
    default:
      return `M${r} 0A${r} ${r} 0 1 1 ${-r} 0A${r} ${r} 0 1 1 ${r} 0Z`;
  }
}

/** The probe: a cross with a gap in its middle. */
export const crossPath = (r: number, gap: number): string =>
  `M${-r} 0H${-gap}M${gap} 0H${r}M0 ${-r}V${-gap}M0 ${gap}V${r}`;
