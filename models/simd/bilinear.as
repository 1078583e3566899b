/**
 * The two passes of a bilinear least-squares problem in float64 SIMD, in AssemblyScript: rows (x_i, h_i), i = 1..n.
 * `scripts/build-simd.ts` compiles it into `models/simd/bilinear-wasm.ts`; `train/bilinear-ridge/rows.ts` calls it, lays
 * out the memory and says what the passes are for.
 *
 * Rows are padded with zeros: x to `columns` a multiple of 4, h to `width` a multiple of 2, n to a multiple of 4. Both passes
 * hold a tile of 4 by 4 sums in registers. Nothing is checked here.
 */

// @ts-ignore: decorator
@inline
function multiplyAdd(sum: v128, a: v128, b: v128): v128 {
  return f64x2.add(sum, f64x2.mul(a, b));
}

/** Both lanes of a sum. */
// @ts-ignore: decorator
@inline
function total(a: v128): f64 {
  return f64x2.extract_lane(a, 0) + f64x2.extract_lane(a, 1);
}

/** Writes r_i = x_i^T G h_i for rows 0 .. rows - 1; `g` is G, `columns` by `width`. */
export function forward(x: usize, h: usize, rows: usize, columns: usize, width: usize, g: usize, r: usize): void {
  const xStride = columns << 3;
  const hStride = width << 3;
  for (let i: usize = 0; i < rows; i += 4) {
    const x0 = x + i * xStride;
    const h0 = h + i * hStride;
    let r0 = f64x2.splat(0);
    let r1 = f64x2.splat(0);
    let r2 = f64x2.splat(0);
    let r3 = f64x2.splat(0);
    let j: usize = 0;
    for (; j + 32 <= hStride; j += 32) {
      let a00 = f64x2.splat(0);
      let a01 = f64x2.splat(0);
      let a10 = f64x2.splat(0);
      let a11 = f64x2.splat(0);
      let a20 = f64x2.splat(0);
      let a21 = f64x2.splat(0);
      let a30 = f64x2.splat(0);
      let a31 = f64x2.splat(0);
      let gAt = g + j;
      for (let xAt = x0, end = x0 + xStride; xAt < end; xAt += 8) {
        const g0 = v128.load(gAt);
        const g1 = v128.load(gAt, 16);
        gAt += hStride;
        let v = v128.load64_splat(xAt);
        a00 = multiplyAdd(a00, v, g0);
        a01 = multiplyAdd(a01, v, g1);
        v = v128.load64_splat(xAt + xStride);
        a10 = multiplyAdd(a10, v, g0);
        a11 = multiplyAdd(a11, v, g1);
        v = v128.load64_splat(xAt + 2 * xStride);
        a20 = multiplyAdd(a20, v, g0);
        a21 = multiplyAdd(a21, v, g1);
        v = v128.load64_splat(xAt + 3 * xStride);
        a30 = multiplyAdd(a30, v, g0);
        a31 = multiplyAdd(a31, v, g1);
      }
      const hAt = h0 + j;
      r0 = multiplyAdd(multiplyAdd(r0, a00, v128.load(hAt)), a01, v128.load(hAt, 16));
      r1 = multiplyAdd(multiplyAdd(r1, a10, v128.load(hAt + hStride)), a11, v128.load(hAt + hStride, 16));
      r2 = multiplyAdd(multiplyAdd(r2, a20, v128.load(hAt + 2 * hStride)), a21, v128.load(hAt + 2 * hStride, 16));
      r3 = multiplyAdd(multiplyAdd(r3, a30, v128.load(hAt + 3 * hStride)), a31, v128.load(hAt + 3 * hStride, 16));
    }
    if (j < hStride) {
      let a0 = f64x2.splat(0);
      let a1 = f64x2.splat(0);
      let a2 = f64x2.splat(0);
      let a3 = f64x2.splat(0);
      let gAt = g + j;
      for (let xAt = x0, end = x0 + xStride; xAt < end; xAt += 8) {
        const g0 = v128.load(gAt);
        gAt += hStride;
        a0 = multiplyAdd(a0, v128.load64_splat(xAt), g0);
        a1 = multiplyAdd(a1, v128.load64_splat(xAt + xStride), g0);
        a2 = multiplyAdd(a2, v128.load64_splat(xAt + 2 * xStride), g0);
        a3 = multiplyAdd(a3, v128.load64_splat(xAt + 3 * xStride), g0);
      }
      const hAt = h0 + j;
      r0 = multiplyAdd(r0, a0, v128.load(hAt));
      r1 = multiplyAdd(r1, a1, v128.load(hAt + hStride));
      r2 = multiplyAdd(r2, a2, v128.load(hAt + 2 * hStride));
      r3 = multiplyAdd(r3, a3, v128.load(hAt + 3 * hStride));
    }
    const rAt = r + (i << 3);
    f64.store(rAt, total(r0));
    f64.store(rAt, total(r1), 8);
    f64.store(rAt, total(r2), 16);
    f64.store(rAt, total(r3), 24);
  }
}

/** Adds v to what stands at an address. */
// @ts-ignore: decorator
@inline
function addTo(at: usize, v: v128): void {
  v128.store(at, f64x2.add(v128.load(at), v));
}

/**
 * Adds sum_i r_i x_i h_i^T over rows 0 .. rows - 1 to `out`, `columns` by `width`.
 * `scratch` has room for rows * width numbers: r_i h_i.
 */
export function adjoint(
  x: usize,
  h: usize,
  rows: usize,
  columns: usize,
  width: usize,
  r: usize,
  scratch: usize,
  out: usize,
): void {
  const xStride = columns << 3;
  const hStride = width << 3;
  for (let i: usize = 0; i < rows; i++) {
    const factor = v128.load64_splat(r + (i << 3));
    const from = h + i * hStride;
    const to = scratch + i * hStride;
    for (let j: usize = 0; j < hStride; j += 16) v128.store(to + j, f64x2.mul(factor, v128.load(from + j)));
  }
  const end = x + rows * xStride;
  for (let i: usize = 0; i < xStride; i += 32) {
    let outAt = out + (i >> 3) * hStride;
    let j: usize = 0;
    for (; j + 32 <= hStride; j += 32) {
      let a00 = f64x2.splat(0);
      let a01 = f64x2.splat(0);
      let a10 = f64x2.splat(0);
      let a11 = f64x2.splat(0);
      let a20 = f64x2.splat(0);
      let a21 = f64x2.splat(0);
      let a30 = f64x2.splat(0);
      let a31 = f64x2.splat(0);
      let hAt = scratch + j;
      for (let xAt = x + i; xAt < end; xAt += xStride) {
        const h0 = v128.load(hAt);
        const h1 = v128.load(hAt, 16);
        hAt += hStride;
        let v = v128.load64_splat(xAt);
        a00 = multiplyAdd(a00, v, h0);
        a01 = multiplyAdd(a01, v, h1);
        v = v128.load64_splat(xAt, 8);
        a10 = multiplyAdd(a10, v, h0);
        a11 = multiplyAdd(a11, v, h1);
        v = v128.load64_splat(xAt, 16);
        a20 = multiplyAdd(a20, v, h0);
        a21 = multiplyAdd(a21, v, h1);
        v = v128.load64_splat(xAt, 24);
        a30 = multiplyAdd(a30, v, h0);
        a31 = multiplyAdd(a31, v, h1);
      }
      addTo(outAt, a00);
      addTo(outAt + 16, a01);
      addTo(outAt + hStride, a10);
      addTo(outAt + hStride + 16, a11);
      addTo(outAt + 2 * hStride, a20);
      addTo(outAt + 2 * hStride + 16, a21);
      addTo(outAt + 3 * hStride, a30);
      addTo(outAt + 3 * hStride + 16, a31);
      outAt += 32;
    }
    if (j < hStride) {
      let a0 = f64x2.splat(0);
      let a1 = f64x2.splat(0);
      let a2 = f64x2.splat(0);
      let a3 = f64x2.splat(0);
      let hAt = scratch + j;
      for (let xAt = x + i; xAt < end; xAt += xStride) {
        const h0 = v128.load(hAt);
        hAt += hStride;
        a0 = multiplyAdd(a0, v128.load64_splat(xAt), h0);
        a1 = multiplyAdd(a1, v128.load64_splat(xAt, 8), h0);
        a2 = multiplyAdd(a2, v128.load64_splat(xAt, 16), h0);
        a3 = multiplyAdd(a3, v128.load64_splat(xAt, 24), h0);
      }
      addTo(outAt, a0);
      addTo(outAt + hStride, a1);
      addTo(outAt + 2 * hStride, a2);
      addTo(outAt + 3 * hStride, a3);
    }
  }
}
