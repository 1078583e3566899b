/**
 * One training step as an ONNX graph: forward pass, loss, gradient, clipping and the optimizer's update, read with graph
 * values. State goes in and comes out as flat vectors, one of the parameters and one per optimizer slot, in which the
 * parameters stand one after the other: two tensors to swap instead of dozens, and an update of a few large operations.
 * `docs/training-step.md` is the contract for those who train with the file elsewhere.
 */
import { irVersions } from '../export/export-model.ts';
import type { Graph, Model, Value } from '../export/graph.ts';
import { GraphBuilder } from '../export/graph-builder.ts';
import { graphOps } from '../export/graph-ops.ts';
import { canonicalJson, type JsonValue } from '../export/json.ts';
import { optimizeGraph } from '../export/passes/index.ts';
import { serializeModel } from '../export/serialize.ts';
import { type Architecture, classAxis, type ModelSizes } from '../models/architecture.ts';
import { architectureNamed } from '../models/attention/index.ts';
import { differentiate } from '../models/autodiff.ts';
import { UsageError } from '../models/errors.ts';
import { type Shape, sizeOf } from '../models/shape.ts';
import { version } from '../models/version.ts';
import type { TrainingConfig } from './config.ts';
import { defaultLoss, type LossSpec, lossFor } from './losses.ts';
import { applyUpdate, createOptimizer, type OptimizerSpec } from './optimizers.ts';
import { type ScheduleTable, type StepSchedule, tabulate } from './schedule-table.ts';

export const trainingStepSchema = 1;

/** What a step computes. */
export interface StepDescription {
  readonly architecture: Architecture;
  readonly sizes: ModelSizes;
  readonly optimizer: OptimizerSpec;
  readonly clipNorm: number | null;
  /** @default the architecture's own */
  readonly loss?: LossSpec;
  /** Pairs in every prompt, if the graph is to be for this length alone: a loss at every position, or a fixed batch. */
  readonly contextLength?: number;
  /**
   * Prompts in every batch, if the graph is to be for this number alone. With all lengths known ONNX Runtime joins more
   * operations: the step of a transformer takes a tenth less.
   */
  readonly batch?: number;
  /**
   * With it the graph counts for itself: its input is `step`, and the rate and what follows from it stand in tables. Absent: the
   * scalars of a step are inputs, so that another program may choose the rate.
   */
  readonly schedule?: StepSchedule;
  /** Queries per prompt; one name for any number of them costs a tenth of the time. @default 1 */
  readonly queries?: number | 'queries';
}

/** What the steps of a run compute, for batches of any size. */
export const stepOf = ({ model, optimizer, clipNorm, loss, contextLength }: TrainingConfig) =>
  ({
    architecture: architectureNamed(model.name),
    sizes: model,
    optimizer,
    clipNorm,
    loss,
    contextLength,
  }) satisfies StepDescription;

/** A flat vector that one step hands to the next. */
export interface StateVector {
  /** Null: the parameters themselves. Otherwise the optimizer's slot. */
  readonly slot: string | null;
  readonly input: string;
  readonly output: string;
}

/** Where a parameter stands in every state vector. */
export interface ParameterRange {
  readonly name: string;
  readonly shape: Shape;
  readonly offset: number;
}

/** A scalar input, by the optimizer's name for it and by its name in the graph. */
export interface ScalarInput {
  readonly scalar: string;
  readonly input: string;
}

/** The input that counts steps, and how many of them the graph can tell apart; later ones are as the last. */
export interface StepInput {
  readonly input: string;
  readonly rows: number;
}

export interface TrainingStep {
  readonly graph: Graph;
  readonly state: readonly StateVector[];
  readonly parameters: readonly ParameterRange[];
  /** Numbers in each state vector. */
  readonly size: number;
  /** Empty where the graph counts steps. */
  readonly scalars: readonly ScalarInput[];
  /** Null where scalars are inputs. */
  readonly step: StepInput | null;
}

/** Inputs that hold the batch. */
export const batchInputs = ['covariates', 'responses', 'query', 'targets'] as const;
/** Outputs that are numbers about the step. */
export const reportOutputs = ['loss', 'gradient_norm'] as const;

/** The input that counts. */
const stepInput = 'step';
/** The number of int64 among ONNX's element types. */
const int64Type = 7;

const docs = {
  covariates: 'x_1 .. x_N of each prompt',
  responses: 'y_1 .. y_N of each prompt',
  query: 'covariates to predict at',
  targets: 'the responses at the queries',
  step: 'steps done before this one',
  loss: 'the loss of the batch, before the update',
  gradientNorm: 'norm of the whole gradient, before clipping',
} as const;

const snakeCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/**
 * @throws {ExportError} if the forward pass holds an operation that has no derivative.
 * @throws {UsageError} for a loss that the architecture does not have, or that needs a context length and gets none.
 */
export function buildTrainingStep(description: StepDescription): TrainingStep {
  const { architecture, sizes, optimizer: spec, clipNorm, queries = 1 } = description;
  const loss = lossFor(description.loss ?? defaultLoss(architecture, sizes), architecture, sizes);
  const isFixed = description.batch !== undefined && description.contextLength !== undefined;
  const context = loss.fixesContext || isFixed ? requireContext(description) : 'context';
  const batch = isFixed ? description.batch : 'batch';
  const optimizer = createOptimizer(spec);
  const parameters = layOut(architecture.parameterShapes(sizes));
  const size = parameters.reduce((total, { shape }) => total + sizeOf(shape), 0);
  const state: StateVector[] = [null, ...optimizer.slots].map((slot) => {
    const input = slot === null ? 'parameters' : snakeCase(slot);
    return { slot, input, output: `next_${input}` };
  });
  const table = description.schedule === undefined ? null : tabulate(spec, description.schedule);
  const scalars = table === null ? optimizer.scalarNames.map((scalar) => ({ scalar, input: snakeCase(scalar) })) : [];

  const builder = new GraphBuilder();
  const ops = graphOps(builder);
  const vectors = state.map(({ slot, input }) =>
    builder.input(input, [size], slot === null ? 'all parameters, flat' : `optimizer state ${slot}, flat`),
  );
  const numbers =
    table === null
      ? scalars.map(({ scalar, input }) => [scalar, builder.input(input, [])] as const)
      : lookUp(builder, builder.input(stepInput, [], docs.step), table);
  const inputs = {
    covariates: builder.input('covariates', [batch, context, sizes.dimension], docs.covariates),
    responses: builder.input('responses', [batch, context, ...classAxis(sizes)], docs.responses),
    query: builder.input('query', [batch, queries, sizes.dimension], docs.query),
    targets: builder.input('targets', [batch, queries, ...classAxis(sizes)], docs.targets),
  };
  const { value: lossValue, gradients } = differentiate<Value>(
    ops,
    loss.compute(architecture, sizes),
    split(builder, vectors[0]!, parameters),
    inputs,
  );
  // The optimizer sees one parameter: all of them.
  const { states, gradientNorm } = applyUpdate<Value>(ops, optimizer, {
    states: {
      all: {
        parameter: vectors[0]!,
        slots: Object.fromEntries(optimizer.slots.map((slot, i) => [slot, vectors[i + 1]!])),
      },
    },
    gradients: { all: join(builder, gradients, parameters) },
    shapes: { all: [size] },
    scalars: Object.fromEntries(numbers),
    clipNorm,
  });
  const { parameter, slots } = states['all']!;
  for (const { slot, input, output } of state) {
    builder.output(output, slot === null ? parameter : slots[slot]!, `${input} after the step`);
  }
  builder.output('loss', lossValue, docs.loss);
  builder.output('gradient_norm', gradientNorm, docs.gradientNorm);
  const built = builder.build(`${architecture.name.replaceAll('-', '_')}_training_step`);
  const { graph } = optimizeGraph(built, { parameters: new Set() });
  const step = table === null ? null : { input: stepInput, rows: table.rows };
  return { graph, state, parameters, size, scalars, step };
}

function requireContext({ contextLength, loss }: StepDescription): number {
  if (contextLength !== undefined) return contextLength;
  throw new UsageError({
    where: 'training step',
    expected: `a context length for the loss ${loss?.name}`,
    got: 'none',
  });
}

function layOut(shapes: Readonly<Record<string, Shape>>): ParameterRange[] {
  let offset = 0;
  return Object.entries(shapes).map(([name, shape]) => {
    const range = { name, shape, offset };
    offset += sizeOf(shape);
    return range;
  });
}

/** The parameters in a flat vector. One `Slice` each: a `Split` of many outputs binds too many buffers on WebGPU. */
function split(builder: GraphBuilder, flat: Value, ranges: readonly ParameterRange[]): Record<string, Value> {
  const parts = ranges.map(({ name, shape, offset }) => {
    const [start, end, axes] = [offset, offset + sizeOf(shape), 0].map((value) => builder.integers([value]));
    const part = builder.node('Slice', [flat, start!, end!, axes!], { shape: [sizeOf(shape)] });
    return [name, builder.node('Reshape', [part, builder.integers(shape)], { shape })];
  });
  return Object.fromEntries(parts);
}

/** The way back. */
function join(
  builder: GraphBuilder,
  values: Readonly<Record<string, Value>>,
  ranges: readonly ParameterRange[],
): Value {
  const parts = ranges.map(({ name, shape }) => {
    const length = sizeOf(shape);
    return builder.node('Reshape', [values[name]!, builder.integers([length])], { shape: [length] });
  });
  const size = ranges.reduce((total, { shape }) => total + sizeOf(shape), 0);
  return builder.node('Concat', parts, { shape: [size] }, { axis: { kind: 'int', value: 0 } });
}

/** Entry `step` of every column, or its last. float32 counts to 2^24 without a gap. */
function lookUp(builder: GraphBuilder, step: Value, { rows, columns }: ScheduleTable): [string, Value][] {
  const within = builder.node('Min', [step, builder.scalar(rows - 1)], { shape: [] });
  const index = builder.node(
    'Cast',
    [within],
    { dtype: 'int64', shape: [] },
    { to: { kind: 'int', value: int64Type } },
  );
  return Object.entries(columns).map(([scalar, values]) => {
    const column = builder.parameter(`${snakeCase(scalar)}_by_step`, [rows], values);
    return [scalar, builder.node('Gather', [column, index], { shape: [] }, { axis: { kind: 'int', value: 0 } })];
  });
}

/** What a file says about its origin, besides what it computes. */
export interface StepOrigin {
  readonly study: string;
  /** The law of the training prompts. */
  readonly task: JsonValue | object;
  /** The resolved configuration of the run. */
  readonly config: JsonValue | object;
}

export interface StepExportOptions {
  /** @default 17 */
  readonly opset?: 17 | 21;
}

/**
 * The bytes of an ONNX file. The same description gives the same bytes.
 * @throws {ExportError} as `buildTrainingStep`, or if the origin is not JSON.
 */
export function exportTrainingStep(
  description: StepDescription,
  origin: StepOrigin,
  { opset = 17 }: StepExportOptions = {},
): Uint8Array {
  return serializeModel(trainingStepModel(buildTrainingStep(description), description, origin, opset));
}

/** What {@link exportTrainingStep} serializes. */
export function trainingStepModel(
  step: TrainingStep,
  description: StepDescription,
  { study, task, config }: StepOrigin,
  opset: 17 | 21 = 17,
): Model {
  const { architecture, optimizer, clipNorm } = description;
  const contract = {
    schema: trainingStepSchema,
    state: step.state,
    size: step.size,
    parameters: step.parameters.map(({ name, shape, offset }) => ({ name, shape: [...shape], offset })),
    step: step.step,
    schedule: description.schedule?.spec ?? null,
    scalars: step.scalars.map((scalar, i) => ({ ...scalar, formula: createOptimizer(optimizer).scalarFormulas[i]! })),
    batch: batchInputs,
    reports: reportOutputs,
    optimizer,
    clipNorm,
    loss: description.loss ?? defaultLoss(architecture, description.sizes),
  };
  return {
    irVersion: irVersions[opset],
    opsetImports: [{ domain: '', version: opset }],
    producerName: 'icl-onnx',
    producerVersion: version,
    domain: 'icl-onnx',
    modelVersion: 1,
    docString: `One training step of ${architecture.name}. See icl.training_step in the metadata.`,
    graph: step.graph,
    metadata: {
      'icl.training_step': canonicalJson('training_step', contract),
      'icl.version': version,
      'icl.study': study,
      'icl.model': architecture.name,
      'icl.task': canonicalJson('task', task),
      'icl.config': canonicalJson('config', config),
    },
  };
}
