/**
 * An ONNX file becomes a frozen model again: its metadata, its architecture and its parameters. The file is not
 * trusted; whatever is wrong with it is a {@link DataError} that names the file and says what to do.
 */
import {
  type Architecture,
  classAxis,
  type ModelContract,
  type ModelSizes,
  resolveSizes,
} from '../models/architecture.ts';
import { architectureNamed, architectures } from '../models/attention/index.ts';
import { DataError, type Facts, UsageError } from '../models/errors.ts';
import { formatShape } from '../models/shape.ts';
import { samplerFor } from '../models/task-fit.ts';
import { parseTask } from '../models/tasks/index.ts';
import { type Dim, formatType, type Graph, type Model } from './graph.ts';
import type { JsonValue } from './json.ts';
import { adaptedName, type ModelMetadata, parityProp, readMetadata } from './metadata.ts';
import { parseForeignModel, parseModel, parseProps } from './parse.ts';
import { serializeModel } from './serialize.ts';

/** A model that is read and checked: what sessions run. */
export interface RunnableModel {
  /** The file as it was read. */
  readonly bytes: Uint8Array;
  readonly metadata: ModelMetadata;
  readonly architecture: ModelContract;
  readonly sizes: ModelSizes;
  /** Whether the graph has the output `prefix_prediction`. */
  readonly hasPrefixes: boolean;
  readonly opset: number;
  readonly irVersion: number;
  readonly graph: Graph;
}

/** One of an architecture of ours, with a float64 reading; the others were made elsewhere and stand behind an adapter. */
export interface FrozenModel extends RunnableModel {
  readonly architecture: Architecture;
  /** Trained tensors by name, row-major. */
  readonly parameters: Readonly<Record<string, Float32Array>>;
}

/** A stored tensor, row-major. */
export interface TrainedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** The trained tensors of a model; of one that was made elsewhere every stored tensor of floats. */
export function trainedTensors(model: RunnableModel): readonly TrainedTensor[] {
  if (!isFrozen(model)) return model.graph.initializers.filter((each) => each.dtype === 'float32');
  const { architecture, sizes, parameters } = model;
  return Object.entries(architecture.parameterShapes(sizes)).map(([name, shape]) => ({
    name,
    shape,
    data: parameters[name]!,
  }));
}

export const isFrozen = (model: RunnableModel): model is FrozenModel => 'parameters' in model;

const damaged = 'The file is damaged or was changed by another tool: export it again.';

/**
 * @param where The file's name, for errors.
 * @throws {DataError} if the file is empty, cut off, not ONNX, not from icl-onnx, of another schema or architecture, or
 *   if its inputs, outputs or parameters are not what the architecture says.
 */
export function readModel(where: string, bytes: Uint8Array): FrozenModel {
  let metadata: ModelMetadata | undefined;
  const model = parseModel(where, bytes, (props) => {
    metadata = readMetadata(where, props);
  });
  const architecture = readArchitecture(where, metadata!);
  const { graph } = model;
  const sizes = readSizes(where, architecture, readDimension(where, graph), metadata!);
  checkInputs(where, graph, sizes);
  const parameters = readParameters(where, graph, architecture, sizes);
  checkTask(where, metadata!, architecture, sizes);
  return {
    bytes,
    metadata: metadata!,
    architecture,
    sizes,
    parameters,
    hasPrefixes: readOutputs(where, graph, sizes),
    opset: readOpset(where, model),
    irVersion: model.irVersion,
    graph,
  };
}

/** As {@link readModel}, and also what stands behind an adapter: see `adapt.ts`. @throws {DataError} */
export function readRunnable(where: string, bytes: Uint8Array): RunnableModel {
  const props = parseProps(where, bytes);
  return props['icl.model'] === adaptedName ? readAdapted(where, bytes, props) : readModel(where, bytes);
}

function readAdapted(where: string, bytes: Uint8Array, props: Readonly<Record<string, string>>): RunnableModel {
  const metadata = readMetadata(where, props);
  const model = parseForeignModel(where, bytes);
  const { graph } = model;
  const sizes = { dimension: readDimension(where, graph) };
  checkInputs(where, graph, sizes);
  readOutputs(where, graph, sizes);
  const architecture: ModelContract = {
    name: adaptedName,
    description: 'a model that was made elsewhere, behind an adapter',
    source: metadata.convertedFrom,
    minimumContext: 1,
  };
  checkTask(where, metadata, architecture, sizes);
  return {
    bytes,
    metadata,
    architecture,
    sizes,
    hasPrefixes: false,
    opset: readOpset(where, model),
    irVersion: model.irVersion,
    graph: { ...graph, interior: guessInterior(graph) },
  };
}

/**
 * What memory a foreign graph takes, which it does not say: as if every node made a token of the widest weight for every pair
 * and query. More than it needs as a rule, since buffers are used again.
 */
function guessInterior({ nodes, initializers }: Graph): Graph['interior'] {
  const widths = initializers.flatMap(({ dtype, shape }) => (dtype === 'float32' && shape.length >= 2 ? shape : []));
  const width = widths.reduce((widest, length) => Math.max(widest, length), 1);
  return nodes.map((_, i) => ({
    name: `guess_${i}`,
    dtype: 'float32',
    shape: ['batch', 'queries', 'context_plus_1', Math.min(width, 4096)],
  }));
}

/**
 * The same file with another `icl.parity`; nothing else changes.
 * @throws {DataError} if the bytes are no ONNX file. @throws {ExportError} if `parity` is not JSON.
 */
export function withParity(bytes: Uint8Array, parity: JsonValue | object): Uint8Array {
  const model = parseModel('withParity', bytes);
  return serializeModel({ ...model, metadata: { ...model.metadata, ...parityProp(parity) } });
}

function readArchitecture(where: string, { model, version }: ModelMetadata): Architecture {
  try {
    return architectureNamed(model);
  } catch (cause) {
    if (!(cause instanceof UsageError)) throw cause;
    throw new DataError({
      where: `${where}: icl.model`,
      expected: `one of ${architectures.map(({ name }) => name).join(', ')}`,
      got: JSON.stringify(model),
      remedy: `The file was written by icl-onnx ${version}: use that version or a newer one.`,
      cause,
    });
  }
}

/** The dimension that is fixed in the inputs. */
function readDimension(where: string, graph: Graph): number {
  const dimension = graph.inputs.find(({ name }) => name === 'covariates')?.shape[2];
  if (typeof dimension !== 'number' || dimension < 1) {
    throw new DataError({
      where: `${where}: covariates`,
      expected: 'an input [batch, context, dimension] with a fixed dimension',
      got: dimension === undefined ? 'none of rank 3' : `dimension ${JSON.stringify(dimension)}`,
      remedy: damaged,
    });
  }
  return dimension;
}

function checkInputs(where: string, graph: Graph, sizes: ModelSizes): void {
  const shapes: Readonly<Record<string, readonly Dim[]>> = {
    covariates: ['batch', 'context', sizes.dimension],
    responses: ['batch', 'context', ...classAxis(sizes)],
    query: ['batch', 'queries', sizes.dimension],
  };
  checkValues(where, 'inputs', graph.inputs, Object.keys(shapes), (name) => shapes[name]!);
}

/** The dimension, and what `icl.sizes` says about the rest; a file without it has the defaults. */
function readSizes(
  where: string,
  architecture: Architecture,
  dimension: number,
  { sizes, version }: ModelMetadata,
): ModelSizes {
  const fail = (got: string, cause?: unknown) =>
    new DataError({
      where: `${where}: icl.sizes`,
      expected: `sizes of ${architecture.name}`,
      got,
      remedy: `The file was written by icl-onnx ${version}: use that version or a newer one.`,
      cause,
    });
  if (sizes === null) return resolveSizes(where, architecture, { dimension });
  if (typeof sizes !== 'object' || Array.isArray(sizes)) throw fail(JSON.stringify(sizes).slice(0, 60));
  try {
    // Whatever is no number in there is refused by name.
    return resolveSizes('icl.sizes', architecture, { dimension, options: sizes as Record<string, number> });
  } catch (cause) {
    if (cause instanceof UsageError) throw fail(cause.message, cause);
    throw cause;
  }
}

/** Checks the outputs; whether there is one for the prefixes. */
function readOutputs(where: string, graph: Graph, sizes: ModelSizes): boolean {
  const hasPrefixes = graph.outputs.some(({ name }) => name === 'prefix_prediction');
  const names = hasPrefixes ? ['prediction', 'prefix_prediction'] : ['prediction'];
  checkValues(where, 'outputs', graph.outputs, names, (name) =>
    name === 'prediction'
      ? ['batch', 'queries', ...classAxis(sizes)]
      : ['batch', 'context_plus_1', 'queries', ...classAxis(sizes)],
  );
  return hasPrefixes;
}

/** Names, types and shapes; where a symbolic length is expected, any symbolic length will do. */
function checkValues(
  where: string,
  what: string,
  values: Graph['inputs'],
  names: readonly string[],
  shapeOf: (name: string) => readonly Dim[],
): void {
  const found = values.map(({ name }) => name);
  if (found.length !== names.length || names.some((name) => !found.includes(name))) {
    const facts = { expected: names.join(', '), got: found.length === 0 ? 'none' : found.join(', '), remedy: damaged };
    throw new DataError({ where: `${where}: ${what}`, ...facts });
  }
  for (const value of values) {
    const expected = shapeOf(value.name);
    const isRight =
      value.dtype === 'float32' &&
      value.shape.length === expected.length &&
      value.shape.every((dim, axis) =>
        typeof expected[axis] === 'string' ? typeof dim === 'string' : dim === expected[axis],
      );
    if (!isRight) {
      throw new DataError({
        where: `${where}: ${value.name}`,
        expected: formatType({ dtype: 'float32', shape: expected }),
        got: formatType(value),
        remedy: 'Batch, context and queries stay symbolic, the dimension stays fixed: export the run again.',
      });
    }
  }
}

function readParameters(
  where: string,
  graph: Graph,
  architecture: Architecture,
  sizes: ModelSizes,
): Record<string, Float32Array> {
  const parameters = new Map<string, Float32Array>();
  for (const [name, shape] of Object.entries(architecture.parameterShapes(sizes))) {
    const fail = (facts: Omit<Facts, 'where'>) => new DataError({ where: `${where}: parameter ${name}`, ...facts });
    const expected = formatType({ dtype: 'float32', shape });
    const initializer = graph.initializers.find((candidate) => candidate.name === name);
    if (initializer === undefined) throw fail({ expected, got: 'none', remedy: damaged });
    if (initializer.dtype !== 'float32' || formatShape(initializer.shape) !== formatShape(shape)) {
      throw fail({ expected, got: formatType(initializer), remedy: damaged });
    }
    const bad = initializer.data.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) {
      throw fail({ expected: 'finite numbers', got: `${initializer.data[bad]} at ${bad}`, remedy: damaged });
    }
    parameters.set(name, initializer.data);
  }
  return Object.fromEntries(parameters);
}

/** The task must be one whose prompts can be drawn, in the model's dimension. */
function checkTask(
  where: string,
  { task, version }: ModelMetadata,
  architecture: ModelContract,
  sizes: ModelSizes,
): void {
  const remedy = `The file was written by icl-onnx ${version}: use that version or a newer one.`;
  const fail = (got: string, cause?: unknown) =>
    new DataError({
      where: `${where}: icl.task`,
      expected: `a task of dimension ${sizes.dimension} that icl list knows`,
      got,
      remedy,
      cause,
    });
  if (typeof task !== 'object' || task === null) throw fail(JSON.stringify(task));
  // Before the sampler allocates anything of that size.
  if (task.dimension !== sizes.dimension) throw fail(`dimension ${JSON.stringify(task.dimension)}`);
  try {
    samplerFor('task', architecture, sizes, parseTask('task', task));
  } catch (cause) {
    throw fail(cause instanceof UsageError || cause instanceof DataError ? cause.message : 'an incomplete one', cause);
  }
}

function readOpset(where: string, { opsetImports }: Model): number {
  const standard = opsetImports.find(({ domain }) => domain === '' || domain === 'ai.onnx');
  if (standard !== undefined) return standard.version;
  throw new DataError({ where, expected: 'an opset of the standard operators', got: 'none', remedy: damaged });
}
