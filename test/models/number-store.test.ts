/** Copies are exact, and no number that is NaN or infinite goes unseen, wherever it stands. */
import { describe, expect, test } from 'vitest';
import { createNumberStore, createPlainStore } from '../../models/number-store.ts';

describe.each([
  ['SIMD', createNumberStore()],
  ['plain', createPlainStore()],
])('the %s store', (name, store) => {
  test('is what its name says', () => {
    const { buffer } = store.copy([Float32Array.of(1)]).copies[0]!;
    expect(buffer.byteLength > 4).toBe(name === 'SIMD');
  });

  test('gives back the numbers, also after it has grown, and from shared memory', () => {
    for (const length of [0, 1, 3, 16, 17, 40_000, 5]) {
      const values = Float32Array.from({ length }, (_, i) => i - 0.5);
      const shared = new Float32Array(new SharedArrayBuffer(4 * length));
      shared.set(values);
      expect(store.copy([values, shared, Float32Array.of(7)]).copies).toEqual([values, values, Float32Array.of(7)]);
      expect(store.copiesAreFinite()).toBe(true);
    }
  });

  test('sees every number that is not finite, at every place', () => {
    const most = Math.fround(3.4028234e38);
    for (const length of [1, 15, 16, 17, 33]) {
      for (let at = 0; at < length; at++) {
        for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
          const values = new Float32Array(length).fill(at % 2 === 0 ? most : -1e-45);
          expect(store.copy([values]).copies).toEqual([values]);
          expect(store.copiesAreFinite()).toBe(true);
          values[at] = bad;
          store.copy([new Float32Array(4), values]);
          expect(store.copiesAreFinite()).toBe(false);
        }
      }
    }
  });

  test('looks at what is written beside the copies, and at nothing else', () => {
    for (const length of [0, 1, 16, 33, 40_000]) {
      const { copies, rooms } = store.copy([Float32Array.of(Number.NaN)], [length, 3]);
      expect(rooms.map((room) => room.length)).toEqual([length, 3]);
      for (const room of rooms) room.fill(2);
      expect(copies).toEqual([Float32Array.of(Number.NaN)]);
      expect(store.roomsAreFinite()).toBe(true);
      expect(store.copiesAreFinite()).toBe(false);
      for (const room of rooms.filter((each) => each.length > 0)) {
        room[room.length - 1] = Number.NEGATIVE_INFINITY;
        expect(store.roomsAreFinite()).toBe(false);
        room[room.length - 1] = 0;
      }
    }
  });

  test('does not look at what it held before', () => {
    store.copy([new Float32Array(100).fill(Number.NaN)]);
    expect(store.copiesAreFinite()).toBe(false);
    store.copy([Float32Array.of(1)]);
    expect(store.copiesAreFinite()).toBe(true);
  });
});
