/** Copies are exact, and no number that is NaN or infinite goes unseen, wherever it stands. */
import { describe, expect, test } from 'vitest';
import { createNumberStore, plainStore } from '../../models/number-store.ts';

describe.each([
  ['SIMD', createNumberStore()],
  ['plain', plainStore],
])('the %s store', (name, store) => {
  test('is what its name says', () => expect(store === plainStore).toBe(name === 'plain'));

  test('gives back the numbers, also after it has grown, and from shared memory', () => {
    for (const length of [0, 1, 3, 16, 17, 40_000, 5]) {
      const values = Float32Array.from({ length }, (_, i) => i - 0.5);
      const shared = new Float32Array(new SharedArrayBuffer(4 * length));
      shared.set(values);
      expect(store.copyFinite([values, shared, Float32Array.of(7)])).toEqual([values, values, Float32Array.of(7)]);
    }
  });

  test('sees every number that is not finite, at every place', () => {
    const most = Math.fround(3.4028234e38);
    for (const length of [1, 15, 16, 17, 33]) {
      for (let at = 0; at < length; at++) {
        for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
          const values = new Float32Array(length).fill(at % 2 === 0 ? most : -1e-45);
          expect(store.copyFinite([values])).toEqual([values]);
          values[at] = bad;
          expect(store.copyFinite([new Float32Array(4), values])).toBeNull();
        }
      }
    }
  });

  test('does not look at what it held before', () => {
    expect(store.copyFinite([new Float32Array(100).fill(Number.NaN)])).toBeNull();
    expect(store.copyFinite([Float32Array.of(1)])).toEqual([Float32Array.of(1)]);
  });
});
