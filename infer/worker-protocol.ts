/**
 * What the caller's thread and a session's worker thread say to each other, and how a block of prompts lies in the buffer
 * that travels between them. The buffer is transferred, not copied: the caller's thread fills it and gives it away, the
 * worker computes from it and into it, and it comes back with the answers, to be used again.
 */
import { type BatchSizes, type PromptBatch, responseWidth } from '../models/prompts.ts';
import type { ProviderName } from './provider-table.ts';
import type { Predictions } from './session.ts';

/** What a worker is started with. */
export interface WorkerSettings {
  readonly provider: ProviderName;
  readonly bytes: Uint8Array;
  readonly threads: number;
  readonly prefixes: boolean;
}

export type ToWorker =
  | { readonly kind: 'run'; readonly sizes: BatchSizes; readonly buffer: ArrayBuffer }
  | { readonly kind: 'close' };

/** Runs are answered in the order they were asked. */
export type FromWorker =
  | { readonly kind: 'opened'; readonly runtime: string }
  | { readonly kind: 'refused'; readonly problem: string }
  | { readonly kind: 'answered'; readonly buffer: ArrayBuffer }
  | { readonly kind: 'failed'; readonly problem: string; readonly buffer: ArrayBuffer };

/** The arrays of one block, as views of one buffer. */
export interface BlockViews {
  readonly prompts: PromptBatch;
  readonly answers: Predictions;
}

function lengths(sizes: BatchSizes, prefixes: boolean): number[] {
  const { batch, context, queries, dimension } = sizes;
  const width = responseWidth(sizes);
  return [
    batch * context * dimension,
    batch * context * width,
    batch * queries * dimension,
    batch * queries * width,
    prefixes ? batch * (context + 1) * queries * width : 0,
  ];
}

/** Bytes of the buffer that a block needs. */
export function blockBytes(sizes: BatchSizes, prefixes: boolean): number {
  return 4 * lengths(sizes, prefixes).reduce((total, length) => total + length, 0);
}

/** Covariates, responses, query and the answers, one after the other; the buffer may be longer. */
export function blockViews(buffer: ArrayBuffer, sizes: BatchSizes, prefixes: boolean): BlockViews {
  let offset = 0;
  const [covariates, responses, query, prediction, prefixPrediction] = lengths(sizes, prefixes).map((length) => {
    const view = new Float32Array(buffer, offset, length);
    offset += 4 * length;
    return view;
  });
  const { batch, context, queries, dimension, classes = 0 } = sizes;
  return {
    prompts: {
      batch,
      context,
      queries,
      dimension,
      classes,
      covariates: covariates!,
      responses: responses!,
      query: query!,
    },
    answers: { prediction: prediction!, ...(prefixes && { prefixPrediction: prefixPrediction! }) },
  };
}
