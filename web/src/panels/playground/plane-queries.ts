/** What is asked about a plane, in the order in which it is answered. Pure numbers. */
import { gridOf, lineThrough } from './geometry.ts';
import type { Situation } from './situation.ts';

/** Queries on the line through the probe. */
export const SLICE = 65;

export interface PlaneQuestion {
  readonly situation: Situation;
  /** Of the line. */
  readonly axis: 0 | 1;
}

/** `[1 + size^2 + SLICE, 2]`: the probe, the grid row by row from the top left, the line. */
export function queriesOf({ situation, axis }: PlaneQuestion, size: number): Float32Array {
  const { probe, half } = situation;
  const parts = [Float32Array.from(probe), gridOf(half, size), lineThrough(probe, axis, half, SLICE)];
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
