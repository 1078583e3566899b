/** Softmax attention: by hand, and what orthonormal features make of it. */
import { describe, expect, test } from 'vitest';
import { softmaxAttention } from '../../../models/attention/softmax-attention.ts';
import { referencePrediction, referencePrefixPrediction } from '../../../models/reference-ops.ts';
import { expectClose, float64 } from '../../tolerance.ts';
import { drawPrompts, softmaxVariants, unpack } from './variants.ts';

describe('the prediction', () => {
  const prompt = {
    batch: 1,
    context: 3,
    queries: 1,
    dimension: 2,
    covariates: Float32Array.of(1, 0, 0, 1, 1, 0),
    responses: Float32Array.of(4, -2, 1),
    query: Float32Array.of(0, 1),
  };

  test('by hand', () => {
    // Q x_q is the second column, (log 2, log 6) up to what both share: weights 2, 6, 2. (8 - 12 + 2)/10 = -0.2.
    const parameters = { key_query: [9, Math.log(2) + 500, -7, Math.log(6) + 500] };
    expectClose(referencePrediction(softmaxAttention, parameters, { dimension: 2 }, prompt), [-0.2], {
      relative: 1e-12,
      absolute: 0,
    });
    const curve = referencePrefixPrediction(softmaxAttention, parameters, { dimension: 2 }, prompt);
    expectClose(curve, [0, 4, (8 - 12) / 8, -0.2], { relative: 1e-12, absolute: 0 });
  });

  test('from Q = 0 is the mean of the responses', () => {
    const zero = softmaxAttention.initSchemes[0]!.initialise({ dimension: 2 }, {}, { seed: 0, stream: 0 });
    expect(zero['key_query']).toEqual(new Float32Array(4));
    expectClose(referencePrediction(softmaxAttention, zero, { dimension: 2 }, prompt), [1], float64);
  });

  test('of a pair whose score is far larger than all others is its response, at any length', () => {
    const parameters = { key_query: [0, -4000, 0, 4000] };
    const curve = referencePrefixPrediction(softmaxAttention, parameters, { dimension: 2 }, prompt);
    expect([...curve]).toEqual([0, 4, -2, -2]);
  });
});

test.each(softmaxVariants)('equals the sums as they are written: $name', ({ architecture, sizes, parameters }) => {
  const { dimension } = sizes;
  const prompts = drawPrompts({ batch: 4, context: 7, queries: 2, dimension });
  const keyQuery = parameters['key_query']!;
  const nu = parameters['value_weight']?.[0] ?? sizes.options!['valueWeight']!;
  const expected = [0, 1, 2, 3].flatMap((b) => {
    const { x, y, queries } = unpack(prompts, b);
    return queries.map((query) => {
      const weights = x.map((key) => {
        let score = 0;
        for (let i = 0; i < dimension; i++) {
          for (let j = 0; j < dimension; j++) score += key[i]! * keyQuery[i * dimension + j]! * query[j]!;
        }
        return Math.exp(score);
      });
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      return weights.reduce((sum, weight, i) => sum + nu * (weight / total) * y[i]!, 0);
    });
  });
  expectClose(referencePrediction(architecture, parameters, sizes, prompts), expected, float64);
});

test('a residual connection adds nothing: the query’s label slot is 0', () => {
  // F(E) = E + W^V E softmax(mask(E^T W^KQ E)), written out with the whole embedding; the prediction is its lower right entry.
  const { architecture, sizes, parameters } = softmaxVariants[1]!;
  const prompts = drawPrompts({ batch: 3, context: 5, queries: 1, dimension: 3 });
  const keyQuery = parameters['key_query']!;
  const expected = [0, 1, 2].map((b) => {
    const { x, y, queries } = unpack(prompts, b);
    const embedding = [...x.map((row, i) => [...row, y[i]!]), [...queries[0]!, 0]];
    const last = embedding.at(-1)!;
    const weights = embedding.map((column, i) => {
      let score = 0;
      for (let r = 0; r < 3; r++) for (let c = 0; c < 3; c++) score += column[r]! * keyQuery[r * 3 + c]! * last[c]!;
      return i === embedding.length - 1 ? 0 : Math.exp(score); // the mask
    });
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const attended = embedding.reduce((sum, column, i) => sum + (weights[i]! / total) * column[3]!, 0);
    return last[3]! + attended;
  });
  expectClose(referencePrediction(architecture, parameters, sizes, prompts), expected, float64);
});
