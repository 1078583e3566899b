/** The generator against its published answers, its normals against float64, and its addresses. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createGenerator, fillExponentials, fillNormals, philox, streams } from '../../models/random.ts';

/** The words that `fillNormals` makes block `block` of its numbers from. */
function wordsOf(seed: number, stream: number, prompt: number, purpose: number, block: number): Uint32Array {
  const words = new Int32Array(4);
  const high = (value: number) => Math.floor(value / 2 ** 32);
  philox(block, prompt | 0, (high(prompt) << 8) | purpose, stream, seed | 0, high(seed) | 0, words);
  return new Uint32Array(words.buffer);
}

describe('philox', () => {
  // Salmon et al. (2011), file kat_vectors of Random123, philox4x32 with 10 rounds.
  it.each([
    [[0, 0, 0, 0, 0, 0], '6627e8d5 e169c58d bc57ac4c 9b00dbd8'],
    [[-1, -1, -1, -1, -1, -1], '408f276d 41c83b0e a20bc7c6 6d5451fd'],
    [[0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0], 'd16cfe09 94fdcceb 5001e420 24126ea1'],
  ])('gives the published answer for %j', (numbers, expected) => {
    const words = new Int32Array(4);
    philox(...(numbers as [number, number, number, number, number, number]), words);
    expect([...new Uint32Array(words.buffer)].map((word) => word.toString(16).padStart(8, '0')).join(' ')).toBe(
      expected,
    );
  });
});

describe('normals', () => {
  const generator = createGenerator(2 ** 40 + 5, 3);
  const position = { prompt: 2 ** 33 + 1, purpose: 7 };

  it('are Box and Muller of the same bits, to 2e-6 and mostly far better', () => {
    const count = 200_000;
    const values = new Float32Array(count);
    fillNormals(generator, position, values, 0, count);
    const errors: number[] = [];
    for (let block = 0; block < count / 4; block++) {
      const words = wordsOf(generator.seed, generator.stream, position.prompt, position.purpose, block);
      for (const pair of [0, 2]) {
        // The uniform number itself is float32; next to 1 its rounding would otherwise be all that is seen.
        const uniform = Math.fround(Math.fround(words[pair]!) + 0.5) / 2 ** 32;
        const radius = Math.sqrt(-2 * Math.log(uniform));
        const angle = (2 * Math.PI * words[pair + 1]!) / 2 ** 32;
        const at = 4 * block + pair;
        errors.push(Math.abs(values[at]! - radius * Math.cos(angle)));
        errors.push(Math.abs(values[at + 1]! - radius * Math.sin(angle)));
      }
    }
    expect(errors.reduce((worst, error) => Math.max(worst, error), 0)).toBeLessThan(2e-6);
    expect(Math.sqrt(errors.reduce((sum, error) => sum + error ** 2, 0) / count)).toBeLessThan(1e-7);
  });

  it('begin alike however many are drawn', () => {
    const long = new Float32Array(50);
    fillNormals(generator, position, long, 0, 50);
    for (let count = 0; count < 50; count++) {
      const short = new Float32Array(count);
      fillNormals(generator, position, short, 0, count);
      expect(short).toEqual(long.slice(0, count));
    }
  });

  it('are these numbers, on every machine', () => {
    const values = new Float32Array(10_000);
    fillNormals(createGenerator(42, streams.training), { prompt: 7, purpose: 1 }, values, 0, values.length);
    expect(createHash('sha256').update(new Uint8Array(values.buffer)).digest('hex')).toBe(
      '82de3466dd4c8c4abe1f5d37c7abe469c02be4fc655c1f870e415d1a288e8612',
    );
  });
});

describe('exponential draws', () => {
  it('are minus the logarithm of the same uniform numbers', () => {
    const values = new Float32Array(4000);
    fillExponentials(createGenerator(3, 1), { prompt: 9, purpose: 5 }, values, 0, values.length);
    for (let block = 0; block < values.length / 4; block++) {
      const words = wordsOf(3, 1, 9, 5, block);
      words.forEach((word, i) => {
        const expected = -Math.log(Math.fround(Math.fround(word) + 0.5) / 2 ** 32);
        expect(Math.abs(values[4 * block + i]! - expected)).toBeLessThan(2e-6);
      });
    }
  });
});

describe('seeds', () => {
  it.each([-1, 0.5, 2 ** 53, Number.NaN])('refuses %d', (seed) => {
    expect(() => createGenerator(seed, 0)).toThrow(`seed: expected an integer from 0 to 2^53 - 1, got ${seed}.`);
  });

  it('has a stream of its own for every use', () => {
    expect(new Set(Object.values(streams)).size).toBe(Object.keys(streams).length);
  });
});
