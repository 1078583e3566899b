import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { buildModel, exportModel } from '../../export/export-model.ts';
import type { Graph, Initializer, Model } from '../../export/graph.ts';
import { readModel } from '../../export/read-model.ts';
import { serializeModel } from '../../export/serialize.ts';
import { architectures } from '../../models/attention/index.ts';
import { linearAttention } from '../../models/attention/linear-attention.ts';
import { DataError } from '../../models/errors.ts';
import { gaussianMixtureDefaults } from '../../models/tasks/gaussian-mixture.ts';
import { taskNames } from '../../models/tasks/index.ts';
import { handModel, randomModel, taskOf } from './fixtures.ts';
import { everyOpGraph, wrapGraph } from './graphs.ts';

const base = buildModel(handModel, { prefixes: true });
const valid = serializeModel(base);

const withGraph = (change: Partial<Graph>): Uint8Array =>
  serializeModel({ ...base, graph: { ...base.graph, ...change } });
const withMetadata = (change: Record<string, string | undefined>): Uint8Array => {
  const entries = Object.entries({ ...base.metadata, ...change }).filter((entry) => entry[1] !== undefined);
  return serializeModel({ ...base, metadata: Object.fromEntries(entries) as Model['metadata'] });
};
const withInitializer = (name: string, change: Initializer | undefined): Uint8Array =>
  withGraph({
    initializers: base.graph.initializers.flatMap((initializer) =>
      initializer.name === name ? (change === undefined ? [] : [change]) : [initializer],
    ),
  });
/** Inserts bytes at the end of the file's message: protobuf reads them as further fields. */
const appended = (...bytes: number[]): Uint8Array => Uint8Array.from([...valid, ...bytes]);
const text = (content: string) => new TextEncoder().encode(content);
/** The node list with the initializer's readers pointed elsewhere, so that the graph stays whole without it. */
const nodesWithout = (name: string, other: string) =>
  base.graph.nodes.map((node) => ({ ...node, inputs: node.inputs.map((input) => (input === name ? other : input)) }));

test('what was exported is read back', () => {
  const description = { ...randomModel(5), parity: { cpu: { ok: true } } };
  for (const [opset, irVersion] of [
    [17, 8],
    [21, 10],
  ] as const) {
    const bytes = exportModel(description, { opset });
    const model = readModel('model.onnx', bytes);
    expect(model).toMatchObject({ sizes: { dimension: 5 }, hasPrefixes: false, opset, irVersion });
    expect(model.architecture).toBe(linearAttention);
    expect(model.parameters).toEqual(description.parameters);
    expect(model.bytes).toBe(bytes);
    expect(model.metadata).toMatchObject({
      schema: 1,
      study: 'zhang2023',
      model: 'linear-attention',
      task: taskOf(5),
      config: description.config,
      training: description.training,
      parity: description.parity,
    });
  }
  expect(readModel('model.onnx', valid).hasPrefixes).toBe(true);
  expect(readModel('model.onnx', valid).metadata.parity).toBeNull();
});

test('a Buffer is read as any other bytes', () => {
  expect(readModel('model.onnx', Buffer.from(valid)).parameters).toEqual(handModel.parameters);
});

describe('a file that is not right is a DataError that names it and says what to do', () => {
  test.each<[string, Uint8Array, string]>([
    ['empty', new Uint8Array(), 'expected an ONNX file, got an empty file'],
    ['text', text('hello, this is not a model'), 'got bytes that are no ONNX model. Give the path of a .onnx file.'],
    ['JSON', text('{"a": 1}'), 'got bytes that are no ONNX model'],
    ['a web page', text('<!DOCTYPE html><title>404</title>'), 'got bytes that are no ONNX model'],
    [
      'a Git LFS pointer',
      text('version https://git-lfs.github.com/spec/v1\noid sha256:00\n'),
      'got a pointer of Git LFS. Fetch the file: git lfs pull.',
    ],
    ['cut off', valid.subarray(0, 1000), 'expected a whole ONNX file, got a file that breaks off after 1000 bytes'],
    ['without a graph', Uint8Array.of(0x08, 8), 'expected an ONNX file, got a file without a graph'],
    [
      'from elsewhere',
      serializeModel(wrapGraph(everyOpGraph())),
      'expected an ONNX file exported by icl-onnx (icl.schema 1), got one without icl.schema in its metadata. Models from elsewhere are not read',
    ],
    [
      'of another schema',
      withMetadata({ 'icl.schema': '2', 'icl.version': '9.0.0' }),
      'expected icl.schema 1, got icl.schema "2". The file was written by icl-onnx 9.0.0',
    ],
    [
      'of an unknown architecture',
      withMetadata({ 'icl.model': 'mamba' }),
      `icl.model: expected one of ${architectures.map(({ name }) => name).join(', ')}, got "mamba". The file was written by icl-onnx`,
    ],
    ['without its task', withMetadata({ 'icl.task': undefined }), 'metadata: expected an entry icl.task, got none'],
    ['with a broken task', withMetadata({ 'icl.task': '{"name":' }), 'metadata: expected JSON in icl.task, got'],
    ['with no task', withMetadata({ 'icl.task': 'null' }), 'icl.task: expected a task of dimension 1'],
    ['with an incomplete task', withMetadata({ 'icl.task': '{"dimension":1}' }), 'icl.task: expected a task'],
    [
      'with an unknown task',
      withMetadata({ 'icl.task': '{"dimension":1,"name":"juggling"}' }),
      `${taskNames.join(', ')}, got "juggling"`,
    ],
    [
      'with a task that has a key too many',
      withMetadata({ 'icl.task': JSON.stringify({ ...taskOf(1), noise: 1 }) }),
      'got task: noise: expected one of the keys name, dimension, covariance, queryCovariance, taskCovariance, noiseVariance',
    ],
    [
      'with a task of values that are none',
      withMetadata({ 'icl.task': JSON.stringify({ ...taskOf(1), noiseVariance: 'much' }) }),
      'got task: noiseVariance: expected a number',
    ],
    [
      'with a task that its model cannot be asked',
      withMetadata({ 'icl.task': JSON.stringify({ ...gaussianMixtureDefaults, dimension: 1 }) }),
      'got task: expected a task that asks for a value, as linear-attention predicts',
    ],
    [
      'with a task of another dimension',
      withMetadata({ 'icl.task': JSON.stringify(taskOf(4e9)) }),
      'icl.task: expected a task of dimension 1 that icl list knows, got dimension 4000000000',
    ],
    [
      'with metadata twice',
      appended(0x72, 6, 0x0a, 4, ...text('a b ').subarray(0, 4), 0x72, 6, 0x0a, 4, ...text('a b ')),
      'metadata: expected each key once',
    ],
    [
      'without a parameter',
      withGraph({
        initializers: base.graph.initializers.filter(({ name }) => name !== 'key_query'),
        nodes: nodesWithout('key_query', 'projection_value'),
      }),
      'parameter key_query: expected float32 [2, 2], got none',
    ],
    [
      'with a parameter of another shape',
      withInitializer('key_query', { name: 'key_query', dtype: 'float32', shape: [4], data: new Float32Array(4) }),
      'parameter key_query: expected float32 [2, 2], got float32 [4]',
    ],
    [
      'with a parameter of another type',
      withInitializer('key_query', { name: 'key_query', dtype: 'int64', shape: [2, 2], data: new BigInt64Array(4) }),
      'parameter key_query: expected float32 [2, 2], got int64 [2, 2]',
    ],
    [
      'with a parameter that is not finite',
      withInitializer('key_query', {
        name: 'key_query',
        dtype: 'float32',
        shape: [2, 2],
        data: Float32Array.of(1, 2, Number.POSITIVE_INFINITY, 4),
      }),
      'parameter key_query: expected finite numbers, got Infinity at 2',
    ],
    [
      'with a fixed batch',
      withGraph({
        inputs: base.graph.inputs.map((input) => ({ ...input, shape: input.shape.with(0, 8) })),
      }),
      'covariates: expected float32 [batch, context, 1], got float32 [8, context, 1]. Batch, context and queries stay symbolic',
    ],
    [
      'with a symbolic dimension',
      withGraph({ inputs: base.graph.inputs.map((input) => ({ ...input, shape: input.shape.map(String) })) }),
      'covariates: expected an input [batch, context, dimension] with a fixed dimension, got dimension "1"',
    ],
    [
      'with other inputs',
      withGraph({ inputs: [...base.graph.inputs, { name: 'mask', dtype: 'float32', shape: ['batch'] }] }),
      'inputs: expected covariates, responses, query, got covariates, responses, query, mask',
    ],
    [
      'with other outputs',
      withGraph({ outputs: base.graph.outputs.toReversed().slice(0, 1) }),
      'outputs: expected prediction, prefix_prediction, got prefix_prediction',
    ],
    [
      'without the standard operators',
      serializeModel({ ...base, opsetImports: [{ domain: 'org.example', version: 1 }] }),
      'expected an opset of the standard operators, got none',
    ],
    ['with functions', appended(0xca, 0x01, 3, 0x0a, 1, 0x66), 'model: expected no local functions, got 1'],
    ['with training information', appended(0xa2, 0x01, 0), 'model: expected no training information, got 1'],
    [
      'with data in another file',
      // A second graph message is merged into the first: an initializer with data_location = EXTERNAL.
      appended(0x3a, 10, 0x2a, 8, 0x10, 1, 0x42, 1, 0x77, 0x70, 1, 0x08, 0),
      'data: expected values inside the file, got a reference to another file. External data is not read',
    ],
  ])('%s', (_, bytes, message) => {
    const run = () => readModel('some/model.onnx', bytes);
    expect(run).toThrow(DataError);
    expect(run).toThrow(message);
    try {
      run();
    } catch (error) {
      const { where, remedy } = error as DataError;
      expect(where).toMatch(/^some\/model\.onnx/);
      if (bytes.length > 0) expect(remedy).toMatch(/\S+\.$/);
    }
  });
});

/** Reads bytes that were damaged: a model comes back whole, or a DataError says why not. Nothing else is thrown. */
function readDamaged(bytes: Uint8Array): 'read' | 'refused' {
  try {
    const { sizes, parameters } = readModel('damaged.onnx', bytes);
    expect(sizes.dimension).toBe(1);
    expect(parameters['key_query']).toHaveLength(4);
    return 'read';
  } catch (error) {
    if (error instanceof DataError && error.where.startsWith('damaged.onnx')) return 'refused';
    throw error;
  }
}

test('a file cut off anywhere is refused', () => {
  for (let length = 0; length < valid.length; length++) {
    expect(readDamaged(valid.subarray(0, length)), `${length} of ${valid.length} bytes`).toBe('refused');
  }
  expect(readDamaged(valid)).toBe('read');
});

test('a flipped byte anywhere is read or refused', () => {
  let refused = 0;
  const small = exportModel(handModel);
  for (let at = 0; at < small.length; at++) {
    const bytes = small.slice();
    bytes[at] = bytes[at]! ^ [0x01, 0x80, 0xff][at % 3]!;
    if (readDamaged(bytes) === 'refused') refused++;
  }
  expect(refused).toBeGreaterThan(small.length / 2);
});

test('several random bytes, insertions and deletions: read or refused', () => {
  const edit = fc.record({
    at: fc.nat(valid.length - 1),
    remove: fc.nat(20),
    insert: fc.uint8Array({ maxLength: 20 }),
  });
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 5 }), (edits) => {
      let bytes = [...valid];
      for (const { at, remove, insert } of edits) bytes = bytes.toSpliced(at, remove, ...insert);
      readDamaged(Uint8Array.from(bytes));
    }),
    { numRuns: 300 },
  );
});

test('arbitrary bytes and deep nesting are refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => readDamaged(bytes) === 'refused'),
    { numRuns: 500 },
  );
  // Groups in groups, which protobuf readers skip by recursion.
  expect(readDamaged(new Uint8Array(200_000).fill(0x0b))).toBe('refused');
});
