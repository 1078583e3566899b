/**
 * The one place where means and standard errors are made. Float64, one pass, mergeable; a number that is not finite is an
 * error and never dropped. Knows nothing of prompts or models.
 *
 * Source: Welford (1962); Chan, Golub, LeVeque (1983) for the merge.
 */
import { DataError } from '../models/errors.ts';

/** What has been seen so far. Plain data: it can be cloned, sent and merged. */
export interface RunningStatistics {
  count: number;
  mean: number;
  /** Sum of squared deviations from the mean. */
  squares: number;
}

/** Statistics of nothing yet. */
export const emptyStatistics = (): RunningStatistics => ({ count: 0, mean: 0, squares: 0 });

/**
 * Adds one number, in place.
 * @throws {DataError} if it is NaN or infinite: a mean over "the rest" would be another quantity.
 */
export function addValue(statistics: RunningStatistics, value: number): void {
  if (!Number.isFinite(value)) {
    throw new DataError({
      where: 'statistics',
      expected: 'finite numbers',
      got: `${value} as number ${statistics.count}`,
    });
  }
  statistics.count++;
  const deviation = value - statistics.mean;
  statistics.mean += deviation / statistics.count;
  statistics.squares += deviation * (value - statistics.mean);
}

/** Adds all numbers, in place. @throws {DataError} as {@link addValue} does. */
export function addValues(statistics: RunningStatistics, values: ArrayLike<number>): void {
  for (let i = 0; i < values.length; i++) addValue(statistics, values[i]!);
}

/** Statistics of both samples together. */
export function mergeStatistics(a: RunningStatistics, b: RunningStatistics): RunningStatistics {
  const count = a.count + b.count;
  if (count === 0) return emptyStatistics();
  const gap = b.mean - a.mean;
  return {
    count,
    mean: a.mean + gap * (b.count / count),
    squares: a.squares + b.squares + gap * gap * ((a.count * b.count) / count),
  };
}

/** Unbiased variance, sum (x - mean)^2 / (n - 1). NaN for fewer than two numbers, which say nothing about it. */
export const variance = ({ count, squares }: RunningStatistics): number =>
  count < 2 ? Number.NaN : squares / (count - 1);

/** Standard error of the mean, sqrt(variance / n). NaN for fewer than two numbers. */
export const standardError = (statistics: RunningStatistics): number =>
  Math.sqrt(variance(statistics) / statistics.count);
