/** From the enlarged space back to layers: exact factoring, realisability, and the best layer. */
import { expect, test } from 'vitest';
import {
  bestLinearAttention,
  blockEigenvalues,
  embeddingSize,
  factorLayer,
  independentLengthTwoRisk,
  minimise,
  phi,
  populationRisk,
  riskAt,
  separate,
  signatureResidual,
  trianglePairs,
} from '../../../../models/theory/ding2025.ts';
import { expectClose } from '../../../tolerance.ts';
import { randomLayer } from './fixtures.ts';

const digits = (count: number) => ({ relative: 0, absolute: 0.51 * 10 ** -count });

test('a layer is recovered from its image in polynomial time', () => {
  for (const d of [1, 2, 5, 8]) {
    const X = phi(randomLayer(40 + d, d));
    const { b, A, residual } = factorLayer(X, d);
    expect(residual).toBeLessThan(1e-12);
    expectClose(phi({ b, A }), X, { relative: 0, absolute: 1e-11 });
    expect(signatureResidual(X, d)).toBeLessThan(1e-12);
  }
});

test('X* is no layer’s image from d = 2 on: residual and eigenvalues', () => {
  const optimum = (d: number) => minimise(populationRisk({ d, p: 0.5 }, 100)).X;
  expectClose([factorLayer(optimum(2), 2).residual, factorLayer(optimum(3), 3).residual], [0.3, 0.39], digits(2));
  const [first, second] = blockEigenvalues(optimum(2), 2);
  expectClose(first!, [-0.255, 0.037, 1.449], digits(3));
  expectClose(second!, [-0.915, 0.07, 0.586], digits(3));
  expect(signatureResidual(optimum(3), 3)).toBeGreaterThan(0.1);
});

test('the best layer’s risks are the table’s, with local minima above them', () => {
  const expected = [0.336429, 0.234724, 0.209971, 0.199092, 0.191726, 0.187301];
  const found = expected.map((_, i) =>
    bestLinearAttention(populationRisk({ d: i + 1, p: 0.5 }, 100), { finalists: 1, screening: 30 }),
  );
  expectClose(
    found.map(({ risk }) => risk),
    expected,
    digits(6),
  );
  expect(found[2]!.ends.at(-1)! - found[2]!.risk).toBeGreaterThan(1e-3);
  for (const [i, { b, A, risk }] of found.entries()) {
    const exact = populationRisk({ d: i + 1, p: 0.5 }, 100);
    expect(riskAt(exact, phi({ b, A }))).toBeCloseTo(risk, 12);
    const gap = risk - minimise(exact).risk;
    if (i === 0) expect(gap).toBeLessThan(1e-10);
    else expect(gap > 1e-3 && gap < 4e-3).toBe(true);
  }
});

test('the best layer is stationary: finite differences in every parameter vanish', () => {
  const risk = populationRisk({ d: 2, p: 0.5 }, 100);
  const { b, A } = bestLinearAttention(risk);
  const parameters = [...b, ...A.flat()];
  const at = (values: readonly number[]) =>
    riskAt(risk, phi({ b: values.slice(0, 3), A: [0, 1, 2].map((k) => values.slice(3 + 2 * k, 5 + 2 * k)) }));
  const slopes = parameters.map((value, i) => {
    const moved = (step: number) => at(parameters.with(i, value + step));
    return (moved(1e-4) - moved(-1e-4)) / 2e-4;
  });
  // Alternating least squares ends where the risk falls by less than 1e-13: slopes of about its root remain.
  expect(Math.max(...slopes.map(Math.abs))).toBeLessThan(1e-6);
});

test('below the shortest realisable length the best layer at d = 1 stays above the minimum', () => {
  const cases = [[0.5, 2, 4.4e-3], [0.5, 3, 1.5e-3], [0.5, 5, 2.8e-5], [0.3, 3, 5.8e-4], [0.9, 5, 2.5e-4]] as const;
  for (const [p, n, gap] of cases) {
    const risk = independentLengthTwoRisk(p, n);
    const found = bestLinearAttention(risk).risk - minimise(risk).risk;
    expect(Math.abs(found - gap)).toBeLessThan(0.06 * gap);
  }
}); // biome-ignore format: a table

/** Half the chance of being right: three points close to the sides of a triangle whose corners must all be inside. */
const triangle = [[0, 2], [-2, -1], [2, -1]]; // biome-ignore format: a table
const aroundTriangle = [[1.5, 1], [-1.5, 1], [0, -1.5]]; // biome-ignore format: a table

test('separable sets reach 0 and the planes separate them; others stay above', async () => {
  const inside = [[2, 2], [3, 4], [4, 3]]; // biome-ignore format: a table
  const outside = [[0, 3], [3, 0], [0, 0], [-1, 5]]; // biome-ignore format: a table
  const { value, planes } = await separate({ inside, outside });
  expect(value).toBeLessThan(1e-9);
  const above = (point: readonly number[], side: 0 | 1) =>
    planes[side].w.reduce((sum, w, k) => sum + w * point[k]!, 0) - planes[side].g;
  for (const point of inside) expect(Math.min(above(point, 0), above(point, 1))).toBeGreaterThan(1 - 1e-6);
  for (const point of outside) expect(Math.min(above(point, 0), above(point, 1))).toBeLessThan(-1 + 1e-6);

  const hard = await separate({ inside: triangle, outside: aroundTriangle });
  expect(hard.value).toBeGreaterThan(0.1);
  expect(hard.path.every((entry, i) => i === 0 || entry <= hard.path[i - 1]! + 1e-9)).toBe(true);
  // Without one of the three points two planes are enough.
  const easier = await separate({ inside: triangle, outside: aroundTriangle.slice(1) });
  expect(easier.value).toBeLessThan(1e-9);
});

test('the paper’s example of the embedding: two points of two coordinates each give d = 8 and 360 equations', () => {
  expect(embeddingSize(2, 2)).toEqual({ d: 8, equations: 360 });
  expect(trianglePairs(8).length * 8).toBe(360);
});
