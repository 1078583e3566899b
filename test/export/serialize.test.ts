import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { buildModel } from '../../export/export-model.ts';
import type { Attribute, Graph, Initializer, Model } from '../../export/graph.ts';
import { parseModel } from '../../export/parse.ts';
import { printModel } from '../../export/print.ts';
import { serializeModel } from '../../export/serialize.ts';
import { ExportError } from '../../models/errors.ts';
import { handModel, randomModel } from './fixtures.ts';
import { everyOpGraph, wrapGraph } from './graphs.ts';

const model = (change: Partial<Graph>): Model => {
  const base = buildModel(handModel);
  return { ...base, graph: { ...base.graph, ...change } };
};

test.each([
  ['a small export', buildModel(handModel)],
  ['an export with prefixes', buildModel(randomModel(20), { prefixes: true, opset: 21 })],
  ['each operation', wrapGraph(everyOpGraph())],
  [
    'attributes of every kind, optional inputs, other domains, unknown lengths, bool',
    {
      ...wrapGraph({
        name: 'g',
        inputs: [{ name: 'x', dtype: 'float32', shape: ['', 'n', 3], doc: 'with a sentence: ünïcödé' }],
        outputs: [{ name: 'z', dtype: 'bool', shape: [] }],
        initializers: [
          { name: 'empty', dtype: 'float32', shape: [0, 2], data: new Float32Array() },
          { name: 'ends', dtype: 'int64', shape: [2], data: BigInt64Array.of(2n ** 63n - 1n, -(2n ** 63n)) },
        ] satisfies Initializer[],
        nodes: [
          {
            name: 'a',
            opType: 'Custom',
            domain: 'org.example',
            inputs: ['x', '', 'ends'],
            outputs: ['y', ''],
            attributes: {
              float: { kind: 'float', value: -0.5 },
              int: { kind: 'int', value: -3 },
              ints: { kind: 'ints', values: [0, -1, 2 ** 40] },
              string: { kind: 'string', value: 'ß' },
            } satisfies Record<string, Attribute>,
          },
          { name: '', opType: 'IsNaN', domain: '', inputs: ['y'], outputs: ['z'], attributes: {} },
        ],
        interior: [{ name: 'y', dtype: 'float32', shape: ['n', ''] }],
      }),
      opsetImports: [
        { domain: '', version: 17 },
        { domain: 'org.example', version: 1 },
      ],
      docString: 'what it is',
      metadata: { __proto__x: 'a', a: '', b: 'text' },
    } satisfies Model,
  ],
])('read(write(model)) is the model, and writing that gives the same bytes: %s', (_, original) => {
  const bytes = serializeModel(original);
  const parsed = parseModel('round-trip.onnx', bytes);
  expect(parsed).toEqual(original);
  expect(Buffer.from(serializeModel(parsed)).equals(bytes)).toBe(true);
});

test('metadata is written in sorted order and any key is only a key', () => {
  const metadata = Object.fromEntries([
    ['z', '1'],
    ['__proto__', '2'],
    ['constructor', '3'],
    ['A', '4'],
  ]);
  const original = { ...buildModel(handModel), metadata };
  const read = parseModel('keys.onnx', serializeModel(original)).metadata;
  expect(Object.keys(read)).toEqual(['A', '__proto__', 'constructor', 'z']);
  expect(Object.getPrototypeOf(read)).toBe(Object.prototype);
});

test('float32 initializers keep every bit', () => {
  fc.assert(
    fc.property(fc.float32Array({ minLength: 1, maxLength: 20 }), (data) => {
      const graph: Graph = {
        ...everyOpGraph(),
        initializers: [...everyOpGraph().initializers, { name: 'extra', dtype: 'float32', shape: [data.length], data }],
      };
      const read = parseModel('bits.onnx', serializeModel(wrapGraph(graph))).graph.initializers.at(-1)!;
      expect(new Uint32Array(read.data.buffer)).toEqual(new Uint32Array(data.buffer, data.byteOffset, data.length));
    }),
    { numRuns: 50 },
  );
});

test('errors name the way down: model > graph > node', () => {
  const { graph } = buildModel(handModel);
  const [first, ...rest] = graph.nodes;
  const wrongAttribute = { ...first!, attributes: { axis: { kind: 'int', value: 0.5 } as const } };
  expect(() => serializeModel(model({ nodes: [wrongAttribute, ...rest] }))).toThrow(
    'model > graph linear_attention > node Slice_0 > attribute axis > value: expected an integer, got 0.5.',
  );
});

test.each<[string, Partial<Graph>, string]>([
  ['a node reads what nothing makes', { initializers: [] }, 'node Slice_0: expected inputs that are made before it'],
  ['nodes are in the wrong order', { nodes: buildModel(handModel).graph.nodes.toReversed() }, 'node Div_0'],
  [
    'a name is made twice',
    { nodes: [...buildModel(handModel).graph.nodes, buildModel(handModel).graph.nodes[0]!] },
    'node Slice_0: expected a name that is used once, got "slice_0"',
  ],
  ['there is no output', { outputs: [] }, 'outputs: expected at least one, got none'],
  [
    'an output is made by nothing',
    { outputs: [{ name: 'other', dtype: 'float32', shape: [] }] },
    'outputs: expected a value some node makes, got "other"',
  ],
  [
    'an initializer holds too few numbers',
    { initializers: [{ name: 'w', dtype: 'float32', shape: [2 ** 31, 2 ** 31, 4], data: new Float32Array(1) }] },
    'initializer w: expected as many numbers as shape [2147483648, 2147483648, 4] has entries, got 1',
  ],
  ['an input has no name', { inputs: [{ name: '', dtype: 'float32', shape: [] }] }, 'inputs: expected a name'],
])('refuses to write a graph in which %s', (_, change, message) => {
  expect(() => serializeModel(model(change))).toThrow(ExportError);
  expect(() => serializeModel(model(change))).toThrow(message);
});

test('what was written by another tool: typed data instead of raw data', () => {
  // float_data (field 4) and int64_data (field 7) of TensorProto, written by hand.
  const field = (tag: number, ...bytes: number[]) => [tag, bytes.length, ...bytes];
  const floats = [...field(0x0a, 2), 0x10, 1, ...field(0x22, 0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0), ...field(0x42, 0x77)];
  const integers = [...field(0x0a, 1), 0x10, 7, 0x3a, 1, 5, ...field(0x42, 0x69)];
  const shapeless = [...field(0x0a, 0x7a), ...field(0x12, ...field(0x0a, 0x08, 1, ...field(0x12)))];
  const node = [...field(0x0a, 0x77), ...field(0x12, 0x7a), ...field(0x22, 0x41)];
  const graph = [
    ...field(0x0a, ...node),
    ...field(0x2a, ...floats),
    ...field(0x2a, ...integers),
    ...field(0x62, ...shapeless),
  ];
  const bytes = Uint8Array.from([0x08, 8, ...field(0x3a, ...graph)]);
  const { initializers, outputs } = parseModel('typed.onnx', bytes).graph;
  expect(initializers).toEqual([
    { name: 'w', dtype: 'float32', shape: [2], data: Float32Array.of(1, -2) },
    { name: 'i', dtype: 'int64', shape: [1], data: BigInt64Array.of(5n) },
  ]);
  expect(outputs).toEqual([{ name: 'z', dtype: 'float32', shape: [] }]);
});

test('text of attributes and optional things', () => {
  const graph: Graph = {
    name: 'g',
    inputs: [{ name: 'x', dtype: 'float32', shape: ['n', ''] }],
    outputs: [{ name: 'z', dtype: 'float32', shape: ['n', ''] }],
    initializers: [{ name: 'w', dtype: 'float32', shape: [17], data: new Float32Array(17) }],
    nodes: [
      {
        name: 'a',
        opType: 'Custom',
        domain: 'org.example',
        inputs: ['x', '', 'w'],
        outputs: ['z'],
        attributes: { mode: { kind: 'string', value: 'fast' }, alpha: { kind: 'float', value: 2 } },
      },
    ],
    interior: [],
  };
  expect(printModel({ irVersion: 8, opset: 17, graph })).toBe(`<ir_version: 8, opset_import: ["" : 17]>
g (float[n, ?] x)
  => (float[n, ?] z)
<
  float[17] w = {...}
>
{
  z = org.example.Custom <alpha = 2.0, mode = "fast"> (x, , w)  # float[n, ?]
}
`);
});
