/** Exact risks: every number of the specification's tables in 1.8 and 2.2, identities, and sampled prompts. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { diagonal, identity, inverse, type Matrix, multiply, scaleMatrix, trace } from '../../../models/matrix.ts';
import type { LabelledBatch } from '../../../models/prompts.ts';
import { createGenerator, fillNormals } from '../../../models/random.ts';
import { linearRegressionDefaults } from '../../../models/tasks/linear-regression.ts';
import {
  floorBound,
  gammaMatrix,
  isotropicRisk,
  limits,
  linearTaskMoments,
  lossMinimum,
  promptingLimits,
  risk,
  riskBound,
  riskForTask,
  shiftRisk,
  sufficientLength,
} from '../../../models/theory/zhang2023.ts';
import { expectClose, float64, printed } from '../../tolerance.ts';
import { expectAgreement, layerOf, layerOfProduct, layerPredictor, measureRisk } from '../monte-carlo.ts';

const infinite = Number.POSITIVE_INFINITY;
const spectrum = [2, 1.5, 1, 0.5, 0.25];
const skewed = diagonal(spectrum);
const harmonic = diagonal(Array.from({ length: 10 }, (_, i) => 1 / (i + 1)));

describe('the risk averaged over tasks', () => {
  it.each([
    [1, 1, 1, 0.666667, 0.666667],
    [2, 4, 4, 0.857143, 0.428571],
    [3, 10, 10, 0.857143, 0.285714],
    [5, 20, 5, 3.816568, 0.763314],
    [5, 20, 20, 1.153846, 0.230769],
    [5, 20, 100, 0.443787, 0.088757],
    [5, 20, infinite, 0.266272, 0.053254],
    [5, 100, 100, 0.283019, 0.056604],
    [10, 50, 50, 1.803279, 0.180328],
    [20, 40, 20, 11.400161, 0.570008],
    [20, 40, 40, 6.885246, 0.344262],
    [20, 40, 100, 4.176297, 0.208815],
    [20, 40, infinite, 2.370331, 0.118517],
    [20, 70, 70, 4.615385, 0.230769],
    [20, 100, 100, 3.471074, 0.173554],
    [20, 100, infinite, 0.602418, 0.030121],
  ])('identity, d = %i, N = %i, M = %d: %f', (d, N, M, expected, normalised) => {
    const value = risk({ covariance: identity(d), N, M });
    expectClose([value, value / d], [expected, normalised], printed);
    expectClose([isotropicRisk(d, N, M)], [value], float64);
  });

  it.each<[string, Matrix, number, number, number]>([
    ['2, 1.5, 1, .5, .25', skewed, 20, 20, 1.133976],
    ['2, 1.5, 1, .5, .25', skewed, 20, 100, 0.458488],
    ['2, 1.5, 1, .5, .25', skewed, 100, 100, 0.290032],
    ['2, 1.5, 1, .5, .25', skewed, 20, infinite, 0.289616],
    ['1/i, d = 10', harmonic, 20, 20, 0.933757],
    ['1/i, d = 10', harmonic, 20, 100, 0.474739],
    ['1/i, d = 10', harmonic, 50, 50, 0.492239],
    ['1/i, d = 10', harmonic, 100, 100, 0.277919],
  ])('spectrum %s', (_, covariance, N, M, expected) => {
    expectClose([risk({ covariance, N, M })], [expected], printed);
  });

  it('at M = N is twice the least loss, and d (d+1)/(N+d+1) for the identity', () => {
    for (const N of [1, 7, 40]) {
      expectClose([risk({ covariance: skewed, N, M: N })], [2 * lossMinimum(skewed, N)], float64);
      expectClose([risk({ covariance: identity(5), N, M: N })], [30 / (N + 6)], float64);
    }
  });

  it('is the formula of Theorem 4.2 as printed, averaged', () => {
    const [N, M, s2] = [9, 14, 0.3];
    const G = inverse(gammaMatrix(skewed, N));
    const weighted = (power: number) => trace(multiply(G, G, ...new Array<Matrix>(power).fill(skewed)));
    const t = trace(skewed);
    const expected =
      (weighted(3) + t * weighted(2) + s2 * weighted(2)) / M +
      (weighted(3) + 2 * t * weighted(2) + t * t * weighted(1)) / N ** 2 +
      s2;
    expectClose([risk({ covariance: skewed, N, M, noiseVariance: s2 })], [expected], float64);
  });

  it.each([
    ['identity', 5, { kind: 'identity' }],
    ['identity', 100, { kind: 'identity' }],
    ['a spectrum', 20, { kind: 'diagonal', spectrum }],
  ] as const)('agrees with sampled prompts: %s, M = %i', (_, M, covariance) => {
    const N = 20;
    const matrix = covariance.kind === 'identity' ? identity(5) : skewed;
    const predict = layerPredictor(layerOf(limits(matrix, N)), 5);
    const task = { ...linearRegressionDefaults, dimension: 5, covariance };
    const measured = measureRisk({ task, context: M, prompts: M > 50 ? 16_000 : 50_000, predict });
    expectAgreement(measured, risk({ covariance: matrix, N, M }));
  });
});

describe('the risk for any labels (Theorem 4.2)', () => {
  const w = [1, -1, 0.5, 2, 0];
  const law = { covariance: skewed, N: 20, M: 30 };
  const task = { ...linearRegressionDefaults, dimension: 5, covariance: { kind: 'diagonal', spectrum } } as const;
  const predict = layerPredictor(layerOf(limits(skewed, 20)), 5);

  /** Replaces labels by a function of x, with noise of its own. */
  const relabelled = (label: (x: Float32Array, at: number) => number, noiseVariance: number) => {
    const deviation = Math.sqrt(noiseVariance);
    return ({ covariates, responses, query, targets, dimension }: LabelledBatch, first: number) => {
      const replace = (x: Float32Array, y: Float32Array, purpose: number) => {
        fillNormals(createGenerator(77, 1), { prompt: first, purpose }, y, 0, y.length);
        for (let i = 0; i < y.length; i++) y[i] = label(x, i * dimension) + deviation * y[i]!;
      };
      replace(covariates, responses, 10);
      replace(query, targets, 11);
    };
  };

  it.each([
    [0, 0.98831],
    [0.5, 1.53154],
  ])('fixed w, noise %f: %f', (noiseVariance, expected) => {
    const exact = riskForTask({ ...law, ...linearTaskMoments(skewed, w, noiseVariance) });
    expect(exact).toBeCloseTo(expected, 5);
    const label = (x: Float32Array, at: number) => {
      let sum = 0;
      for (let j = 0; j < 5; j++) sum += x[at + j]! * w[j]!;
      return sum;
    };
    const relabel = relabelled(label, noiseVariance);
    expectAgreement(measureRisk({ task, context: 30, prompts: 30_000, predict, relabel }), exact);
  });

  it('y = x_1^3: 9.55621', () => {
    const moments = { a: [3, 0, 0, 0, 0], Sigma: diagonal([96, 15, 15, 15, 15]), best: 6 };
    const exact = riskForTask({ covariance: identity(5), N: 20, M: 30, ...moments });
    expect(exact).toBeCloseTo(9.55621, 5);
    const measured = measureRisk({
      task: { ...task, covariance: { kind: 'identity' } },
      context: 30,
      prompts: 40_000,
      predict: layerPredictor(layerOf(limits(identity(5), 20)), 5),
      relabel: relabelled((x, at) => x[at]! ** 3, 0),
    });
    expectAgreement(measured, exact, 0.05);
  });

  it('is the bracket of the theorem as printed', () => {
    const covariance = [[2, 0.5, 0.1], [0.5, 1, -0.2], [0.1, -0.2, 0.7]]; // biome-ignore format: a matrix
    const [N, M, a] = [8, 11, [1, -2, 0.5]];
    const Sigma = [[3, 0.2, 0.1], [0.2, 2, 0.4], [0.1, 0.4, 1]]; // biome-ignore format: a matrix
    const G = inverse(gammaMatrix(covariance, N));
    const square = (power: number) =>
      multiply(
        [a],
        G,
        G,
        ...new Array<Matrix>(power).fill(covariance),
        a.map((value) => [value]),
      )[0]![0]!;
    const t = trace(covariance);
    const expected =
      0.4 + trace(multiply(Sigma, G, G, covariance)) / M + (square(3) + 2 * t * square(2) + t * t * square(1)) / N ** 2;
    expectClose([riskForTask({ covariance, N, M, a, Sigma, best: 0.4 })], [expected], float64);
  });

  it('averaged over w is the averaged risk', () => {
    const average = (noiseVariance: number) => {
      // E over w of a quadratic: the mean over the 2 d vectors +-sqrt(d) e_i has the moments that matter.
      const values = [0, 1, 2, 3, 4].map((i) => {
        const one = [0, 0, 0, 0, 0].with(i, Math.sqrt(5));
        return riskForTask({ ...law, ...linearTaskMoments(skewed, one, noiseVariance) });
      });
      return values.reduce((sum, value) => sum + value, 0) / 5;
    };
    for (const noiseVariance of [0, 0.5]) {
      expectClose([average(noiseVariance)], [risk({ ...law, noiseVariance })], float64);
    }
  });
});

describe('the upper bounds (Corollary 4.3)', () => {
  const laws = fc.record({
    spectrum: fc.array(fc.double({ min: 0.01, max: 10, noNaN: true }), { minLength: 1, maxLength: 8 }),
    N: fc.integer({ min: 1, max: 300 }),
    M: fc.integer({ min: 1, max: 300 }),
    noiseVariance: fc.constantFrom(0, 0.1, 3),
  });

  it('are above the risk, and the length they ask for is enough', () => {
    fc.assert(
      fc.property(laws, fc.double({ min: 0.01, max: 3, noNaN: true }), ({ spectrum: values, ...law }, epsilon) => {
        const covariance = diagonal(values);
        expect(risk({ covariance, ...law })).toBeLessThanOrEqual(riskBound({ covariance, ...law }) * (1 + 1e-12));
        const M = sufficientLength(covariance, epsilon);
        const noiseless = risk({ covariance, N: law.N, M });
        expect(noiseless).toBeLessThanOrEqual((floorBound(covariance, law.N) + epsilon) * (1 + 1e-12));
      }),
      { numRuns: 500 },
    );
  });

  it('are the printed expression', () => {
    // d = 5, condition number 8, trace 5.25: 6 * 5.25/40 + (1 + 10 + 25 * 8) * 5.25/400.
    expectClose([riskBound({ covariance: skewed, N: 20, M: 40 })], [31.5 / 40 + (211 * 5.25) / 400], float64);
    expect(floorBound(skewed, infinite)).toBe(0);
  });
});

describe('the risk under shift', () => {
  const P = inverse(gammaMatrix(skewed, 20));

  it('of the query: 1.84555, where 0 would have 5 and no shift .71180', () => {
    const queryCovariance = diagonal([0, 0, 0, 1, 4]);
    const shifted = shiftRisk({ P, contextCovariance: skewed, queryCovariance, M: 40 });
    const zero = shiftRisk({ P: scaleMatrix(P, 0), contextCovariance: skewed, queryCovariance, M: 40 });
    expect(shifted).toBeCloseTo(1.84555, 5);
    expect(zero).toBeCloseTo(5, 12);
    expect(shiftRisk({ P, contextCovariance: skewed, M: 40 })).toBeCloseTo(0.7118, 5);
  });

  it.each([
    [0.333, 0.48598, 0.83478, 0.79052],
    [0.5, 0.85571, 0.65197, 0.5625],
    [1, 0.7118, 0.13558, 0],
    [2, 125.693, 5.98539, 9],
    [3, 2073.27, 43.8787, 64],
  ])('of the covariates scaled by %f: %f', (c, expected, normalised, limit) => {
    const scaled = scaleMatrix(skewed, c * c);
    const value = shiftRisk({ P, contextCovariance: scaled, M: 40 });
    // The table has six digits.
    expectClose([value, value / trace(scaled)], [expected, normalised], { relative: 5e-6, absolute: 6e-6 });
    const atInfinity = shiftRisk({ P: inverse(skewed), contextCovariance: scaled, M: infinite });
    expectClose([atInfinity / trace(scaled)], [(1 - c * c) ** 2], { relative: 1e-9, absolute: 1e-12 });
    expectClose([(1 - c * c) ** 2], [limit], { relative: 0, absolute: 6e-6 });
  });

  it('of the task: scales with the task, and noise adds up', () => {
    const law = { P, contextCovariance: skewed, M: 40 };
    const base = shiftRisk(law);
    expectClose([shiftRisk({ ...law, taskCovariance: scaleMatrix(identity(5), 9) })], [9 * base], float64);
    const onContext = shiftRisk({ ...law, noiseVariance: 0.5, queryNoiseVariance: 0 });
    expectClose([onContext], [base + (0.5 * trace(multiply(P, skewed, P, skewed))) / 40], float64);
    expectClose([shiftRisk({ ...law, noiseVariance: 0.5 })], [onContext + 0.5], float64);
  });

  it('is the formula as it is usually written', () => {
    const [A, Q, C] = [[[1, 0.3], [0.3, 2]], [[0.5, -0.1], [-0.1, 0.7]], [[2, 0.6], [0.6, 1]]] as const; // biome-ignore format: matrices
    const p = [[0.7, 0.2], [-0.4, 0.9]]; // biome-ignore format: a matrix
    const [M, s2] = [7, 0.3];
    const ACA = multiply(A, C, A);
    const t = trace(multiply(C, A)) + s2;
    const E = ACA.map((row, i) => row.map((value, j) => value + (value + t * A[i]![j]!) / M));
    const pT = [[0.7, -0.4], [0.2, 0.9]]; // biome-ignore format: a matrix
    const parts = [multiply(p, E, pT), multiply(p, A, C), multiply(C, A, pT)];
    const inner = C.map((row, i) =>
      row.map((value, j) => value + parts[0]![i]![j]! - parts[1]![i]![j]! - parts[2]![i]![j]!),
    );
    const law = { P: p, contextCovariance: A, queryCovariance: Q, taskCovariance: C, noiseVariance: s2, M };
    expectClose([shiftRisk({ ...law, queryNoiseVariance: 0.1 })], [trace(multiply(Q, inner)) + 0.1], float64);
  });

  it('agrees with sampled prompts for covariances that do not commute', () => {
    const context: Matrix = [[1.5, 0.6, -0.3], [0.6, 0.8, 0.2], [-0.3, 0.2, 2]]; // biome-ignore format: a matrix
    const query: Matrix = [[0.7, -0.4, 0.1], [-0.4, 1.9, 0.5], [0.1, 0.5, 0.6]]; // biome-ignore format: a matrix
    const task: Matrix = [[1, 0.5, 0], [0.5, 2, -0.7], [0, -0.7, 1.2]]; // biome-ignore format: a matrix
    const p: Matrix = [[0.7, 0.2, 0.1], [-0.4, 0.9, 0.3], [0.2, -0.1, 0.5]]; // biome-ignore format: a matrix
    const measured = measureRisk({
      task: {
        ...linearRegressionDefaults,
        dimension: 3,
        covariance: { kind: 'matrix', matrix: context },
        queryCovariance: { kind: 'matrix', matrix: query },
        taskCovariance: { kind: 'matrix', matrix: task },
        noiseVariance: 0.4,
      },
      context: 8,
      prompts: 60_000,
      predict: layerPredictor(layerOfProduct(p), 3),
    });
    const law = { contextCovariance: context, queryCovariance: query, taskCovariance: task, noiseVariance: 0.4, M: 8 };
    expectAgreement(measured, shiftRisk({ ...law, P: p }));
  });

  it('of prompting strategies at d = 20: 7.700, 95.94, 1, 84.08', () => {
    const { randomQuadrants, oppositeQuadrants, halfSubspace, skewed: spectral } = promptingLimits(20);
    expect(randomQuadrants).toBeCloseTo(7.7, 3);
    expect(oppositeQuadrants).toBeCloseTo(95.94, 2);
    expect(spectral).toBeCloseTo(84.08, 2);
    const half = diagonal(Array.from({ length: 20 }, (_, i) => (i < 10 ? 2 : 0)));
    const law = { P: identity(20), contextCovariance: half, M: infinite };
    expectClose([halfSubspace], [shiftRisk(law) / 20], float64);
    const weights = Array.from({ length: 20 }, (_, i) => (i + 1) ** -2);
    const total = weights.reduce((a, b) => a + b, 0);
    const powers = diagonal(weights.map((value) => (20 * value) / total));
    expectClose([spectral], [shiftRisk({ ...law, contextCovariance: powers }) / 20], float64);
  });
});
