import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addValue,
  addValues,
  emptyStatistics,
  mergeStatistics,
  type RunningStatistics,
  standardError,
  variance,
} from '../../infer/statistics.ts';
import { expectClose } from '../tolerance.ts';

const statisticsOf = (values: readonly number[]): RunningStatistics => {
  const statistics = emptyStatistics();
  addValues(statistics, values);
  return statistics;
};

/** numpy: mean(x), var(x, ddof=1), std(x, ddof=1) / sqrt(n), with both passes spelled out. */
function twoPasses(values: readonly number[]): readonly [number, number, number] {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squared = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
  return [mean, squared, Math.sqrt(squared / values.length)];
}

const summary = (s: RunningStatistics): readonly [number, number, number] => [s.mean, variance(s), standardError(s)];

describe('statistics', () => {
  it('gives the numbers that are on paper', () => {
    const values = [2, 4, 4, 4, 5, 5, 7, 9]; // mean 5, squared deviations 32
    expectClose(summary(statisticsOf(values)), [5, 32 / 7, Math.sqrt(32 / 56)], { relative: 1e-15, absolute: 0 });
  });

  it('has a closed form for 1 .. n: mean (n+1)/2, variance n(n+1)/12', () => {
    const n = 1001;
    const { count, mean } = statisticsOf(Array.from({ length: n }, (_, i) => i + 1));
    expect(count).toBe(n);
    expect(mean).toBeCloseTo((n + 1) / 2, 10);
    const s = statisticsOf(Array.from({ length: n }, (_, i) => i + 1));
    expectClose([variance(s), standardError(s)], [(n * (n + 1)) / 12, Math.sqrt((n + 1) / 12)], {
      relative: 1e-12,
      absolute: 0,
    });
  });

  it('keeps the variance of numbers far from 0, where a sum of squares has none left', () => {
    const s = statisticsOf([1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16]);
    expectClose([s.mean, variance(s)], [1e9 + 10, 30], { relative: 1e-12, absolute: 0 });
  });

  it('agrees with two passes, and merging with adding, for any split', () => {
    const numbers = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 2, maxLength: 60 });
    fc.assert(
      fc.property(numbers, fc.nat(60), (values, cut) => {
        const tolerance = { relative: 1e-9, absolute: 1e-6 };
        const at = Math.min(cut, values.length);
        const merged = mergeStatistics(statisticsOf(values.slice(0, at)), statisticsOf(values.slice(at)));
        expect(merged.count).toBe(values.length);
        expectClose(summary(statisticsOf(values)), twoPasses(values), tolerance);
        expectClose(summary(merged), twoPasses(values), tolerance);
      }),
    );
  });

  it('merges with nothing', () => {
    expect(mergeStatistics(emptyStatistics(), emptyStatistics())).toEqual(emptyStatistics());
    expect(mergeStatistics(statisticsOf([1, 2]), emptyStatistics())).toEqual(statisticsOf([1, 2]));
  });

  it('has no standard error for fewer than two numbers', () => {
    expect(standardError(emptyStatistics())).toBeNaN();
    expect(standardError(statisticsOf([3]))).toBeNaN();
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])('refuses %s', (value) => {
    const s = statisticsOf([1, 2]);
    expect(() => addValue(s, value)).toThrow(`statistics: expected finite numbers, got ${value} as number 2.`);
    expect(s).toEqual(statisticsOf([1, 2]));
  });
});
