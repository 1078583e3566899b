/**
 * What is drawn has the distribution that it is said to have, and different addresses have independent numbers: z-scores
 * of a million numbers at a fixed seed. A hundred million gave the same picture once.
 */
import { describe, expect, it } from 'vitest';
import {
  createGenerator,
  fillExponentials,
  fillNormals,
  fillNormalsForPrompts,
  type Generator,
} from '../../models/random.ts';

const count = 2 ** 20;
const generator = createGenerator(20240117, 0);

/** The numbers are fixed, so this never fails by chance: it says that they are ordinary ones. */
const largestScore = 4;

function sumOf(values: Float32Array, term: (value: number, i: number) => number): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += term(values[i]!, i);
  return sum;
}

/** z-score of a chi-square statistic of counts that should all be alike. */
function chiSquareScore(counts: Float64Array): number {
  const expected = counts.reduce((a, b) => a + b) / counts.length;
  const freedom = counts.length - 1;
  return (counts.reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0) - freedom) / Math.sqrt(2 * freedom);
}

/** Counts of values of [0, 1) in equal bins. */
function histogram(values: Iterable<number>, bins: number): Float64Array {
  const counts = new Float64Array(bins);
  for (const value of values) counts[Math.min(bins - 1, Math.floor(value * bins))]! += 1;
  return counts;
}

/** Correlation of two arrays and of their squares, as z-scores. */
function correlations(a: Float32Array, b: Float32Array): number[] {
  return [
    sumOf(a, (value, i) => value * b[i]!) / Math.sqrt(a.length),
    sumOf(a, (value, i) => (value * value - 1) * (b[i]! * b[i]! - 1)) / Math.sqrt(4 * a.length),
  ];
}

/** A million normals: 2^14 prompts of 64. */
function normals(of: Generator, purpose: number, firstPrompt: number): Float32Array {
  const values = new Float32Array(count);
  fillNormalsForPrompts(of, { prompt: firstPrompt, purpose }, count / 64, values, 64);
  return values;
}

function expectOrdinary(scores: Readonly<Record<string, number>>): void {
  const found = Object.entries(scores).filter(([, score]) => !(Math.abs(score) < largestScore));
  expect(found).toEqual([]);
}

describe('normals', () => {
  const row = new Float32Array(count);
  fillNormals(generator, { prompt: 0, purpose: 1 }, row, 0, count);
  const prompts = normals(generator, 1, 0);

  it.each([
    ['in a row', row],
    ['of many prompts', prompts],
  ])('%s have the moments 0, 1, 0, 3', (_, values) => {
    expectOrdinary({
      first: sumOf(values, (x) => x) / Math.sqrt(count),
      second: sumOf(values, (x) => x * x - 1) / Math.sqrt(2 * count),
      third: sumOf(values, (x) => x * x * x) / Math.sqrt(15 * count),
      fourth: sumOf(values, (x) => x * x * x * x - 3) / Math.sqrt(96 * count),
    });
  });

  it('have the tails of the normal distribution', () => {
    // P(|x| > t) for t = 1 to 5.
    const tails = [0.31731050786, 0.04550026389, 0.0026997960633, 6.3342483666e-5, 5.7330314376e-7];
    const scores = tails.map((tail, i) => {
      const seen = sumOf(row, (x) => (Math.abs(x) > i + 1 ? 1 : 0));
      return [`beyond ${i + 1}`, (seen - tail * count) / Math.sqrt(tail * (1 - tail) * count)];
    });
    expectOrdinary(Object.fromEntries(scores));
    expect(row.every((x) => Math.abs(x) < 6.77)).toBe(true);
  });

  it('have even angles and radii, within a pair and across pairs', () => {
    const angle = (y: number, x: number) => Math.atan2(y, x) / (2 * Math.PI) + 0.5;
    const pairs = Array.from({ length: count / 2 - 1 }, (_, i) => 2 * i);
    expectOrdinary({
      angle: chiSquareScore(
        histogram(
          pairs.map((i) => angle(row[i + 1]!, row[i]!)),
          512,
        ),
      ),
      across: chiSquareScore(
        histogram(
          pairs.map((i) => angle(row[i + 2]!, row[i + 1]!)),
          512,
        ),
      ),
      radius: chiSquareScore(
        histogram(
          pairs.map((i) => Math.exp(-(row[i]! ** 2 + row[i + 1]! ** 2) / 2)),
          512,
        ),
      ),
    });
  });

  it.each([1, 2, 3, 4, 5, 8, 16, 64])('are independent of those %i places before', (lag) => {
    const [linear, square] = correlations(row.subarray(lag), row.subarray(0, count - lag));
    expectOrdinary({ linear: linear!, square: square! });
  });

  it.each<[string, Float32Array]>([
    ['the next prompt', normals(generator, 1, 1)],
    ['the prompt 2^32 after', normals(generator, 1, 2 ** 32)],
    ['another purpose', normals(generator, 2, 0)],
    ['another stream', normals(createGenerator(20240117, 1), 1, 0)],
    ['the next seed', normals(createGenerator(20240118, 0), 1, 0)],
    ['the seed 2^32 after', normals(createGenerator(20240117 + 2 ** 32, 0), 1, 0)],
  ])('are independent of those of %s', (_, others) => {
    const [linear, square] = correlations(prompts, others);
    expectOrdinary({ linear: linear!, square: square! });
  });
});

describe('exponential draws', () => {
  it('have mean 1, second moment 2 and even probabilities', () => {
    const values = new Float32Array(count);
    fillExponentials(generator, { prompt: 0, purpose: 5 }, values, 0, count);
    expectOrdinary({
      mean: sumOf(values, (x) => x - 1) / Math.sqrt(count),
      second: sumOf(values, (x) => x * x - 2) / Math.sqrt(20 * count),
      even: chiSquareScore(
        histogram(
          Array.from(values, (x) => Math.exp(-x)),
          512,
        ),
      ),
    });
    expect(values.every((x) => x >= 0 && x < 22.9)).toBe(true);
  });
});
