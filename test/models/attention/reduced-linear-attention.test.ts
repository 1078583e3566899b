/** Reduced linear attention is full linear attention whose value row ignores the covariates. */
import { expect, it } from 'vitest';
import { reducedLinearAttention } from '../../../models/attention/reduced-linear-attention.ts';
import { fromFlat, referenceOps } from '../../../models/reference-ops.ts';
import { drawPrompts } from './variants.ts';

it('is V, K, Q attention with v21 = 0: Gamma = v22 [M11^T / d, m21]', () => {
  const [d, l] = [3, 7];
  const random = (count: number, seed: number) => Array.from({ length: count }, (_, i) => Math.sin(seed + 1.7 * i));
  const square = (values: number[]) =>
    Array.from({ length: d + 1 }, (_, i) => values.slice(i * (d + 1), (i + 1) * (d + 1)));
  const [V, K, Q] = [1, 2, 3].map((seed) => square(random((d + 1) ** 2, seed))) as [number[][], number[][], number[][]];
  for (let j = 0; j < d; j++) V[d]![j] = 0;
  const prompts = drawPrompts({ batch: 2, context: l, queries: 1, dimension: d });

  const M = K.map((_, a) => K.map((_, b) => K.reduce((sum, row, c) => sum + row[a]! * Q[c]![b]!, 0)));
  const gamma = new Float64Array(d * (d + 1));
  for (let i = 0; i < d; i++) {
    for (let j = 0; j < d; j++) gamma[i * (d + 1) + j] = (V[d]![d]! * M[j]![i]!) / d;
    gamma[i * (d + 1) + d] = V[d]![d]! * M[d]![i]!;
  }
  const prediction = reducedLinearAttention.forward(
    referenceOps,
    { gamma: fromFlat([d, d + 1], gamma) },
    {
      covariates: fromFlat([2, l, d], Float64Array.from(prompts.covariates)),
      responses: fromFlat([2, l], Float64Array.from(prompts.responses)),
      query: fromFlat([2, 1, d], Float64Array.from(prompts.query)),
    },
    { dimension: d },
  );
  for (let b = 0; b < 2; b++) {
    // A = Z + (1/l) V Z (K Z)^T (Q Z), tokens as columns, the query's label 0; the entry at label and query.
    const tokens = Array.from({ length: l + 1 }, (_, i) => {
      const x =
        i < l
          ? prompts.covariates.subarray((b * l + i) * d, (b * l + i + 1) * d)
          : prompts.query.subarray(b * d, (b + 1) * d);
      return [...x, i < l ? prompts.responses[b * l + i]! : 0];
    });
    const times = (A: number[][], z: number[]) => A.map((row) => row.reduce((sum, value, j) => sum + value * z[j]!, 0));
    const query = times(Q, tokens[l]!);
    let expected = 0;
    for (const z of tokens) {
      const key = times(K, z);
      expected += (times(V, z)[d]! * key.reduce((sum, value, j) => sum + value * query[j]!, 0)) / l;
    }
    expect(prediction.data[b]).toBeCloseTo(expected, 10);
  }
});
