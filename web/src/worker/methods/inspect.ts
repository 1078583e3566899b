/** What a model's file says and holds, as the page shows it. Runs nothing of it. */
import { type Proposal, readForeign } from '../../../../export/foreign.ts';
import { formatType, type Graph } from '../../../../export/graph.ts';
import { isForeign, type ModelMetadata } from '../../../../export/metadata.ts';
import { parseProps } from '../../../../export/parse.ts';
import { printModel } from '../../../../export/print.ts';
import {
  isFrozen,
  type RunnableModel,
  readRunnable,
  type TrainedTensor,
  trainedTensors,
} from '../../../../export/read-model.ts';
import { multiplicationsPerPrompt } from '../../../../infer/multiplications.ts';
import { type ModelSizes, type Output, outputOf } from '../../../../models/architecture.ts';

/** A file may hold more than a page can show: what is beyond is counted. */
const mostNodes = 300;
const mostText = 200_000;
/** Longer sides are no heat map that can be read. */
const longestSide = 64;
const mostMatrices = 12;
const mostTensors = 200;
/** Pairs in the prompt whose cost is counted. */
const usualPrompt = { context: 20, queries: 1 };

export interface ParameterSummary {
  readonly name: string;
  readonly shape: readonly number[];
  readonly smallest: number;
  readonly largest: number;
  /** Square root of the sum of squares. */
  readonly norm: number;
}

export interface WeightMatrix {
  readonly name: string;
  readonly matrix: readonly (readonly number[])[];
}

export interface NodeRow {
  readonly name: string;
  readonly operator: string;
  readonly inputs: string;
  readonly outputs: string;
  /** Of its first output, where the file says it. */
  readonly type: string;
}

export interface NamedType {
  readonly name: string;
  readonly type: string;
  readonly doc: string;
}

export interface GraphDescription {
  readonly inputs: readonly NamedType[];
  readonly outputs: readonly NamedType[];
  readonly opset: number;
  readonly irVersion: number;
  /** By operator, the most frequent first. */
  readonly operators: readonly (readonly [string, number])[];
  readonly nodeCount: number;
  readonly nodes: readonly NodeRow[];
  readonly text: string;
  /** Whether the text was cut. */
  readonly isCut: boolean;
}

export interface ModelDescription {
  readonly kind: 'model';
  /** Whether there is a float64 reading of it. */
  readonly hasReference: boolean;
  readonly bytes: number;
  readonly metadata: ModelMetadata;
  readonly sizes: ModelSizes;
  readonly architecture: string;
  readonly source: string;
  readonly output: Output;
  readonly minimumContext: number;
  readonly hasPrefixes: boolean;
  readonly parameterCount: number;
  readonly parameters: readonly ParameterSummary[];
  readonly matrices: readonly WeightMatrix[];
  /** Multiplications for a prompt of 20 pairs and one query; null where the file does not say enough. */
  readonly multiplications: number | null;
  readonly graph: GraphDescription;
}

/** A file that other tools wrote, and what could be made of it. */
export interface ForeignDescription {
  readonly kind: 'foreign';
  readonly bytes: number;
  /** Tool and version that wrote it, as the file says. */
  readonly producer: string;
  readonly graph: GraphDescription;
  readonly proposals: readonly Proposal[];
  readonly reason: string | null;
}

export interface FileArgument {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** @throws {DataError} if the bytes are no ONNX model, or what cannot be read of one. */
export async function inspectModel({ name, bytes }: FileArgument): Promise<ModelDescription | ForeignDescription> {
  return isForeign(parseProps(name, bytes)) ? describeForeign(name, bytes) : describeModel(readRunnable(name, bytes));
}

function describeForeign(name: string, bytes: Uint8Array): ForeignDescription {
  const { model, opset, proposals, reason } = readForeign(name, bytes);
  const { graph, irVersion, producerName, producerVersion } = model;
  return {
    kind: 'foreign',
    bytes: bytes.length,
    producer: `${producerName} ${producerVersion}`.trim(),
    graph: describeGraph({ graph, irVersion, opset }),
    proposals,
    reason,
  };
}

function describeModel(model: RunnableModel): ModelDescription {
  const { metadata, sizes, architecture, hasPrefixes, graph, bytes } = model;
  const tensors = trainedTensors(model);
  return {
    kind: 'model',
    hasReference: isFrozen(model),
    bytes: bytes.length,
    metadata,
    sizes,
    architecture: architecture.description,
    source: architecture.source,
    output: outputOf(architecture, sizes),
    minimumContext: architecture.minimumContext,
    hasPrefixes,
    parameterCount: tensors.reduce((sum, { data }) => sum + data.length, 0),
    parameters: tensors.slice(0, mostTensors).map(summarise),
    matrices: tensors
      .filter(({ shape }) => shape.length === 2 && shape.every((length) => length >= 1 && length <= longestSide))
      .slice(0, mostMatrices)
      .map(({ name, shape, data }) => ({ name, matrix: rowsOf(data, shape[1]!) })),
    multiplications: multiplicationsPerPrompt(graph, usualPrompt),
    graph: describeGraph(model),
  };
}

function summarise({ name, shape, data }: TrainedTensor): ParameterSummary {
  return {
    name,
    shape,
    smallest: data.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY),
    largest: data.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY),
    norm: Math.sqrt(data.reduce((sum, value) => sum + value * value, 0)),
  };
}

function rowsOf(values: Float32Array, columns: number): number[][] {
  return Array.from({ length: values.length / columns }, (_, i) =>
    Array.from(values.subarray(i * columns, (i + 1) * columns)),
  );
}

/** The graph as tables and as text. */
export function describeGraph(model: {
  readonly irVersion: number;
  readonly opset: number;
  readonly graph: Graph;
}): GraphDescription {
  const { graph, opset, irVersion } = model;
  const types = new Map([...graph.interior, ...graph.outputs].map((value) => [value.name, formatType(value)]));
  const counts = new Map<string, number>();
  for (const { opType } of graph.nodes) counts.set(opType, (counts.get(opType) ?? 0) + 1);
  const text = printModel(model);
  const named = ({ name, doc = '', ...type }: Graph['inputs'][number]) => ({ name, type: formatType(type), doc });
  return {
    inputs: graph.inputs.map(named),
    outputs: graph.outputs.map(named),
    opset,
    irVersion,
    operators: [...counts].sort(([a, m], [b, n]) => n - m || a.localeCompare(b)),
    nodeCount: graph.nodes.length,
    nodes: graph.nodes.slice(0, mostNodes).map(({ name, opType, inputs, outputs }) => ({
      name,
      operator: opType,
      inputs: inputs.join(', '),
      outputs: outputs.join(', '),
      type: types.get(outputs[0] ?? '') ?? '',
    })),
    text: text.slice(0, mostText),
    isCut: text.length > mostText,
  };
}
