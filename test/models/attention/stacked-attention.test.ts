/** The networks of Lu et al.: their formulas token by token, and who sees whom. */
import { describe, expect, it } from 'vitest';
import { resolveSizes } from '../../../models/architecture.ts';
import { stackedAttention } from '../../../models/attention/stacked-attention.ts';
import { createGenerator } from '../../../models/random.ts';
import { referencePrediction } from '../../../models/reference-ops.ts';
import { choosePairs, drawPrompts } from './variants.ts';

const d = 3;
const sizesOf = (blocks: number, mlp: number) =>
  resolveSizes('test', stackedAttention, { dimension: d, options: { blocks, mlp } });

function start(blocks: number, mlp: number) {
  const sizes = sizesOf(blocks, mlp);
  const drawn = stackedAttention.initSchemes[0]!.initialise(sizes, { scale: 1 }, createGenerator(4, 2));
  // Biases and gains away from 0 and 1, so that they matter.
  const parameters = Object.fromEntries(
    Object.entries(drawn).map(([name, values], p) => [name, values.map((value, i) => value + 0.2 * Math.sin(i + p))]),
  );
  return { sizes, parameters };
}

const prompts = drawPrompts({ batch: 2, context: 5, queries: 2, dimension: d });

type Vector = number[];
const dot = (a: Vector, b: Vector) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
const plus = (a: Vector, b: Vector) => a.map((value, i) => value + b[i]!);

/** x W, W `[x.length, columns]`. */
function times(x: Vector, W: Float32Array): Vector {
  const columns = W.length / x.length;
  return Array.from({ length: columns }, (_, j) => x.reduce((sum, value, i) => sum + value * W[i * columns + j]!, 0));
}

function norm(x: Vector, gain: Float32Array, bias: Float32Array): Vector {
  const mean = x.reduce((a, b) => a + b) / x.length;
  const variance = x.reduce((sum, value) => sum + (value - mean) ** 2, 0) / x.length;
  return x.map((value, i) => ((value - mean) / Math.sqrt(variance + 1e-6)) * gain[i]! + bias[i]!);
}

/** One sequence of tokens through the network as the paper's code does it: all tokens together, the last one is read. */
function bySequence(parameters: Record<string, Float32Array>, blocks: number, tokens: Vector[]): number {
  const p = (name: string) => parameters[name]!;
  const dense = (x: Vector, name: string) => plus(times(x, p(`${name}_weight`)), [...p(`${name}_bias`)]);
  const score = (q: Vector, k: Vector) => dot(q, k) / Math.sqrt(d);
  if (blocks === 0) {
    const q = dense(tokens.at(-1)!, 'query');
    let h: Vector = new Array<number>(d).fill(0);
    for (const token of tokens)
      h = plus(
        h,
        dense(token, 'value').map((value) => value * score(q, dense(token, 'key'))),
      );
    return dense(h, 'read_out')[0]!;
  }
  let h = tokens.map((token) => dense(token, 'read_in'));
  for (let i = 0; i < blocks; i++) {
    const attended = h.map((x, at) => {
      const q = times(x, p(`query_${i}`));
      const seen = h.slice(0, at + 1);
      const weights = seen.map((other) => Math.exp(score(q, times(other, p(`key_${i}`)))));
      const total = weights.reduce((a, b) => a + b);
      return seen.reduce<Vector>(
        (sum, other, j) =>
          plus(
            sum,
            times(other, p(`value_${i}`)).map((value) => (value * weights[j]!) / total),
          ),
        new Array<number>(d).fill(0),
      );
    });
    h = h.map((x, at) => {
      const a = norm(plus(x, attended[at]!), p(`norm_attention_${i}_gain`), p(`norm_attention_${i}_bias`));
      const branch = parameters[`mlp_${i}_weight`] === undefined ? a : dense(a, `mlp_${i}`);
      return norm(plus(a, branch), p(`norm_mlp_${i}_gain`), p(`norm_mlp_${i}_bias`));
    });
  }
  return dense(h.at(-1)!, 'read_out')[0]!;
}

describe.each([
  [0, 0],
  [1, 0],
  [2, 1],
  [3, 1],
])('%d blocks, mlp %d', (blocks, mlp) => {
  const { sizes, parameters } = start(blocks, mlp);

  it('are what the formulas say, token by token', () => {
    const predictions = referencePrediction(stackedAttention, parameters, sizes, prompts);
    const { batch, context, queries, covariates, responses, query } = prompts;
    for (let b = 0; b < batch; b++) {
      const pairs = Array.from({ length: context }, (_, i) => {
        const at = b * context + i;
        return [...covariates.subarray(at * d, (at + 1) * d), responses[at]!];
      });
      for (let q = 0; q < queries; q++) {
        const at = b * queries + q;
        const own = [...query.subarray(at * d, (at + 1) * d), 0];
        // Padded by its 0 response, a query is one more token.
        expect(predictions[at]).toBeCloseTo(bySequence(parameters, blocks, [...pairs, own]), 9);
      }
    }
  });

  it('see the order of the pairs only through what stands before what', () => {
    const order = [4, 2, 0, 1, 3];
    const [as, permuted] = [prompts, choosePairs(prompts, order)].map((each) =>
      referencePrediction(stackedAttention, parameters, sizes, each),
    );
    const difference = Math.max(...as!.map((value, i) => Math.abs(value - permuted![i]!)));
    if (blocks < 2) expect(difference).toBeLessThan(1e-12);
    else expect(difference).toBeGreaterThan(1e-4);
  });
});
