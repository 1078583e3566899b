/** What a classical estimator is: it sees the same prompts as a model, one by one, and answers the same queries. */
import { ShapeError } from '../errors.ts';
import { type LabelledBatch, type PromptBatch, responseWidth } from '../prompts.ts';
import type { TaskName, TaskSpec } from '../tasks/index.ts';

export interface Estimator {
  readonly name: string;
  readonly description: string;
  /** The options it was made with, defaults filled in. */
  readonly parameters: Readonly<Record<string, number>>;
  /** True: it reads `taskParameters`, which only drawn prompts have. An oracle, not something one could use. */
  readonly needsTaskParameters: boolean;
  /**
   * Predicts every query of every prompt, in float64, from that prompt alone.
   * @param prompts Labelled, if `needsTaskParameters`: see {@link requireTaskParameters}.
   * @param out `[B, Q]`, or `[B, Q, c]` for c classes, overwritten. @throws {ShapeError} if it has another length.
   */
  predict(prompts: PromptBatch | LabelledBatch, out: Float64Array): void;
}

/** An option of an estimator: a number. */
export interface EstimatorOption {
  readonly name: string;
  readonly description: string;
  /** Undefined: it follows from the other options, as the description says. */
  readonly default: number | undefined;
  /** Whether a value is possible. */
  readonly accepts: (value: number) => boolean;
  /** What `accepts` means, in words. */
  readonly expected: string;
}

/** An estimator before its options are chosen. */
export interface EstimatorKind {
  readonly name: string;
  readonly description: string;
  /** The tasks whose prompts it answers. */
  readonly tasks: readonly TaskName[];
  readonly options: readonly EstimatorOption[];
  /**
   * Takes checked options; one without a default may be absent.
   * @throws {UsageError} if it does not apply to these laws after all.
   */
  create(options: Readonly<Record<string, number>>, laws: EstimatorLaws): Estimator;
}

/** What an estimator may know, both of a name in its kind's `tasks`. */
export interface EstimatorLaws {
  /** The law of the training prompts: what a prior is taken from. */
  readonly task: TaskSpec;
  /** The law of the prompts that it will see: what an oracle knows. */
  readonly testTask: TaskSpec;
}

/** @throws {ShapeError} unless `out` has one number per query, or one per query and class. */
export function checkOut(estimator: string, prompts: PromptBatch, out: Float64Array): void {
  const width = responseWidth(prompts);
  const expected = prompts.batch * prompts.queries * width;
  if (out.length !== expected) {
    throw new ShapeError({
      where: `${estimator}: out`,
      expected: `${prompts.batch} x ${prompts.queries}${width > 1 ? ` x ${width}` : ''} numbers`,
      got: String(out.length),
    });
  }
}

/**
 * The prompts with the parameters `[B, P]` that the task drew for them.
 * @throws {ShapeError} if the prompts do not carry them.
 */
export function requireTaskParameters(estimator: string, prompts: PromptBatch | LabelledBatch): LabelledBatch {
  if ('taskParameters' in prompts) return prompts;
  throw new ShapeError({
    where: estimator,
    expected: 'prompts with their task parameters',
    got: 'prompts without',
    remedy: 'Only prompts that a sampler drew have them.',
  });
}

/**
 * How many prompts a kernel gets at once: so many that their covariates, `numbers` each, fit a core's own cache. It takes two
 * at a time in any case.
 */
export const promptsAtOnce = (numbers: number): number => Math.max(2, Math.min(64, Math.floor(65_536 / numbers)));

/** Writes `<query, w>` for the queries of prompt b; w begins at `w[at]`. */
export function answerQueries(prompts: PromptBatch, b: number, w: Float64Array, out: Float64Array, at = 0): void {
  const { queries, dimension, query } = prompts;
  for (let row = b * queries; row < (b + 1) * queries; row++) {
    let sum = 0;
    for (let j = 0; j < dimension; j++) sum += query[row * dimension + j]! * w[at + j]!;
    out[row] = sum;
  }
}

/**
 * A Householder reflection: applies I - scale v v^T, v = `from[start..end]`, to the numbers of `to` that begin at `at`.
 * @returns scale v^T (those numbers): what a part of v kept elsewhere is to be multiplied by and subtracted.
 */
export function reflect(
  from: Float64Array,
  start: number,
  end: number,
  to: Float64Array,
  at: number,
  scale: number,
): number {
  const shift = at - start;
  let dot = 0;
  for (let i = start; i < end; i++) dot += from[i]! * to[i + shift]!;
  dot *= scale;
  for (let i = start; i < end; i++) to[i + shift] = to[i + shift]! - dot * from[i]!;
  return dot;
}
