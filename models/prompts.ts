/**
 * A batch of prompts as plain float32 arrays, row-major: what samplers fill, files are read into and sessions run.
 */
import { DataError, ShapeError } from './errors.ts';

/** B prompts of N pairs and Q queries in D dimensions. */
export interface PromptBatch {
  readonly batch: number;
  readonly context: number;
  readonly queries: number;
  readonly dimension: number;
  /** `[B, N, D]` */
  readonly covariates: Float32Array;
  /** `[B, N]` */
  readonly responses: Float32Array;
  /** `[B, Q, D]` */
  readonly query: Float32Array;
}

/** A sampled batch, with the answers. */
export interface LabelledBatch extends PromptBatch {
  /** `[B, Q]`: the responses at the queries, label noise included. */
  readonly targets: Float32Array;
  /** `[B, D]`: the task vectors that made the responses. */
  readonly taskVectors: Float32Array;
}

export interface BatchSizes {
  readonly batch: number;
  readonly context: number;
  readonly queries: number;
  readonly dimension: number;
}

/** A zeroed labelled batch, to be filled and reused. */
export function allocateBatch({ batch, context, queries, dimension }: BatchSizes): LabelledBatch {
  return {
    batch,
    context,
    queries,
    dimension,
    covariates: new Float32Array(batch * context * dimension),
    responses: new Float32Array(batch * context),
    query: new Float32Array(batch * queries * dimension),
    targets: new Float32Array(batch * queries),
    taskVectors: new Float32Array(batch * dimension),
  };
}

/** Prompts `start` to `end` of a batch, without copying. */
export function sliceBatch(prompts: PromptBatch, start: number, end: number): PromptBatch {
  const { context, queries, dimension } = prompts;
  return {
    batch: end - start,
    context,
    queries,
    dimension,
    covariates: prompts.covariates.subarray(start * context * dimension, end * context * dimension),
    responses: prompts.responses.subarray(start * context, end * context),
    query: prompts.query.subarray(start * queries * dimension, end * queries * dimension),
  };
}

/** {@link sliceBatch} of a labelled batch. */
export function sliceLabelledBatch(prompts: LabelledBatch, start: number, end: number): LabelledBatch {
  const parameterCount = prompts.taskVectors.length / prompts.batch;
  return {
    ...sliceBatch(prompts, start, end),
    targets: prompts.targets.subarray(start * prompts.queries, end * prompts.queries),
    taskVectors: prompts.taskVectors.subarray(start * parameterCount, end * parameterCount),
  };
}

/**
 * Checks that a batch fits a model before any run: ONNX Runtime does not check symbolic dimensions itself.
 * @throws {ShapeError} on a wrong dimension, an array of another length, or fewer pairs than the model needs.
 * @throws {DataError} on NaN or infinity, naming the tensor and the prompt.
 */
export function validateBatch(
  where: string,
  prompts: PromptBatch,
  model: { readonly dimension: number; readonly minimumContext: number },
): void {
  const { batch, context, queries, dimension } = prompts;
  if (dimension !== model.dimension) {
    throw new ShapeError({
      where,
      expected: `covariates of dimension ${model.dimension}`,
      got: `dimension ${dimension}`,
      remedy: 'The dimension is fixed when a model is frozen.',
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
  checkTensor(where, 'covariates', prompts.covariates, batch, context * dimension);
  checkTensor(where, 'responses', prompts.responses, batch, context);
  checkTensor(where, 'query', prompts.query, batch, queries * dimension);
}

function checkTensor(where: string, name: string, values: Float32Array, batch: number, perPrompt: number): void {
  if (values.length !== batch * perPrompt) {
    throw new ShapeError({
      where: `${where}: ${name}`,
      expected: `${batch} x ${perPrompt} numbers`,
      got: String(values.length),
    });
  }
  // x - x is 0 for every finite number and NaN for NaN and both infinities: one test in the hot loop.
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (value - value !== 0) {
      throw new DataError({
        where: `${where}: ${name}`,
        expected: 'finite numbers',
        got: `${value} in prompt ${Math.floor(i / perPrompt)}`,
      });
    }
  }
}
