/** Gauss rules and lattice points on expectations that are known. */
import { describe, expect, it } from 'vitest';
import { createGenerator } from '../../../models/random.ts';
import {
  chiSquareRule,
  fairBinomialRule,
  normalRule,
  type Rule,
  sphereCoordinateRule,
  uniformRule,
} from '../../../models/theory/gauss-quadrature.ts';
import { normalQuantile, pointsPerShift, quantileFunction, visitLattice } from '../../../models/theory/lattice.ts';

const expectation = ({ nodes, weights }: Rule, f: (x: number) => number) =>
  nodes.reduce((sum, x, i) => sum + weights[i]! * f(x), 0);

describe('Gauss rules', () => {
  it('have the moments of their laws', () => {
    expect(expectation(normalRule(5), (x) => x ** 8)).toBeCloseTo(105, 9);
    // E chi^2 = k, E chi^4 = k (k + 2), E chi^6 = k (k + 2) (k + 4)
    expect(expectation(chiSquareRule(3, 5), (x) => x ** 3)).toBeCloseTo(5 * 7 * 9, 8);
    expect(expectation(chiSquareRule(3, 0), (x) => x)).toBe(0);
    // E t^2 = 1/D, E t^4 = 3 / (D (D + 2))
    for (const dimension of [1, 2, 3, 20]) {
      expect(expectation(sphereCoordinateRule(4, dimension), (t) => t * t)).toBeCloseTo(1 / dimension, 12);
      const fourth = 3 / (dimension * (dimension + 2));
      expect(expectation(sphereCoordinateRule(4, dimension), (t) => t ** 4)).toBeCloseTo(fourth, 12);
    }
    expect(expectation(uniformRule(6, -1, 3), (x) => x ** 3)).toBeCloseTo((81 - 1) / 16, 10);
  });

  it('take a small binomial as it is, and the moments of a large one', () => {
    const { nodes, weights } = fairBinomialRule(8, 3);
    expect(nodes.map((x) => Math.round(x))).toEqual([0, 1, 2, 3]);
    for (const [i, ways] of [1, 3, 3, 1].entries()) expect(weights[i]).toBeCloseTo(ways / 8, 12);
    // Central fourth moment n (3 n - 2) / 16.
    const n = 400;
    expect(expectation(fairBinomialRule(4, n), (x) => (x - n / 2) ** 4) / ((n * (3 * n - 2)) / 16)).toBeCloseTo(1, 9);
  });
});

describe('lattice points', () => {
  it('integrate smooth functions with an error that says how far they are off', () => {
    // Product of 1 + x_j (1 - x_j) over ten variables: (7/6)^10.
    const dimensions = 10;
    const sums = new Float64Array(8);
    const settings = { dimensions, shifts: 8, generator: createGenerator(3, 5) };
    visitLattice(settings, (x, index) => {
      let product = 1;
      for (const value of x) product *= 1 + value * (1 - value);
      sums[Math.floor(index / pointsPerShift)]! += product / pointsPerShift;
    });
    const mean = sums.reduce((a, b) => a + b, 0) / 8;
    const error = Math.sqrt(sums.reduce((a, b) => a + (b - mean) ** 2, 0) / 56);
    const exact = (7 / 6) ** 10;
    expect(Math.abs(mean - exact)).toBeLessThan(5 * error + 1e-9);
    // Plain Monte Carlo on as many points has 0.0015.
    expect(error).toBeLessThan(0.0008);
  });

  it('have quantiles', () => {
    expect(normalQuantile(0.975)).toBeCloseTo(1.959964, 5);
    expect(normalQuantile(0.5)).toBeCloseTo(0, 12);
    expect(normalQuantile(1e-6)).toBeCloseTo(-4.753424, 4);
    const exponential = quantileFunction((x) => Math.exp(-x), 0, 40);
    expect(exponential(0.9)).toBeCloseTo(Math.log(10), 4);
    expect(quantileFunction(() => 1, 2, 4)(0.25)).toBeCloseTo(2.5, 12);
  });
});
