/**
 * Arithmetic on lengths that may be symbolic, as shape inference needs it. A computed length gets a derived name:
 * `context` and 1 are `context_plus_1`. Two axes of one name have one length: ONNX Runtime relies on that when it
 * reuses buffers, so a name is only given where the lengths are surely equal.
 */
import { ShapeError } from '../models/errors.ts';
import type { Dim } from './graph.ts';

/** A symbolic length plus a whole number: `context_plus_1` less 1 is `context` again. */
function offset(name: string, by: number): string {
  const derived = /^(.+)_(plus|minus)_(\d+)$/.exec(name);
  const base = derived?.[1] ?? name;
  const total = by + (derived === null ? 0 : Number(derived[3]) * (derived[2] === 'plus' ? 1 : -1));
  if (total === 0) return base;
  return `${base}_${total > 0 ? 'plus' : 'minus'}_${Math.abs(total)}`;
}

/** Length of two axes joined. */
export function addDims(a: Dim, b: Dim): Dim {
  if (typeof a === 'number') return typeof b === 'number' ? a + b : offset(b, a);
  return typeof b === 'number' ? offset(a, b) : `${a}_plus_${b}`;
}

/** Length of two axes joined to one. */
export function multiplyDims(a: Dim, b: Dim): Dim {
  if (typeof a === 'number' && typeof b === 'number') return a * b;
  if (a === 1) return b;
  if (b === 1) return a;
  return typeof a === 'number' ? `${b}_times_${a}` : `${a}_times_${b}`;
}

/**
 * Length of entries `start` to `end` of an axis; negative numbers count from its end. A symbolic axis is taken to be
 * long enough for what is asked; a fixed one is cut off as numpy does.
 * @throws {ShapeError} if the length of a symbolic axis decides it, as from the second last to the third.
 */
export function sliceDim(where: string, dim: Dim, start: number, end: number | undefined): Dim {
  if (typeof dim === 'number') {
    const clamp = (index: number) => Math.min(dim, Math.max(0, index < 0 ? index + dim : index));
    return Math.max(0, clamp(end ?? dim) - clamp(start));
  }
  if (end === undefined) return start < 0 ? -start : offset(dim, -start);
  if (start < 0 === end < 0) return Math.max(0, end - start);
  if (start >= 0) return offset(dim, end - start);
  throw new ShapeError({
    where,
    expected: `a slice whose length does not depend on ${dim} alone`,
    got: `${start} to ${end}`,
  });
}
