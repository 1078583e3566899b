/**
 * A batch of prompts as plain float32 arrays, row-major: what samplers fill, files are read into and sessions run.
 */
import { DataError, ShapeError, tooLarge } from './errors.ts';

/** B prompts of N pairs and Q queries in D dimensions. */
export interface PromptBatch {
  readonly batch: number;
  readonly context: number;
  readonly queries: number;
  readonly dimension: number;
  /** c >= 2: a response is one of c classes, written as c numbers, one of them 1. Absent or 0: it is one number. */
  readonly classes?: number;
  /** `[B, N, D]` */
  readonly covariates: Float32Array;
  /** `[B, N]`, or `[B, N, c]` */
  readonly responses: Float32Array;
  /** `[B, Q, D]` */
  readonly query: Float32Array;
}

/** A sampled batch, with the answers. */
export interface LabelledBatch extends PromptBatch {
  /** `[B, Q]`, or `[B, Q, c]`: the responses at the queries, label noise included. */
  readonly targets: Float32Array;
  /**
   * `[B, P]`: what the task drew for each prompt, and whoever knows it could predict best: of linear regression the task
   * vector (P = D). What stands where is said by the task's file.
   */
  readonly taskParameters: Float32Array;
}

export interface BatchSizes {
  readonly batch: number;
  readonly context: number;
  readonly queries: number;
  readonly dimension: number;
  /** @default 0 */
  readonly classes?: number;
  /** P. @default the dimension, for a task vector */
  readonly parameterCount?: number;
  /** Whether all threads of this process are to see the arrays: sessions in Node then copy nothing. @default false */
  readonly isShared?: boolean;
}

/** Zeros in memory of this thread, or in memory that threads share, where there is such a thing. */
function zeros(length: number, isShared: boolean): Float32Array {
  const canShare = isShared && typeof SharedArrayBuffer !== 'undefined';
  try {
    return canShare ? new Float32Array(new SharedArrayBuffer(4 * length)) : new Float32Array(length);
  } catch (cause) {
    throw tooLarge('prompts', 4 * length, cause);
  }
}

/** Numbers in a response: 1, or one for each class. */
export const responseWidth = ({ classes }: { readonly classes?: number }): number => Math.max(1, classes ?? 0);

/** The axis of classes, if there is one: what stands behind `[B, N]` and `[B, Q]`. */
export const labelAxis = ({ classes = 0 }: { readonly classes?: number }): readonly number[] =>
  classes === 0 ? [] : [classes];

export const arrayNames = ['covariates', 'responses', 'query', 'targets', 'taskParameters'] as const;

/** How many numbers each array of a batch holds. */
export function arrayLengths(sizes: BatchSizes): Readonly<Record<(typeof arrayNames)[number], number>> {
  const { batch, context, queries, dimension, classes = 0, parameterCount = dimension } = sizes;
  const width = responseWidth({ classes });
  return {
    covariates: batch * context * dimension,
    responses: batch * context * width,
    query: batch * queries * dimension,
    targets: batch * queries * width,
    taskParameters: batch * parameterCount,
  };
}

/** A zeroed labelled batch, to be filled and reused. A sampler has the last three sizes: `allocateBatch({ ..sizes, ..sampler })`. */
export function allocateBatch(sizes: BatchSizes): LabelledBatch {
  const { batch, context, queries, dimension, classes = 0, isShared = false } = sizes;
  const lengths = arrayLengths(sizes);
  return {
    batch,
    context,
    queries,
    dimension,
    classes,
    covariates: zeros(lengths.covariates, isShared),
    responses: zeros(lengths.responses, isShared),
    query: zeros(lengths.query, isShared),
    targets: zeros(lengths.targets, isShared),
    taskParameters: zeros(lengths.taskParameters, isShared),
  };
}

/** Prompts `start` to `end` of a batch, without copying. */
export function sliceBatch(prompts: PromptBatch, start: number, end: number): PromptBatch {
  const { context, queries, dimension, classes = 0 } = prompts;
  const perContext = context * responseWidth(prompts);
  return {
    batch: end - start,
    context,
    queries,
    dimension,
    classes,
    covariates: prompts.covariates.subarray(start * context * dimension, end * context * dimension),
    responses: prompts.responses.subarray(start * perContext, end * perContext),
    query: prompts.query.subarray(start * queries * dimension, end * queries * dimension),
  };
}

/** {@link sliceBatch} of a labelled batch. */
export function sliceLabelledBatch(prompts: LabelledBatch, start: number, end: number): LabelledBatch {
  const perTarget = prompts.queries * responseWidth(prompts);
  const parameterCount = prompts.taskParameters.length / prompts.batch;
  return {
    ...sliceBatch(prompts, start, end),
    targets: prompts.targets.subarray(start * perTarget, end * perTarget),
    taskParameters: prompts.taskParameters.subarray(start * parameterCount, end * parameterCount),
  };
}

/** The same prompts with their first n pairs only, written to `room`. With all pairs they are returned themselves. */
export function truncateContext(prompts: LabelledBatch, n: number, room: LabelledBatch): LabelledBatch {
  const { batch, context, dimension } = prompts;
  if (n === context) return prompts;
  const width = responseWidth(prompts);
  const covariates = room.covariates.subarray(0, batch * n * dimension);
  const responses = room.responses.subarray(0, batch * n * width);
  for (let b = 0; b < batch; b++) {
    const pair = b * context;
    covariates.set(prompts.covariates.subarray(pair * dimension, (pair + n) * dimension), b * n * dimension);
    responses.set(prompts.responses.subarray(pair * width, (pair + n) * width), b * n * width);
  }
  return { ...prompts, context: n, covariates, responses };
}

/** What of a model its prompts must fit. */
export interface PromptContract {
  readonly dimension: number;
  readonly minimumContext: number;
  readonly classes?: number;
}

/**
 * Checks that a batch fits a model before any run: ONNX Runtime does not check symbolic dimensions itself.
 * @throws {ShapeError} as {@link validateShapes}. @throws {DataError} on NaN or infinity, naming the tensor and the prompt.
 */
export function validateBatch(where: string, prompts: PromptBatch, model: PromptContract): void {
  validateShapes(where, prompts, model);
  for (const [name, values] of tensorsOf(prompts)) checkNumbers(where, name, values, prompts.batch);
}

const tensorsOf = ({ covariates, responses, query }: PromptBatch) =>
  [
    ['covariates', covariates],
    ['responses', responses],
    ['query', query],
  ] as const;

/**
 * The part of {@link validateBatch} that looks at no number.
 * @throws {ShapeError} on a wrong dimension, another number of classes, an array of another length, or fewer pairs than the model needs.
 */
export function validateShapes(where: string, prompts: PromptBatch, model: PromptContract): void {
  const { batch, context, queries, dimension, classes = 0 } = prompts;
  if (dimension !== model.dimension) {
    throw new ShapeError({
      where,
      expected: `covariates of dimension ${model.dimension}`,
      got: `dimension ${dimension}`,
      remedy: 'The dimension is fixed when a model is frozen.',
    });
  }
  if (classes !== (model.classes ?? 0)) {
    const words = (count: number) =>
      count === 0 ? 'responses of one number' : `one-hot responses of ${count} classes`;
    throw new ShapeError({
      where,
      expected: words(model.classes ?? 0),
      got: words(classes),
      remedy: 'The classes are fixed when a model is frozen.',
    });
  }
  if (batch < 1) throw new ShapeError({ where, expected: 'at least one prompt', got: String(batch) });
  if (queries < 1) throw new ShapeError({ where, expected: 'at least one query per prompt', got: String(queries) });
  if (context < model.minimumContext) {
    throw new ShapeError({
      where,
      expected: `a context of at least ${model.minimumContext} pair${model.minimumContext === 1 ? '' : 's'}`,
      got: `${context}`,
      remedy: 'This model divides by the number of pairs.',
    });
  }
  const perPrompt = {
    covariates: context * dimension,
    responses: context * responseWidth(prompts),
    query: queries * dimension,
  };
  for (const [name, values] of tensorsOf(prompts)) {
    if (values.length === batch * perPrompt[name]) continue;
    throw new ShapeError({
      where: `${where}: ${name}`,
      expected: `${batch} x ${perPrompt[name]} numbers`,
      got: String(values.length),
    });
  }
}

function checkNumbers(where: string, name: string, values: Float32Array, batch: number): void {
  // x - x is 0 for every finite number and NaN for NaN and both infinities: one test in the hot loop.
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (value - value !== 0) {
      throw new DataError({
        where: `${where}: ${name}`,
        expected: 'finite numbers',
        got: `${value} in prompt ${Math.floor(i / (values.length / batch))}`,
      });
    }
  }
}
