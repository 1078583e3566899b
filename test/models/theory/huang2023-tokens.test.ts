/** The theory of class counts against tokens: prompts as the task draws them, answered by the layer as it is written. */
import { describe, expect, it } from 'vitest';
import { softmaxAttention } from '../../../models/attention/softmax-attention.ts';
import { allocateBatch } from '../../../models/prompts.ts';
import { createGenerator } from '../../../models/random.ts';
import { referencePrediction } from '../../../models/reference-ops.ts';
import { type FeatureDictionary, featureVectors, gramMatrix } from '../../../models/tasks/feature-dictionary.ts';
import type { FeatureRegressionSpec } from '../../../models/tasks/feature-regression.ts';
import { createSampler } from '../../../models/tasks/index.ts';
import { featureRisk } from '../../../models/theory/huang2023.ts';

const [dimension, length, batch] = [5, 7, 30_000];
const sizes = { dimension, options: { valueWeight: 0.8, trainedValue: 0 } };
const keyQuery = Float64Array.from({ length: dimension * dimension }, (_, i) => 1.5 * Math.sin(2 * i + 1));

function measured(spec: FeatureRegressionSpec): { mean: number; error: number } {
  const prompts = allocateBatch({ batch, context: length, queries: 1, dimension });
  createSampler(spec).fill(createGenerator(4, 5), 0, prompts);
  const answers = referencePrediction(softmaxAttention, { key_query: keyQuery }, sizes, prompts);
  const squares = Float64Array.from(answers, (answer, b) => (answer - prompts.targets[b]!) ** 2);
  const mean = squares.reduce((sum, value) => sum + value, 0) / batch;
  const variance = squares.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (batch - 1);
  return { mean, error: Math.sqrt(variance / batch) };
}

const dictionaries: readonly FeatureDictionary[] = [
  { kind: 'rotation', seed: 2 },
  { kind: 'equicorrelated', correlation: 0.4 },
  { kind: 'gaussian', seed: 1 },
];

describe.each(dictionaries)('on $kind features', (features) => {
  const probabilities = [0.4, 0.3, 0.2, 0.1];
  const spec: FeatureRegressionSpec = {
    name: 'feature-regression',
    dimension,
    features,
    probabilities,
    taskLaw: 'gaussian',
    noiseVariance: 0.2,
  };
  const vectors = featureVectors(features, 4, dimension);
  const logits = vectors.map((key) =>
    vectors.map((query) => {
      let sum = 0;
      for (let i = 0; i < dimension; i++) {
        for (let j = 0; j < dimension; j++) sum += key[i]! * keyQuery[i * dimension + j]! * query[j]!;
      }
      return sum;
    }),
  );
  const exact = featureRisk({ gram: gramMatrix(vectors), logits, probabilities, length, nu: 0.8, noiseVariance: 0.2 });

  it.each(['gaussian', 'rademacher'] as const)('the risk is the exact one, w %s: only E w w^T matters', (taskLaw) => {
    const { mean, error } = measured({ ...spec, taskLaw });
    expect(Math.abs(mean - exact) / error).toBeLessThan(4);
    expect(error / exact).toBeLessThan(0.02);
  });
});
