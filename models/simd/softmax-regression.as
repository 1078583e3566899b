/**
 * Softmax regression of many contexts in float64, in AssemblyScript: what `models/estimators/softmax-regression.ts` explains and
 * `softmax-regression-plain.ts` computes too, two prompts at a time, one in each lane, and to the same bits.
 * `scripts/build-simd.ts` compiles it into `models/simd/softmax-regression-wasm.ts`. Nothing is checked here.
 *
 * In `scratch` a number is 16 bytes, one of each prompt. S = D + 1: covariates end in a 1.
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

/** Copies X, with its ones, and 1 where a pair is of a class and 0 elsewhere, `[c, N]`. */
function load(
  xA: usize,
  xB: usize,
  labelsA: usize,
  labelsB: usize,
  rows: usize,
  size: usize,
  classes: usize,
  x: usize,
  targets: usize,
): void {
  for (let i: usize = 0; i < rows; i++) {
    for (let j: usize = 0; j + 1 < size; j++, xA += 4, xB += 4, x += 16) v128.store(x, pair(xA, xB));
    v128.store(x, f64x2.splat(1));
    x += 16;
  }
  for (let k: usize = 0; k < classes; k++) {
    for (let i: usize = 0; i < rows; i++, targets += 16) {
      f64.store(targets, <usize>i32.load(labelsA + (i << 2)) === k ? 1 : 0);
      f64.store(targets, <usize>i32.load(labelsB + (i << 2)) === k ? 1 : 0, 8);
    }
  }
}

/** `to[j] += sum_i v_i x_ij`, for the S columns of X `[rows, S]`, four at a time. */
function addCombination(v: usize, x: usize, rows: usize, size: usize, to: usize): void {
  const stride = size << 4;
  const end = v + (rows << 4);
  let j: usize = 0;
  for (; j + 4 <= size; j += 4, to += 64) {
    let sum0 = v128.load(to);
    let sum1 = v128.load(to, 16);
    let sum2 = v128.load(to, 32);
    let sum3 = v128.load(to, 48);
    for (let at = v, from = x + (j << 4); at < end; at += 16, from += stride) {
      const factor = v128.load(at);
      sum0 = multiplyAdd(sum0, factor, v128.load(from));
      sum1 = multiplyAdd(sum1, factor, v128.load(from, 16));
      sum2 = multiplyAdd(sum2, factor, v128.load(from, 32));
      sum3 = multiplyAdd(sum3, factor, v128.load(from, 48));
    }
    v128.store(to, sum0);
    v128.store(to, sum1, 16);
    v128.store(to, sum2, 32);
    v128.store(to, sum3, 48);
  }
  for (; j < size; j++, to += 16) {
    let sum = v128.load(to);
    for (let at = v, from = x + (j << 4); at < end; at += 16, from += stride) {
      sum = multiplyAdd(sum, v128.load(at), v128.load(from));
    }
    v128.store(to, sum);
  }
}

/** `to[i] = sum_j x_ij v_j`, for the rows of X `[rows, S]`, four at a time. */
function multiply(x: usize, v: usize, rows: usize, size: usize, to: usize): void {
  const stride = size << 4;
  const end = v + stride;
  let i: usize = 0;
  for (; i + 4 <= rows; i += 4, to += 64, x += stride << 2) {
    let sum0 = f64x2.splat(0);
    let sum1 = f64x2.splat(0);
    let sum2 = f64x2.splat(0);
    let sum3 = f64x2.splat(0);
    for (let at = v, from = x; at < end; at += 16, from += 16) {
      const factor = v128.load(at);
      sum0 = multiplyAdd(sum0, factor, v128.load(from));
      sum1 = multiplyAdd(sum1, factor, v128.load(from + stride));
      sum2 = multiplyAdd(sum2, factor, v128.load(from + 2 * stride));
      sum3 = multiplyAdd(sum3, factor, v128.load(from + 3 * stride));
    }
    v128.store(to, sum0);
    v128.store(to, sum1, 16);
    v128.store(to, sum2, 32);
    v128.store(to, sum3, 48);
  }
  for (; i < rows; i++, to += 16, x += stride) {
    let sum = f64x2.splat(0);
    for (let at = v, from = x; at < end; at += 16, from += 16) sum = multiplyAdd(sum, v128.load(at), v128.load(from));
    v128.store(to, sum);
  }
}

/** Writes (X^T X / 2 + penalty I)^-1, by sweeping out one column after the other. */
function invertBound(x: usize, rows: usize, size: usize, penalty: f64, to: usize, column: usize): void {
  const stride = size << 4;
  for (let a: usize = 0; a < size; a++) {
    // Half of column a of X.
    for (let i: usize = 0; i < rows; i++) {
      v128.store(column + (i << 4), f64x2.mul(f64x2.splat(0.5), v128.load(x + i * stride + (a << 4))));
    }
    const row = to + a * stride;
    memory.fill(row, 0, stride);
    f64.store(row + (a << 4), penalty);
    f64.store(row + (a << 4), penalty, 8);
    addCombination(column, x, rows, size, row);
  }
  for (let k: usize = 0; k < size; k++) {
    const pivots = to + k * stride;
    const diagonal = pivots + (k << 4);
    const inverse = f64x2.div(f64x2.splat(1), v128.load(diagonal));
    v128.store(diagonal, f64x2.splat(1));
    for (let at = pivots; at < pivots + stride; at += 16) v128.store(at, f64x2.mul(v128.load(at), inverse));
    for (let row = to; row < to + size * stride; row += stride) {
      if (row === pivots) continue;
      const factor = v128.load(row + (k << 4));
      v128.store(row + (k << 4), f64x2.splat(0));
      for (let j: usize = 0; j < stride; j += 16) {
        v128.store(row + j, f64x2.sub(v128.load(row + j), f64x2.mul(factor, v128.load(pivots + j))));
      }
    }
  }
}

/** e^x for x <= 0; from -700 on downwards e^-700, which is nothing beside the 1 that it is compared with. */
// @ts-ignore: decorator
@inline
function exp(x: v128): v128 {
  x = f64x2.max(x, f64x2.splat(-700));
  const n = f64x2.floor(f64x2.add(f64x2.mul(x, f64x2.splat(1.4426950408889634)), f64x2.splat(0.5)));
  // ln 2 in two parts, of which the first has few digits.
  const r = f64x2.sub(
    f64x2.sub(x, f64x2.mul(n, f64x2.splat(0.6931471803691238))),
    f64x2.mul(n, f64x2.splat(1.9082149292705877e-10)),
  );
  // Taylor's series, by Horner's rule: for |r| <= ln 2 / 2 what is left out is below a quarter of the last digit.
  let sum = f64x2.splat(1 / 6227020800.0);
  sum = multiplyAdd(f64x2.splat(1 / 479001600.0), sum, r);
  sum = multiplyAdd(f64x2.splat(1 / 39916800.0), sum, r);
  sum = multiplyAdd(f64x2.splat(1 / 3628800.0), sum, r);
  sum = multiplyAdd(f64x2.splat(1 / 362880.0), sum, r);
  sum = multiplyAdd(f64x2.splat(1 / 40320.0), sum, r);
  sum = multiplyAdd(f64x2.splat(1 / 5040.0), sum, r);
  sum = multiplyAdd(f64x2.splat(1 / 720.0), sum, r);
  sum = multiplyAdd(f64x2.splat(1 / 120.0), sum, r);
  sum = multiplyAdd(f64x2.splat(1 / 24.0), sum, r);
  sum = multiplyAdd(f64x2.splat(1 / 6.0), sum, r);
  sum = multiplyAdd(f64x2.splat(0.5), sum, r);
  sum = multiplyAdd(f64x2.splat(1), sum, r);
  sum = multiplyAdd(f64x2.splat(1), sum, r);
  // Times 2^n: n stands in the last bits of n + 1.5 2^52, and the exponent begins at bit 52.
  return i64x2.add(sum, i64x2.shl(f64x2.add(n, f64x2.splat(6755399441055744)), 52));
}

/** Scores `[c, N]`, the last class's not yet in place, are overwritten by P(k | x_i) - [y_i = k]. */
function residuals(scores: usize, targets: usize, rows: usize, classes: usize): void {
  const stride = rows << 4;
  const last = scores + (classes - 1) * stride;
  for (let i: usize = 0; i < stride; i += 16) {
    let sum = f64x2.splat(0);
    for (let at = scores + i; at < last; at += stride) sum = f64x2.add(sum, v128.load(at));
    sum = f64x2.neg(sum);
    v128.store(last + i, sum);
    let largest = sum;
    for (let at = scores + i; at < last; at += stride) largest = f64x2.max(largest, v128.load(at));
    let total = f64x2.splat(0);
    for (let at = scores + i; at <= last + i; at += stride) {
      const e = exp(f64x2.sub(v128.load(at), largest));
      v128.store(at, e);
      total = f64x2.add(total, e);
    }
    for (let at = scores + i, to = targets + i; at <= last + i; at += stride, to += stride) {
      v128.store(at, f64x2.sub(f64x2.div(v128.load(at), total), v128.load(to)));
    }
  }
}

/**
 * Fits V to `prompts` contexts.
 * @param x `[prompts, rows, columns]`: float32. @param labels `[prompts, rows]`: classes, int32. @param out V
 * `[prompts, classes, S]`. Room for 16 (rows (S + 2 classes + 1) + S (S + classes + 3)) bytes at `scratch`.
 */
export function regress(
  x: usize,
  labels: usize,
  out: usize,
  scratch: usize,
  prompts: usize,
  rows: usize,
  columns: usize,
  classes: usize,
  penalty: f64,
  tolerance: f64,
  mostSteps: i32,
): void {
  const size = columns + 1;
  const bytes = size << 4;
  const targets = scratch + rows * bytes;
  const scores = targets + (rows * classes << 4);
  const column = scores + (rows * classes << 4);
  const bound = column + (rows << 4);
  const weights = bound + size * bytes;
  const gradient = weights + classes * bytes;
  const move = gradient + bytes;
  const moveOfLast = move + bytes;
  const own = weights + (classes - 1) * bytes;
  for (let b: usize = 0; b < prompts; b += 2) {
    // The last one of an odd number is in both lanes.
    const next: usize = b + 1 < prompts ? 1 : 0;
    load(
      x,
      x + next * (rows * columns << 2),
      labels,
      labels + next * (rows << 2),
      rows,
      size,
      classes,
      scratch,
      targets,
    );
    invertBound(scratch, rows, size, penalty, bound, column);
    memory.fill(weights, 0, classes * bytes);
    // A prompt that has arrived stays while the other one goes on.
    let isMoving = i64x2.splat(-1);
    for (let step = 0; step < mostSteps && v128.any_true(isMoving); step++) {
      for (let k: usize = 0; k + 1 < classes; k++) {
        multiply(scratch, weights + k * bytes, rows, size, scores + (k * rows << 4));
      }
      residuals(scores, targets, rows, classes);
      let moved = f64x2.splat(0);
      memory.fill(moveOfLast, 0, bytes);
      for (let w = weights, r = scores; w < own; r += rows << 4) {
        for (let j: usize = 0; j < bytes; j += 16) {
          v128.store(gradient + j, f64x2.mul(f64x2.splat(penalty), v128.load(w + j)));
        }
        addCombination(r, scratch, rows, size, gradient);
        multiply(bound, gradient, size, size, move);
        for (let j: usize = 0; j < bytes; j += 16, w += 16) {
          const by = v128.and(v128.load(move + j), isMoving);
          v128.store(w, f64x2.sub(v128.load(w), by));
          v128.store(moveOfLast + j, f64x2.add(v128.load(moveOfLast + j), by));
          moved = f64x2.max(moved, f64x2.abs(by));
        }
      }
      for (let j: usize = 0; j < bytes; j += 16) moved = f64x2.max(moved, f64x2.abs(v128.load(moveOfLast + j)));
      isMoving = v128.andnot(isMoving, f64x2.lt(moved, f64x2.splat(tolerance)));
    }
    // The classes' weights sum to 0.
    memory.fill(own, 0, bytes);
    for (let w = weights; w < own; w += bytes) {
      for (let j: usize = 0; j < bytes; j += 16) v128.store(own + j, f64x2.sub(v128.load(own + j), v128.load(w + j)));
    }
    const count = classes * size << 3;
    for (let at: usize = 0; at < count; at += 8) {
      const both = v128.load(weights + 2 * at);
      v128.store64_lane(out + at, both, 0);
      if (next) v128.store64_lane(out + count + at, both, 1);
    }
    x += rows * columns << 3;
    labels += rows << 3;
    out += 2 * count;
  }
}
