/**
 * What the caller's thread and a session's worker threads say to each other. Blocks of prompts and their answers lie in
 * memory that the threads share: a message names them, and moves nothing.
 */
import { type PromptBatch, responseWidth } from '../models/prompts.ts';
import type { ProviderName } from './provider-table.ts';
import type { Predictions } from './session.ts';

/** What a worker is started with. */
export interface WorkerSettings {
  readonly provider: ProviderName;
  readonly bytes: Uint8Array;
  readonly threads: number;
  readonly prefixes: boolean;
}

/** All arrays are views of shared memory. The sender keeps off them until the answer. */
export type ToWorker =
  | { readonly kind: 'run'; readonly prompts: PromptBatch; readonly answers: Predictions }
  | { readonly kind: 'close' };

/** Runs are answered in the order they were asked. */
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

/** Bytes that {@link placeBlock} needs. */
export function blockBytes(block: PromptBatch, prefixes: boolean): number {
  const { covariates, responses, query } = block;
  const prompts = isShared(block) ? 0 : covariates.length + responses.length + query.length;
  return 4 * answerLengths(block, prefixes).reduce((sum, length) => sum + length, prompts);
}

/** A block in shared memory, with room for its answers; prompts that are elsewhere are copied in. */
export function placeBlock(
  block: PromptBatch,
  prefixes: boolean,
  memory: SharedArrayBuffer,
): { prompts: PromptBatch; answers: Predictions } {
  let at = 0;
  const take = (length: number): Float32Array => {
    const view = new Float32Array(memory, at, length);
    at += 4 * length;
    return view;
  };
  const placed = (values: Float32Array): Float32Array => {
    const view = take(values.length);
    view.set(values);
    return view;
  };
  const [prediction, prefixPrediction] = answerLengths(block, prefixes).map(take);
  const { batch, context, queries, dimension, classes = 0 } = block;
  const place = isShared(block) ? (values: Float32Array) => values : placed;
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
  return { prompts, answers: { prediction: prediction!, ...(prefixPrediction && { prefixPrediction }) } };
}
