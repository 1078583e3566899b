/**
 * A trained model becomes an ONNX file: the architecture's forward pass is read with graph values, the passes run, the
 * result is serialized. Needs no file system: `files.ts` writes the bytes.
 */
import { type Architecture, classAxis, type ModelSizes, outputOf, type Parameters } from '../models/architecture.ts';
import { ExportError } from '../models/errors.ts';
import { formatShape, type Shape, sizeOf } from '../models/shape.ts';
import type { TaskSpec } from '../models/tasks/index.ts';
import { version } from '../models/version.ts';
import type { Graph, Model, Value } from './graph.ts';
import { GraphBuilder } from './graph-builder.ts';
import { graphOps } from './graph-ops.ts';
import type { JsonValue } from './json.ts';
import { metadataProps } from './metadata.ts';
import { optimizeGraph } from './passes/index.ts';
import { serializeModel } from './serialize.ts';

export interface ModelDescription {
  readonly architecture: Architecture;
  readonly sizes: ModelSizes;
  /** By name, each of the length that `architecture.parameterShapes` says; finite numbers. */
  readonly parameters: Readonly<Record<string, Float32Array>>;
  /** Key of the study, such as `zhang2023`. */
  readonly study: string;
  /** The law of the training prompts. */
  readonly task: TaskSpec;
  /** The resolved configuration of the training, as JSON. */
  readonly config: JsonValue | object;
  /** How the training ended, as JSON. */
  readonly training: JsonValue | object;
  /** What `verify` measured, as JSON. Absent until then. */
  readonly parity?: JsonValue | object;
  /** @default 'icl-onnx' */
  readonly author?: string;
  /** Licence of the parameters. @default 'MIT' */
  readonly license?: string;
  /** Where the parameters come from. @default 'icl-onnx checkpoint' */
  readonly convertedFrom?: string;
}

export interface ExportOptions {
  /** 17 runs everywhere; both use the same nodes. */
  readonly opset: 17 | 21;
  /** Whether the graph has the output `prefix_prediction` too. */
  readonly prefixes: boolean;
}

export const exportDefaults: ExportOptions = { opset: 17, prefixes: false };

/** The oldest IR version that goes with each opset: ONNX 1.12 and 1.16. */
export const irVersions: Readonly<Record<ExportOptions['opset'], number>> = { 17: 8, 21: 10 };

const docs = {
  covariates: 'x_1 .. x_N of each prompt',
  responses: {
    value: 'y_1 .. y_N of each prompt',
    sigmoid: 'y_1 .. y_N of each prompt, -1 or +1',
    softmax: 'y_1 .. y_N of each prompt, one-hot',
  },
  query: 'covariates to predict at; queries of one prompt do not see one another',
  prediction: {
    value: 'predicted response at each query, from all pairs',
    sigmoid: 'probability of the label +1 at each query, from all pairs',
    softmax: 'probability of each class at each query, from all pairs',
  },
  prefixPrediction: 'entry n is the prediction from the first n pairs',
} as const;

/**
 * The bytes of an ONNX file. The same description gives the same bytes.
 * @throws {ExportError} if parameters are missing, of another size or not finite, if the options are not possible for
 *   this architecture, or if `config` and its like are not JSON.
 */
export function exportModel(description: ModelDescription, options: Partial<ExportOptions> = {}): Uint8Array {
  return serializeModel(buildModel(description, options));
}

/** What {@link exportModel} serializes. */
export function buildModel(description: ModelDescription, options: Partial<ExportOptions> = {}): Model {
  const { opset, prefixes } = { ...exportDefaults, ...options };
  const { architecture, sizes, parameters } = description;
  const irVersion = irVersions[opset];
  if (irVersion === undefined) {
    throw new ExportError({ where: 'opset', expected: Object.keys(irVersions).join(' or '), got: String(opset) });
  }
  const shapes = architecture.parameterShapes(sizes);
  checkParameters(shapes, parameters);
  const graph = buildGraph(description, shapes, prefixes);
  return {
    irVersion,
    opsetImports: [{ domain: '', version: opset }],
    producerName: 'icl-onnx',
    producerVersion: version,
    domain: 'icl-onnx',
    modelVersion: 1,
    docString: `${architecture.description}. ${architecture.source}. Fewest pairs: ${architecture.minimumContext}.`,
    graph: optimizeGraph(graph, { parameters: new Set(Object.keys(shapes)) }).graph,
    metadata: metadataProps({
      author: 'icl-onnx',
      license: 'MIT',
      convertedFrom: 'icl-onnx checkpoint',
      ...description,
      model: architecture.name,
    }),
  };
}

function buildGraph(
  { architecture, sizes, parameters }: ModelDescription,
  shapes: Readonly<Record<string, Shape>>,
  prefixes: boolean,
): Graph {
  const { dimension } = sizes;
  const output = outputOf(architecture, sizes);
  const builder = new GraphBuilder();
  const prompt = {
    covariates: builder.input('covariates', ['batch', 'context', dimension], docs.covariates),
    responses: builder.input('responses', ['batch', 'context', ...classAxis(sizes)], docs.responses[output]),
    query: builder.input('query', ['batch', 'queries', dimension], docs.query),
  };
  const values: Parameters<Value> = Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => [name, builder.parameter(name, shape, parameters[name]!)]),
  );
  const ops = graphOps(builder);
  const curve = prefixes ? prefixesOf(architecture)(ops, values, prompt, sizes) : undefined;
  // The last prefix is the whole context: where the curve is computed, the prediction is.
  const prediction =
    curve === undefined ? architecture.forward(ops, values, prompt, sizes) : ops.squeeze(ops.slice(curve, 1, -1), 1);
  requireShape('prediction', prediction, ['batch', 'queries', ...classAxis(sizes)]);
  builder.output('prediction', prediction, docs.prediction[output]);
  if (curve !== undefined) {
    requireShape('prefix_prediction', curve, ['batch', 'context_plus_1', 'queries', ...classAxis(sizes)]);
    builder.output('prefix_prediction', curve, docs.prefixPrediction);
  }
  return builder.build(architecture.name.replaceAll('-', '_'));
}

function prefixesOf(architecture: Architecture): NonNullable<Architecture['prefixForward']> {
  if (architecture.prefixForward !== undefined) return architecture.prefixForward;
  throw new ExportError({
    where: 'prefixes',
    expected: 'an architecture that predicts from every prefix in one pass',
    got: architecture.name,
    remedy: 'Export it without prefixes: evaluation then runs the lengths one by one.',
  });
}

function requireShape(where: string, { shape }: Value, expected: readonly (number | string)[]): void {
  if (shape.join() !== expected.join()) {
    throw new ExportError({ where, expected: `shape ${formatShape(expected)}`, got: formatShape(shape) });
  }
}

function checkParameters(
  shapes: Readonly<Record<string, Shape>>,
  parameters: Readonly<Record<string, Float32Array>>,
): void {
  const names = Object.keys(shapes);
  for (const name of Object.keys(parameters)) {
    if (!names.includes(name)) {
      throw new ExportError({ where: 'parameters', expected: names.join(', '), got: JSON.stringify(name) });
    }
  }
  for (const name of names) {
    const where = `parameter ${name}`;
    const values = parameters[name];
    const shape = shapes[name]!;
    if (values?.length !== sizeOf(shape)) {
      throw new ExportError({
        where,
        expected: `${sizeOf(shape)} numbers for shape ${formatShape(shape)}`,
        got: values === undefined ? 'none' : String(values.length),
      });
    }
    const bad = values.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) {
      throw new ExportError({
        where,
        expected: 'finite numbers',
        got: `${values[bad]} at ${bad}`,
        remedy: 'The training has diverged: export an earlier checkpoint.',
      });
    }
  }
}
