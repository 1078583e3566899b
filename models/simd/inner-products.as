/**
 * Inner products of many covariates with the task vector of their prompt, in AssemblyScript: what
 * `models/tasks/inner-products.ts` computes, four rows at a time and to the same bits. `scripts/build-simd.ts` compiles it into
 * `models/simd/inner-products-wasm.ts`, and for memory that threads share. Nothing is checked here; a page of memory may be read a little beyond the last row.
 */

/** Where numbers may begin. */
export const base: usize = 1024;

// @ts-ignore: decorator
@inline
function respondOne(y: usize, sum: f64, deviation: f64): void {
  store<f32>(y, <f32>(deviation > 0 ? sum + deviation * <f64>load<f32>(y) : sum));
}

/** Two sums as float32, with their noise, one after the other. */
// @ts-ignore: decorator
@inline
function respondTwo(y: usize, sums: v128, deviation: f64): void {
  if (deviation > 0) {
    const noise = f64x2.promote_low_f32x4(v128.load64_zero(y));
    sums = f64x2.add(sums, f64x2.mul(f64x2.splat(deviation), noise));
  }
  v128.store64_lane(y, f32x4.demote_f64x2_zero(sums), 0);
}

/** Column `j` of two rows. */
// @ts-ignore: decorator
@inline
function pair(row: usize, rowBytes: usize): v128 {
  return f64x2.promote_low_f32x4(v128.load32_lane(row + rowBytes, v128.load32_zero(row), 1));
}

/**
 * y = <w, x> + deviation y for `rows` rows of each of `prompts` prompts.
 * @param x `[prompts, rows, dimension]`, w `[prompts, dimension]`, y `[prompts, rows]`: float32. Room for `dimension` float64 at
 * `scratch`.
 */
export function respond(
  x: usize,
  w: usize,
  y: usize,
  scratch: usize,
  prompts: i32,
  rows: i32,
  dimension: i32,
  deviation: f64,
): void {
  const rowBytes = <usize>dimension << 2;
  for (let b = 0; b < prompts; b++) {
    for (let j: usize = 0; j < rowBytes; j += 4) store<f64>(scratch + (j << 1), <f64>load<f32>(w + j));
    w += rowBytes;
    let row = 0;
    for (; row + 4 <= rows; row += 4) {
      let sums01 = f64x2.splat(0);
      let sums23 = f64x2.splat(0);
      for (let at = x, weight = scratch, end = x + rowBytes; at < end; at += 4, weight += 8) {
        const factor = v128.load64_splat(weight);
        sums01 = f64x2.add(sums01, f64x2.mul(pair(at, rowBytes), factor));
        sums23 = f64x2.add(sums23, f64x2.mul(pair(at + (rowBytes << 1), rowBytes), factor));
      }
      respondTwo(y, sums01, deviation);
      respondTwo(y + 8, sums23, deviation);
      x += rowBytes << 2;
      y += 16;
    }
    for (; row < rows; row++) {
      let sum: f64 = 0;
      for (let j: usize = 0; j < rowBytes; j += 4) {
        sum += <f64>load<f32>(x + j) * load<f64>(scratch + (j << 1));
      }
      respondOne(y, sum, deviation);
      x += rowBytes;
      y += 4;
    }
  }
}
