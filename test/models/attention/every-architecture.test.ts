/** What holds for every architecture besides linear attention, which has its own file: what predictions depend on, and gradients. */
import { describe, expect, test } from 'vitest';
import { classAxis, classesOf, outputOf, resolveSizes } from '../../../models/architecture.ts';
import { architectures } from '../../../models/attention/index.ts';
import { linearAttention } from '../../../models/attention/linear-attention.ts';
import { multilayerLinearAttention } from '../../../models/attention/multilayer-linear-attention.ts';
import { pairedTransformer } from '../../../models/attention/paired-transformer.ts';
import { softmaxAttention } from '../../../models/attention/softmax-attention.ts';
import { transformer } from '../../../models/attention/transformer.ts';
import { differentiate } from '../../../models/autodiff.ts';
import { createGenerator } from '../../../models/random.ts';
import {
  fromFlat,
  referenceOps,
  referencePrediction,
  referencePrefixPrediction,
} from '../../../models/reference-ops.ts';
import { trainingLoss } from '../../../train/losses.ts';
import { expectClose, float64 } from '../../tolerance.ts';
import { choosePairs, chooseQuery, drawPromptsFor, type Variant, variants } from './variants.ts';

const range = (length: number) => Array.from({ length }, (_, i) => i);

describe.each(variants)('$name', ({ architecture, sizes, parameters, task }: Variant) => {
  const { dimension } = sizes;
  const width = Math.max(1, classesOf(sizes));
  const prompts = drawPromptsFor({ task }, { batch: 3, context: 5, queries: 3 });
  const predict = (of: typeof prompts | ReturnType<typeof choosePairs>) =>
    referencePrediction(architecture, parameters, sizes, of);
  const all = predict(prompts);

  test('queries do not see one another', () => {
    for (const q of range(3)) {
      expectClose(
        predict(chooseQuery(prompts, q)),
        range(3).flatMap((b) => [...all.subarray((b * 3 + q) * width, (b * 3 + q + 1) * width)]),
        float64,
      );
    }
  });

  const isOrdered =
    architecture === transformer ||
    sizes.options?.['causal'] === 1 ||
    sizes.options?.['positions'] === 1 ||
    // Two causal blocks and more: who saw whom differs.
    (sizes.options?.['blocks'] ?? 0) > 1;
  test(`the order of pairs ${isOrdered ? 'matters' : 'does not matter'}`, () => {
    const other = predict(choosePairs(prompts, [3, 0, 4, 2, 1]));
    if (isOrdered) expect(Math.abs(other[0]! - all[0]!)).toBeGreaterThan(1e-6);
    else expectClose(other, all, float64);
  });

  test.runIf(architecture.prefixForward !== undefined)('a prefix is the shorter prompt', () => {
    const curve = referencePrefixPrediction(architecture, parameters, sizes, prompts);
    const from = architecture.minimumContext;
    const perPrefix = 3 * width;
    const entry = (n: number) =>
      range(3).flatMap((b) => [...curve.subarray((b * 6 + n) * perPrefix, (b * 6 + n + 1) * perPrefix)]);
    const unknown = { value: 0, sigmoid: 0.5, softmax: 1 / width }[outputOf(architecture, sizes)];
    if (from === 1) expect(entry(0).every((value) => value === unknown)).toBe(true);
    for (let n = from; n <= 5; n++) expectClose(predict(choosePairs(prompts, range(n))), entry(n), float64);
  });

  test('the gradient is that of central differences', () => {
    const { batch, context, queries } = prompts;
    const inputs = {
      covariates: fromFlat([batch, context, dimension], prompts.covariates),
      responses: fromFlat([batch, context, ...classAxis(sizes)], prompts.responses),
      query: fromFlat([batch, queries, dimension], prompts.query),
      targets: fromFlat([batch, queries, ...classAxis(sizes)], prompts.targets),
    };
    const at = Object.fromEntries(
      Object.entries(architecture.parameterShapes(sizes)).map(([name, shape]) => [
        name,
        fromFlat(shape, parameters[name]!),
      ]),
    );
    const loss = trainingLoss(architecture, sizes);
    const { gradients } = differentiate(referenceOps, loss, at, inputs);
    for (const [name, { shape, data }] of Object.entries(at)) {
      // A few entries of each: the first, the last and some between.
      const some = [...new Set(range(7).map((k) => Math.floor((k * (data.length - 1)) / 6)))];
      const differences = some.map((i) => {
        const near = (by: number) =>
          loss(referenceOps, { ...at, [name]: { shape, data: data.with(i, data[i]! + by) } }, inputs).data[0]!;
        return (near(1e-5) - near(-1e-5)) / 2e-5;
      });
      const got = some.map((i) => gradients[name]!.data[i]!);
      expectClose(got, differences, { relative: 1e-6, absolute: 1e-9 });
    }
  });
});

test.each([...architectures])(
  'starting values of $name have the shapes that it says and depend on the seed alone',
  (one) => {
    const sizes = resolveSizes('test', one, { dimension: 3 });
    const shapes = one.parameterShapes(sizes);
    for (const { initialise, defaults } of one.initSchemes) {
      const draw = () => initialise(sizes, defaults, createGenerator(1, 2));
      expect(draw()).toEqual(draw());
      expect(Object.entries(draw()).map(([name, { length }]) => [name, length])).toEqual(
        Object.entries(shapes).map(([name, shape]) => [name, shape.reduce((a, b) => a * b, 1)]),
      );
    }
  },
);

describe('sizes', () => {
  test('are filled in from the architecture', () => {
    expect(resolveSizes('c', linearAttention, { dimension: 3 })).toEqual({ dimension: 3 });
    expect(resolveSizes('c', softmaxAttention, { dimension: 3, options: { valueWeight: 0.5 } })).toEqual({
      dimension: 3,
      options: { valueWeight: 0.5, trainedValue: 0 },
    });
    expect(resolveSizes('c', multilayerLinearAttention, { dimension: 3, options: { layers: 2 } })).toEqual({
      dimension: 3,
      options: { layers: 2, outputSign: -1 },
    });
  });

  test.each([
    [linearAttention, { layers: 2 }, 'c: options: expected no options for linear-attention, got "layers"'],
    [softmaxAttention, { valueWeight: 0 }, 'c: options.valueWeight: expected a number from 0.01 to 100, got 0'],
    [softmaxAttention, { trainedValue: 0.5 }, 'c: options.trainedValue: expected a whole number from 0 to 1, got 0.5'],
    [multilayerLinearAttention, { layer: 2 }, 'Did you mean layers?'],
    [multilayerLinearAttention, { layers: 0 }, 'c: options.layers: expected a whole number from 1 to 100, got 0'],
    [multilayerLinearAttention, { outputSign: 0 }, 'options.outputSign: expected -1 or 1, got 0'],
    [transformer, { width: 1.5 }, 'expected a whole number from 1 to 16384, got 1.5'],
    [pairedTransformer, { classes: 3, signs: 1 }, 'options.signs: expected 0 for 3 classes, got 1'],
    [transformer, { width: 10, heads: 4 }, 'options.width: expected a multiple of heads, 4, got 10'],
  ])('%# are refused', (architecture, options, message) => {
    expect(() =>
      resolveSizes('c', architecture, { dimension: 3, options: options as unknown as Record<string, number> }),
    ).toThrow(message);
  });
});
