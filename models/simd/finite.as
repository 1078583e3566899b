/**
 * Whether numbers are finite, sixteen at a time, in AssemblyScript. `scripts/build-simd.ts` compiles it into
 * `models/simd/finite-wasm.ts`. x - x is +0, all bits 0, for every finite number, and NaN for all others.
 */

/** Where numbers may begin. */
export const base: usize = 1024;

// @ts-ignore: decorator
@inline
function difference(at: usize): v128 {
  const x = v128.load(at);
  return f32x4.sub(x, x);
}

/** @param at, end Addresses, multiples of 64 apart. */
export function allFinite(at: usize, end: usize): bool {
  let some = i32x4.splat(0);
  let others = i32x4.splat(0);
  for (; at < end; at += 64) {
    some = v128.or(some, v128.or(difference(at), difference(at + 16)));
    others = v128.or(others, v128.or(difference(at + 32), difference(at + 48)));
  }
  return !v128.any_true(v128.or(some, others));
}
