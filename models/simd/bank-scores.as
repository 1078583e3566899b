/**
 * How well every task of a bank explains every prompt, in float64, in AssemblyScript: what `models/estimators/bank-scores.ts`
 * computes and explains, to the same bits. `scripts/build-simd.ts` compiles it into `models/simd/bank-scores-wasm.ts`. Nothing is
 * checked here.
 */

/** Where numbers may begin. */
export const base: usize = 1024;

/** Numbers of two prompts: here of both, there one after the other. */
// @ts-ignore: decorator
@inline
function pair(a: usize, b: usize): v128 {
  return f64x2.promote_low_f32x4(v128.load32_lane(b, v128.load32_zero(a), 1));
}

// @ts-ignore: decorator
@inline
function multiplyAdd(sum: v128, a: v128, b: v128): v128 {
  return f64x2.add(sum, f64x2.mul(a, b));
}

/** Writes the inner product of two columns of two prompts. */
// @ts-ignore: decorator
@inline
function dot(from: usize, end: usize, other: usize, to: usize): void {
  let sum = f64x2.splat(0);
  const shift = other - from;
  for (let at = from; at < end; at += 16) sum = multiplyAdd(sum, v128.load(at), v128.load(at + shift));
  v128.store(to, sum);
}

/** The same with four columns, `stride` apart: one sum alone would wait for its own additions. */
// @ts-ignore: decorator
@inline
function dotFour(from: usize, end: usize, other: usize, stride: usize, to: usize): void {
  let sum0 = f64x2.splat(0);
  let sum1 = f64x2.splat(0);
  let sum2 = f64x2.splat(0);
  let sum3 = f64x2.splat(0);
  const shift0 = other - from;
  const shift1 = shift0 + stride;
  const shift2 = shift1 + stride;
  const shift3 = shift2 + stride;
  for (let at = from; at < end; at += 16) {
    const v = v128.load(at);
    sum0 = multiplyAdd(sum0, v, v128.load(at + shift0));
    sum1 = multiplyAdd(sum1, v, v128.load(at + shift1));
    sum2 = multiplyAdd(sum2, v, v128.load(at + shift2));
    sum3 = multiplyAdd(sum3, v, v128.load(at + shift3));
  }
  v128.store(to, sum0);
  v128.store(to + 32, sum1);
  v128.store(to + 64, sum2);
  v128.store(to + 96, sum3);
}

/** K: entries of the lower triangle of [X y]^T [X y], without the last. */
// @ts-ignore: decorator
@inline
function momentCount(columns: usize): usize {
  return ((columns + 1) * (columns + 2) >> 1) - 1;
}

/**
 * Writes the moments of `prompts` prompts, `[prompts / 4, K, 4]`, row by row of the lower triangle of [X y]^T [X y].
 * @param x `[prompts, rows, columns]`, y `[prompts, rows]`: float32. Room for 16 rows (columns + 1) bytes at `scratch`.
 */
export function moments(
  x: usize,
  y: usize,
  to: usize,
  scratch: usize,
  prompts: usize,
  rows: usize,
  columns: usize,
): void {
  const stride = rows << 4;
  const panel = momentCount(columns) << 5;
  for (let b: usize = 0; b < prompts; b += 2) {
    // The last one of an odd number is in both lanes.
    const next = b + 1 < prompts ? b + 1 : b;
    const xA = x + (b * rows * columns << 2);
    const xB = x + (next * rows * columns << 2);
    let column = scratch;
    for (let j: usize = 0; j < columns; j++, column += stride) {
      for (let i: usize = 0; i < rows; i++) {
        const at = i * columns + j << 2;
        v128.store(column + (i << 4), pair(xA + at, xB + at));
      }
    }
    for (let i: usize = 0; i < rows; i++) {
      v128.store(column + (i << 4), pair(y + (b * rows + i << 2), y + (next * rows + i << 2)));
    }
    let at = to + (b >> 2) * panel + ((b & 2) << 3);
    for (let a: usize = 0; a <= columns; a++) {
      const from = scratch + a * stride;
      const count: usize = a < columns ? a + 1 : columns;
      let j: usize = 0;
      for (; j + 4 <= count; j += 4, at += 128) dotFour(from, from + stride, scratch + j * stride, stride, at);
      for (; j < count; j++, at += 32) dot(from, from + stride, scratch + j * stride, at);
    }
  }
}

/** Writes what the moments of a prompt are to be multiplied by for four tasks, `[K, 4]`. */
function writeFactors(tasks: usize, columns: usize, to: usize): void {
  const w = to + (columns * (columns + 1) << 4);
  for (let j: usize = 0; j < columns; j++) {
    for (let t: usize = 0; t < 4; t++) f64.store(w + (j * 4 + t << 3), f64.load(tasks + (t * columns + j << 3)));
  }
  for (let a: usize = 0; a < columns; a++) {
    const a0 = f64x2.neg(v128.load(w + (a << 5)));
    const a1 = f64x2.neg(v128.load(w + (a << 5), 16));
    for (let b: usize = 0; b <= a; b++, to += 32) {
      // What stands twice in w^T X^T X w stands once in the triangle.
      const share = f64x2.splat(a === b ? 0.5 : 1);
      v128.store(to, f64x2.mul(share, f64x2.mul(a0, v128.load(w + (b << 5)))));
      v128.store(to + 16, f64x2.mul(share, f64x2.mul(a1, v128.load(w + (b << 5), 16))));
    }
  }
}

/**
 * Writes the scores `[tasks, prompts]`.
 * @param prompts,tasks Multiples of 4. @param bank `[tasks, columns]`. Room for 32 K bytes at `factors`.
 */
export function scores(
  momentsAt: usize,
  bank: usize,
  to: usize,
  factors: usize,
  prompts: usize,
  tasks: usize,
  columns: usize,
): void {
  const panel = momentCount(columns) << 5;
  const row = prompts << 3;
  for (let t: usize = 0; t < tasks; t += 4) {
    writeFactors(bank + (t * columns << 3), columns, factors);
    let m = momentsAt;
    for (let out = to + t * row, end = out + row; out < end; out += 32) {
      let a0 = f64x2.splat(0);
      let a1 = f64x2.splat(0);
      let b0 = f64x2.splat(0);
      let b1 = f64x2.splat(0);
      let c0 = f64x2.splat(0);
      let c1 = f64x2.splat(0);
      let d0 = f64x2.splat(0);
      let d1 = f64x2.splat(0);
      for (let w = factors; w < factors + panel; w += 32, m += 32) {
        const m0 = v128.load(m);
        const m1 = v128.load(m, 16);
        let v = v128.load64_splat(w);
        a0 = multiplyAdd(a0, v, m0);
        a1 = multiplyAdd(a1, v, m1);
        v = v128.load64_splat(w, 8);
        b0 = multiplyAdd(b0, v, m0);
        b1 = multiplyAdd(b1, v, m1);
        v = v128.load64_splat(w, 16);
        c0 = multiplyAdd(c0, v, m0);
        c1 = multiplyAdd(c1, v, m1);
        v = v128.load64_splat(w, 24);
        d0 = multiplyAdd(d0, v, m0);
        d1 = multiplyAdd(d1, v, m1);
      }
      v128.store(out, a0);
      v128.store(out, a1, 16);
      v128.store(out + row, b0);
      v128.store(out + row, b1, 16);
      v128.store(out + 2 * row, c0);
      v128.store(out + 2 * row, c1, 16);
      v128.store(out + 3 * row, d0);
      v128.store(out + 3 * row, d1, 16);
    }
  }
}
