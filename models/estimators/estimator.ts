/** What a classical estimator is: it sees the same prompts as a model, one by one, and answers the same queries. */
import { ShapeError } from '../errors.ts';
import type { PromptBatch } from '../prompts.ts';

export interface Estimator {
  readonly name: string;
  readonly description: string;
  /** The options it was made with, defaults filled in. */
  readonly parameters: Readonly<Record<string, number>>;
  /**
   * Predicts every query of every prompt, in float64, from that prompt alone.
   * @param out `[B, Q]`, overwritten. @throws {ShapeError} if it has another length.
   */
  predict(prompts: PromptBatch, out: Float64Array): void;
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
  readonly options: readonly EstimatorOption[];
  /** Takes checked options; one without a default may be absent. */
  create(options: Readonly<Record<string, number>>): Estimator;
}

/** @throws {ShapeError} unless `out` has one number per query. */
export function checkOut(estimator: string, prompts: PromptBatch, out: Float64Array): void {
  const expected = prompts.batch * prompts.queries;
  if (out.length !== expected) {
    throw new ShapeError({
      where: `${estimator}: out`,
      expected: `${prompts.batch} x ${prompts.queries} numbers`,
      got: String(out.length),
    });
  }
}

/** Writes `<query, w>` for the queries of prompt b. */
export function answerQueries(prompts: PromptBatch, b: number, w: Float64Array, out: Float64Array): void {
  const { queries, dimension, query } = prompts;
  for (let row = b * queries; row < (b + 1) * queries; row++) {
    let sum = 0;
    for (let j = 0; j < dimension; j++) sum += query[row * dimension + j]! * w[j]!;
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
