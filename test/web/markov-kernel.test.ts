/** Kernels under one's hand: whatever is done to a row, it sums to 1 in thousandths; links say them and read them back. */
import { expect, test } from 'vitest';
import { createSampler } from '../../models/tasks/index.ts';
import {
  boundaryOf,
  boundaryRange,
  type Kernel,
  kernelField,
  moveBoundary,
  rowOf,
  setProbability,
  statesOf,
} from '../../web/src/panels/markov/kernel.ts';
import { presets } from '../../web/src/panels/markov/presets.ts';

const sumsOf = (kernel: Kernel): number[] =>
  Array.from({ length: statesOf(kernel) }, (_, from) =>
    rowOf(kernel, from).reduce((sum, value) => sum + Math.round(1000 * value), 0),
  );

test.each([2, 3, 4])(
  'of %i states: any sequence of edits leaves rows that sum to 1 and that the task accepts',
  (states) => {
    let kernel = presets[0].kernel(states);
    // A fixed walk through the unit interval, its ends and beyond them.
    for (let step = 0; step < 400; step++) {
      const value = ((step * 0.618) % 1.2) - 0.1;
      const [from, to] = [step % states, (step * 7) % states];
      const before = kernel;
      kernel =
        step % 3 === 0 && to < states - 1
          ? moveBoundary(kernel, from, to, value)
          : setProbability(kernel, from, to, value);
      expect(sumsOf(kernel)).toEqual(Array(states).fill(1000));
      expect(kernel.every((each) => each >= 0 && each <= 1)).toBe(true);
      for (let other = 0; other < states; other++) {
        if (other !== from) expect(rowOf(kernel, other)).toEqual(rowOf(before, other));
      }
      expect(kernelField.parse(kernelField.format(kernel))).toEqual(kernel);
    }
    const start = { kind: 'uniform' } as const;
    createSampler({ name: 'markov-chain', dimension: 2, states, concentration: 1, start, kernel });
  },
);

test('a probability that is set is the one asked for, and the others keep their ratio', () => {
  const kernel = setProbability([0.2, 0.6, 0.2, 0, 1, 0, 0.5, 0.25, 0.25], 0, 0, 0.4);
  expect(rowOf(kernel, 0)).toEqual([0.4, 0.45, 0.15]);
  // Where the others have nothing to keep, they share.
  expect(rowOf(setProbability(kernel, 1, 1, 0.5), 1)).toEqual([0.25, 0.5, 0.25]);
});

test('a boundary moves between its neighbours and no further', () => {
  const kernel = [0.2, 0.5, 0.3, 1, 0, 0, 0, 0, 1];
  expect(boundaryOf(kernel, 0, 1)).toBe(0.7);
  expect(boundaryRange(kernel, 0, 1)).toEqual([0.2, 1]);
  expect(rowOf(moveBoundary(kernel, 0, 1, 0.1), 0)).toEqual([0.2, 0, 0.8]);
  expect(rowOf(moveBoundary(kernel, 0, 0, 0.35), 0)).toEqual([0.35, 0.35, 0.3]);
});

test.each([2, 3, 5])('presets of %i states are kernels', (states) => {
  for (const preset of presets) expect(sumsOf(preset.kernel(states)), preset.name).toEqual(Array(states).fill(1000));
});

test('links that are no kernel are refused with words', () => {
  for (const text of ['0.5,0.5', '0.5,0.6_0.5,0.5', '1,0_0', '-0.5,1.5_0,1', 'a,b_c,d', `${'1,'.repeat(8)}1`]) {
    expect(() => kernelField.parse(text), text).toThrow(/rows of probabilities that sum to 1, such as 0.8,0.2_0.3,0.7/);
  }
  expect(kernelField.parse('')).toEqual([]);
});
