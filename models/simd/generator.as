/**
 * The generator's SIMD kernel, in AssemblyScript: what `models/random-plain.ts` computes, on four blocks at a time and to
 * the same bits. `scripts/build-simd.ts` compiles it into `models/simd/generator-wasm.ts` and `generator-shared-wasm.ts`.
 *
 * The four blocks are those of one number for four prompts, or, for a row alone, four neighbours. A block is written as four
 * vectors, `stride` bytes apart: first one word of all four blocks each, then, in the same places, the numbers of one block
 * each. So for four prompts everything stands in its row at once, and for a row alone everything is contiguous.
 *
 * Its memory holds the constants, what Philox has in common for all prompts and, from `buffer` on, numbers under way and those
 * that stay there. It is the kernel's own, or memory that threads share with batches in it, where one thread draws. Nothing is
 * checked here: `models/random-simd.ts` keeps every call inside the memory.
 *
 * Only operations with one exactly rounded result are used (no relaxed SIMD, no fused multiply-add), in the order of the
 * plain code, which also says what the formulas are.
 */

/** What Philox has in common for a block of all prompts: four words for each block of a row. */
const TABLE: usize = 2048;

/** Blocks that the table has room for. */
const TABLE_BLOCKS: i32 = 1024;

/** Where the numbers begin. */
const BUFFER: usize = TABLE + 16 * TABLE_BLOCKS;

/** Both keys of the ten rounds, each in all four lanes. */
const KEYS: usize = TABLE - 320;

// Constants are read from memory where they are needed: engines make a constant in the code anew each time, at the price
// of three instructions instead of one.
const INTEGERS = memory.data<u32>([0xd2511f53, 0xcd9e8d57, 0x9e3779b9, 0xbb67ae85, 0x20000000, 0x80000000, 0xff800000]);
const MULTIPLIER_0: usize = INTEGERS;
const MULTIPLIER_1: usize = INTEGERS + 4;
const WEYL_0: usize = INTEGERS + 8;
const WEYL_1: usize = INTEGERS + 12;
const EIGHTH_TURN: usize = INTEGERS + 16;
const SIGN: usize = INTEGERS + 20;
const EXPONENT: usize = INTEGERS + 24;

// Coefficients of the logarithm, the sine and the cosine, from the highest power down. All numbers are those of the plain
// code times powers of two, which round nothing: so half of -ln u and twice a sine cost fewer operations than these.
const FLOATS = memory.data<f32>([
  7.0376836292e-2 * 1024, -1.151461031e-1 * 512, 1.167699874e-1 * 256, -1.2420140846e-1 * 128, 1.4249322787e-1 * 64,
  -1.6668057665e-1 * 32, 2.0000714765e-1 * 16, -2.4999993993e-1 * 8, 3.3333331174e-1 * 4,
  -1.9515295891e-4 / 64, 8.3321608736e-3 / 16, -1.6666654611e-1 / 4,
  2.443315711809948e-5 / 128, -1.388731625493765e-3 / 32, 4.166664568298827e-2 / 8,
  -2.1219444e-4 / 16777216, -0.693359375 / 16777216, 0.7071067811865476 / 2,
  0.0009765625, 64, 64.0009765625, 5.82076609134674072265625e-11, 1.4629180792671596e-9 / 2,
  0.25, 0.5, 2,
]);
const L: usize = FLOATS;
const S: usize = FLOATS + 36;
const C: usize = FLOATS + 48;
const LN2_LOW: usize = FLOATS + 60;
const MINUS_LN2_HIGH: usize = FLOATS + 64;
const HALF_SQRT_HALF: usize = FLOATS + 68;
const TWO_MINUS_10: usize = FLOATS + 72;
const TWO_6: usize = FLOATS + 76;
const TWO_6_AND_MINUS_10: usize = FLOATS + 80;
const TWO_MINUS_34: usize = FLOATS + 84;
const TURN: usize = FLOATS + 88; // pi / 2^32
const QUARTER: usize = FLOATS + 92;
const HALF: usize = FLOATS + 96;
const TWO: usize = FLOATS + 100;

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

function prepareKeys(key0: i32, key1: i32): void {
  let k0 = i32x4.splat(key0);
  let k1 = i32x4.splat(key1);
  for (let at = KEYS, end = KEYS + 320; at < end; at += 32) {
    v128.store(at, k0);
    v128.store(at, k1, 16);
    k0 = i32x4.add(k0, all(WEYL_0));
    k1 = i32x4.add(k1, all(WEYL_1));
  }
}

// @ts-ignore: decorator
@inline
function storeState(at: usize, stride: usize, x0: v128, x1: v128, x2: v128, x3: v128): void {
  v128.store(at, x0);
  v128.store(at + stride, x1);
  v128.store(at + 2 * stride, x2);
  v128.store(at + 3 * stride, x3);
}

/** Rounds `from` to `to - 1` of Philox4x32-10, of four blocks at a time, from `at` to `end` in steps of `step`. */
function rounds(from: usize, to: usize, at: usize, end: usize, step: usize, stride: usize): void {
  const multiplier0 = all(MULTIPLIER_0);
  const multiplier1 = all(MULTIPLIER_1);
  for (; at < end; at += step) {
    let x0 = v128.load(at);
    let x1 = v128.load(at + stride);
    let x2 = v128.load(at + 2 * stride);
    let x3 = v128.load(at + 3 * stride);
    for (let key = KEYS + (from << 5), keysEnd = KEYS + (to << 5); key < keysEnd; key += 32) {
      const low0 = i64x2.extmul_low_i32x4_u(x0, multiplier0);
      const high0 = i64x2.extmul_high_i32x4_u(x0, multiplier0);
      const low1 = i64x2.extmul_low_i32x4_u(x2, multiplier1);
      const high1 = i64x2.extmul_high_i32x4_u(x2, multiplier1);
      x0 = v128.xor(high(low1, high1), v128.xor(x1, v128.load(key)));
      x1 = low(low1, high1);
      x2 = v128.xor(high(low0, high0), v128.xor(x3, v128.load(key, 16)));
      x3 = low(low0, high0);
    }
    storeState(at, stride, x0, x1, x2, x3);
  }
}

/** Counters of blocks c0, c0 + 1, .. of prompt c1. */
function startRow(at: usize, c0: i32, c1: i32, c2: i32, c3: i32, blocks: i32): void {
  let block = i32x4.add(i32x4.splat(c0), i32x4(0, 1, 2, 3));
  for (const end = at + (blocks << 4); at < end; at += 64) {
    storeState(at, 16, block, i32x4.splat(c1), i32x4.splat(c2), i32x4.splat(c3));
    block = i32x4.add(block, i32x4.splat(4));
  }
}

/** Replaces words 0, 1 and 3 after two rounds by what the third makes of words 0 and 1, for its words 2, 0 and 3. */
function startThird(at: usize, size: usize): void {
  const multiplier0 = all(MULTIPLIER_0);
  for (const end = at + size; at < end; at += 64) {
    const x0 = v128.load(at);
    const low0 = i64x2.extmul_low_i32x4_u(x0, multiplier0);
    const high0 = i64x2.extmul_high_i32x4_u(x0, multiplier0);
    v128.store(at, v128.xor(high(low0, high0), v128.load(KEYS, 2 * 32 + 16)));
    v128.store(at, v128.xor(v128.load(at, 16), v128.load(KEYS, 2 * 32)), 16);
    v128.store(at, low(low0, high0), 48);
  }
}

/**
 * The first three rounds of `rows` rows of `blocks` blocks each, from prompt c1 on, four rows at a time.
 *
 * A counter is (block, prompt, c2, c3). After two rounds its words 0 and 1 depend on the block, word 3 on the prompt, and word 2
 * is the exclusive or of a function of each. So they are computed for one prompt, for one block, and put together; and what the
 * third round makes of words 0 and 1 is computed for one prompt too.
 */
function startRows(c0: i32, c1: i32, c2: i32, c3: i32, rows: i32, blocks: i32): void {
  const rowBytes = <usize>blocks << 4;
  startRow(TABLE, c0, c1, c2, c3, blocks);
  rounds(0, 2, TABLE, TABLE + rowBytes, 64, 16);
  const both = v128.load32_splat(TABLE, 32);
  startThird(TABLE, rowBytes);
  const multiplier1 = all(MULTIPLIER_1);
  let prompt = i32x4.add(i32x4.splat(c1), i32x4(0, 1, 2, 3));
  for (let row = 0, at = BUFFER; row < rows; row += 4, at += rowBytes << 2) {
    storeState(at, rowBytes, i32x4.splat(c0), prompt, i32x4.splat(c2), i32x4.splat(c3));
    rounds(0, 2, at, at + 16, 16, rowBytes);
    const ofPrompt2 = v128.xor(v128.load(at + 2 * rowBytes), both);
    const ofPrompt3 = v128.load(at + 3 * rowBytes);
    for (let block: usize = 0; block < <usize>blocks; block++) {
      const ofBlock = TABLE + (block >> 2 << 6) + ((block & 3) << 2);
      const x2 = v128.xor(v128.load32_splat(ofBlock, 32), ofPrompt2);
      const low1 = i64x2.extmul_low_i32x4_u(x2, multiplier1);
      const high1 = i64x2.extmul_high_i32x4_u(x2, multiplier1);
      storeState(
        at + (block << 4),
        rowBytes,
        v128.xor(high(low1, high1), v128.load32_splat(ofBlock, 16)),
        low(low1, high1),
        v128.xor(ofPrompt3, v128.load32_splat(ofBlock)),
        v128.load32_splat(ofBlock, 48),
      );
    }
    prompt = i32x4.add(prompt, i32x4.splat(4));
  }
}

/** a b + c, rounded twice. */
// @ts-ignore: decorator
@inline
function multiplyAdd(a: v128, b: v128, c: usize): v128 {
  return f32x4.add(f32x4.mul(a, b), all(c));
}

/** An unsigned word times 2^-33, rounded once: its upper half and its lower one are put under exponents of their own. */
// @ts-ignore: decorator
@inline
function scaled(word: v128): v128 {
  const upper = v128.or(i32x4.shr_u(word, 16), all(TWO_6));
  const lower = v128.shuffle<i16>(word, all(TWO_MINUS_10), 0, 9, 2, 11, 4, 13, 6, 15);
  return f32x4.add(f32x4.sub(upper, all(TWO_6_AND_MINUS_10)), lower);
}

/** -1/2 ln u of u = (word + 1/2) / 2^32. */
// @ts-ignore: decorator
@inline
function halfMinusLog(word: v128): v128 {
  const halfUniform = f32x4.add(scaled(word), all(TWO_MINUS_34));
  // u = 2^power (1 + 2 m) with 1 + 2 m in [sqrt(1/2), sqrt(2)): in the bits a subtraction from the exponent.
  const power = v128.and(i32x4.sub(halfUniform, all(HALF_SQRT_HALF)), all(EXPONENT));
  const exponent = f32x4.convert_i32x4_s(power); // 2^23 power
  const m = f32x4.sub(i32x4.sub(halfUniform, power), all(HALF));
  const z = f32x4.mul(m, m);
  let y = multiplyAdd(all(L), m, L + 4);
  y = multiplyAdd(y, m, L + 8);
  y = multiplyAdd(y, m, L + 12);
  y = multiplyAdd(y, m, L + 16);
  y = multiplyAdd(y, m, L + 20);
  y = multiplyAdd(y, m, L + 24);
  y = multiplyAdd(y, m, L + 28);
  y = multiplyAdd(y, m, L + 32);
  y = f32x4.mul(f32x4.mul(y, m), z);
  y = f32x4.add(y, f32x4.mul(all(LN2_LOW), exponent));
  y = f32x4.sub(y, z);
  // -0 where u is 1, as -ln u is.
  return f32x4.sub(f32x4.mul(all(MINUS_LN2_HIGH), exponent), f32x4.add(m, y));
}

/** Half the radius of a pair of normals, sqrt(-2 ln u) / 2, negative in quadrants 2 and 3. */
// @ts-ignore: decorator
@inline
function radiusOf(word: v128, turned: v128): v128 {
  return v128.xor(f32x4.sqrt(halfMinusLog(word)), v128.and(turned, all(SIGN)));
}

/** Twice the angle of a pair within its quadrant, in [-pi/2, pi/2]: without the upper two bits, the quadrant. */
// @ts-ignore: decorator
@inline
function angleOf(word: v128): v128 {
  return f32x4.mul(f32x4.convert_i32x4_s(i32x4.shl(word, 2)), all(TURN));
}

/** Twice the sine of half of x. */
// @ts-ignore: decorator
@inline
function sineOf(x: v128): v128 {
  const z = f32x4.mul(x, x);
  let y = multiplyAdd(all(S), z, S + 4);
  y = multiplyAdd(y, z, S + 8);
  return f32x4.add(f32x4.mul(y, f32x4.mul(z, x)), x);
}

/** Twice the cosine of half of x. */
// @ts-ignore: decorator
@inline
function cosineOf(x: v128): v128 {
  const z = f32x4.mul(x, x);
  let y = multiplyAdd(all(C), z, C + 4);
  y = multiplyAdd(y, z, C + 8);
  return f32x4.add(f32x4.sub(f32x4.mul(y, f32x4.mul(z, z)), f32x4.mul(all(QUARTER), z)), all(TWO));
}

/** In quadrants 1 and 3 sine and cosine change places and the sine its sign, which is bit 31 of `odd`. */
// @ts-ignore: decorator
@inline
function signed(sine: v128, odd: v128): v128 {
  return v128.xor(sine, v128.and(odd, all(SIGN)));
}

/** The bits in which sine and cosine differ in quadrants 1 and 3, and 0 elsewhere. */
// @ts-ignore: decorator
@inline
function exchange(sine: v128, cosine: v128, odd: v128): v128 {
  return v128.and(v128.xor(sine, cosine), i32x4.shr_s(odd, 31));
}

/** Stores four blocks, given number 0 of the four, then their numbers 1, 2 and 3. */
// @ts-ignore: decorator
@inline
function storeBlocks(at: usize, stride: usize, x0: v128, x1: v128, x2: v128, x3: v128): void {
  const front01 = v128.shuffle<i32>(x0, x1, 0, 4, 1, 5);
  const front23 = v128.shuffle<i32>(x2, x3, 0, 4, 1, 5);
  const back01 = v128.shuffle<i32>(x0, x1, 2, 6, 3, 7);
  const back23 = v128.shuffle<i32>(x2, x3, 2, 6, 3, 7);
  v128.store(at, v128.shuffle<i64>(front01, front23, 0, 2));
  v128.store(at + stride, v128.shuffle<i64>(front01, front23, 1, 3));
  v128.store(at + 2 * stride, v128.shuffle<i64>(back01, back23, 0, 2));
  v128.store(at + 3 * stride, v128.shuffle<i64>(back01, back23, 1, 3));
}

/** Turns words into normals, block after block, from `at` to `end` in steps of `step`, `shift` bytes further. */
function normals(at: usize, end: usize, step: usize, stride: usize, shift: usize): void {
  for (; at < end; at += step) {
    const wordA = v128.load(at + stride);
    const turnedA = i32x4.add(wordA, all(EIGHTH_TURN));
    const oddA = i32x4.shl(turnedA, 1);
    const radiusA = radiusOf(v128.load(at), turnedA);
    const angleA = angleOf(wordA);
    const sineA = signed(sineOf(angleA), oddA);
    const cosineA = cosineOf(angleA);
    const exchangeA = exchange(sineA, cosineA, oddA);
    const wordB = v128.load(at + 3 * stride);
    const turnedB = i32x4.add(wordB, all(EIGHTH_TURN));
    const oddB = i32x4.shl(turnedB, 1);
    const radiusB = radiusOf(v128.load(at + 2 * stride), turnedB);
    const angleB = angleOf(wordB);
    const sineB = signed(sineOf(angleB), oddB);
    const cosineB = cosineOf(angleB);
    const exchangeB = exchange(sineB, cosineB, oddB);
    storeBlocks(
      at + shift,
      stride,
      f32x4.mul(radiusA, v128.xor(cosineA, exchangeA)),
      f32x4.mul(radiusA, v128.xor(sineA, exchangeA)),
      f32x4.mul(radiusB, v128.xor(cosineB, exchangeB)),
      f32x4.mul(radiusB, v128.xor(sineB, exchangeB)),
    );
  }
}

/** Turns words into exponential draws likewise. */
function exponentials(at: usize, end: usize, step: usize, stride: usize, shift: usize): void {
  for (; at < end; at += step) {
    for (let word = at, last = at + 3 * stride; word <= last; word += stride) {
      const half = halfMinusLog(v128.load(word));
      v128.store(word, f32x4.add(half, half));
    }
    storeBlocks(
      at + shift,
      stride,
      v128.load(at),
      v128.load(at + stride),
      v128.load(at + 2 * stride),
      v128.load(at + 3 * stride),
    );
  }
}

/** Copies rows from the buffer to where there are no gaps between them, and nothing behind the last. */
function copyRows(to: usize, rows: i32, blocks: i32, rowLength: i32): void {
  const rest = rowLength & 3;
  let from = BUFFER;
  for (let row = 0; row < rows; row++) {
    for (const end = from + (<usize>(rowLength >> 2) << 4); from < end; from += 16, to += 16) v128.store(to, v128.load(from));
    for (let i: usize = 0; i < <usize>rest << 2; i += 4) store<f32>(to + i, load<f32>(from + i));
    from += rest > 0 ? 16 : 0;
    to += rest << 2;
  }
}

/** Address of the first number, if they are to stay in the kernel's own part of the memory. */
export const buffer: usize = BUFFER;

/** The most blocks that rows which are not alone may have. */
export const tableBlocks: i32 = TABLE_BLOCKS;

/**
 * Writes `rows` rows of `rowLength` numbers, one row for each prompt, to `out`: normals, or exponentials. They are made in the
 * buffer, a row alone in fours of blocks and several in fours of rows: there must be room for what is too much.
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
  out: usize,
): void {
  const blocks = rowLength + 3 >> 2;
  const rowBytes = <usize>blocks << 4;
  prepareKeys(key0, key1);
  let from: usize = 3;
  let step: usize = 16;
  let stride = rowBytes;
  let isWhole = ((rows | rowLength) & 3) === 0;
  if (rows === 1) {
    from = 0;
    step = 64;
    stride = 16;
    isWhole = (rowLength & 15) === 0;
    startRow(BUFFER, c0, c1, c2, c3, blocks);
  } else {
    startRows(c0, c1, c2, c3, rows, blocks);
  }
  const shift = isWhole ? out - BUFFER : 0;
  for (let row = 0, at = BUFFER; row < rows; row += 4, at += rowBytes << 2) {
    rounds(from, 10, at, at + rowBytes, step, stride);
    if (isExponential) exponentials(at, at + rowBytes, step, stride, shift);
    else normals(at, at + rowBytes, step, stride, shift);
  }
  if (!isWhole) copyRows(out, rows, blocks, rowLength);
}
