import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { buildModel, exportModel } from '../../export/export-model.ts';
import { printModel } from '../../export/print.ts';
import { readModel, withParity } from '../../export/read-model.ts';
import { linearAttention } from '../../models/attention/linear-attention.ts';
import { ExportError } from '../../models/errors.ts';
import { referencePrediction, referencePrefixPrediction } from '../../models/reference-ops.ts';
import { version } from '../../models/version.ts';
import { expectGolden } from '../golden.ts';
import { expectClose } from '../tolerance.ts';
import {
  handModel,
  handPrediction,
  handPrefixPrediction,
  handPrompt,
  randomModel,
  randomPrompts,
  runOnCpu,
} from './fixtures.ts';

const variants = [17, 21].flatMap((opset) => [false, true].map((prefixes) => ({ opset: opset as 17 | 21, prefixes })));

test('the package version is the one in package.json', () => {
  const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as unknown;
  expect(manifest).toMatchObject({ version });
});

test.each(variants)('a prompt solved by hand: opset $opset, prefixes $prefixes', async (options) => {
  const outputs = await runOnCpu(exportModel(handModel, options), handPrompt);
  expect(outputs['prediction']!.dims).toEqual([1, 1]);
  expect(outputs['prediction']!.data[0]).toBe(handPrediction);
  if (!options.prefixes) expect(Object.keys(outputs)).toEqual(['prediction']);
  else {
    expect(outputs['prefix_prediction']!.dims).toEqual([1, 3, 1]);
    expect([...outputs['prefix_prediction']!.data]).toEqual(handPrefixPrediction);
  }
});

test.each([1, 3, 5, 20])('the graph computes what the architecture does in float64: D = %i', async (dimension) => {
  const description = randomModel(dimension);
  const { parameters, sizes } = description;
  const bytes = exportModel(description, { prefixes: true });
  // Different primes for batch, context and queries; a single pair; a single prompt.
  for (const [batch, context, queries] of [
    [2, 7, 3],
    [1, 1, 1],
    [5, 41, 2],
  ] as const) {
    const prompts = randomPrompts({ batch, context, queries, dimension });
    const outputs = await runOnCpu(bytes, prompts);
    const expected = referencePrediction(linearAttention, parameters, sizes, prompts);
    const expectedCurve = referencePrefixPrediction(linearAttention, parameters, sizes, prompts);
    // float32 sums of up to 41 x 21 terms; the absolute part is in units of a typical prediction.
    const size = Math.sqrt(expectedCurve.reduce((sum, value) => sum + value * value, 0) / expectedCurve.length);
    const tolerance = { relative: 1e-5, absolute: 2e-6 * size };
    expect(outputs['prediction']!.dims).toEqual([batch, queries]);
    expectClose(outputs['prediction']!.data as Float32Array, expected, tolerance);
    expect(outputs['prefix_prediction']!.dims).toEqual([batch, context + 1, queries]);
    expectClose(outputs['prefix_prediction']!.data as Float32Array, expectedCurve, tolerance);
  }
});

test('equal descriptions give equal bytes, whatever the order of their keys', () => {
  const a = exportModel({ ...handModel, config: { seed: 7, schema: 1, nested: { b: 1, a: [1, { z: 0, y: 1 }] } } });
  const b = exportModel({ ...handModel, config: { nested: { a: [1, { y: 1, z: 0 }], b: 1 }, schema: 1, seed: 7 } });
  expect(Buffer.from(a).equals(b)).toBe(true);
  expectGolden(
    'export.sha256.txt',
    `${variants
      .map((options) => {
        const hash = createHash('sha256').update(exportModel(handModel, options)).digest('hex');
        return `${hash}  opset ${options.opset}${options.prefixes ? ', prefixes' : ''}, icl-onnx ${version}\n`;
      })
      .join('')}`,
  );
});

test.each([false, true])('the graph as text: prefixes %s', (prefixes) => {
  const bytes = exportModel(randomModel(5), { prefixes });
  expectGolden(`linear-attention${prefixes ? '-prefixes' : ''}.txt`, printModel(readModel('golden.onnx', bytes)));
});

test('both opsets hold the same graph', () => {
  const [a, b] = [17, 21].map((opset) => buildModel(handModel, { opset: opset as 17 | 21, prefixes: true }));
  expect(a!.graph).toEqual(b!.graph);
  expect([a!.irVersion, b!.irVersion]).toEqual([8, 10]);
  expect(a!.opsetImports).toEqual([{ domain: '', version: 17 }]);
});

test('parameters stay in the file as they are, and only standard operators are used', () => {
  const { graph } = buildModel(handModel, { prefixes: true });
  const byName = new Map(graph.initializers.map((initializer) => [initializer.name, initializer]));
  expect(byName.get('projection_value')!.data).toEqual(handModel.parameters['projection_value']);
  expect(byName.get('key_query')!.data).toEqual(handModel.parameters['key_query']);
  expect(graph.nodes.every(({ domain }) => domain === '')).toBe(true);
  expect(graph.nodes.map(({ opType }) => opType)).not.toContain('Shape');
});

test('metadata, producer and documentation', () => {
  const model = buildModel({ ...handModel, parity: { cpu: { maxAbsolute: 0 } } });
  expect(model).toMatchObject({ producerName: 'icl-onnx', producerVersion: version, modelVersion: 1 });
  expect(model.docString).toContain('arXiv 2306.09927');
  expect(model.metadata).toEqual({
    author: 'icl-onnx',
    converted_from: 'icl-onnx checkpoint',
    'icl.config': '{"schema":1,"seed":7}',
    'icl.model': 'linear-attention',
    'icl.parity': '{"cpu":{"maxAbsolute":0}}',
    'icl.schema': '1',
    'icl.study': 'zhang2023',
    'icl.task':
      '{"covariance":{"kind":"identity"},"dimension":1,"name":"linear-regression","noiseVariance":0,"taskCovariance":{"kind":"identity"}}',
    'icl.training': '{"loss":0.5,"steps":100}',
    'icl.version': version,
    license: 'MIT',
  });
});

test('withParity changes one entry and nothing else', () => {
  const bytes = exportModel(randomModel(3));
  const parity = { cpu: { maxAbsolute: 1e-7, maxRelative: 2e-7 } };
  const verified = withParity(bytes, parity);
  expect(Buffer.from(verified).equals(exportModel({ ...randomModel(3), parity }))).toBe(true);
  expect(readModel('verified.onnx', verified).metadata.parity).toEqual(parity);
});

test.each([
  ['a parameter is missing', { parameters: { key_query: new Float32Array(4) } }, 'parameter projection_value'],
  [
    'a parameter is too many',
    { parameters: { ...handModel.parameters, bias: new Float32Array(1) } },
    'expected projection_value, key_query, got "bias"',
  ],
  [
    'a parameter has another size',
    { parameters: { ...handModel.parameters, key_query: new Float32Array(9) } },
    'parameter key_query: expected 4 numbers for shape [2, 2], got 9',
  ],
  [
    'a parameter is not finite',
    { parameters: { ...handModel.parameters, key_query: Float32Array.of(1, 2, Number.NaN, 4) } },
    'parameter key_query: expected finite numbers, got NaN at 2. The training has diverged',
  ],
  ['a number in the configuration is not finite', { config: { rate: Number.NaN } }, 'config.rate: expected a value'],
  [
    'something in it is no JSON',
    { training: { at: new Date(0) } },
    'training.at: expected a value that JSON can hold, got a Date',
  ],
])('refuses when %s', (_, change, message) => {
  const run = () => exportModel({ ...handModel, ...change });
  expect(run).toThrow(ExportError);
  expect(run).toThrow(message);
});

test('refuses prefixes where one pass cannot give them, and other opsets', () => {
  const { prefixForward: _, ...architecture } = linearAttention;
  expect(() => exportModel({ ...handModel, architecture }, { prefixes: true })).toThrow(
    'prefixes: expected an architecture that predicts from every prefix in one pass, got linear-attention. Export it without prefixes',
  );
  expect(() => exportModel(handModel, { opset: 18 as 17 })).toThrow('opset: expected 17 or 21, got 18');
});
