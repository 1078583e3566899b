/** The generator on SIMD and the plain one write the same bits; the kernel in the package is what its source compiles to. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { allocateForDrawing, drawInPlace } from '../../models/drawing-memory.ts';
import {
  createGenerator,
  type Draw,
  fillExponentials,
  fillExponentialsForPrompts,
  fillNormals,
  fillNormalsForPrompts,
  generatorImplementation,
  useGeneratorImplementation,
} from '../../models/random.ts';
import { boxMuller, fillPlain, logUniform, philox } from '../../models/random-plain.ts';
import { createSimdFill } from '../../models/random-simd.ts';
import { kernelBase64 } from '../../models/simd/generator-wasm.ts';
import { requireOrSkip } from '../require.ts';

const fillSimd = createSimdFill()!;

/** The build script; the compiler that it needs is not there without the development packages. */
const compiler = await import('../../scripts/build-simd.ts').catch((cause: Error) => cause);

/** How many numbers the kernel makes in one call, unless a row has more. */
const capacity = 8192;

/** Numbers as bit patterns, so that 0 and -0 differ. */
const bits = (values: Float32Array) => new Uint32Array(values.buffer, values.byteOffset, values.length);

/** Room in memory in which the kernel draws in place. */
const shared = allocateForDrawing([210_000]);
drawInPlace(shared);

/** The same draw by each way, on arrays that hold something before: SIMD with and without copying, and without SIMD. */
function drawAll(draw: Omit<Draw, 'out'>, margin: number): Uint32Array[] {
  const length = draw.at + draw.prompts * draw.count + margin;
  return [
    { fill: fillSimd, out: new Float32Array(length) },
    { fill: fillSimd, out: shared.arrays[0]!.subarray(0, length) },
    { fill: fillPlain, out: new Float32Array(length) },
  ].map(({ fill, out }) => {
    expect(out.length).toBe(length);
    fill({ ...draw, out: out.fill(12345) });
    return bits(out);
  });
}

/** Like `toEqual`, which takes seconds on long arrays. */
function expectSame(draws: readonly Uint32Array[]): void {
  const plain = draws.at(-1)!;
  for (const simd of draws) {
    const differs = simd.findIndex((value, i) => value !== plain[i]);
    expect(differs, `${simd[differs]} is not ${plain[differs]}`).toBe(-1);
  }
}

const draws = fc.record({
  distribution: fc.constantFrom('normal', 'exponential'),
  generator: fc.record({ seed: fc.maxSafeNat(), stream: fc.nat(1000) }),
  position: fc.record({ prompt: fc.maxSafeNat().map((n) => Math.min(n, 2 ** 53 - 100)), purpose: fc.nat(255) }),
  prompts: fc.nat(9),
  count: fc.nat(40),
  at: fc.nat(5),
});

afterEach(() => useGeneratorImplementation('simd'));

describe('the SIMD generator', () => {
  it('is in use where this JavaScript engine has SIMD, and can be switched', () => {
    expect(generatorImplementation()).toBe('simd');
    useGeneratorImplementation('plain');
    expect(generatorImplementation()).toBe('plain');
  });

  it('writes the same bits as the plain one, in place and not, and nothing beside its rows', () => {
    fc.assert(
      fc.property(draws, fc.nat(20), (draw, margin) => {
        expectSame(drawAll(draw as Omit<Draw, 'out'>, margin));
      }),
      { numRuns: 2000 },
    );
  });

  it.each([4095, 4096, 4097, capacity - 1, capacity, capacity + 1, 2 * capacity, 40_001])(
    'does so for %i numbers a row',
    (count) => {
      const generator = createGenerator(2 ** 40 + 3, 7);
      const position = { prompt: 2 ** 33 + 1, purpose: 200 };
      for (const distribution of ['normal', 'exponential'] as const) {
        for (const prompts of [2, 5]) {
          expectSame(drawAll({ distribution, generator, position, prompts, count, at: 3 }, 20));
        }
      }
    },
  );

  it.each([1, 4, 5, 7, 105, 2049, 4096])(
    'does so for more rows of %i than fit at once, across prompt 2^32',
    (count) => {
      const prompts = Math.ceil((1.5 * capacity) / count);
      const generator = createGenerator(11, 2);
      const position = { prompt: 2 ** 32 - 1000, purpose: 1 };
      expectSame(drawAll({ distribution: 'normal', generator, position, prompts, count, at: 0 }, 20));
    },
  );

  it('does so for the words where rounding, exponent, quadrant or sign change', () => {
    expect(edgeCaseDifferences()).toEqual([]);
  });

  it('fills rows as single calls do, in either implementation', () => {
    const generator = createGenerator(5, 1);
    for (const name of ['simd', 'plain', 'simd'] as const) {
      useGeneratorImplementation(name);
      for (const [fillOne, fillRows] of [
        [fillNormals, fillNormalsForPrompts],
        [fillExponentials, fillExponentialsForPrompts],
      ] as const) {
        const rows = new Float32Array(6 * 13);
        fillRows(generator, { prompt: 90, purpose: 3 }, 6, rows, 13);
        const singles = new Float32Array(6 * 13);
        for (let b = 0; b < 6; b++) fillOne(generator, { prompt: 90 + b, purpose: 3 }, singles, b * 13, 13);
        expect(bits(rows)).toEqual(bits(singles));
      }
    }
  });

  it('refuses rows that do not fit and positions that are none, in either implementation', () => {
    const generator = createGenerator(5, 1);
    const out = new Float32Array(10);
    for (const name of ['simd', 'plain'] as const) {
      useGeneratorImplementation(name);
      expect(() => fillNormals(generator, { prompt: 0, purpose: 0 }, out, 6, 5)).toThrow(
        'drawing normal numbers: expected room for 1 x 5 from 6 on, got 10 places.',
      );
      expect(() => fillNormalsForPrompts(generator, { prompt: 0, purpose: 0 }, 3, out, 4)).toThrow('3 x 4 from 0 on');
      expect(() => fillNormals(generator, { prompt: 0, purpose: 256 }, out, 0, 1)).toThrow('a purpose from 0 to 255');
      expect(() => fillNormals(generator, { prompt: 0.5, purpose: 0 }, out, 0, 1)).toThrow('0.5');
      expect(out).toEqual(new Float32Array(10));
    }
  });

  const isMissing = compiler instanceof Error;
  const mayRun = requireOrSkip('assemblyscript', !isMissing, isMissing ? compiler.message : '');
  it
    .runIf(mayRun)
    .each([
      'generator',
      'generator-shared',
      'finite',
      'inner-products',
      'inner-products-shared',
      'least-squares',
      'bank-scores',
      'softmax-regression',
    ] as const)('%s is what its source compiles to', async (name) => {
    expect(isMissing || (await compiler.compileKernel(name))).toBe(readFileSync(`models/simd/${name}-wasm.ts`, 'utf8'));
  });
});

/** Inverse of an odd number modulo 2^32, by Newton's iteration. */
function inverse(a: number): number {
  let x = a;
  for (let i = 0; i < 5; i++) x = Math.imul(x, 2 - Math.imul(a, x));
  return x;
}

/** The counter from which Philox makes these four words: its rounds backwards. */
function counterOf(words: readonly number[], key0: number, key1: number): number[] {
  const high = (a: number, b: number) => Number((BigInt(a >>> 0) * BigInt(b >>> 0)) >> 32n) | 0;
  let [x0, x1, x2, x3] = words as [number, number, number, number];
  for (let round = 9; round >= 0; round--) {
    const before2 = Math.imul(x1, inverse(0xcd9e8d57));
    const before0 = Math.imul(x3, inverse(0xd2511f53));
    const before1 = x0 ^ high(0xcd9e8d57, before2) ^ (key0 + Math.imul(round, 0x9e3779b9));
    const before3 = x2 ^ high(0xd2511f53, before0) ^ (key1 + Math.imul(round, 0xbb67ae85));
    [x0, x1, x2, x3] = [before0, before1, before2, before3];
  }
  return [x0, x1, x2, x3];
}

/** Words at which the two implementations differ, of all pairs of words at and beside the edges. */
function edgeCaseDifferences(): string[] {
  const bytes = Uint8Array.from(atob(kernelBase64), (character) => character.charCodeAt(0));
  const { WebAssembly } = globalThis as unknown as {
    WebAssembly: { Module: new (bytes: Uint8Array) => object; Instance: new (module: object) => { exports: unknown } };
  };
  const kernel = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports as {
    memory: { buffer: ArrayBuffer };
    buffer: { value: number };
    fill(...values: number[]): void;
  };
  const numbers = new Uint32Array(kernel.memory.buffer, kernel.buffer.value, 4);
  const edges: number[] = [];
  // Powers of two: exponents and quadrants. 2^k sqrt(1/2): the logarithm's two branches. 2^24: where rounding begins.
  for (let k = 0; k <= 32; k++) for (const c of [1, Math.SQRT1_2, 1.5]) edges.push(Math.floor(2 ** k * c));
  for (let eighth = 0; eighth <= 8; eighth++) edges.push(eighth * 2 ** 29);
  const near = [...new Set(edges.flatMap((edge) => [-257, -128, -1, 0, 1, 127, 128, 129].map((d) => (edge + d) | 0)))];

  const found: string[] = [];
  const made = new Int32Array(4);
  const want = new Float32Array(4);
  for (let i = 0; i < near.length; i++) {
    for (let j = 0; j < near.length; j += 7) {
      const words = [near[i]!, near[(i + j) % near.length]!, near[(i + 3 * j) % near.length]!, near[j]!];
      const [c0, c1, c2, c3] = counterOf(words, 17, 29) as [number, number, number, number];
      philox(c0, c1, c2, c3, 17, 29, made);
      if (made.some((word, k) => word !== words[k])) found.push(`Philox did not give ${words}`);
      boxMuller(words[0]!, words[1]!, want, 0, 2);
      boxMuller(words[2]!, words[3]!, want, 2, 2);
      kernel.fill(0, 17, 29, c0, c1, c2, c3, 1, 4, kernel.buffer.value);
      if (bits(want).some((value, k) => value !== numbers[k])) found.push(`normals of ${words}`);
      for (let k = 0; k < 4; k++) want[k] = -logUniform(words[k]!);
      kernel.fill(1, 17, 29, c0, c1, c2, c3, 1, 4, kernel.buffer.value);
      if (bits(want).some((value, k) => value !== numbers[k])) found.push(`exponentials of ${words}`);
    }
  }
  return found;
}
