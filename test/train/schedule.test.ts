import { describe, expect, test } from 'vitest';
import { type ScheduleSpec, scheduleFactor, schedules } from '../../train/schedule.ts';

const factors = (spec: ScheduleSpec, steps: number): number[] =>
  Array.from({ length: steps }, (_, step) => scheduleFactor(spec, step, steps));

describe.each(schedules)('$name', ({ defaults }) => {
  test.each([1, 2, 3, 1000])('is above 0 at the first of %i steps and never above 1', (steps) => {
    expect(scheduleFactor(defaults, 0, steps)).toBeGreaterThan(0);
    expect(Math.max(...factors(defaults, steps))).toBeLessThanOrEqual(1);
  });

  test('stays where it was beyond the last step', () => {
    expect(scheduleFactor(defaults, 5000, 1000)).toBe(scheduleFactor(defaults, 999, 1000));
  });
});

test('cosine rises in a line, falls along half a cosine, and ends at `final`', () => {
  const spec = { name: 'cosine', warmup: 0.2, final: 0.1 } as const;
  const all = factors(spec, 26); // 6 of warm-up: 5.2 rounded up
  expect(all.slice(0, 7)).toEqual([1 / 6, 2 / 6, 3 / 6, 4 / 6, 5 / 6, 1, 1]);
  expect(all[25]).toBeCloseTo(0.1, 12);
  // Steps 6 to 25: 19 intervals; a third of the way is step 6 + 19/3, so compare with the formula at step 12.
  expect(all[12]).toBeCloseTo(0.1 + 0.9 * 0.5 * (1 + Math.cos((Math.PI * 6) / 19)), 12);
  expect(all.slice(6).every((factor, i, rest) => i === 0 || factor < rest[i - 1]!)).toBe(true);
});

test('cosine without warm-up begins at 1', () => {
  expect(scheduleFactor({ name: 'cosine', warmup: 0, final: 0 }, 0, 10)).toBe(1);
});

test('cosine that only warms up reaches 1 at the last step', () => {
  expect(factors({ name: 'cosine', warmup: 1, final: 0 }, 4)).toEqual([0.25, 0.5, 0.75, 1]);
});

test('step falls at the fraction `at`', () => {
  expect(factors({ name: 'step', at: 0.7, factor: 0.1 }, 10)).toEqual([1, 1, 1, 1, 1, 1, 1, 0.1, 0.1, 0.1]);
});

test('an unknown schedule is refused with the nearest name', () => {
  expect(() => scheduleFactor({ name: 'cosin' } as unknown as ScheduleSpec, 0, 1)).toThrow(
    'schedule: expected one of constant, cosine, step, got "cosin". Did you mean cosine?',
  );
});
