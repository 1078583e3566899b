/** Prompts of features have the law that their specification says, and shifts change what they say they change. */
import { describe, expect, it } from 'vitest';
import { allocateBatch, type LabelledBatch } from '../../../models/prompts.ts';
import { createGenerator } from '../../../models/random.ts';
import { shiftNamed, shiftsFor } from '../../../models/shifts/index.ts';
import { type FeatureDictionary, featureVectors, gramMatrix } from '../../../models/tasks/feature-dictionary.ts';
import type { FeatureRegressionSpec } from '../../../models/tasks/feature-regression.ts';
import { createSampler, parseTask } from '../../../models/tasks/index.ts';

const base: FeatureRegressionSpec = {
  name: 'feature-regression',
  dimension: 5,
  features: { kind: 'rotation', seed: 3 },
  probabilities: [0.5, 0.3, 0.15, 0.05],
  taskLaw: 'gaussian',
  noiseVariance: 0,
};

function sample(spec: FeatureRegressionSpec, batch: number, context = 6, queries = 2, first = 0): LabelledBatch {
  const prompts = allocateBatch({ batch, context, queries, dimension: spec.dimension });
  createSampler(spec).fill(createGenerator(8, 1), first, prompts);
  return prompts;
}

/** Which feature each row of `x` is, by its nearest vector. */
function featuresOf(spec: FeatureRegressionSpec, x: Float32Array): number[] {
  const vectors = featureVectors(spec.features, spec.probabilities.length, spec.dimension);
  return Array.from({ length: x.length / spec.dimension }, (_, row) => {
    const distances = vectors.map((v) =>
      v.reduce((sum, value, j) => sum + (value - x[row * spec.dimension + j]!) ** 2, 0),
    );
    const nearest = distances.indexOf(Math.min(...distances));
    expect(distances[nearest]!).toBeLessThan(1e-12);
    return nearest;
  });
}

/** Fails unless the shares are the probabilities, within 4.5 standard errors. */
function expectShares(features: readonly number[], probabilities: readonly number[]): void {
  probabilities.forEach((p, k) => {
    const share = features.filter((feature) => feature === k).length / features.length;
    expect(Math.abs(share - p)).toBeLessThanOrEqual(4.5 * Math.sqrt((p * (1 - p)) / features.length));
  });
}

describe('dictionaries', () => {
  const identity = (size: number) =>
    Array.from({ length: size }, (_, i) => Array.from({ length: size }, (_u, j) => (i === j ? 1 : 0)));
  const expectGram = (dictionary: FeatureDictionary, K: number, d: number, entry: (i: number, j: number) => number) => {
    const gram = gramMatrix(featureVectors(dictionary, K, d));
    gram.forEach((row, i) => {
      row.forEach((value, j) => {
        expect(Math.abs(value - entry(i, j))).toBeLessThan(1e-13);
      });
    });
  };

  it('are orthonormal, or as correlated as they say', () => {
    expect(featureVectors({ kind: 'basis' }, 3, 3)).toEqual(identity(3));
    expectGram({ kind: 'rotation', seed: 1 }, 7, 9, (i, j) => (i === j ? 1 : 0));
    expectGram({ kind: 'equicorrelated', correlation: 0.3 }, 4, 6, (i, j) => (i === j ? 1 : 0.3));
    expectGram({ kind: 'equicorrelated', correlation: -0.2 }, 4, 4, (i, j) => (i === j ? 1 : -0.2));
  });

  it('of Gaussian directions have length 1 and may outnumber the dimensions', () => {
    const vectors = featureVectors({ kind: 'gaussian', seed: 2 }, 9, 4);
    expect(vectors).toHaveLength(9);
    for (const [k, row] of gramMatrix(vectors).entries()) expect(row[k]).toBeCloseTo(1, 13);
  });

  it('refuse what does not exist', () => {
    expect(() => featureVectors({ kind: 'rotation', seed: 0 }, 5, 4)).toThrow(/d: expected 5 dimensions or more/);
    expect(() => featureVectors({ kind: 'equicorrelated', correlation: -0.6 }, 3, 3)).toThrow(/correlation: expected/);
  });
});

describe('prompts', () => {
  it('show each feature with its probability, in context and query', () => {
    const spec = { ...base, queryProbabilities: [0.1, 0.2, 0.3, 0.4] };
    const prompts = sample(spec, 4000);
    expectShares(featuresOf(spec, prompts.covariates), spec.probabilities);
    expectShares(featuresOf(spec, prompts.query), spec.queryProbabilities);
  });

  it.each(['gaussian', 'rademacher'] as const)('answer <w, x> with E w w^T = I, w %s', (taskLaw) => {
    const spec = { ...base, taskLaw };
    const { covariates, responses, query, targets, taskParameters, batch } = sample(spec, 20_000, 2, 1);
    const inner = (x: Float32Array, row: number, b: number) => {
      let sum = 0;
      for (let j = 0; j < 5; j++) sum += x[row * 5 + j]! * taskParameters[b * 5 + j]!;
      return sum;
    };
    for (let b = 0; b < 50; b++) {
      expect(responses[2 * b + 1]).toBeCloseTo(inner(covariates, 2 * b + 1, b), 5);
      expect(targets[b]).toBeCloseTo(inner(query, b, b), 5);
    }
    for (let i = 0; i < 5; i++) {
      for (let j = 0; j <= i; j++) {
        let sum = 0;
        for (let b = 0; b < batch; b++) sum += taskParameters[b * 5 + i]! * taskParameters[b * 5 + j]!;
        // The product of two standard variables has at most variance 2.
        expect(Math.abs(sum / batch - (i === j ? 1 : 0))).toBeLessThan(4.5 * Math.sqrt(2 / batch));
      }
    }
    if (taskLaw === 'rademacher') expect(taskParameters.every((value) => Math.abs(value) === 1)).toBe(true);
  });

  it('have noise of the given variance on every response', () => {
    const noisy = sample({ ...base, noiseVariance: 0.25 }, 5000);
    const exact = sample(base, 5000);
    for (const [a, b] of [
      [noisy.responses, exact.responses],
      [noisy.targets, exact.targets],
    ] as const) {
      const mean = a.reduce((sum, value, i) => sum + (value - b[i]!) ** 2, 0) / a.length;
      expect(Math.abs(mean - 0.25)).toBeLessThan(4.5 * 0.25 * Math.sqrt(2 / a.length));
    }
  });

  it('are the same in other batches, and begin as shorter ones do', () => {
    const all = sample(base, 8);
    const one = sample(base, 1, 6, 2, 5);
    expect(all.covariates.subarray(5 * 30, 6 * 30)).toEqual(one.covariates);
    expect(all.targets.subarray(10, 12)).toEqual(one.targets);
    const short = sample(base, 8, 3);
    for (let b = 0; b < 8; b++) {
      expect(short.covariates.subarray(b * 15, (b + 1) * 15)).toEqual(all.covariates.subarray(b * 30, b * 30 + 15));
      expect(short.query.subarray(b * 10, (b + 1) * 10)).toEqual(all.query.subarray(b * 10, (b + 1) * 10));
    }
  });

  it('are refused where their probabilities are none', () => {
    expect(() => createSampler({ ...base, probabilities: [0.5, 0.4] })).toThrow(/probabilities that sum to 1/);
    expect(() => createSampler({ ...base, queryProbabilities: [1] })).toThrow(/queryProbabilities/);
    expect(() => parseTask('x', { ...base, taskLaw: 'cauchy' })).toThrow(/gaussian or rademacher/);
    expect(parseTask('x', base)).toEqual(base);
  });
});

describe('shifts', () => {
  it('change what they say', () => {
    expect(shiftsFor(base).map(({ name }) => name)).toEqual([
      'feature-probability',
      'query-probability',
      'response-noise',
    ]);
    const shifted = shiftNamed('feature-probability').apply(base, 0.8);
    shifted.probabilities.forEach((p, k) => {
      expect(p).toBeCloseTo([0.8, 0.12, 0.06, 0.02][k]!, 12);
    });
    expect(shiftNamed('query-probability').apply(base, 0).queryProbabilities![1]).toBeCloseTo(0.6, 12);
    expect(shiftNamed('query-probability').apply(base, 0).probabilities).toEqual(base.probabilities);
    expect(shiftNamed('response-noise').apply(base, 0.5).noiseVariance).toBe(0.5);
    expect(() => shiftNamed('feature-probability').apply(base, 1.5)).toThrow(/a probability/);
    expect(() => shiftNamed('covariate-scale').apply(base, 2)).toThrow(/linear-regression/);
  });
});
