/** Every architecture as a file: what it computes, what it says about its sizes, and what the standard says about it. */
import { describe, expect, test } from 'vitest';
import { buildModel, exportModel, type ModelDescription } from '../../export/export-model.ts';
import { parseModel } from '../../export/parse.ts';
import { printModel } from '../../export/print.ts';
import { readModel } from '../../export/read-model.ts';
import { serializeModel } from '../../export/serialize.ts';
import { classAxis } from '../../models/architecture.ts';
import { referencePrediction, referencePrefixPrediction } from '../../models/reference-ops.ts';
import { expectGolden } from '../golden.ts';
import { drawPromptsFor, linearVariant, type Variant, variants } from '../models/attention/variants.ts';
import { expectClose } from '../tolerance.ts';
import { runOnCpu } from './fixtures.ts';
import { checkOfficially, hasOfficialChecker } from './official-checker.ts';

const describeVariant = ({ architecture, sizes, parameters, task }: Variant): ModelDescription => ({
  architecture,
  sizes,
  parameters,
  study: 'none',
  task,
  config: {},
  training: {},
});

describe.each(variants)('$name', (variant) => {
  const { architecture, sizes, parameters } = variant;
  const prefixes = architecture.prefixForward !== undefined;
  const bytes = exportModel(describeVariant(variant), { prefixes });

  test('the file gives its architecture, sizes and parameters back', () => {
    const read = readModel('file', bytes);
    expect(read.architecture).toBe(architecture);
    expect(read.sizes).toEqual(sizes);
    expect(read.parameters).toEqual(parameters);
    expect(read.hasPrefixes).toBe(prefixes);
  });

  test.each([
    { batch: 2, context: 7, queries: 3 },
    { batch: 1, context: 1, queries: 1 },
    { batch: 3, context: 41, queries: 2 },
    ...(architecture.minimumContext === 0 ? [{ batch: 2, context: 0, queries: 2 }] : []),
  ])('the graph computes what the architecture does in float64: %o', async (size) => {
    const prompts = drawPromptsFor(variant, size);
    const outputs = await runOnCpu(bytes, prompts);
    const expected = referencePrediction(architecture, parameters, sizes, prompts);
    const scale = Math.sqrt(expected.reduce((sum, value) => sum + value * value, 0) / expected.length);
    const tolerance = { relative: 1e-5, absolute: 1e-5 * scale };
    expect(outputs['prediction']!.dims).toEqual([size.batch, size.queries, ...classAxis(sizes)]);
    expectClose(outputs['prediction']!.data as Float32Array, expected, tolerance);
    if (!prefixes) return;
    const curve = referencePrefixPrediction(architecture, parameters, sizes, prompts);
    expect(outputs['prefix_prediction']!.dims).toEqual([
      size.batch,
      size.context + 1,
      size.queries,
      ...classAxis(sizes),
    ]);
    expectClose(outputs['prefix_prediction']!.data as Float32Array, curve, tolerance);
  });

  test('no node needs the CPU', () => {
    const operators = new Set(
      buildModel(describeVariant(variant), { prefixes }).graph.nodes.map(({ opType }) => opType),
    );
    for (const banned of ['Shape', 'Split', 'Expand', 'Where', 'Loop']) expect(operators).not.toContain(banned);
  });
});

test('softmax attention as text', () => {
  const { graph, irVersion } = buildModel(describeVariant(variants[1]!));
  expectGolden('softmax-attention.txt', printModel({ irVersion, opset: 17, graph }));
});

describe('icl.sizes', () => {
  const layered = variants.find(({ sizes }) => sizes.options?.['layers'] === 3)!;
  const withSizes = (text: string | undefined) => {
    const model = parseModel('file', exportModel(describeVariant(layered)));
    const { 'icl.sizes': _, ...metadata } = model.metadata;
    return serializeModel({ ...model, metadata: text === undefined ? metadata : { ...metadata, 'icl.sizes': text } });
  };

  test('is written where there is something to say', () => {
    const metadataOf = (variant: Variant) => parseModel('file', exportModel(describeVariant(variant))).metadata;
    expect(metadataOf(layered)['icl.sizes']).toBe('{"layers":3,"outputSign":-1}');
    expect(metadataOf(linearVariant)).not.toHaveProperty('icl.sizes');
  });

  test('is not needed where the defaults are meant', () => {
    expect(readModel('file', withSizes(undefined)).sizes).toEqual(layered.sizes);
  });

  test.each([
    ['{"layers":4,"outputSign":-1}', 'file: parameter projection_value_3: expected float32 [4, 4], got none'],
    ['{"layers":1e9}', 'file: icl.sizes: expected sizes of multilayer-linear-attention, got icl.sizes: options.layers'],
    ['{"layers":"3"}', 'expected a whole number from 1 to 100, got "3"'],
    ['{"depth":3}', 'file: icl.sizes: expected sizes of multilayer-linear-attention'],
    ['[3]', 'file: icl.sizes: expected sizes of multilayer-linear-attention, got [3]'],
    ['{', 'file: metadata: expected JSON in icl.sizes'],
  ])('%s is refused', (text, message) => {
    expect(() => readModel('file', withSizes(text))).toThrow(expect.objectContaining({ name: 'DataError' }));
    expect(() => readModel('file', withSizes(text))).toThrow(message);
  });
});

describe.runIf(hasOfficialChecker())('the official checker', () => {
  test('accepts every architecture, with full and strict shape inference', () => {
    const files = variants.map((variant) =>
      exportModel(describeVariant(variant), { prefixes: variant.architecture.prefixForward !== undefined }),
    );
    expect(checkOfficially(files)).toHaveLength(variants.length);
  });
});
