/**
 * The generator's formulas, one number at a time: the reference that `models/simd/generator.as` repeats four blocks at a
 * time to the same bits, and what runs where WebAssembly SIMD is missing. `models/random.ts` says what is drawn and how it
 * is addressed.
 *
 * Source: Salmon, Moraes, Dror, Shaw (2011), "Parallel random numbers: as easy as 1, 2, 3"; Box and Muller (1958);
 * polynomials: Moshier, Cephes (logf, sinf, cosf).
 */
import type { Draw } from './random.ts';

const TWO_32 = 4294967296;

/** High 32 bits of the product of two 32-bit integers. */
function mulHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const low = Math.imul(aLow, bLow) >>> 16;
  const middle1 = (Math.imul(aHigh, bLow) >>> 0) + low;
  const middle2 = (Math.imul(aLow, bHigh) >>> 0) + (middle1 & 0xffff);
  return (Math.imul(aHigh, bHigh) + (middle1 >>> 16) + (middle2 >>> 16)) | 0;
}

/** One Philox block: writes 4 random words of 32 bits for the counter and key into `out`. */
export function philox(
  c0: number,
  c1: number,
  c2: number,
  c3: number,
  key0: number,
  key1: number,
  out: Int32Array,
): void {
  let x0 = c0;
  let x1 = c1;
  let x2 = c2;
  let x3 = c3;
  let k0 = key0;
  let k1 = key1;
  for (let round = 0; round < 10; round++) {
    const high0 = mulHigh(0xd2511f53, x0);
    const low0 = Math.imul(0xd2511f53, x0);
    const high1 = mulHigh(0xcd9e8d57, x2);
    const low1 = Math.imul(0xcd9e8d57, x2);
    x0 = high1 ^ x1 ^ k0;
    x1 = low1;
    x2 = high0 ^ x3 ^ k1;
    x3 = low0;
    k0 = (k0 + 0x9e3779b9) | 0;
    k1 = (k1 + 0xbb67ae85) | 0;
  }
  out[0] = x0;
  out[1] = x1;
  out[2] = x2;
  out[3] = x3;
}

const f = Math.fround;
const floatBits = new Float32Array(1);
const intBits = new Int32Array(floatBits.buffer);
const words = new Int32Array(4);

// Cephes logf on [sqrt(1/2), sqrt(2)), coefficients from the highest power down.
const L0 = f(7.0376836292e-2);
const L1 = f(-1.151461031e-1);
const L2 = f(1.167699874e-1);
const L3 = f(-1.2420140846e-1);
const L4 = f(1.4249322787e-1);
const L5 = f(-1.6668057665e-1);
const L6 = f(2.0000714765e-1);
const L7 = f(-2.4999993993e-1);
const L8 = f(3.3333331174e-1);
const LN2_LOW = f(-2.1219444e-4);
const LN2_HIGH = f(0.693359375);
const SQRT_HALF = f(Math.SQRT1_2);
const TWO_MINUS_32 = f(2 ** -32);

/** ln((word + 1/2) / 2^32) in float32, word read as unsigned. Smallest value: ln 2^-33 = -22.9. */
export function logUniform(word: number): number {
  floatBits[0] = f(f(f(word >>> 0) + 0.5) * TWO_MINUS_32);
  const bits = intBits[0]!;
  let exponent = (bits >>> 23) - 126;
  intBits[0] = (bits & 0x7fffff) | 0x3f000000;
  let m = floatBits[0]!;
  if (m < SQRT_HALF) {
    exponent -= 1;
    m = f(f(m + m) - 1);
  } else {
    m = f(m - 1);
  }
  const z = f(m * m);
  let y = f(f(L0 * m) + L1);
  y = f(f(y * m) + L2);
  y = f(f(y * m) + L3);
  y = f(f(y * m) + L4);
  y = f(f(y * m) + L5);
  y = f(f(y * m) + L6);
  y = f(f(y * m) + L7);
  y = f(f(y * m) + L8);
  y = f(f(y * m) * z);
  y = f(y + f(LN2_LOW * exponent));
  y = f(y - f(0.5 * z));
  return f(f(m + y) + f(LN2_HIGH * exponent));
}

// Cephes sinf and cosf on [-pi/4, pi/4].
const S0 = f(-1.9515295891e-4);
const S1 = f(8.3321608736e-3);
const S2 = f(-1.6666654611e-1);
const C0 = f(2.443315711809948e-5);
const C1 = f(-1.388731625493765e-3);
const C2 = f(4.166664568298827e-2);
const TURN = f((2 * Math.PI) / TWO_32);

/** Two standard normals from two words: radius from the first, angle from the second. Largest: 6.76. */
export function boxMuller(radiusWord: number, angleWord: number, out: Float32Array, at: number, count: number): void {
  const radius = f(Math.sqrt(f(-2 * logUniform(radiusWord))));
  const quadrant = (angleWord + 0x20000000) >>> 30;
  const x = f(f((angleWord - (quadrant << 30)) | 0) * TURN);
  const z = f(x * x);
  const sine = f(f(f(f(f(f(S0 * z) + S1) * z) + S2) * f(z * x)) + x);
  const cosine = f(f(f(f(f(f(f(C0 * z) + C1) * z) + C2) * f(z * z)) - f(0.5 * z)) + 1);
  const swap = (quadrant & 1) === 1;
  const first = swap ? sine : cosine;
  const second = swap ? cosine : sine;
  out[at] = quadrant === 1 || quadrant === 2 ? -f(radius * first) : f(radius * first);
  if (count > 1) out[at + 1] = quadrant >= 2 ? -f(radius * second) : f(radius * second);
}

/** Fills rows of `out` with normals or exponential draws; see {@link Draw}. */
export function fillPlain({ distribution, generator, position, prompts, count, out, at }: Draw): void {
  const writeBlock = distribution === 'normal' ? normalBlock : exponentialBlock;
  const key0 = generator.seed | 0;
  const key1 = Math.floor(generator.seed / TWO_32) | 0;
  for (let row = 0; row < prompts; row++) {
    const prompt = position.prompt + row;
    const c2 = (Math.floor(prompt / TWO_32) << 8) | position.purpose;
    const end = at + (row + 1) * count;
    for (let i = end - count, block = 0; i < end; i += 4, block++) {
      philox(block, prompt | 0, c2, generator.stream, key0, key1, words);
      writeBlock(out, i, end - i);
    }
  }
}

/** Writes the first `count` of a block's four normals. */
function normalBlock(out: Float32Array, at: number, count: number): void {
  boxMuller(words[0]!, words[1]!, out, at, count);
  if (count > 2) boxMuller(words[2]!, words[3]!, out, at + 2, count - 2);
}

/** Writes the first `count` of a block's four exponential draws. */
function exponentialBlock(out: Float32Array, at: number, count: number): void {
  for (let i = 0; i < Math.min(4, count); i++) out[at + i] = -logUniform(words[i]!);
}
