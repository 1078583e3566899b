/** The classifier on prompts that are solved by hand, and what its formula implies. */
import { describe, expect, test } from 'vitest';
import { linearAttention } from '../../../models/attention/linear-attention.ts';
import { linearAttentionClassifier } from '../../../models/attention/linear-attention-classifier.ts';
import type { PromptBatch } from '../../../models/prompts.ts';
import { createGenerator } from '../../../models/random.ts';
import { referencePrediction, referencePrefixPrediction, referenceScores } from '../../../models/reference-ops.ts';
import { expectClose, float64 } from '../../tolerance.ts';
import { classifierVariants, drawPromptsFor } from './variants.ts';

/** Three pairs in two dimensions, two queries. */
const prompt = {
  batch: 1,
  context: 3,
  queries: 2,
  dimension: 2,
  covariates: Float32Array.of(1, 0, 0, 2, 3, 1),
  query: Float32Array.of(1, 1, 2, -1),
};
const signs: PromptBatch = { ...prompt, responses: Float32Array.of(1, -1, 1) };
const hot: PromptBatch = { ...prompt, classes: 3, responses: Float32Array.of(0, 1, 0, 1, 0, 0, 0, 0, 1) };
/** W q = (3, 1) and (0, -1) for the two queries. */
const parameters = { key_query: Float32Array.of(1, 2, 0, 1) };
const sizes = (classes: number) => ({ dimension: 2, options: { classes } });
const sigmoid = (z: number) => 1 / (1 + Math.exp(-z));

describe('on paper', () => {
  test('two signs: z = p^T W q with p = (1/3) ((1, 0) - (0, 2) + (3, 1)) = (4, -1) / 3', () => {
    const scores = [(4 * 3 - 1) / 3, 1 / 3];
    expectClose(referenceScores(linearAttentionClassifier, parameters, sizes(0), signs), scores, float64);
    const expected = scores.map(sigmoid);
    expectClose(referencePrediction(linearAttentionClassifier, parameters, sizes(0), signs), expected, float64);
  });

  test('three classes: p_2 = (1, 0) / 3, p_1 = (0, 2) / 3, p_3 = (3, 1) / 3', () => {
    const scores = [2 / 3, 3 / 3, 10 / 3, -2 / 3, 0, -1 / 3];
    expectClose(referenceScores(linearAttentionClassifier, parameters, sizes(3), hot), scores, float64);
    const softmax = (z: number[]) =>
      z.map((value) => Math.exp(value) / z.reduce((sum, other) => sum + Math.exp(other), 0));
    const expected = [...softmax(scores.slice(0, 3)), ...softmax(scores.slice(3))];
    expectClose(referencePrediction(linearAttentionClassifier, parameters, sizes(3), hot), expected, float64);
  });

  test('prefixes of two signs: each divides by its own length', () => {
    // x_i^T W q y_i: 3, -2, 10 and 0, 2, -1.
    const scores = [0, 0, 3, 0, 1 / 2, 2 / 2, 11 / 3, 1 / 3];
    const curve = referencePrefixPrediction(linearAttentionClassifier, parameters, sizes(0), signs);
    expectClose(curve, scores.map(sigmoid), float64);
  });
});

test('two classes written one-hot have the probabilities of the signs, with the same W', () => {
  const { parameters: W, sizes: own, ...variant } = classifierVariants[0]!;
  const prompts = drawPromptsFor(variant, { batch: 4, context: 6, queries: 3 });
  const responses = Float32Array.from([...prompts.responses].flatMap((y) => (y > 0 ? [0, 1] : [1, 0])));
  const twofold = { dimension: own.dimension, options: { classes: 2 } };
  const pairs = referencePrediction(linearAttentionClassifier, W, twofold, { ...prompts, classes: 2, responses });
  const expected = referencePrediction(linearAttentionClassifier, W, own, prompts);
  expectClose(
    pairs.filter((_, i) => i % 2 === 1),
    expected,
    float64,
  );
});

test('its score is the layer of full matrices, with W^PV = e e^T and W^KQ = [[W, 0], [0, 0]]', () => {
  const { parameters: W, sizes: own, ...variant } = classifierVariants[0]!;
  const d = own.dimension;
  const prompts = drawPromptsFor(variant, { batch: 4, context: 6, queries: 3 });
  const full = { projection_value: new Float32Array((d + 1) ** 2), key_query: new Float32Array((d + 1) ** 2) };
  full.projection_value[(d + 1) ** 2 - 1] = 1;
  for (let i = 0; i < d; i++) {
    for (let j = 0; j < d; j++) full.key_query[i * (d + 1) + j] = W['key_query']![i * d + j]!;
  }
  expectClose(
    referenceScores(linearAttentionClassifier, W, own, prompts),
    referencePrediction(linearAttention, full, { dimension: d }, prompts),
    float64,
  );
});

describe('the full layer', () => {
  test('at V = [0, I] and K = [W; 0] is the one matrix', () => {
    for (const [classes, asked] of [
      [0, signs],
      [3, hot],
    ] as const) {
      const width = Math.max(1, classes);
      const full = { dimension: 2, options: { classes, full: 1 } };
      const { initialise } = linearAttentionClassifier.initSchemes[0]!;
      const start = initialise(full, {}, createGenerator(1, 2));
      start['key_query']!.set(parameters.key_query);
      expect(start['projection_value']).toHaveLength(width * (2 + width));
      for (const read of [referencePrediction, referencePrefixPrediction]) {
        const expected = read(linearAttentionClassifier, parameters, sizes(classes), asked);
        expectClose(read(linearAttentionClassifier, start, full, asked), expected, float64);
      }
    }
  });

  test('is the layer of full matrices of linear attention, the query in its own sum', () => {
    const variant = classifierVariants.find(
      ({ sizes }) => sizes.options?.['full'] === 1 && sizes.options['classes'] === 0,
    )!;
    const d = variant.sizes.dimension;
    const prompts = drawPromptsFor(variant, { batch: 4, context: 6, queries: 3 });
    const full = { projection_value: new Float32Array((d + 1) ** 2), key_query: new Float32Array((d + 1) ** 2) };
    full.projection_value.set(variant.parameters['projection_value']!, d * (d + 1));
    for (let i = 0; i <= d; i++) {
      for (let j = 0; j < d; j++) full.key_query[i * (d + 1) + j] = variant.parameters['key_query']![i * d + j]!;
    }
    expectClose(
      referenceScores(linearAttentionClassifier, variant.parameters, variant.sizes, prompts),
      referencePrediction(linearAttention, full, { dimension: d }, prompts),
      float64,
    );
  });

  test('of three classes is sum_i (V e_i) (e_i^T K q) / N, e_q among the e_i', () => {
    const variant = classifierVariants.find(
      ({ sizes }) => sizes.options?.['full'] === 1 && sizes.options['classes'] === 3,
    )!;
    const prompts = drawPromptsFor(variant, { batch: 1, context: 4, queries: 1 });
    const { projection_value: V, key_query: K } = variant.parameters as {
      projection_value: Float32Array;
      key_query: Float32Array;
    };
    const q = [...prompts.query];
    const columns = Array.from({ length: 5 }, (_, i) =>
      i === 4
        ? [...q, 0, 0, 0]
        : [...prompts.covariates.subarray(i * 2, i * 2 + 2), ...prompts.responses.subarray(i * 3, i * 3 + 3)],
    );
    const key = Array.from({ length: 5 }, (_, i) => K[i * 2]! * q[0]! + K[i * 2 + 1]! * q[1]!);
    const expected = [0, 1, 2].map((k) => {
      const added = columns.map((e) => {
        const value = e.reduce((sum, x, j) => sum + V[k * 5 + j]! * x, 0);
        return value * e.reduce((sum, x, j) => sum + x * key[j]!, 0);
      });
      return added.reduce((a, b) => a + b, 0) / 4;
    });
    const scores = referenceScores(linearAttentionClassifier, variant.parameters, variant.sizes, prompts);
    expectClose(scores, expected, float64);
  });
});

test('prompts of other classes are refused', () => {
  const ask = (classes: number, prompts: PromptBatch) => () =>
    referencePrediction(linearAttentionClassifier, parameters, sizes(classes), prompts);
  expect(ask(3, signs)).toThrow('expected one-hot responses of 3 classes, got responses of one number');
  expect(ask(0, hot)).toThrow('expected responses of one number, got one-hot responses of 3 classes');
  expect(ask(3, { ...hot, responses: Float32Array.of(1, 0, 0) })).toThrow('responses: expected 1 x 9 numbers, got 3');
});
