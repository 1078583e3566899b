/**
 * Prompts on their way from a file to a session: single records as every format yields them, and their grouping into
 * batches. Knows nothing of files or formats.
 */

import type { Output } from '../models/architecture.ts';
import { DataError } from '../models/errors.ts';
import { type PromptBatch, responseWidth } from '../models/prompts.ts';

/** One prompt of N pairs and Q queries in D dimensions. */
export interface PromptRecord {
  readonly context: number;
  readonly queries: number;
  /** True if the file gave the query as one point, not as a list of points: the answer is then one number. */
  readonly isPoint: boolean;
  /** The prompt's own name, where the format has one. */
  readonly label: string | null;
  /** Covariates `[N, D]`, responses `[N]` or `[N, c]`, and query `[Q, D]`, one after the other. */
  readonly values: Float32Array;
}

/** Records in the order of the file, and how far the file has been read. */
export interface RecordBlock {
  readonly records: readonly PromptRecord[];
  readonly bytesRead: number;
}

/** Consecutive prompts of a file that share a shape. */
export interface PromptFileBatch extends PromptBatch {
  /** Number of the batch's first prompt in the file, from 0. */
  readonly first: number;
  readonly isPoint: boolean;
  /** The prompts' own names, or null where the format has none. */
  readonly labels: readonly string[] | null;
  /** Bytes of the file read when the batch was complete. */
  readonly bytesRead: number;
}

/** What a model asks of the prompts in a file. */
export interface PromptContract {
  /** D */
  readonly dimension: number;
  /** Fewest pairs for which the model gives a prediction. */
  readonly minimumContext: number;
  /** c: a response is c numbers, one of them 1. 0: it is one number. */
  readonly classes: number;
  /** What the model predicts; of probabilities the responses must be labels. */
  readonly output: Output;
}

export interface GroupLimits {
  /** Most prompts in a batch. */
  readonly batch: number;
  /** Most bytes of numbers in a batch; a single larger prompt still makes one. */
  readonly batchBytes: number;
}

/**
 * Joins consecutive records of one shape into batches, in the order of the file. A change of shape, or a full batch,
 * starts the next one.
 */
export async function* groupPrompts(
  blocks: AsyncIterable<RecordBlock>,
  contract: Pick<PromptContract, 'dimension' | 'classes'>,
  { batch, batchBytes }: GroupLimits,
): AsyncGenerator<PromptFileBatch, void, undefined> {
  let pending: PromptRecord[] = [];
  let bytes = 0;
  let first = 0;
  const flush = (bytesRead: number): PromptFileBatch => {
    const joined = joinRecords(pending, contract, first, bytesRead);
    first += pending.length;
    pending = [];
    bytes = 0;
    return joined;
  };
  let bytesRead = 0;
  for await (const block of blocks) {
    bytesRead = block.bytesRead;
    for (const record of block.records) {
      const size = record.values.byteLength;
      const isFull = pending.length >= batch || bytes + size > batchBytes;
      if (pending.length > 0 && (isFull || !hasSameShape(pending[0]!, record))) yield flush(bytesRead);
      pending.push(record);
      bytes += size;
    }
  }
  if (pending.length > 0) yield flush(bytesRead);
}

const hasSameShape = (a: PromptRecord, b: PromptRecord): boolean =>
  a.context === b.context && a.queries === b.queries && a.isPoint === b.isPoint;

function joinRecords(
  records: readonly PromptRecord[],
  { dimension, classes }: Pick<PromptContract, 'dimension' | 'classes'>,
  first: number,
  bytesRead: number,
): PromptFileBatch {
  const { context, queries, isPoint, label } = records[0]!;
  const batch = records.length;
  const covariates = new Float32Array(batch * context * dimension);
  const perContext = context * responseWidth({ classes });
  const responses = new Float32Array(batch * perContext);
  const query = new Float32Array(batch * queries * dimension);
  const responsesAt = context * dimension;
  const queryAt = responsesAt + perContext;
  records.forEach(({ values }, b) => {
    covariates.set(values.subarray(0, responsesAt), b * context * dimension);
    responses.set(values.subarray(responsesAt, queryAt), b * perContext);
    query.set(values.subarray(queryAt), b * queries * dimension);
  });
  const labels = label === null ? null : records.map((record) => record.label ?? '');
  const sizes = { batch, context, queries, dimension, classes };
  return { ...sizes, covariates, responses, query, first, isPoint, labels, bytesRead };
}

/**
 * Checks that responses are labels, for a model that was trained on labels: 0 and 1 in place of -1 and +1 would give answers,
 * and wrong ones.
 * @param at Where the responses start in `values`. @param place Words for response i.
 * @throws {DataError} naming the response.
 */
export function requireLabels(
  values: Float32Array,
  at: number,
  context: number,
  { classes, output }: PromptContract,
  place: (i: number) => string,
): void {
  if (output === 'value') return;
  const width = responseWidth({ classes });
  for (let i = 0; i < context; i++) {
    const start = at + i * width;
    if (output === 'sigmoid' ? Math.abs(values[start]!) === 1 : isOneHot(values, start, width)) continue;
    throw new DataError({
      where: place(i),
      expected:
        output === 'sigmoid' ? 'a label, -1 or +1' : `a label: ${width} numbers, one of them 1 and the others 0`,
      got: [...values.subarray(start, start + Math.min(width, 20))].join(', '),
    });
  }
}

function isOneHot(values: Float32Array, start: number, width: number): boolean {
  let ones = 0;
  for (let k = start; k < start + width; k++) {
    if (values[k] === 1) ones++;
    else if (values[k] !== 0) return false;
  }
  return ones === 1;
}

/** @throws {DataError} if a prompt has fewer pairs than the model needs. */
export function requireContext(where: string, context: number, { minimumContext }: PromptContract): void {
  if (context >= minimumContext) return;
  throw new DataError({
    where,
    expected: `a context of at least ${minimumContext} pair${minimumContext === 1 ? '' : 's'}`,
    got: context === 0 ? 'an empty context' : String(context),
    remedy: 'This model divides by the number of pairs.',
  });
}

/**
 * The error for a number that float32 cannot hold.
 * @param value The number as it was read, in float64. @param text How the file wrote it, where that is known.
 */
export function notFinite(where: string, value: number, text = String(value)): DataError {
  const got = Number.isFinite(value) ? `${text}, too large for float32` : text;
  return new DataError({ where, expected: 'a finite number', got });
}

/** The error for a file without any prompt. */
export const noPrompts = (where: string, got: string): DataError =>
  new DataError({ where, expected: 'at least one prompt', got });
