/**
 * What the caller's thread and a session's worker threads say to each other. Blocks of prompts and their answers lie in
 * memory that the threads share: a message names them, and moves nothing.
 */
import { type PromptBatch, responseWidth } from '../models/prompts.ts';
import { copyNumbers } from './copy-numbers.ts';
import type { ProviderName } from './provider-table.ts';
import type { Predictions } from './session.ts';

/** What a worker is started with. */
export interface WorkerSettings {
  readonly provider: ProviderName;
  readonly bytes: Uint8Array;
  readonly threads: number;
  readonly prefixes: boolean;
  /** Whether answers are finite only if the prompts are: it is then enough to look at them. */
  readonly answersShow: boolean;
}

/** Prompts that one or several threads answer together: whoever is free takes the next piece. All arrays are shared memory. */
export interface Job {
  readonly prompts: PromptBatch;
  readonly answers: Predictions;
  /** Prompts in a piece. */
  readonly pieceSize: number;
  /** `[1]`: the first prompt that nobody has taken; changed by `Atomics` alone. */
  readonly next: Int32Array;
}

/** The sender keeps off a job's arrays until all threads that were asked have answered. */
export type ToWorker = { readonly kind: 'run'; readonly job: Job } | { readonly kind: 'close' };

/** Jobs are answered in the order they were asked: `answered` says that nothing is left of one to take. */
export type FromWorker =
  | { readonly kind: 'opened'; readonly runtime: string }
  | { readonly kind: 'refused'; readonly problem: string }
  | { readonly kind: 'answered' }
  | { readonly kind: 'not-finite' }
  | { readonly kind: 'failed'; readonly problem: string };

/** Whether other threads see a batch's arrays as they are. */
export const isShared = ({ covariates, responses, query }: PromptBatch): boolean =>
  [covariates, responses, query].every(({ buffer }) => buffer instanceof SharedArrayBuffer);

/** Lengths of a block's answers. */
function answerLengths(block: PromptBatch, prefixes: boolean): number[] {
  const each = block.batch * block.queries * responseWidth(block);
  return prefixes ? [each, each * (block.context + 1)] : [each];
}

/** Arrays begin at multiples of this many bytes: a cache line, and no word of an array lies in two words of memory. */
const alignment = 64;

const aligned = (length: number): number => Math.ceil((4 * length) / alignment) * alignment;

/** Bytes that {@link placeBlock} needs. */
export function blockBytes(block: PromptBatch, prefixes: boolean): number {
  const { covariates, responses, query } = block;
  const copied = isShared(block) ? [] : [covariates, responses, query];
  const lengths = [1, ...answerLengths(block, prefixes), ...copied.map(({ length }) => length)];
  return lengths.reduce((sum, length) => sum + aligned(length), 0);
}

/** A block as a job in shared memory, with room for its answers; prompts that are elsewhere are copied in. */
export function placeBlock(block: PromptBatch, prefixes: boolean, pieceSize: number, memory: SharedArrayBuffer): Job {
  let at = 0;
  const take = (length: number): number => {
    const start = at;
    at += aligned(length);
    return start;
  };
  const room = (length: number) => new Float32Array(memory, take(length), length);
  const next = new Int32Array(memory, take(1), 1);
  next[0] = 0;
  const [prediction, prefixPrediction] = answerLengths(block, prefixes).map(room);
  const placed = (values: Float32Array): Float32Array => {
    const view = room(values.length);
    copyNumbers(view, values);
    return view;
  };
  const place = isShared(block) ? (values: Float32Array) => values : placed;
  const { batch, context, queries, dimension, classes = 0 } = block;
  const prompts = {
    batch,
    context,
    queries,
    dimension,
    classes,
    covariates: place(block.covariates),
    responses: place(block.responses),
    query: place(block.query),
  };
  return {
    prompts,
    answers: { prediction: prediction!, ...(prefixPrediction && { prefixPrediction }) },
    pieceSize,
    next,
  };
}
