/** Linear self-attention: by hand, against the paper's matrix formula, and what must not change its prediction. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { InitScheme } from '../../../models/architecture.ts';
import { architectureNamed } from '../../../models/attention/index.ts';
import { linearAttention } from '../../../models/attention/linear-attention.ts';
import { inverse, type Matrix, multiply, scaleMatrix, trace, transpose } from '../../../models/matrix.ts';
import { allocateBatch, type LabelledBatch, type PromptBatch, sliceBatch } from '../../../models/prompts.ts';
import { createGenerator } from '../../../models/random.ts';
import { referencePrediction, referencePrefixPrediction } from '../../../models/reference-ops.ts';
import { createSampler } from '../../../models/tasks/index.ts';
import { gammaMatrix, limits } from '../../../models/theory/zhang2023.ts';
import { expectClose, float64 } from '../../tolerance.ts';
import { layerOf } from '../monte-carlo.ts';

type Parameters = Record<string, ArrayLike<number>>;

const predict = (parameters: Parameters, prompts: PromptBatch) =>
  referencePrediction(linearAttention, parameters, { dimension: prompts.dimension }, prompts);

const predictPrefixes = (parameters: Parameters, prompts: PromptBatch) =>
  referencePrefixPrediction(linearAttention, parameters, { dimension: prompts.dimension }, prompts);

/** Prompts with noisy responses and parameters that are all far from 0. */
function example(sizes: { batch: number; context: number; queries: number; dimension: number }, seed = 5) {
  const { dimension } = sizes;
  const prompts = allocateBatch(sizes);
  createSampler({
    name: 'linear-regression',
    dimension,
    covariance: { kind: 'identity' },
    taskCovariance: { kind: 'identity' },
    noiseVariance: 0.5,
  }).fill(createGenerator(seed, 1), 0, prompts);
  const scheme = linearAttention.initSchemes.find(({ name }) => name === 'generic')!;
  return { prompts, parameters: scheme.initialise({ dimension }, { scale: 1 }, createGenerator(seed, 2)) };
}

/** Lower right entry of f(E) = E + W^PV E (E^T W^KQ E)/rho, prompt by prompt: eq. (3.3) as it is written. */
function literalPrediction(parameters: Parameters, prompts: PromptBatch, b: number, q: number): number {
  const { context, queries, dimension: d } = prompts;
  const square = (values: ArrayLike<number>) =>
    Array.from({ length: d + 1 }, (_, i) => Array.from({ length: d + 1 }, (_, j) => values[i * (d + 1) + j]!));
  const pairs = Array.from({ length: context }, (_, n) => [
    ...prompts.covariates.subarray((b * context + n) * d, (b * context + n + 1) * d),
    prompts.responses[b * context + n]!,
  ]);
  const at = (b * queries + q) * d;
  const E = transpose([...pairs, [...prompts.query.subarray(at, at + d), 0]]);
  const attention = scaleMatrix(multiply(transpose(E), square(parameters['key_query']!), E), 1 / context);
  const update = multiply(square(parameters['projection_value']!), E, attention);
  return E[d]![context]! + update[d]![context]!;
}

describe('the prediction', () => {
  const byHand = {
    batch: 1,
    context: 2,
    queries: 1,
    dimension: 2,
    covariates: Float32Array.of(1, 2, -1, 1),
    responses: Float32Array.of(3, 2),
    query: Float32Array.of(2, -1),
  };
  const layer = layerOf({ u12: [1, -1], u: 2, U11: [[1, 0], [2, -1]], u21: [1, 1] }); // biome-ignore format: a matrix
  const parameters = { projection_value: layer.projectionValue, key_query: layer.keyQuery };

  it('is what it is on paper', () => {
    // W^KQ e_q = (2, 5, 1). Scores: 15, 5 and, of the query itself, -1. Values: 5, 2 and 3. (75 + 10 - 3)/2 = 41.
    expect([...predict(parameters, byHand)]).toEqual([41]);
    // From no pair 0, from one (75 - 3)/1.
    // The 0 of no pairs has the sign of the query's own term: + 0 makes -0 into 0.
    expect([...predictPrefixes(parameters, byHand)].map((value) => value + 0)).toEqual([0, 72, 41]);
  });

  it('equals the matrix formula for every prompt and query', () => {
    const { prompts, parameters } = example({ batch: 7, context: 11, queries: 3, dimension: 5 });
    const expected: number[] = [];
    for (let b = 0; b < 7; b++) for (let q = 0; q < 3; q++) expected.push(literalPrediction(parameters, prompts, b, q));
    expectClose(predict(parameters, prompts), expected, float64);
  });

  it('at the limits is x_q^T Gamma^-1 (1/M) sum y_i x_i, with the test length as divisor', () => {
    const dimension = 3;
    const covariance = [[2, 0.5, 0.1], [0.5, 1, -0.2], [0.1, -0.2, 0.7]]; // biome-ignore format: a matrix
    const layer = layerOf(limits(covariance, 13));
    const prompts = example({ batch: 5, context: 7, queries: 2, dimension }).prompts;
    const P = inverse(gammaMatrix(covariance, 13));
    const expected: number[] = [];
    for (let b = 0; b < 5; b++) {
      const mean = [0, 1, 2].map((j) =>
        Array.from({ length: 7 }, (_, n) => prompts.responses[b * 7 + n]! * prompts.covariates[(b * 7 + n) * 3 + j]!),
      );
      const direction = multiply(
        P,
        mean.map((terms) => [terms.reduce((x, y) => x + y, 0) / 7]),
      );
      for (let q = 0; q < 2; q++) {
        expected.push(direction.reduce((sum, [value], j) => sum + value! * prompts.query[(b * 2 + q) * 3 + j]!, 0));
      }
    }
    const parameters = { projection_value: layer.projectionValue, key_query: layer.keyQuery };
    expectClose(predict(parameters, prompts), expected, { relative: 1e-12, absolute: 1e-13 });
  });
});

const shapes = fc.record({
  batch: fc.integer({ min: 1, max: 3 }),
  context: fc.integer({ min: 1, max: 8 }),
  queries: fc.integer({ min: 1, max: 3 }),
  dimension: fc.integer({ min: 1, max: 6 }),
});
const property = (check: (sizes: { batch: number; context: number; queries: number; dimension: number }) => void) =>
  fc.assert(fc.property(shapes, check), { numRuns: 30 });

describe('the prediction does not change', () => {
  it('when the pairs change places', () => {
    property((sizes) => {
      const { prompts, parameters } = example(sizes);
      const { batch, context, dimension } = sizes;
      const reversed = { ...prompts, covariates: prompts.covariates.slice(), responses: prompts.responses.slice() };
      for (let row = 0; row < batch * context; row++) {
        const other = Math.floor(row / context) * context + (context - 1 - (row % context));
        reversed.responses[row] = prompts.responses[other]!;
        reversed.covariates.set(
          prompts.covariates.subarray(other * dimension, (other + 1) * dimension),
          row * dimension,
        );
      }
      expectClose(predict(parameters, reversed), predict(parameters, prompts), float64);
    });
  });

  it('when W^PV is multiplied and W^KQ divided by a number', () => {
    property((sizes) => {
      const { prompts, parameters } = example(sizes);
      const scaled = {
        projection_value: Float64Array.from(parameters['projection_value']!, (value) => value * 3.7),
        key_query: Float64Array.from(parameters['key_query']!, (value) => value / 3.7),
      };
      expectClose(predict(scaled, prompts), predict(parameters, prompts), float64);
    });
  });

  it('with the other queries and the other prompts', () => {
    property((sizes) => {
      const { prompts, parameters } = example(sizes);
      const { batch, queries, dimension } = sizes;
      const all = predict(parameters, prompts);
      for (let b = 0; b < batch; b++) {
        for (let q = 0; q < queries; q++) {
          const at = (b * queries + q) * dimension;
          const alone = {
            ...sliceBatch(prompts, b, b + 1),
            queries: 1,
            query: prompts.query.slice(at, at + dimension),
          };
          expectClose(predict(parameters, alone), [all[b * queries + q]!], float64);
        }
      }
    });
  });

  it('between a prefix and the shorter prompt', () => {
    property((sizes) => {
      const { prompts, parameters } = example(sizes);
      const { batch, context, queries, dimension } = sizes;
      const prefixes = predictPrefixes(parameters, prompts);
      for (let b = 0; b < batch; b++) {
        const one = sliceBatch(prompts, b, b + 1);
        const row = (n: number) =>
          prefixes.slice((b * (context + 1) + n) * queries, (b * (context + 1) + n + 1) * queries);
        expect([...row(0)].every((value) => value === 0)).toBe(true);
        for (let n = 1; n <= context; n++) {
          const shorter = {
            ...one,
            context: n,
            covariates: one.covariates.slice(0, n * dimension),
            responses: one.responses.slice(0, n),
          };
          expectClose(row(n), predict(parameters, shorter), float64);
        }
      }
    });
  });
});

describe('the loss at u12 = u21 = 0', () => {
  it('has no slope along u12 and u21 over prompts that come in pairs (w, -w)', () => {
    const dimension = 3;
    const U11: Matrix = [[0.4, 0.1, -0.2], [0.3, 0.5, 0.1], [-0.1, 0.2, 0.6]]; // biome-ignore format: a matrix
    const { prompts } = example({ batch: 50, context: 6, queries: 1, dimension });
    const negated: LabelledBatch = {
      ...prompts,
      responses: prompts.responses.map((value) => -value),
      targets: prompts.targets.map((value) => -value),
    };
    const loss = (u12: number[], u21: number[]) => {
      const layer = layerOf({ U11, u: 0.8, u12, u21 });
      const parameters = { projection_value: layer.projectionValue, key_query: layer.keyQuery };
      return [prompts, negated].reduce(
        (sum, half) => sum + predict(parameters, half).reduce((s, value, b) => s + (value - half.targets[b]!) ** 2, 0),
        0,
      );
    };
    const zero = [0, 0, 0];
    const scale = loss(zero, zero);
    for (let j = 0; j < dimension; j++) {
      const step = (h: number) => zero.map((_, i) => (i === j ? h : 0));
      expect(Math.abs(loss(step(0.1), zero) - loss(step(-0.1), zero)) / scale).toBeLessThan(1e-13);
      expect(Math.abs(loss(zero, step(0.1)) - loss(zero, step(-0.1))) / scale).toBeLessThan(1e-13);
      // Not because the loss were flat.
      expect(Math.abs(loss(step(0.1), zero) - scale) / scale).toBeGreaterThan(1e-4);
    }
  });
});

describe('starting values', () => {
  const scheme = (name: string): InitScheme => linearAttention.initSchemes.find((one) => one.name === name)!;

  it('of the paper are sigma e e^T and sigma Theta Theta^T of norm sigma', () => {
    const dimension = 4;
    const values = scheme('paper').initialise({ dimension }, { sigma: 0.3 }, createGenerator(1, 2));
    const projectionValue = [...values['projection_value']!];
    expect(projectionValue.filter((value) => value !== 0)).toEqual([Math.fround(0.3)]);
    expect(projectionValue.at(-1)).toBe(Math.fround(0.3));
    const keyQuery = values['key_query']!;
    const block = [0, 1, 2, 3].map((i) => [...keyQuery.subarray(i * 5, i * 5 + 4)]);
    expect(keyQuery.filter((_, i) => i % 5 === 4 || i >= 20).every((value) => value === 0)).toBe(true);
    expectClose([Math.sqrt(trace(multiply(block, transpose(block))))], [0.3], { relative: 1e-6, absolute: 0 });
    expectClose(block.flat(), transpose(block).flat(), { relative: 0, absolute: 0 });
  });

  it('depend on the generator and on nothing else', () => {
    for (const { initialise, defaults } of linearAttention.initSchemes) {
      const draw = (seed: number) => initialise({ dimension: 3 }, defaults, createGenerator(seed, 2));
      expect(draw(1)).toEqual(draw(1));
      expect(draw(1)).not.toEqual(draw(2));
    }
  });
});

describe('architectures by name', () => {
  it('finds one or suggests the nearest', () => {
    expect(architectureNamed('linear-attention')).toBe(linearAttention);
    expect(() => architectureNamed('linear-atention')).toThrow('Did you mean linear-attention?');
  });
});
