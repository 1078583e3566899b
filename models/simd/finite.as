/**
 * Whether numbers are finite, sixteen at a time, in AssemblyScript. `scripts/build-simd.ts` compiles it into
 * `models/simd/finite-wasm.ts`. A float32 is NaN or infinite if its exponent bits are all ones.
 */

/** Where numbers may begin. */
export const base: usize = 1024;

/** @param at, end Addresses, multiples of 64 apart. */
export function allFinite(at: usize, end: usize): bool {
  const exponent = i32x4.splat(0x7f800000);
  let bad = i32x4.splat(0);
  for (; at < end; at += 64) {
    const a = i32x4.eq(v128.and(v128.load(at), exponent), exponent);
    const b = i32x4.eq(v128.and(v128.load(at, 16), exponent), exponent);
    const c = i32x4.eq(v128.and(v128.load(at, 32), exponent), exponent);
    const d = i32x4.eq(v128.and(v128.load(at, 48), exponent), exponent);
    bad = v128.or(bad, v128.or(v128.or(a, b), v128.or(c, d)));
  }
  return !v128.any_true(bad);
}
