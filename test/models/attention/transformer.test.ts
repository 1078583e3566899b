/** The transformers against a literal one: loops over interleaved or paired tokens, one query at a time. */
import { expect, test } from 'vitest';
import { classesOf } from '../../../models/architecture.ts';
import { pairAttention, pairedTransformer } from '../../../models/attention/paired-transformer.ts';
import { transformer } from '../../../models/attention/transformer.ts';
import { errorFunction } from '../../../models/error-function.ts';
import {
  fromFlat,
  referenceOps,
  referencePrediction,
  referencePrefixPrediction,
} from '../../../models/reference-ops.ts';
import { expectClose, float64 } from '../../tolerance.ts';
import {
  choosePairs,
  drawPrompts,
  drawPromptsFor,
  pairedClassifiers,
  pairedVariants,
  rowsOf,
  transformerClassifiers,
  transformerVariants,
  unpack,
  type Variant,
} from './variants.ts';

const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
const add = (a: readonly number[], b: readonly number[]) => a.map((value, i) => value + b[i]!);

/** Prediction at the last of the tokens x_1, y_1, .., x_q or (x_1, y_1), .., (x_q, 0), as the peer programs write it. */
function literal(
  { sizes, parameters }: Variant,
  tokens: number[][],
  sees: (token: number, other: number) => boolean = (token, other) => other <= token,
  places = 2 * (sizes.options!['maxContext']! + 1),
): number[] {
  const { width, heads, layers, positions, preNorm } = sizes.options as Record<string, number>;
  const side = width! / heads!;
  const dense = (name: string, input: readonly number[]): number[] => {
    const bias = parameters[`${name}_bias`]!;
    return Array.from(
      bias,
      (b, j) => b + input.reduce((sum, v, i) => sum + v * parameters[name]![i * bias.length + j]!, 0),
    );
  };
  const norm = (name: string, input: readonly number[]): number[] => {
    const mean = input.reduce((sum, value) => sum + value, 0) / width!;
    const variance = input.reduce((sum, value) => sum + (value - mean) ** 2, 0) / width!;
    return input.map(
      (v, i) => ((v - mean) / Math.sqrt(variance + 1e-5)) * parameters[name]![i]! + parameters[`${name}_bias`]![i]!,
    );
  };
  const skip = (_: string, input: readonly number[]) => [...input];
  const [before, behind] = preNorm === 1 ? [norm, skip] : [skip, norm];
  const table = positions === 1 ? rowsOf(parameters['position']!, width!) : [];
  let h = tokens.map((token, place) => {
    const hasPosition = positions === 1 && place < places;
    return hasPosition ? add(dense('read_in', token), table[place]!) : dense('read_in', token);
  });
  for (let l = 0; l < layers!; l++) {
    const qkv = h.map((row) => dense(`qkv_${l}`, before(`norm1_${l}`, row)));
    h = h.map((row, t) => {
      const seen = Array.from({ length: heads! }, (_, head) => {
        const part = (of: readonly number[], which: number) =>
          of.slice(which * width! + head * side, which * width! + (head + 1) * side);
        const weights = qkv.map((other, s) =>
          sees(t, s) ? Math.exp(dot(part(qkv[t]!, 0), part(other, 1)) / Math.sqrt(side)) : 0,
        );
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        const zero = new Array<number>(side).fill(0);
        return weights.reduce(
          (sum, weight, s) =>
            add(
              sum,
              part(qkv[s]!, 2).map((value) => (weight / total) * value),
            ),
          zero,
        );
      }).flat();
      const attended = behind(`norm1_${l}`, add(row, dense(`out_${l}`, seen)));
      const hidden = dense(`up_${l}`, before(`norm2_${l}`, attended)).map(
        (value) => 0.5 * value * (1 + errorFunction(value / Math.SQRT2)),
      );
      return behind(`norm2_${l}`, add(attended, dense(`down_${l}`, hidden)));
    });
  }
  return dense('read_out', preNorm === 1 ? norm('norm', h.at(-1)!) : h.at(-1)!);
}

// 2 pairs; 5; and 12, more than have a position.
test.each(transformerVariants.flatMap((variant) => [2, 5, 12].map((context) => ({ ...variant, context }))))(
  'equals the literal one: $name, $context pairs',
  (variant) => {
    const { architecture, sizes, parameters, context } = variant;
    const { dimension } = sizes;
    const prompts = drawPrompts({ batch: 2, context, queries: 2, dimension });
    const expected = [0, 1].flatMap((b) => {
      const { x, y, queries } = unpack(prompts, b);
      const pad = (value: number) => [value, ...new Array<number>(dimension - 1).fill(0)];
      const pairs = x.flatMap((row, i) => [row, pad(y[i]!)]);
      return queries.flatMap((query) => literal(variant, [...pairs, query]));
    });
    expectClose(referencePrediction(architecture, parameters, sizes, prompts), expected, float64);
  },
);

/** What the literal one says of paired tokens: scores, before any link. */
function literalPairs(variant: Variant, prompts: ReturnType<typeof drawPromptsFor>): number[] {
  const { sizes } = variant;
  const { batch, context } = prompts;
  const width = Math.max(1, classesOf(sizes));
  const isCausal = sizes.options!['causal'] === 1;
  const sees = (token: number, other: number) => (isCausal ? other <= token : other < context || other === token);
  const none = new Array<number>(width).fill(0);
  return Array.from({ length: batch }, (_, b) => {
    const { x, queries } = unpack(prompts, b);
    const labels = rowsOf(prompts.responses.subarray(b * context * width, (b + 1) * context * width), width);
    const pairs = x.map((row, i) => [...row, ...labels[i]!]);
    const places = sizes.options!['maxContext']! + 1;
    return queries.flatMap((query) => literal(variant, [...pairs, [...query, ...none]], sees, places));
  }).flat();
}

test.each(pairedVariants.flatMap((variant) => [0, 2, 6].map((context) => ({ ...variant, context }))))(
  'equals the literal one: $name, $context pairs',
  (variant) => {
    const { architecture, sizes, parameters, context } = variant;
    const prompts = drawPromptsFor(variant, { batch: 2, context, queries: 2 });
    const expected = literalPairs(variant, prompts);
    expectClose(referencePrediction(architecture, parameters, sizes, prompts), expected, float64);
  },
);

/** Scores as probabilities: the logistic function of one, the softmax of several. */
const probabilities = (scores: readonly number[], width: number): number[] =>
  rowsOf(scores, width).flatMap((row) => {
    if (width === 1) return [1 / (1 + Math.exp(-row[0]!))];
    const weights = row.map(Math.exp);
    return weights.map((weight) => weight / weights.reduce((a, b) => a + b, 0));
  });

test.each([...pairedClassifiers, ...transformerClassifiers])(
  '$name gives the probabilities of the literal one’s scores',
  (variant) => {
    const { architecture, sizes, parameters } = variant;
    const width = Math.max(1, classesOf(sizes));
    const prompts = drawPromptsFor(variant, { batch: 2, context: 5, queries: 3 });
    const interleaved = () =>
      [0, 1].flatMap((b) => {
        const { x, queries } = unpack(prompts, b);
        const labels = rowsOf(prompts.responses.subarray(b * 5 * width, (b + 1) * 5 * width), width);
        // Tokens of different lengths: what stands behind a response or a covariate is 0.
        const pairs = x.flatMap((row, i) => [row, labels[i]!]);
        return queries.flatMap((query) => literal(variant, [...pairs, query]));
      });
    const scores = architecture === transformer ? interleaved() : literalPairs(variant, prompts);
    const expected = probabilities(scores, width);
    expectClose(referencePrediction(architecture, parameters, sizes, prompts), expected, float64);
  },
);

test('attention between pairs has rows that sum to 1, and sees only what it may', () => {
  for (const { sizes, parameters } of pairedVariants) {
    const { dimension } = sizes;
    const { heads, layers, causal } = sizes.options as Record<string, number>;
    const prompts = drawPrompts({ batch: 2, context: 4, queries: 1, dimension });
    const shapes = Object.entries(pairedTransformer.parameterShapes(sizes));
    const maps = pairAttention(
      referenceOps,
      Object.fromEntries(shapes.map(([name, shape]) => [name, fromFlat(shape, parameters[name]!)])),
      {
        covariates: fromFlat([2, 4, dimension], prompts.covariates),
        responses: fromFlat([2, 4], prompts.responses),
        query: fromFlat([2, 1, dimension], prompts.query),
      },
      sizes,
    );
    expect(maps.map((layer) => layer.map(({ shape }) => shape))).toEqual(
      new Array(layers).fill(new Array(heads).fill([2, 4, 4])),
    );
    for (const { data } of maps.flat()) {
      for (const [i, row] of rowsOf(data, 4).entries()) {
        expectClose([row.reduce((sum, value) => sum + value, 0)], [1], float64);
        if (causal === 1) expect(row.slice((i % 4) + 1).every((value) => value === 0)).toBe(true);
      }
    }
  }
});

test('what comes later does not reach an earlier prediction', () => {
  const { architecture, sizes, parameters } = transformerVariants[0]!;
  const prompts = drawPrompts({ batch: 2, context: 6, queries: 1, dimension: 3 });
  const curve = (of: typeof prompts | ReturnType<typeof choosePairs>) =>
    referencePrefixPrediction(architecture, parameters, sizes, of);
  const [a, b] = [curve(prompts), curve(choosePairs(prompts, [0, 1, 2, 3, 5, 4]))];
  for (const row of [0, 7]) {
    expect([...a.subarray(row, row + 5)]).toEqual([...b.subarray(row, row + 5)]);
    expect(a[row + 5]).not.toBe(b[row + 5]);
  }
});

test('from its default start parameters are as many as the peer has', () => {
  const sizes = { dimension: 5, options: { layers: 3, width: 64, heads: 2, positions: 1, maxContext: 20, preNorm: 1 } };
  const values = transformer.initSchemes[0]!.initialise(sizes, { scale: 0.02 }, { seed: 0, stream: 0 });
  expect(Object.values(values).reduce((sum, { length }) => sum + length, 0)).toBe(153_217);
  expect([...values['norm1_0']!]).toEqual(new Array(64).fill(1));
  expect([...values['qkv_2_bias']!]).toEqual(new Array(192).fill(0));
});

test('the error function', () => {
  // Abramowitz and Stegun, table 7.1.
  const known = [[0, 0], [0.5, 0.5204998778130465], [1, 0.8427007929497149], [2, 0.9953222650189527], [3, 0.9999779095030014], [4, 0.9999999845827421], [7, 1]]; // biome-ignore format: a table
  for (const [x, value] of known as [number, number][]) {
    expect(errorFunction(x)).toBeCloseTo(value, 14);
    expect(errorFunction(-x)).toBeCloseTo(-value, 14);
  }
  expect(errorFunction(2.9999999)).toBeCloseTo(errorFunction(3.0000001), 10);
  expect(errorFunction(Number.NaN)).toBeNaN();
});
