/** ONNX graphs as other tools write them: other names, one embedding, one query per prompt. */
import { buildModel } from '../../export/export-model.ts';
import type { Attribute, Dim, Graph, Model, Node } from '../../export/graph.ts';
import { normals, randomModel } from './fixtures.ts';

/** Covariate dimension of all of them. */
export const foreignDimension = 2;
const D = foreignDimension;

export const node = (opType: string, inputs: string[], output: string, attributes: Node['attributes'] = {}): Node => ({
  name: '',
  opType,
  domain: '',
  inputs,
  outputs: [output],
  attributes,
});

const wrap = (graph: Graph, opset = 17): Model => ({
  irVersion: 8,
  opsetImports: [{ domain: '', version: opset }],
  producerName: 'elsewhere',
  producerVersion: '2.1',
  domain: '',
  modelVersion: 0,
  docString: '',
  graph,
  metadata: {},
});

export const input = (name: string, ...shape: Dim[]) => ({ name, dtype: 'float32' as const, shape });

/**
 * Linear attention over all tokens, as one writes it by hand: E + V E^T.. with rows (x, y): prediction is the last slot of the
 * last row of (E W E^T / (N + 1)) E P, here with random W and P and without the residual.
 */
export function embeddingModel({ isTransposed = false, isWhole = true, opset = 17 } = {}): Model {
  const width = D + 1;
  const names = { key: 'query', value: 'prediction' }; // Names that the contract needs itself.
  const square = (name: string, purpose: number) => ({
    name,
    dtype: 'float32' as const,
    shape: [width, width],
    data: normals(width * width, purpose),
  });
  const perm: Attribute = { kind: 'ints', values: [0, 2, 1] };
  const nodes = [
    ...(isTransposed ? [node('Transpose', ['tokens'], 'rows', { perm })] : [node('Identity', ['tokens'], 'rows')]),
    node('MatMul', ['rows', names.key], 'projected'),
    node('Transpose', ['rows'], 'columns', { perm }),
    node('MatMul', ['projected', 'columns'], 'scores'),
    node('MatMul', ['rows', names.value], 'values'),
    node('MatMul', ['scores', 'values'], 'responses'),
    ...(isWhole
      ? [node('Identity', ['responses'], 'out')]
      : [node('Slice', ['responses', 'minus_one', 'end', 'two'], 'slots'), node('Squeeze', ['slots', 'two'], 'out')]),
  ];
  const integers = (name: string, value: bigint) => ({
    name,
    dtype: 'int64' as const,
    shape: [1],
    data: BigInt64Array.of(value),
  });
  const outShape: Dim[] = isWhole ? ['batch', 'seq', width] : ['batch', 'seq'];
  return wrap(
    {
      name: 'main_graph',
      inputs: [isTransposed ? input('tokens', 'batch', width, 'seq') : input('tokens', 'batch', 'seq', width)],
      outputs: [input('out', ...outShape)],
      initializers: [
        square(names.key, 10),
        square(names.value, 11),
        integers('minus_one', -1n),
        integers('end', 9_223_372_036_854_775_807n),
        integers('two', 2n),
      ],
      nodes,
      interior: [],
    },
    opset,
  );
}

/** Our own model with other names for its inputs and outputs. */
export function renamedModel(names: readonly [string, string, string], isSingle: boolean): Model {
  const model = buildModel(randomModel(D));
  const map = new Map([
    ['covariates', names[0]],
    ['responses', names[1]],
    ['query', isSingle ? 'whole_query' : names[2]],
    ['prediction', isSingle ? 'whole' : 'y_hat'],
  ]);
  const rename = (name: string) => map.get(name) ?? name;
  const { graph } = model;
  const renamed = graph.nodes.map((each) => ({
    ...each,
    inputs: each.inputs.map(rename),
    outputs: each.outputs.map(rename),
  }));
  const one = { name: 'axis_one', dtype: 'int64' as const, shape: [1], data: BigInt64Array.of(1n) };
  const query = isSingle ? input(names[2], 'n', D) : input(names[2], 'n', 'm', D);
  return wrap({
    ...graph,
    // In another order than ours.
    inputs: [query, input(names[1], 'n', 'len'), input(names[0], 'n', 'len', D)],
    outputs: [isSingle ? input('y_hat', 'n', 1) : input('y_hat', 'n', 'm')],
    initializers: isSingle ? [...graph.initializers, one] : graph.initializers,
    nodes: isSingle
      ? [node('Unsqueeze', [names[2], 'axis_one'], 'whole_query'), ...renamed, node('Identity', ['whole'], 'y_hat')]
      : renamed,
    interior: [],
  });
}
