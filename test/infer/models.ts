/** Frozen models for the tests of sessions, and graphs that providers refuse. */
import { type ExportOptions, exportModel } from '../../export/export-model.ts';
import type { Graph } from '../../export/graph.ts';
import { type FrozenModel, readModel } from '../../export/read-model.ts';
import { serializeModel } from '../../export/serialize.ts';
import { handModel, randomModel } from '../export/fixtures.ts';

/** Linear attention with every parameter random. */
export function frozenModel(dimension: number, options: Partial<ExportOptions> = {}): FrozenModel {
  return readModel('test', exportModel(randomModel(dimension), options));
}

/** The model that `handPrediction` was computed for by hand. */
export function frozenHandModel(options: Partial<ExportOptions> = {}): FrozenModel {
  return readModel('test', exportModel(handModel, options));
}

/** The same contract with a node that ONNX Runtime puts on the CPU when the provider is a GPU. */
export function modelWithShapeNode(): FrozenModel {
  const model = frozenModel(3);
  const graph: Graph = {
    name: 'with_shape',
    inputs: model.graph.inputs,
    outputs: model.graph.outputs,
    initializers: [],
    interior: [],
    nodes: [
      node('Shape', ['query'], 'query_shape'),
      node('ConstantOfShape', ['query_shape'], 'zeros'),
      node('Add', ['zeros', 'query'], 'sum'),
      node('ReduceMean', ['sum'], 'prediction', { axes: { kind: 'ints', values: [2] }, keepdims: zero }),
    ],
  };
  const bytes = serializeModel({
    irVersion: 8,
    opsetImports: [{ domain: '', version: 17 }],
    producerName: 'test',
    producerVersion: '',
    domain: '',
    modelVersion: 0,
    docString: '',
    metadata: {},
    graph,
  });
  return { ...model, bytes, graph };
}

const zero = { kind: 'int', value: 0 } as const;

function node(
  opType: string,
  inputs: string[],
  output: string,
  attributes: Graph['nodes'][number]['attributes'] = {},
): Graph['nodes'][number] {
  return { name: output, opType, domain: '', inputs, outputs: [output], attributes };
}
