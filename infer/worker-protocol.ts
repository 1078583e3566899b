/**
 * What the caller's thread and a session's worker threads say to each other. Prompts that threads share stay where they are,
 * and a message names them; others are copied once, with room for their answers, into memory that goes to a thread and comes
 * back.
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

/** Prompts that one or several threads answer together: whoever is free takes the next piece. */
export interface Job {
  /** What is handed over to the thread, and comes back with its answer; null if all arrays are shared memory. */
  readonly memory: ArrayBuffer | null;
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
  | ({ readonly kind: 'answered' } & Returned)
  | ({ readonly kind: 'not-finite' } & Returned)
  | ({ readonly kind: 'failed'; readonly problem: string } & Returned);

interface Returned {
  /** The job's. */
  readonly memory: ArrayBuffer | null;
}

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

/** One array after the other in memory of either kind. */
function createRooms(memory: ArrayBufferLike) {
  let at = 0;
  return (length: number): Float32Array => {
    const room = new Float32Array(memory, at, length);
    at += aligned(length);
    return room;
  };
}

/** Where a block's answers are in the memory of its job. */
export function answersIn(memory: ArrayBufferLike, block: PromptBatch, prefixes: boolean): Predictions {
  const [prediction, prefixPrediction] = answerLengths(block, prefixes).map(createRooms(memory));
  return { prediction: prediction!, ...(prefixPrediction && { prefixPrediction }) };
}

/**
 * A block as a job, with room for its answers. Prompts that threads share stay where they are; others are copied in.
 * @param memory Shared if the prompts are.
 */
export function placeBlock(block: PromptBatch, prefixes: boolean, pieceSize: number, memory: ArrayBufferLike): Job {
  const room = createRooms(memory);
  for (const length of answerLengths(block, prefixes)) room(length);
  const { buffer, byteOffset } = room(1);
  const next = new Int32Array(buffer, byteOffset, 1);
  next[0] = 0;
  const place = (values: Float32Array): Float32Array => {
    if (memory instanceof SharedArrayBuffer) return values;
    const view = room(values.length);
    copyNumbers(view, values);
    return view;
  };
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
  const answers = answersIn(memory, block, prefixes);
  return { memory: memory instanceof SharedArrayBuffer ? null : memory, prompts, answers, pieceSize, next };
}
