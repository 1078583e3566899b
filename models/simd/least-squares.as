/**
 * Least squares of many tall systems in float64, in AssemblyScript: what `models/estimators/tall-least-squares.ts` computes
 * and explains, two prompts at a time, one in each lane, and to the same bits. `scripts/build-simd.ts` compiles it into
 * `models/simd/least-squares-wasm.ts`. Nothing is checked here.
 *
 * In `scratch` a number is 16 bytes, one of each prompt: columns of X one after the other, then y, then the diagonal of R,
 * w, and the bounds on the rows of R^-1.
 */

/** Where numbers may begin. */
export const base: usize = 1024;

/** Numbers of two prompts: here of both, there one after the other. */
// @ts-ignore: decorator
@inline
function pair(a: usize, b: usize): v128 {
  return f64x2.promote_low_f32x4(v128.load32_lane(b, v128.load32_zero(a), 1));
}

/** Copies X, by columns, and y of two prompts. */
function load(xA: usize, xB: usize, yA: usize, yB: usize, rows: usize, columns: usize, to: usize): void {
  for (let j: usize = 0; j < columns; j++) {
    for (let i: usize = 0; i < rows; i++, to += 16) {
      const at = i * columns + j << 2;
      v128.store(to, pair(xA + at, xB + at));
    }
  }
  for (let i: usize = 0; i < rows; i++, to += 16) v128.store(to, pair(yA + (i << 2), yB + (i << 2)));
}

/** Reflects the column that begins at `to`: v is `from` to `end`. */
// @ts-ignore: decorator
@inline
function reflect(from: usize, end: usize, to: usize, scale: v128): void {
  let dot = f64x2.splat(0);
  const shift = to - from;
  for (let at = from; at < end; at += 16) dot = f64x2.add(dot, f64x2.mul(v128.load(at), v128.load(at + shift)));
  dot = f64x2.mul(dot, scale);
  for (let at = from; at < end; at += 16) {
    v128.store(at + shift, f64x2.sub(v128.load(at + shift), f64x2.mul(dot, v128.load(at))));
  }
}

/** The same of four columns, `stride` apart: one sum alone would wait for its own additions. */
// @ts-ignore: decorator
@inline
function reflectFour(from: usize, end: usize, to: usize, stride: usize, scale: v128): void {
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
  for (let at = from; at < end; at += 16) {
    const v = v128.load(at);
    v128.store(at + shift0, f64x2.sub(v128.load(at + shift0), f64x2.mul(dot0, v)));
    v128.store(at + shift1, f64x2.sub(v128.load(at + shift1), f64x2.mul(dot1, v)));
    v128.store(at + shift2, f64x2.sub(v128.load(at + shift2), f64x2.mul(dot2, v)));
    v128.store(at + shift3, f64x2.sub(v128.load(at + shift3), f64x2.mul(dot3, v)));
  }
}

/** Reduces X to R and y to Q^T y; the diagonal of R is written to `diagonals`. */
function factor(x: usize, rows: usize, columns: usize, diagonals: usize): void {
  const stride = rows << 4;
  const y = x + columns * stride;
  for (let k: usize = 0; k < columns; k++) {
    const from = x + k * stride + (k << 4);
    const end = x + (k + 1) * stride;
    let even = f64x2.splat(0);
    let odd = f64x2.splat(0);
    let at = from;
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
    const norm = f64x2.sqrt(f64x2.add(even, odd));
    const first = v128.load(from);
    // The sign that keeps head from cancelling.
    const sign = v128.and(f64x2.gt(first, f64x2.splat(0)), f64x2.splat(-0.0));
    const diagonal = v128.xor(norm, sign);
    const head = f64x2.sub(first, diagonal);
    v128.store(from, head);
    v128.store(diagonals + (k << 4), diagonal);
    const scale = f64x2.div(f64x2.splat(-1), f64x2.mul(diagonal, head));
    let to = from + stride;
    const last = y + (k << 4);
    for (; to + 3 * stride <= last; to += stride << 2) reflectFour(from, end, to, stride, scale);
    for (; to <= last; to += stride) reflect(from, end, to, scale);
  }
}

/** Solves R w = Q^T y and bounds the condition number of R. @returns The bound. */
function substitute(x: usize, rows: usize, columns: usize, diagonals: usize, w: usize, inverse: usize): v128 {
  const stride = rows << 4;
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
 * Solves `prompts` systems of `rows` pairs in `columns` dimensions, rows >= columns.
 * @param x `[prompts, rows, columns]`, y `[prompts, rows]`: float32. Written, in float64: w `[prompts, columns]` and
 * `conditions` `[prompts]`. Room for 16 (rows (columns + 1) + 3 columns) bytes at `scratch`.
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
): void {
  const diagonals = scratch + (rows * (columns + 1) << 4);
  const solutions = diagonals + (columns << 4);
  const inverse = solutions + (columns << 4);
  const xBytes = rows * columns << 2;
  const yBytes = rows << 2;
  const wBytes = columns << 3;
  for (let b: usize = 0; b < prompts; b += 2) {
    // The last one of an odd number is in both lanes.
    const next: usize = b + 1 < prompts ? 1 : 0;
    load(x, x + next * xBytes, y, y + next * yBytes, rows, columns, scratch);
    factor(scratch, rows, columns, diagonals);
    const condition = substitute(scratch, rows, columns, diagonals, solutions, inverse);
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
