/** What a model's file says and holds, as the page shows it. Runs nothing of it. */
import { formatType, type Graph } from '../../../../export/graph.ts';
import type { ModelMetadata } from '../../../../export/metadata.ts';
import { printModel } from '../../../../export/print.ts';
import { type FrozenModel, readModel } from '../../../../export/read-model.ts';
import { multiplicationsPerPrompt } from '../../../../infer/multiplications.ts';
import { type ModelSizes, type Output, outputOf } from '../../../../models/architecture.ts';

/** A file may hold more than a page can show: what is beyond is counted. */
const mostNodes = 300;
const mostText = 200_000;
/** Longer sides are no heat map that can be read. */
const longestSide = 64;
const mostMatrices = 12;
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

/** @throws {DataError} if the bytes are no model of ours. */
export async function inspectModel({
  name,
  bytes,
}: {
  readonly name: string;
  readonly bytes: Uint8Array;
}): Promise<ModelDescription> {
  const model = readModel(name, bytes);
  const { metadata, sizes, architecture, hasPrefixes, parameters, graph } = model;
  const summaries = parameterSummaries(model);
  return {
    bytes: bytes.length,
    metadata,
    sizes,
    architecture: architecture.description,
    source: architecture.source,
    output: outputOf(architecture, sizes),
    minimumContext: architecture.minimumContext,
    hasPrefixes,
    parameterCount: Object.values(parameters).reduce((sum, { length }) => sum + length, 0),
    parameters: summaries,
    matrices: summaries
      .filter(({ shape }) => shape.length === 2 && shape.every((length) => length <= longestSide))
      .slice(0, mostMatrices)
      .map(({ name, shape }) => ({ name, matrix: rowsOf(parameters[name]!, shape[1]!) })),
    multiplications: multiplicationsPerPrompt(graph, usualPrompt),
    graph: describeGraph(model),
  };
}

function parameterSummaries({ architecture, sizes, parameters }: FrozenModel): ParameterSummary[] {
  return Object.entries(architecture.parameterShapes(sizes)).map(([name, shape]) => {
    const values = parameters[name]!;
    return {
      name,
      shape,
      smallest: values.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY),
      largest: values.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY),
      norm: Math.sqrt(values.reduce((sum, value) => sum + value * value, 0)),
    };
  });
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
