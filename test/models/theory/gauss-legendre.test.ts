import { expect, test } from 'vitest';
import { gaussLegendre } from '../../../models/theory/gauss-legendre.ts';
import { expectClose, float64 } from '../../tolerance.ts';

test('integrates polynomials of degree 2 n - 1 exactly, and not the next one', () => {
  for (const count of [1, 2, 5, 11, 23]) {
    const { nodes, weights } = gaussLegendre(count, 0, 1);
    const integral = (power: number) => nodes.reduce((sum, node, i) => sum + weights[i]! * node ** power, 0);
    const powers = Array.from({ length: 2 * count }, (_, power) => power);
    expectClose(
      powers.map(integral),
      powers.map((power) => 1 / (power + 1)),
      float64,
    );
    if (count < 6) expect(Math.abs(integral(2 * count) - 1 / (2 * count + 1))).toBeGreaterThan(1e-8);
  }
});

test('the rule of three nodes on [-1, 1] is the one in every table', () => {
  const { nodes, weights } = gaussLegendre(3, -1, 1);
  expectClose(nodes, [-Math.sqrt(3 / 5), 0, Math.sqrt(3 / 5)], float64);
  expectClose(weights, [5 / 9, 8 / 9, 5 / 9], float64);
});
