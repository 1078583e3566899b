/** Multi-layer linear attention: against the matrix formula, one layer, and gradient descent. */
import { expect, test } from 'vitest';
import { linearAttention } from '../../../models/attention/linear-attention.ts';
import { multilayerLinearAttention } from '../../../models/attention/multilayer-linear-attention.ts';
import { type Matrix, multiply, transpose } from '../../../models/matrix.ts';
import { referencePrediction } from '../../../models/reference-ops.ts';
import { expectClose, float64 } from '../../tolerance.ts';
import { drawPrompts, multilayerVariants, rowsOf, unpack } from './variants.ts';

const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);

/** Z_{l+1} = Z_l + (1/N) P_l Z_l M (Z_l^T Q_l Z_l), all columns, one query at a time. */
function literal(parameters: Record<string, ArrayLike<number>>, layers: number, columns: Matrix): number {
  const side = columns[0]!.length;
  const N = columns.length - 1;
  let Z: Matrix = transpose(columns);
  const mask = columns.map((_, i) => columns.map((_, j) => (i === j && i < N ? 1 : 0)));
  for (let layer = 0; layer < layers; layer++) {
    const P = rowsOf(parameters[`projection_value_${layer}`]!, side);
    const Q = rowsOf(parameters[`key_query_${layer}`]!, side);
    const update = multiply(P, Z, mask, multiply(transpose(Z), Q, Z));
    Z = Z.map((row, i) => row.map((value, j) => value + update[i]![j]! / N));
  }
  return Z[side - 1]![N]!;
}

test.each(multilayerVariants)('equals the matrix formula: $name', ({ architecture, sizes, parameters }) => {
  const { dimension, options } = sizes;
  const prompts = drawPrompts({ batch: 4, context: 7, queries: 2, dimension });
  const expected = [0, 1, 2, 3].flatMap((b) => {
    const { x, y, queries } = unpack(prompts, b);
    const pairs = x.map((row, i) => [...row, y[i]!]);
    return queries.map(
      (q) => options!['outputSign']! * literal(parameters, options!['layers']!, [...pairs, [...q, 0]]),
    );
  });
  expectClose(referencePrediction(architecture, parameters, sizes, prompts), expected, float64);
});

test('one layer is linear attention without the term of the query itself', () => {
  const { architecture, sizes, parameters } = multilayerVariants[1]!;
  const prompts = drawPrompts({ batch: 5, context: 4, queries: 1, dimension: 1 });
  const one = referencePrediction(architecture, parameters, sizes, prompts);
  const [P, Q] = [parameters['projection_value_0']!, parameters['key_query_0']!];
  const theirs = referencePrediction(linearAttention, { projection_value: P, key_query: Q }, { dimension: 1 }, prompts);
  // e_q^T W^KQ e_q times W^PV_last e_q, over N.
  const own = Array.from(prompts.query, (x) => (x * Q[0]! * x * P[2]! * x) / 4);
  expectClose(
    one,
    theirs.map((value, b) => value - own[b]!),
    float64,
  );
});

test('from its gradient-descent start, layers are steps on the context', () => {
  const sizes = { dimension: 3, options: { layers: 4, outputSign: -1 } };
  const scheme = multilayerLinearAttention.initSchemes.find(({ name }) => name === 'gradient-descent')!;
  const parameters = scheme.initialise(sizes, { rate: 0.25 }, { seed: 0, stream: 0 });
  const prompts = drawPrompts({ batch: 3, context: 9, queries: 2, dimension: 3 });
  const expected = [0, 1, 2].flatMap((b) => {
    const { x, y, queries } = unpack(prompts, b);
    let w = [0, 0, 0];
    for (let step = 0; step < 4; step++) {
      const residuals = x.map((row, i) => y[i]! - dot(w, row));
      w = w.map((value, k) => value + (0.25 / 9) * residuals.reduce((sum, r, i) => sum + r * x[i]![k]!, 0));
    }
    return queries.map((query) => dot(w, query));
  });
  expectClose(referencePrediction(multilayerLinearAttention, parameters, sizes, prompts), expected, float64);
});

test('there is no pass that gives all prefixes', () => {
  expect('prefixForward' in multilayerLinearAttention).toBe(false);
});
