/**
 * Shapes of dense row-major arrays: sizes, broadcasting and the checks at module edges.
 * Knows nothing about what the numbers mean.
 */
import { ShapeError } from './errors.ts';

export type Shape = readonly number[];

/** Number of entries of an array of this shape; 1 for a scalar. */
export function sizeOf(shape: Shape): number {
  return shape.reduce((product, length) => product * length, 1);
}

/** `[2, 3]`, as errors and reports write a shape. */
export function formatShape(shape: readonly (number | string)[]): string {
  return `[${shape.join(', ')}]`;
}

/** Row-major strides of a contiguous array. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis]!;
  }
  return strides;
}

/** Axis counted from the front; `-1` is the last one. */
export function normalizeAxis(where: string, axis: number, rank: number): number {
  const normalized = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(axis) || normalized < 0 || normalized >= rank) {
    throw new ShapeError({ where, expected: `an axis of a tensor of rank ${rank}`, got: String(axis) });
  }
  return normalized;
}

/**
 * The shape two arrays broadcast to, by numpy's rule: align at the right, lengths are equal or one of them is 1.
 * Works on symbolic lengths too, where a name equals only itself.
 * @throws {ShapeError} if some axis has two different lengths, neither of them 1.
 */
export function broadcastShapes<D extends number | string>(where: string, a: readonly D[], b: readonly D[]): D[] {
  const rank = Math.max(a.length, b.length);
  const result: D[] = [];
  for (let fromRight = rank; fromRight >= 1; fromRight--) {
    const lengthA = a[a.length - fromRight];
    const lengthB = b[b.length - fromRight];
    if (lengthA === undefined || lengthA === 1) result.push((lengthB ?? lengthA) as D);
    else if (lengthB === undefined || lengthB === 1 || lengthA === lengthB) result.push(lengthA);
    else {
      throw new ShapeError({
        where,
        expected: 'shapes that broadcast',
        got: `${formatShape(a)} and ${formatShape(b)}`,
      });
    }
  }
  return result;
}

/** Throws a {@link ShapeError} unless both shapes are equal. */
export function assertShape(where: string, got: Shape, expected: Shape): void {
  if (got.length !== expected.length || got.some((length, axis) => length !== expected[axis])) {
    throw new ShapeError({ where, expected: `shape ${formatShape(expected)}`, got: formatShape(got) });
  }
}
