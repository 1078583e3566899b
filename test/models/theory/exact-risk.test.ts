/** The exact risk of any layer: against exact quadrature at one and two dimensions, and against sampled prompts. */
import { describe, expect, it } from 'vitest';
import { linearAttention } from '../../../models/attention/linear-attention.ts';
import { choleskyFactor, diagonal, identity, type Matrix, scaleMatrix } from '../../../models/matrix.ts';
import { fromFlat, referenceOps } from '../../../models/reference-ops.ts';
import { shiftNamed } from '../../../models/shifts/index.ts';
import type { TaskSpec } from '../../../models/tasks/index.ts';
import { linearRegressionDefaults } from '../../../models/tasks/linear-regression.ts';
import {
  exactRisk,
  exactTaskRisk,
  expectationOverDiagonal,
  exponentialMoments,
  type LayerMatrices,
  layerBlocks,
  limits,
  risk,
  shiftRisk,
  type TestLaw,
} from '../../../models/theory/zhang2023.ts';
import { expectClose, float64 } from '../../tolerance.ts';
import { expectAgreement, layerOf, layerPredictor, measureRisk } from '../monte-carlo.ts';
import { gaussianExpectation } from './quadrature.ts';

/** E of the squared error with every Gaussian variable integrated exactly: for D M of a few. */
function integratedRisk(matrices: LayerMatrices, law: Required<TestLaw>): number {
  const d = law.contextCovariance.length;
  const M = law.M;
  const context = choleskyFactor('context', law.contextCovariance);
  const query = choleskyFactor('query', law.queryCovariance);
  const task = choleskyFactor('task', law.taskCovariance);
  const transform = (factor: Matrix, z: readonly number[]) =>
    factor.map((row) => row.reduce((sum, value, j) => sum + value * z[j]!, 0));
  const side = [d + 1, d + 1];
  const parameters = {
    projection_value: fromFlat(side, matrices.projectionValue),
    key_query: fromFlat(side, matrices.keyQuery),
  };
  // The squared error has degree 4 in each context covariate, noise and task entry, 6 in the query, 2 in its noise.
  const nodes = [...new Array(d * M + M + d).fill(3), ...new Array(d).fill(4), 2];
  return gaussianExpectation(nodes, (z) => {
    let at = 0;
    const next = (count: number) => {
      at += count;
      return z.slice(at - count, at);
    };
    const x = Array.from({ length: M }, () => transform(context, next(d)));
    const noise = next(M);
    const w = transform(task, next(d));
    const xq = transform(query, next(d));
    const response = (row: readonly number[]) => row.reduce((sum, value, j) => sum + value * w[j]!, 0);
    const prediction = linearAttention.forward(referenceOps, parameters, {
      covariates: fromFlat([1, M, d], x.flat()),
      responses: fromFlat(
        [1, M],
        x.map((row, i) => response(row) + Math.sqrt(law.noiseVariance) * noise[i]!),
      ),
      query: fromFlat([1, 1, d], xq),
    });
    const target = response(xq) + Math.sqrt(law.queryNoiseVariance) * z.at(-1)!;
    return (prediction.data[0]! - target) ** 2;
  });
}

const one = {
  contextCovariance: [[1.3]],
  queryCovariance: [[0.6]],
  taskCovariance: [[1.7]],
  noiseVariance: 0.8,
  queryNoiseVariance: 0.35,
};
const two = {
  contextCovariance: [[1.3, 0.5], [0.5, 0.7]],
  queryCovariance: [[0.6, -0.3], [-0.3, 1.1]],
  taskCovariance: [[1.7, 0.4], [0.4, 0.9]],
  noiseVariance: 0.8,
  queryNoiseVariance: 0.35,
}; // biome-ignore format: matrices
const layer1 = layerOf({ U11: [[0.7]], u: 0.9, u12: [-0.8], u21: [0.6] });
const layer2 = layerOf({ U11: [[0.7, -0.3], [0.5, 0.4]], u: 0.9, u12: [-0.8, 0.5], u21: [0.6, 0.4] }); // biome-ignore format: a matrix

describe('the exact risk of any layer', () => {
  it.each([1, 2])('is the integral, to rounding: d = 1, M = %i', (M) => {
    const law = { ...one, M };
    expectClose([exactRisk({ ...layer1, ...law })], [integratedRisk(layer1, law)], float64);
  });

  it('is the integral, to rounding: d = 2 with covariances that do not commute, M = 1', () => {
    const law = { ...two, M: 1 };
    expectClose([exactRisk({ ...layer2, ...law })], [integratedRisk(layer2, law)], float64);
    const noiseless = { ...law, noiseVariance: 0, queryNoiseVariance: 0 };
    expectClose([exactRisk({ ...layer2, ...noiseless })], [integratedRisk(layer2, noiseless)], float64);
    const withoutU = layerOf({ ...layerBlocks(layer2, 2), u: 0 });
    expectClose([exactRisk({ ...withoutU, ...law })], [integratedRisk(withoutU, law)], float64);
  });

  it('agrees with sampled prompts, u12 and u21 as large as the rest', () => {
    const context: Matrix = [[1.5, 0.6, -0.3], [0.6, 0.8, 0.2], [-0.3, 0.2, 2]]; // biome-ignore format: a matrix
    const query: Matrix = [[0.7, -0.4, 0.1], [-0.4, 1.9, 0.5], [0.1, 0.5, 0.6]]; // biome-ignore format: a matrix
    const task: Matrix = [[1, 0.5, 0], [0.5, 2, -0.7], [0, -0.7, 1.2]]; // biome-ignore format: a matrix
    const U11: Matrix = [[0.5, 0.2, -0.1], [-0.3, 0.6, 0.2], [0.1, -0.2, 0.4]]; // biome-ignore format: a matrix
    const blocks = { U11, u: 0.5, u12: [0.4, -0.3, 0.2], u21: [-0.15, 0.1, 0.1] };
    const law = { contextCovariance: context, queryCovariance: query, taskCovariance: task, noiseVariance: 0.4, M: 7 };
    const exact = exactRisk({ ...layerOf(blocks), ...law });
    const measured = measureRisk({
      task: {
        ...linearRegressionDefaults,
        dimension: 3,
        covariance: { kind: 'matrix', matrix: context },
        queryCovariance: { kind: 'matrix', matrix: query },
        taskCovariance: { kind: 'matrix', matrix: task },
        noiseVariance: 0.4,
      },
      context: 7,
      prompts: 150_000,
      predict: layerPredictor(layerOf(blocks), 3),
    });
    expectAgreement(measured, exact, 0.03);
    // The test means something: without u12 and u21 the risk is another one.
    const without = exactRisk({ ...layerOf({ U11, u: 0.5 }), ...law });
    expect(Math.abs(exact - without) / measured.standardError).toBeGreaterThan(20);
  });

  it('is the shift formula when u12 = u21 = 0, and Theorem 4.2 at the limits', () => {
    const P = [[0.7, 0.5], [-0.3, 0.4]]; // biome-ignore format: a matrix
    const withoutOthers = layerOf({ U11: [[0.7, -0.3], [0.5, 0.4]], u: 1 }); // biome-ignore format: a matrix
    expectClose([exactRisk({ ...withoutOthers, ...two, M: 9 })], [shiftRisk({ P, ...two, M: 9 })], float64);
    const covariance = two.contextCovariance;
    const law = { contextCovariance: covariance, noiseVariance: 0.2, M: 12 };
    const expected = risk({ covariance, N: 8, M: 12, noiseVariance: 0.2 });
    expectClose([exactRisk({ ...layerOf(limits(covariance, 8)), ...law })], [expected], float64);
  });

  it('is continuous at an infinite context', () => {
    const far = exactRisk({ ...layer2, ...two, M: 1e9 });
    expectClose([exactRisk({ ...layer2, ...two, M: Number.POSITIVE_INFINITY })], [far], {
      relative: 1e-7,
      absolute: 0,
    });
  });

  it('does not change when W^PV is multiplied and W^KQ divided', () => {
    const scaled = {
      projectionValue: Array.from(layer2.projectionValue, (value) => 3 * value),
      keyQuery: Array.from(layer2.keyQuery, (value) => value / 3),
    };
    expectClose([exactRisk({ ...scaled, ...two, M: 4 })], [exactRisk({ ...layer2, ...two, M: 4 })], float64);
  });

  it('refuses matrices of another size and lengths that are none', () => {
    expect(() => exactRisk({ ...layer1, ...two, M: 4 })).toThrow('projectionValue: expected 3 x 3 numbers, got 4.');
    expect(() => exactRisk({ ...layer2, ...two, M: 0 })).toThrow('M: expected a whole number of pairs');
  });
});

describe('the exact risk on a task', () => {
  const base: TaskSpec = { ...linearRegressionDefaults, dimension: 2, noiseVariance: 0.3 };
  const U11 = [[0.4, -0.1], [0.2, 0.3]]; // biome-ignore format: a matrix
  const layer = layerOf({ U11, u: 0.6, u12: [0.3, -0.2], u21: [0.1, 0.15] });

  it('agrees with sampled prompts under every shift', () => {
    for (const [name, level] of [
      ['covariate-scale', 1.25],
      ['covariate-spectrum', 1],
      ['query-subspace', 1],
      ['task-scale', 2],
      ['label-noise', 1],
    ] as const) {
      const task = shiftNamed(name).apply(base, level);
      const measured = measureRisk({ task, context: 6, prompts: 40_000, predict: layerPredictor(layer, 2) });
      expectAgreement(measured, exactTaskRisk(layer, task, 6), 0.04);
    }
  });

  it('agrees with sampled prompts of exponential variances', () => {
    const gentle = layerOf({ U11: scaleMatrix(U11, 0.7), u: 0.5, u12: [0.2, -0.1], u21: [0.05, 0.1] });
    const task: TaskSpec = { ...base, covariance: { kind: 'exponential', scale: 0.8 } };
    const measured = measureRisk({ task, context: 6, prompts: 150_000, predict: layerPredictor(gentle, 2) });
    expectAgreement(measured, exactTaskRisk(gentle, task, 6), 0.04);
    const fixedQuery: TaskSpec = { ...task, queryCovariance: { kind: 'diagonal', spectrum: [1, 0.5] } };
    const other = measureRisk({ task: fixedQuery, context: 6, prompts: 100_000, predict: layerPredictor(gentle, 2) });
    expectAgreement(other, exactTaskRisk(gentle, fixedQuery, 6), 0.04);
  });

  it('is of degree 3 in the variances, as the average over them needs', () => {
    const along = (t: number) =>
      exactRisk({ ...layer, contextCovariance: diagonal([1 + t, 0.5 + 2 * t]), noiseVariance: 0.3, M: 3 });
    // The fourth difference of a cubic is 0.
    const fourth = along(0) - 4 * along(1) + 6 * along(2) - 4 * along(3) + along(4);
    expect(Math.abs(fourth) / along(4)).toBeLessThan(1e-13);
  });

  it('averages exponential variances exactly', () => {
    const law = { ...layer, noiseVariance: 0.3, taskCovariance: identity(2), M: 5 };
    const expected = expectationOverDiagonal([exponentialMoments(2), exponentialMoments(2)], (values) =>
      exactRisk({ ...law, contextCovariance: diagonal(values) }),
    );
    const task: TaskSpec = { ...base, covariance: { kind: 'exponential', scale: 2 } };
    expectClose([exactTaskRisk(layer, task, 5)], [expected], float64);
  });
});
