/**
 * Least squares of many systems in float64, in AssemblyScript: what `models/estimators/linear-systems.ts` explains and
 * `linear-systems-plain.ts` computes too, two prompts at a time, one in each lane, and to the same bits.
 * `scripts/build-simd.ts` compiles it into `models/simd/least-squares-wasm.ts`. Nothing is checked here.
 *
 * In `scratch` a number is 16 bytes, one of each prompt: the columns to be factored one after the other, then what belongs to
 * each of them.
 */

/** Where numbers may begin. */
export const base: usize = 1024;

/** Numbers of two prompts: here of both, there one after the other. */
// @ts-ignore: decorator
@inline
function pair(a: usize, b: usize): v128 {
  return f64x2.promote_low_f32x4(v128.load32_lane(b, v128.load32_zero(a), 1));
}

/** Copies numbers of two prompts that follow one another. */
function copy(a: usize, b: usize, count: usize, to: usize): void {
  for (const end = to + (count << 4); to < end; to += 16, a += 4, b += 4) v128.store(to, pair(a, b));
}

/** Copies X of two prompts by columns, `stride` apart. */
function copyColumns(a: usize, b: usize, rows: usize, columns: usize, to: usize, stride: usize): void {
  for (let j: usize = 0; j < columns; j++, to += stride) {
    for (let i: usize = 0; i < rows; i++) {
      const at = i * columns + j << 2;
      v128.store(to + (i << 4), pair(a + at, b + at));
    }
  }
}

/** Reflects the column that begins at `to`: v is `from` to `end`. @returns scale v^T (column). */
// @ts-ignore: decorator
@inline
function reflect(from: usize, end: usize, to: usize, scale: v128): v128 {
  let dot = f64x2.splat(0);
  const shift = to - from;
  for (let at = from; at < end; at += 16) dot = f64x2.add(dot, f64x2.mul(v128.load(at), v128.load(at + shift)));
  dot = f64x2.mul(dot, scale);
  for (let at = from; at < end; at += 16) {
    v128.store(at + shift, f64x2.sub(v128.load(at + shift), f64x2.mul(dot, v128.load(at))));
  }
  return dot;
}

/**
 * The same of four columns, `stride` apart: one sum alone would wait for its own additions. Where `head` is v's first entry
 * and v continues at `from`, `row` is where the columns' first entries, 0 until now, are written.
 */
// @ts-ignore: decorator
@inline
function reflectFour(from: usize, end: usize, to: usize, stride: usize, scale: v128, head: v128, row: usize): void {
  let dot0 = f64x2.splat(0);
  let dot1 = f64x2.splat(0);
  let dot2 = f64x2.splat(0);
  let dot3 = f64x2.splat(0);
  const shift0 = to - from;
  const shift1 = shift0 + stride;
  const shift2 = shift1 + stride;
  const shift3 = shift2 + stride;
  for (let at = from; at < end; at += 16) {
    const v = v128.load(at);
    dot0 = f64x2.add(dot0, f64x2.mul(v, v128.load(at + shift0)));
    dot1 = f64x2.add(dot1, f64x2.mul(v, v128.load(at + shift1)));
    dot2 = f64x2.add(dot2, f64x2.mul(v, v128.load(at + shift2)));
    dot3 = f64x2.add(dot3, f64x2.mul(v, v128.load(at + shift3)));
  }
  dot0 = f64x2.mul(dot0, scale);
  dot1 = f64x2.mul(dot1, scale);
  dot2 = f64x2.mul(dot2, scale);
  dot3 = f64x2.mul(dot3, scale);
  if (row) {
    v128.store(row, f64x2.neg(f64x2.mul(head, dot0)));
    v128.store(row + stride, f64x2.neg(f64x2.mul(head, dot1)));
    v128.store(row + 2 * stride, f64x2.neg(f64x2.mul(head, dot2)));
    v128.store(row + 3 * stride, f64x2.neg(f64x2.mul(head, dot3)));
  }
  for (let at = from; at < end; at += 16) {
    const v = v128.load(at);
    v128.store(at + shift0, f64x2.sub(v128.load(at + shift0), f64x2.mul(dot0, v)));
    v128.store(at + shift1, f64x2.sub(v128.load(at + shift1), f64x2.mul(dot1, v)));
    v128.store(at + shift2, f64x2.sub(v128.load(at + shift2), f64x2.mul(dot2, v)));
    v128.store(at + shift3, f64x2.sub(v128.load(at + shift3), f64x2.mul(dot3, v)));
  }
}

/** Sum of squares. */
// @ts-ignore: decorator
@inline
function squares(at: usize, end: usize): v128 {
  let even = f64x2.splat(0);
  let odd = f64x2.splat(0);
  for (; at + 32 <= end; at += 32) {
    const a = v128.load(at);
    const b = v128.load(at, 16);
    even = f64x2.add(even, f64x2.mul(a, a));
    odd = f64x2.add(odd, f64x2.mul(b, b));
  }
  if (at < end) {
    const a = v128.load(at);
    even = f64x2.add(even, f64x2.mul(a, a));
  }
  return f64x2.add(even, odd);
}

/** What v v^T is multiplied by: -1 / (diagonal head). */
// @ts-ignore: decorator
@inline
function scaleOf(diagonal: v128, head: v128): v128 {
  return f64x2.div(f64x2.splat(-1), f64x2.mul(diagonal, head));
}

/**
 * Reduces the columns at x to R, its diagonal at `diagonals`, the vectors of the reflections below it; those from `columns` to
 * `reflected` are reflected only.
 */
function factor(x: usize, rows: usize, columns: usize, reflected: usize, diagonals: usize): void {
  const stride = rows << 4;
  for (let k: usize = 0; k < columns; k++) {
    const from = x + k * stride + (k << 4);
    const end = x + (k + 1) * stride;
    const norm = f64x2.sqrt(squares(from, end));
    const first = v128.load(from);
    // The sign that keeps head from cancelling.
    const sign = v128.and(f64x2.gt(first, f64x2.splat(0)), f64x2.splat(-0.0));
    const diagonal = v128.xor(norm, sign);
    const head = f64x2.sub(first, diagonal);
    v128.store(from, head);
    v128.store(diagonals + (k << 4), diagonal);
    const scale = scaleOf(diagonal, head);
    let to = from + stride;
    const last = x + reflected * stride;
    for (; to + 3 * stride < last; to += stride << 2) reflectFour(from, end, to, stride, scale, scale, 0);
    for (; to < last; to += stride) reflect(from, end, to, scale);
  }
}

/**
 * The same of [sqrt(penalty) I; X] and [0; y], a column D + N numbers. Step k reflects column k of X and entry k of the
 * identity's onto that entry: its other rows are 0 in column k (below) or finished (above).
 */
function factorRidge(x: usize, rows: usize, columns: usize, diagonals: usize, penalty: f64): void {
  const stride = rows + columns << 4;
  const entry = f64x2.splat(Math.sqrt(penalty));
  for (let k: usize = 0; k < columns; k++) {
    const column = x + k * stride;
    const from = column + (columns << 4);
    const end = column + stride;
    const norm = f64x2.sqrt(f64x2.add(f64x2.splat(penalty), squares(from, end)));
    const diagonal = f64x2.neg(norm);
    const head = f64x2.add(entry, norm);
    v128.store(diagonals + (k << 4), diagonal);
    const scale = scaleOf(diagonal, head);
    let to = from + stride;
    let row = column + stride + (k << 4);
    const last = from + (columns + 1 - k) * stride;
    for (; to + 3 * stride < last; to += stride << 2, row += stride << 2) {
      reflectFour(from, end, to, stride, scale, head, row);
    }
    for (; to < last; to += stride, row += stride) {
      v128.store(row, f64x2.neg(f64x2.mul(head, reflect(from, end, to, scale))));
    }
  }
}

/** Solves R w = Q^T y, y the column after the last, and bounds the condition number of R. @returns The bound. */
function substitute(x: usize, stride: usize, columns: usize, diagonals: usize, w: usize, inverse: usize): v128 {
  let largest = f64x2.splat(0);
  let largestInverse = f64x2.splat(0);
  for (let k: isize = <isize>columns - 1; k >= 0; k--) {
    const at = <usize>k << 4;
    const diagonal = v128.load(diagonals + at);
    const size = f64x2.abs(diagonal);
    let sum = v128.load(x + columns * stride + at);
    let row = size;
    let bound = f64x2.splat(1);
    for (let j: usize = k + 1; j < columns; j++) {
      const entry = v128.load(x + j * stride + at);
      const entrySize = f64x2.abs(entry);
      sum = f64x2.sub(sum, f64x2.mul(entry, v128.load(w + (j << 4))));
      row = f64x2.add(row, entrySize);
      bound = f64x2.add(bound, f64x2.mul(entrySize, v128.load(inverse + (j << 4))));
    }
    bound = f64x2.div(bound, size);
    v128.store(w + at, f64x2.div(sum, diagonal));
    v128.store(inverse + at, bound);
    largest = f64x2.max(largest, row);
    largestInverse = f64x2.max(largestInverse, bound);
  }
  return f64x2.mul(largest, largestInverse);
}

/**
 * Writes w = Q [z; 0], R^T z = y, for Q and R of X^T, whose `count` columns have `length` entries: z takes the place of y at
 * the beginning of w. @returns The bound on the condition number.
 */
function extend(x: usize, length: usize, count: usize, diagonals: usize, w: usize, inverse: usize): v128 {
  const stride = length << 4;
  let largest = f64x2.splat(0);
  let largestInverse = f64x2.splat(0);
  for (let k: usize = 0; k < count; k++) {
    const at = k << 4;
    const diagonal = v128.load(diagonals + at);
    const size = f64x2.abs(diagonal);
    let sum = v128.load(w + at);
    let column = size;
    let bound = f64x2.splat(1);
    for (let j: usize = 0; j < at; j += 16) {
      const entry = v128.load(x + k * stride + j);
      const entrySize = f64x2.abs(entry);
      sum = f64x2.sub(sum, f64x2.mul(entry, v128.load(w + j)));
      column = f64x2.add(column, entrySize);
      bound = f64x2.add(bound, f64x2.mul(entrySize, v128.load(inverse + j)));
    }
    bound = f64x2.div(bound, size);
    v128.store(w + at, f64x2.div(sum, diagonal));
    v128.store(inverse + at, bound);
    largest = f64x2.max(largest, column);
    largestInverse = f64x2.max(largestInverse, bound);
  }
  for (let at = w + (count << 4); at < w + stride; at += 16) v128.store(at, f64x2.splat(0));
  for (let k: isize = <isize>count - 1; k >= 0; k--) {
    const from = x + <usize>k * stride + (<usize>k << 4);
    const scale = scaleOf(v128.load(diagonals + (<usize>k << 4)), v128.load(from));
    reflect(from, x + <usize>(k + 1) * stride, w + (<usize>k << 4), scale);
  }
  return f64x2.mul(largest, largestInverse);
}

/**
 * Solves `prompts` systems of `rows` pairs in `columns` dimensions: with a penalty above 0 ridge regression, without one least
 * squares of minimum norm.
 * @param x `[prompts, rows, columns]`, y `[prompts, rows]`: float32. Written, in float64: w `[prompts, columns]` and
 * `conditions` `[prompts]`. Room for 16 ((rows + columns) (columns + 1) + 3 (rows + columns)) bytes at `scratch`.
 */
export function solve(
  x: usize,
  y: usize,
  w: usize,
  conditions: usize,
  scratch: usize,
  prompts: usize,
  rows: usize,
  columns: usize,
  penalty: f64,
): void {
  const isRidge = penalty > 0;
  const isWide = !isRidge && rows < columns;
  const stride = isWide ? columns << 4 : isRidge ? rows + columns << 4 : rows << 4;
  const diagonals = scratch + (rows + columns) * (columns + 1) * 16;
  const solutions = diagonals + (rows + columns << 4);
  const inverse = solutions + (rows + columns << 4);
  const xBytes = rows * columns << 2;
  const yBytes = rows << 2;
  const wBytes = columns << 3;
  for (let b: usize = 0; b < prompts; b += 2) {
    // The last one of an odd number is in both lanes.
    const next: usize = b + 1 < prompts ? 1 : 0;
    const xNext = x + next * xBytes;
    const yNext = y + next * yBytes;
    let condition: v128;
    if (isWide) {
      // A row of X is a column of X^T.
      copy(x, xNext, rows * columns, scratch);
      copy(y, yNext, rows, solutions);
      factor(scratch, columns, rows, rows, diagonals);
      condition = extend(scratch, columns, rows, diagonals, solutions, inverse);
    } else {
      const columnAt = scratch + stride - (rows << 4);
      copyColumns(x, xNext, rows, columns, columnAt, stride);
      copy(y, yNext, rows, columnAt + columns * stride);
      if (isRidge) factorRidge(scratch, rows, columns, diagonals, penalty);
      else factor(scratch, rows, columns, columns + 1, diagonals);
      condition = substitute(scratch, stride, columns, diagonals, solutions, inverse);
    }
    v128.store64_lane(conditions, condition, 0);
    if (next) v128.store64_lane(conditions + 8, condition, 1);
    for (let j: usize = 0; j < columns; j++) {
      const both = v128.load(solutions + (j << 4));
      v128.store64_lane(w + (j << 3), both, 0);
      if (next) v128.store64_lane(w + wBytes + (j << 3), both, 1);
    }
    x += 2 * xBytes;
    y += 2 * yBytes;
    w += 2 * wBytes;
    conditions += 16;
  }
}
