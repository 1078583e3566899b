/**
 * The generator's SIMD kernel, in AssemblyScript: what `models/random-plain.ts` computes, on four blocks at a time and to
 * the same bits. `scripts/build-simd.ts` compiles it into `models/simd/generator-wasm.ts`.
 *
 * Its memory holds the constants and, from `buffer` on, the numbers: `words` writes raw words there, `normals` or
 * `exponentials` turns them into numbers, `closeGaps` packs rows, all in place. Nothing is checked here:
 * `models/random-simd.ts` keeps every call inside the memory.
 *
 * Only operations with one exactly rounded result are used (no relaxed SIMD, no fused multiply-add), in the order of the
 * plain code, which also says what the formulas are.
 */

/** Where the numbers begin; the constants stand below. */
const BUFFER: usize = 2048;

/** Four blocks of four words. */
const GROUP_BYTES: usize = 64;

// Constants are read from memory where they are needed: engines make a constant in the code anew each time, at the price
// of three instructions instead of one.
const MULTIPLIER_0 = memory.data<u32>([0xd2511f53]);
const MULTIPLIER_1 = memory.data<u32>([0xcd9e8d57]);
const WEYL_0 = memory.data<u32>([0x9e3779b9]);
const WEYL_1 = memory.data<u32>([0xbb67ae85]);

const MANTISSA = memory.data<u32>([0x7fffff]);
const EXPONENT_OF_HALF = memory.data<u32>([0x3f000000]);
const BIAS = memory.data<u32>([126]);
const L0 = memory.data<f32>([7.0376836292e-2]);
const L1 = memory.data<f32>([-1.151461031e-1]);
const L2 = memory.data<f32>([1.167699874e-1]);
const L3 = memory.data<f32>([-1.2420140846e-1]);
const L4 = memory.data<f32>([1.4249322787e-1]);
const L5 = memory.data<f32>([-1.6668057665e-1]);
const L6 = memory.data<f32>([2.0000714765e-1]);
const L7 = memory.data<f32>([-2.4999993993e-1]);
const L8 = memory.data<f32>([3.3333331174e-1]);
const LN2_LOW = memory.data<f32>([-2.1219444e-4]);
const LN2_HIGH = memory.data<f32>([0.693359375]);
const SQRT_HALF = memory.data<f32>([0.7071067811865476]);
const TWO_MINUS_32 = memory.data<f32>([2.3283064365386962890625e-10]);

const EIGHTH_TURN = memory.data<u32>([0x20000000]);
const QUADRANT = memory.data<u32>([0xc0000000]);
const SIGN = memory.data<u32>([0x80000000]);
const S0 = memory.data<f32>([-1.9515295891e-4]);
const S1 = memory.data<f32>([8.3321608736e-3]);
const S2 = memory.data<f32>([-1.6666654611e-1]);
const C0 = memory.data<f32>([2.443315711809948e-5]);
const C1 = memory.data<f32>([-1.388731625493765e-3]);
const C2 = memory.data<f32>([4.166664568298827e-2]);
const TURN = memory.data<f32>([1.4629180792671596e-9]); // 2 pi / 2^32

const MINUS_TWO = memory.data<f32>([-2]);
const HALF = memory.data<f32>([0.5]);
const ONE = memory.data<f32>([1]);

/** The constant at an address, in all four lanes. */
// @ts-ignore: decorator
@inline
function all(constant: usize): v128 {
  return v128.load32_splat(constant);
}

/** The upper halves of four 64-bit products. */
// @ts-ignore: decorator
@inline
function high(products01: v128, products23: v128): v128 {
  return v128.shuffle<i32>(products01, products23, 1, 3, 5, 7);
}

/** The lower halves of four 64-bit products. */
// @ts-ignore: decorator
@inline
function low(products01: v128, products23: v128): v128 {
  return v128.shuffle<i32>(products01, products23, 0, 2, 4, 6);
}

/**
 * Writes `groups` groups of four Philox4x32-10 blocks: word 0 of the four blocks, then their words 1, 2 and 3.
 * The first is block `c0` of prompt `c1`; after each `blocksPerRow` blocks the next prompt begins, at its block `c0`.
 */
function words(key0: i32, key1: i32, c0: i32, c1: i32, c2: i32, c3: i32, blocksPerRow: i32, groups: usize): void {
  const multiplier0 = all(MULTIPLIER_0);
  const multiplier1 = all(MULTIPLIER_1);
  const weyl0 = all(WEYL_0);
  const weyl1 = all(WEYL_1);
  const perRow = i32x4.splat(blocksPerRow);
  const blockStep = i32x4.splat(4 % blocksPerRow);
  const promptStep = i32x4.splat(4 / blocksPerRow);
  const start = i32x4.splat(c0);
  let block = i32x4.splat(0);
  block = i32x4.replace_lane(block, 1, 1 % blocksPerRow);
  block = i32x4.replace_lane(block, 2, 2 % blocksPerRow);
  block = i32x4.replace_lane(block, 3, 3 % blocksPerRow);
  let prompt = i32x4.splat(c1);
  prompt = i32x4.replace_lane(prompt, 1, c1 + 1 / blocksPerRow);
  prompt = i32x4.replace_lane(prompt, 2, c1 + 2 / blocksPerRow);
  prompt = i32x4.replace_lane(prompt, 3, c1 + 3 / blocksPerRow);

  for (let at = BUFFER, end = BUFFER + groups * GROUP_BYTES; at < end; at += GROUP_BYTES) {
    let x0 = i32x4.add(start, block);
    let x1 = prompt;
    let x2 = i32x4.splat(c2);
    let x3 = i32x4.splat(c3);
    let k0 = i32x4.splat(key0);
    let k1 = i32x4.splat(key1);
    for (let round = 0; round < 10; round++) {
      const low0 = i64x2.extmul_low_i32x4_u(x0, multiplier0);
      const high0 = i64x2.extmul_high_i32x4_u(x0, multiplier0);
      const low1 = i64x2.extmul_low_i32x4_u(x2, multiplier1);
      const high1 = i64x2.extmul_high_i32x4_u(x2, multiplier1);
      x0 = v128.xor(high(low1, high1), v128.xor(x1, k0));
      x1 = low(low1, high1);
      x2 = v128.xor(high(low0, high0), v128.xor(x3, k1));
      x3 = low(low0, high0);
      k0 = i32x4.add(k0, weyl0);
      k1 = i32x4.add(k1, weyl1);
    }
    v128.store(at, x0);
    v128.store(at, x1, 16);
    v128.store(at, x2, 32);
    v128.store(at, x3, 48);
    block = i32x4.add(block, blockStep);
    prompt = i32x4.add(prompt, promptStep);
    const isPast = i32x4.ge_u(block, perRow);
    block = i32x4.sub(block, v128.and(isPast, perRow));
    prompt = i32x4.sub(prompt, isPast);
  }
}

/** a b + c, rounded twice. */
// @ts-ignore: decorator
@inline
function multiplyAdd(a: v128, b: v128, c: usize): v128 {
  return f32x4.add(f32x4.mul(a, b), all(c));
}

/** ln((word + 1/2) / 2^32) */
// @ts-ignore: decorator
@inline
function logUniform(word: v128): v128 {
  const uniform = f32x4.mul(f32x4.add(f32x4.convert_i32x4_u(word), all(HALF)), all(TWO_MINUS_32));
  let m = v128.or(v128.and(uniform, all(MANTISSA)), all(EXPONENT_OF_HALF));
  const isSmall = f32x4.lt(m, all(SQRT_HALF)); // as an integer -1 or 0
  const exponent = f32x4.convert_i32x4_s(i32x4.add(i32x4.sub(i32x4.shr_u(uniform, 23), all(BIAS)), isSmall));
  m = f32x4.sub(f32x4.add(m, v128.and(isSmall, m)), all(ONE));
  const z = f32x4.mul(m, m);
  let y = multiplyAdd(all(L0), m, L1);
  y = multiplyAdd(y, m, L2);
  y = multiplyAdd(y, m, L3);
  y = multiplyAdd(y, m, L4);
  y = multiplyAdd(y, m, L5);
  y = multiplyAdd(y, m, L6);
  y = multiplyAdd(y, m, L7);
  y = multiplyAdd(y, m, L8);
  y = f32x4.mul(f32x4.mul(y, m), z);
  y = f32x4.add(y, f32x4.mul(all(LN2_LOW), exponent));
  y = f32x4.sub(y, f32x4.mul(all(HALF), z));
  return f32x4.add(f32x4.add(m, y), f32x4.mul(all(LN2_HIGH), exponent));
}

/** Radius of a pair of normals: sqrt(-2 ln u). */
// @ts-ignore: decorator
@inline
function radiusOf(word: v128): v128 {
  return f32x4.sqrt(f32x4.mul(all(MINUS_TWO), logUniform(word)));
}

/** Angle of a pair within its quadrant, in [-pi/4, pi/4]. The upper two bits of `turned` are the quadrant. */
// @ts-ignore: decorator
@inline
function angleOf(word: v128, turned: v128): v128 {
  return f32x4.mul(f32x4.convert_i32x4_s(i32x4.sub(word, v128.and(turned, all(QUADRANT)))), all(TURN));
}

// @ts-ignore: decorator
@inline
function sineOf(x: v128): v128 {
  const z = f32x4.mul(x, x);
  let y = multiplyAdd(all(S0), z, S1);
  y = multiplyAdd(y, z, S2);
  return f32x4.add(f32x4.mul(y, f32x4.mul(z, x)), x);
}

// @ts-ignore: decorator
@inline
function cosineOf(x: v128): v128 {
  const z = f32x4.mul(x, x);
  let y = multiplyAdd(all(C0), z, C1);
  y = multiplyAdd(y, z, C2);
  return f32x4.add(f32x4.sub(f32x4.mul(y, f32x4.mul(z, z)), f32x4.mul(all(HALF), z)), all(ONE));
}

/** All ones in quadrants 1 and 3, where sine and cosine change places. */
// @ts-ignore: decorator
@inline
function isOdd(turned: v128): v128 {
  return i32x4.shr_s(i32x4.shl(turned, 1), 31);
}

/** First normal of a pair; negative in quadrants 1 and 2. */
// @ts-ignore: decorator
@inline
function firstOf(radius: v128, sine: v128, cosine: v128, turned: v128): v128 {
  const sign = v128.and(v128.xor(turned, i32x4.shl(turned, 1)), all(SIGN));
  return v128.xor(f32x4.mul(radius, v128.bitselect(sine, cosine, isOdd(turned))), sign);
}

/** Second normal of a pair; negative in quadrants 2 and 3. */
// @ts-ignore: decorator
@inline
function secondOf(radius: v128, sine: v128, cosine: v128, turned: v128): v128 {
  return v128.xor(
    f32x4.mul(radius, v128.bitselect(cosine, sine, isOdd(turned))),
    v128.and(turned, all(SIGN)),
  );
}

/** Stores four blocks one after another, given number 0 of the four, then their numbers 1, 2 and 3. */
// @ts-ignore: decorator
@inline
function storeBlocks(at: usize, x0: v128, x1: v128, x2: v128, x3: v128): void {
  const front01 = v128.shuffle<i32>(x0, x1, 0, 4, 1, 5);
  const front23 = v128.shuffle<i32>(x2, x3, 0, 4, 1, 5);
  const back01 = v128.shuffle<i32>(x0, x1, 2, 6, 3, 7);
  const back23 = v128.shuffle<i32>(x2, x3, 2, 6, 3, 7);
  v128.store(at, v128.shuffle<i64>(front01, front23, 0, 2));
  v128.store(at, v128.shuffle<i64>(front01, front23, 1, 3), 16);
  v128.store(at, v128.shuffle<i64>(back01, back23, 0, 2), 32);
  v128.store(at, v128.shuffle<i64>(back01, back23, 1, 3), 48);
}

/** Turns words into normals, block after block. */
function normals(groups: usize): void {
  for (let at = BUFFER, end = BUFFER + groups * GROUP_BYTES; at < end; at += GROUP_BYTES) {
    const radiusA = radiusOf(v128.load(at));
    const wordA = v128.load(at, 16);
    const turnedA = i32x4.add(wordA, all(EIGHTH_TURN));
    const angleA = angleOf(wordA, turnedA);
    const sineA = sineOf(angleA);
    const cosineA = cosineOf(angleA);
    const radiusB = radiusOf(v128.load(at, 32));
    const wordB = v128.load(at, 48);
    const turnedB = i32x4.add(wordB, all(EIGHTH_TURN));
    const angleB = angleOf(wordB, turnedB);
    const sineB = sineOf(angleB);
    const cosineB = cosineOf(angleB);
    storeBlocks(
      at,
      firstOf(radiusA, sineA, cosineA, turnedA),
      secondOf(radiusA, sineA, cosineA, turnedA),
      firstOf(radiusB, sineB, cosineB, turnedB),
      secondOf(radiusB, sineB, cosineB, turnedB),
    );
  }
}

/** Turns words into exponential draws, block after block. */
function exponentials(groups: usize): void {
  for (let at = BUFFER, end = BUFFER + groups * GROUP_BYTES; at < end; at += GROUP_BYTES) {
    storeBlocks(
      at,
      f32x4.neg(logUniform(v128.load(at))),
      f32x4.neg(logUniform(v128.load(at, 16))),
      f32x4.neg(logUniform(v128.load(at, 32))),
      f32x4.neg(logUniform(v128.load(at, 48))),
    );
  }
}

/** Closes the gaps between rows whose length is not a multiple of 4. What a row has too much, the next overwrites. */
function closeGaps(rows: i32, blocksPerRow: i32, rowLength: i32): void {
  let from = BUFFER;
  let to = BUFFER;
  for (let row = 0; row < rows; row++) {
    for (let block = 0; block < blocksPerRow; block++) {
      v128.store(to + (block << 4), v128.load(from));
      from += 16;
    }
    to += rowLength << 2;
  }
}

/** Address of the first number. */
export const buffer: usize = BUFFER;

/**
 * Fills the buffer with `rows` rows of `rowLength` numbers, one row for each prompt: normals, or exponentials.
 * `key0`, `key1`: the seed; `c0`: each row's first block; `c1`, `c2`: the first prompt and the purpose; `c3`: the stream.
 */
export function fill(
  isExponential: bool,
  key0: i32,
  key1: i32,
  c0: i32,
  c1: i32,
  c2: i32,
  c3: i32,
  rows: i32,
  rowLength: i32,
): void {
  const blocksPerRow = rowLength + 3 >> 2;
  const groups = rows * blocksPerRow + 3 >> 2;
  words(key0, key1, c0, c1, c2, c3, blocksPerRow, groups);
  if (isExponential) exponentials(groups);
  else normals(groups);
  if (rowLength & 3) closeGaps(rows, blocksPerRow, rowLength);
}
