/** Layers that change labels only: the full model in their subspace, what is exactly 0, and starting values. */
import { expect, test } from 'vitest';
import { resolveSizes } from '../../../models/architecture.ts';
import { multilayerLinearAttention } from '../../../models/attention/multilayer-linear-attention.ts';
import { sparseLinearAttention } from '../../../models/attention/sparse-linear-attention.ts';
import { createGenerator } from '../../../models/random.ts';
import { referencePrediction } from '../../../models/reference-ops.ts';
import { expectClose, float64 } from '../../tolerance.ts';
import { drawPrompts, rowsOf, sparseVariants } from './variants.ts';

/** P_l = [0; b'] and Q_l = [A, 0]. */
function inFull(parameters: Readonly<Record<string, ArrayLike<number>>>, dimension: number, layers: number) {
  const side = dimension + 1;
  return Object.fromEntries(
    Array.from({ length: layers }, (_, l) => {
      const P = [...new Array<number>(dimension * side).fill(0), ...Array.from(parameters[`value_row_${l}`]!)];
      const Q = rowsOf(parameters[`key_query_${l}`]!, dimension).flatMap((row) => [...row, 0]);
      return [
        [`projection_value_${l}`, Float64Array.from(P)],
        [`key_query_${l}`, Float64Array.from(Q)],
      ];
    }).flat(),
  );
}

test.each(sparseVariants)('is the full model in its subspace: $name', ({ architecture, sizes, parameters }) => {
  const { dimension, options } = sizes;
  const prompts = drawPrompts({ batch: 3, context: 7, queries: 2, dimension });
  const full = inFull(parameters, dimension, options!['layers']!);
  expectClose(
    referencePrediction(architecture, parameters, sizes, prompts),
    referencePrediction(multilayerLinearAttention, full, sizes, prompts),
    float64,
  );
});

test('a query of zeros is answered by exactly 0', () => {
  for (const { architecture, sizes, parameters } of sparseVariants) {
    const prompts = drawPrompts({ batch: 3, context: 7, queries: 2, dimension: sizes.dimension });
    prompts.query.fill(0);
    const answers = referencePrediction(architecture, parameters, sizes, prompts);
    expect(answers.every((value) => Math.abs(value) === 0)).toBe(true);
  }
});

test('starts as gradient descent on the context: two steps by hand', () => {
  const rate = 0.2;
  const sizes = resolveSizes('test', sparseLinearAttention, {
    dimension: 2,
    options: { layers: 2, outputSign: -1 },
  });
  const scheme = sparseLinearAttention.initSchemes.find(({ name }) => name === 'gradient-descent')!;
  const parameters = scheme.initialise(sizes, { rate }, createGenerator(0, 2));
  const prompts = drawPrompts({ batch: 1, context: 6, queries: 1, dimension: 2 });
  const x = rowsOf(prompts.covariates, 2);
  const w = [0, 0];
  for (let step = 0; step < 2; step++) {
    const residuals = x.map((row, i) => prompts.responses[i]! - row[0]! * w[0]! - row[1]! * w[1]!);
    for (const k of [0, 1]) w[k]! += (rate * x.reduce((sum, row, i) => sum + residuals[i]! * row[k]!, 0)) / 6;
  }
  const expected = w[0]! * prompts.query[0]! + w[1]! * prompts.query[1]!;
  // The rate is a float32 among the parameters.
  expectClose(referencePrediction(sparseLinearAttention, parameters, sizes, prompts), [expected], {
    relative: 1e-6,
    absolute: 0,
  });
});
