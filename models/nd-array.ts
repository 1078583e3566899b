/**
 * Dense arrays of float64 and what is done with them, axis by axis: the arithmetic behind `reference-ops.ts`. Plain loops that
 * can be checked by reading. Knows shapes; knows nothing of operations, models or prompts.
 */
import { ShapeError } from './errors.ts';
import { broadcastShapes, formatShape, normalizeAxis, type Shape, sizeOf, stridesOf } from './shape.ts';

/** A dense row-major array of float64. */
export interface NdArray {
  readonly shape: Shape;
  readonly data: Float64Array;
}

/**
 * An array with a copy of the given numbers.
 * @throws {ShapeError} if there are more or fewer numbers than the shape holds.
 */
export function fromFlat(shape: Shape, values: ArrayLike<number>): NdArray {
  if (values.length !== sizeOf(shape)) {
    throw new ShapeError({
      where: 'fromFlat',
      expected: `${sizeOf(shape)} numbers for shape ${formatShape(shape)}`,
      got: String(values.length),
    });
  }
  return { shape: [...shape], data: Float64Array.from(values) };
}

/** Strides with which `shape` is read as the larger `target`: 0 along each axis that broadcasts. */
function broadcastStrides(shape: Shape, target: Shape): number[] {
  const own = stridesOf(shape);
  const missing = target.length - shape.length;
  return target.map((_, axis) => (axis < missing || shape[axis - missing] === 1 ? 0 : own[axis - missing]!));
}

/** Calls `visit` for every index of `shape` but the last axis, with the offsets that two stride lists give. */
function forEachRow(
  shape: Shape,
  stridesA: readonly number[],
  stridesB: readonly number[],
  visit: (offsetA: number, offsetB: number, row: number) => void,
): void {
  const rank = shape.length;
  const rows = sizeOf(shape.slice(0, -1));
  const index = new Array<number>(rank).fill(0);
  let offsetA = 0;
  let offsetB = 0;
  for (let row = 0; row < rows; row++) {
    visit(offsetA, offsetB, row);
    for (let axis = rank - 2; axis >= 0; axis--) {
      index[axis] = index[axis]! + 1;
      offsetA += stridesA[axis]!;
      offsetB += stridesB[axis]!;
      if (index[axis]! < shape[axis]!) break;
      offsetA -= stridesA[axis]! * shape[axis]!;
      offsetB -= stridesB[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
}

export function elementwise(where: string, a: NdArray, b: NdArray, apply: (x: number, y: number) => number): NdArray {
  const shape = broadcastShapes(where, a.shape, b.shape);
  const data = new Float64Array(sizeOf(shape));
  if (a.data.length === data.length && b.data.length === data.length) {
    for (let i = 0; i < data.length; i++) data[i] = apply(a.data[i]!, b.data[i]!);
    return { shape, data };
  }
  const stridesA = broadcastStrides(a.shape, shape);
  const stridesB = broadcastStrides(b.shape, shape);
  const length = shape.at(-1)!; // two scalars have been handled above
  const [stepA, stepB] = [stridesA.at(-1)!, stridesB.at(-1)!];
  forEachRow(shape, stridesA, stridesB, (offsetA, offsetB, row) => {
    const at = row * length;
    for (let i = 0; i < length; i++) {
      data[at + i] = apply(a.data[offsetA + i * stepA]!, b.data[offsetB + i * stepB]!);
    }
  });
  return { shape, data };
}

/** Adds a row of `inner` numbers times a matrix `[inner, columns]`. Four of its rows at a time: each sum is read and written once for four products. */
function addRowProduct(
  a: Float64Array,
  atA: number,
  inner: number,
  b: Float64Array,
  atB: number,
  columns: number,
  out: Float64Array,
  at: number,
): void {
  let k = 0;
  for (; k + 3 < inner; k += 4) {
    const [f0, f1, f2, f3] = [a[atA + k]!, a[atA + k + 1]!, a[atA + k + 2]!, a[atA + k + 3]!];
    const from0 = atB + k * columns;
    const from1 = from0 + columns;
    const from2 = from1 + columns;
    const from3 = from2 + columns;
    for (let j = 0; j < columns; j++) {
      out[at + j] = out[at + j]! + f0 * b[from0 + j]! + f1 * b[from1 + j]! + f2 * b[from2 + j]! + f3 * b[from3 + j]!;
    }
  }
  for (; k < inner; k++) {
    const factor = a[atA + k]!;
    const from = atB + k * columns;
    for (let j = 0; j < columns; j++) out[at + j] = out[at + j]! + factor * b[from + j]!;
  }
}

/** `out[.., i, j] = sum_k a[.., i, k] b[.., k, j]`, leading axes broadcast. */
export function matMul(a: NdArray, b: NdArray): NdArray {
  if (a.shape.length < 2 || b.shape.length < 2) {
    throw new ShapeError({
      where: 'matMul',
      expected: 'operands of rank 2 or more',
      got: `${formatShape(a.shape)} and ${formatShape(b.shape)}`,
    });
  }
  const [rows, inner] = a.shape.slice(-2) as [number, number];
  const [innerB, columns] = b.shape.slice(-2) as [number, number];
  if (inner !== innerB) {
    throw new ShapeError({
      where: 'matMul',
      expected: 'as many columns on the left as rows on the right',
      got: `${formatShape(a.shape)} and ${formatShape(b.shape)}`,
    });
  }
  const leading = broadcastShapes('matMul', a.shape.slice(0, -2), b.shape.slice(0, -2));
  const shape = [...leading, rows, columns];
  const data = new Float64Array(sizeOf(shape));
  // One more axis, of length 1: a "row" of forEachRow is then one matrix.
  const stridesA = [...broadcastStrides(a.shape.slice(0, -2), leading).map((stride) => stride * rows * inner), 0];
  const stridesB = [...broadcastStrides(b.shape.slice(0, -2), leading).map((stride) => stride * inner * columns), 0];
  forEachRow([...leading, 1], stridesA, stridesB, (offsetA, offsetB, matrix) => {
    for (let i = 0; i < rows; i++) {
      addRowProduct(a.data, offsetA + i * inner, inner, b.data, offsetB, columns, data, (matrix * rows + i) * columns);
    }
  });
  return { shape, data };
}

/** A shape seen from one axis: `outer` blocks of `length` slots of `inner` numbers. */
function aroundAxis(
  where: string,
  shape: Shape,
  axis: number,
): [outer: number, length: number, inner: number, at: number] {
  const at = normalizeAxis(where, axis, shape.length);
  return [sizeOf(shape.slice(0, at)), shape[at]!, sizeOf(shape.slice(at + 1)), at];
}

export function transpose(a: NdArray): NdArray {
  if (a.shape.length < 2) {
    throw new ShapeError({ where: 'transpose', expected: 'rank 2 or more', got: formatShape(a.shape) });
  }
  const [rows, columns] = a.shape.slice(-2) as [number, number];
  const data = new Float64Array(a.data.length);
  for (let start = 0; start < data.length; start += rows * columns) {
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++) data[start + j * rows + i] = a.data[start + i * columns + j]!;
    }
  }
  return { shape: [...a.shape.slice(0, -2), columns, rows], data };
}

export function concat(values: readonly NdArray[], axis: number): NdArray {
  const first = values[0];
  if (first === undefined) throw new ShapeError({ where: 'concat', expected: 'at least one array', got: 'none' });
  const [outer, , inner, at] = aroundAxis('concat', first.shape, axis);
  for (const { shape } of values) {
    if (shape.length !== first.shape.length || shape.some((n, i) => i !== at && n !== first.shape[i])) {
      throw new ShapeError({
        where: 'concat',
        expected: `shapes equal to ${formatShape(first.shape)} but for axis ${at}`,
        got: formatShape(shape),
      });
    }
  }
  const length = values.reduce((sum, { shape }) => sum + shape[at]!, 0);
  const data = new Float64Array(outer * length * inner);
  for (let o = 0, to = 0; o < outer; o++) {
    for (const value of values) {
      const block = value.shape[at]! * inner;
      data.set(value.data.subarray(o * block, (o + 1) * block), to);
      to += block;
    }
  }
  return { shape: first.shape.map((n, i) => (i === at ? length : n)), data };
}

export function slice(a: NdArray, axis: number, start: number, end?: number): NdArray {
  const [outer, length, inner, at] = aroundAxis('slice', a.shape, axis);
  const from = start < 0 ? start + length : start;
  const to = end === undefined ? length : end < 0 ? end + length : end;
  if (!(Number.isInteger(from) && Number.isInteger(to) && 0 <= from && from <= to && to <= length)) {
    throw new ShapeError({
      where: 'slice',
      expected: `a range within axis ${at} of ${formatShape(a.shape)}`,
      got: `${start} to ${end ?? 'the end'}`,
    });
  }
  const data = new Float64Array(outer * (to - from) * inner);
  for (let o = 0; o < outer; o++) {
    const block = a.data.subarray((o * length + from) * inner, (o * length + to) * inner);
    data.set(block, o * (to - from) * inner);
  }
  return { shape: a.shape.map((n, i) => (i === at ? to - from : n)), data };
}

export function rows(a: NdArray): NdArray {
  const [outer, length, inner] = aroundAxis('rows', a.shape, -1);
  return { shape: [outer, length * inner], data: a.data };
}

export function expandDims(a: NdArray, axis: number): NdArray {
  const at = normalizeAxis('expandDims', axis, a.shape.length + 1);
  return { shape: [...a.shape.slice(0, at), 1, ...a.shape.slice(at)], data: a.data };
}

export function squeeze(a: NdArray, axis: number): NdArray {
  const at = normalizeAxis('squeeze', axis, a.shape.length);
  if (a.shape[at] !== 1) {
    throw new ShapeError({ where: 'squeeze', expected: `length 1 along axis ${at}`, got: formatShape(a.shape) });
  }
  return { shape: a.shape.filter((_, i) => i !== at), data: a.data };
}

export function sum(a: NdArray, axis: number): NdArray {
  const [outer, length, inner, at] = aroundAxis('sum', a.shape, axis);
  const data = new Float64Array(outer * inner);
  for (let o = 0; o < outer; o++) {
    for (let k = 0; k < length; k++) {
      const from = (o * length + k) * inner;
      for (let i = 0; i < inner; i++) data[o * inner + i] = data[o * inner + i]! + a.data[from + i]!;
    }
  }
  return { shape: a.shape.filter((_, i) => i !== at), data };
}

/** Along the last axis, from the largest entry down: nothing overflows. */
export function softmax(a: NdArray): NdArray {
  const [outer, length] = aroundAxis('softmax', a.shape, -1);
  const data = new Float64Array(a.data.length);
  for (let o = 0; o < outer; o++) {
    const [start, end] = [o * length, (o + 1) * length];
    let largest = Number.NEGATIVE_INFINITY;
    for (let i = start; i < end; i++) largest = Math.max(largest, a.data[i]!);
    let total = 0;
    for (let i = start; i < end; i++) {
      const weight = Math.exp(a.data[i]! - largest);
      data[i] = weight;
      total += weight;
    }
    for (let i = start; i < end; i++) data[i] = data[i]! / total;
  }
  return { shape: a.shape, data };
}

/** log(1 + exp(x)) = max(x, 0) + log(1 + exp(-|x|)). */
export const softplusOf = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

export function sigmoidOf(x: number): number {
  if (x >= 0) return 1 / (1 + Math.exp(-x));
  const e = Math.exp(x); // 1 / (1 + exp(-x)) would lose what is below 1e-16
  return e / (1 + e);
}

/** From the largest entry on: nothing overflows. */
export function logSumExp(a: NdArray): NdArray {
  const [outer, length] = aroundAxis('logSumExp', a.shape, -1);
  const data = new Float64Array(outer);
  for (let o = 0; o < outer; o++) {
    let largest = Number.NEGATIVE_INFINITY;
    for (let i = o * length; i < (o + 1) * length; i++) largest = Math.max(largest, a.data[i]!);
    let total = 0;
    for (let i = o * length; i < (o + 1) * length; i++) total += Math.exp(a.data[i]! - largest);
    data[o] = largest + Math.log(total);
  }
  return { shape: a.shape.slice(0, -1), data };
}

export function cumulativeSum(a: NdArray, axis: number): NdArray {
  const [outer, length, inner] = aroundAxis('cumulativeSum', a.shape, axis);
  const data = Float64Array.from(a.data);
  for (let o = 0; o < outer; o++) {
    for (let i = inner; i < length * inner; i++) {
      const to = o * length * inner + i;
      data[to] = data[to]! + data[to - inner]!;
    }
  }
  return { shape: a.shape, data };
}
