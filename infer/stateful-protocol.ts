/**
 * What the caller's thread and the thread of a stateful session say to each other, and how the feeds of one run lie in the
 * memory that both see. Messages are handled in the order they were sent.
 */
import { copyNumbers } from './copy-numbers.ts';
import type { ProviderName } from './provider-table.ts';
import type { Feed, StatefulGraph } from './stateful-runner.ts';

/** What the thread is started with. */
export interface StatefulSettings {
  readonly provider: ProviderName;
  readonly graph: StatefulGraph;
  readonly threads: number;
}

/** Name and shape of an input. */
export type FeedLayout = Pick<Feed, 'name' | 'shape'>;

type Reports = readonly (readonly number[])[];

export type ToStateful =
  /**
   * Shared memory for the feeds of one run at a time, or in which feeds lie, made known once: memory that travelled with every run would be
   * collected as garbage on both sides, which costs more than a short run.
   */
  | { readonly kind: 'slot'; readonly slot: number; readonly memory: SharedArrayBuffer }
  /** The inputs of the runs that follow: said once, since they hardly change. */
  | { readonly kind: 'layout'; readonly layout: readonly FeedLayout[] }
  /** For each input two numbers: the slot in which its numbers are, and where they begin there. */
  | { readonly kind: 'step'; readonly slot: number; readonly places: readonly number[] }
  | { readonly kind: 'report' }
  | { readonly kind: 'load'; readonly vectors: readonly Float32Array[] }
  | { readonly kind: 'read' }
  | { readonly kind: 'close' };

/** `tensors` is how many are alive in the thread. */
export type FromStateful =
  | {
      readonly kind: 'opened';
      readonly runtime: string;
      readonly reportsAreFree: boolean;
      readonly tensors: number;
    }
  | { readonly kind: 'refused'; readonly problem: string }
  /** The slot of a step is free, with the reports of the oldest steps that had none yet, if they cost nothing. */
  | { readonly kind: 'stepped'; readonly slot: number; readonly reports: Reports; readonly tensors: number }
  /** The same, asked for. */
  | { readonly kind: 'reported'; readonly reports: Reports; readonly tensors: number }
  | { readonly kind: 'state'; readonly vectors: readonly Float32Array[] }
  /** A step, a report or a reading failed, and everything fails from now on. */
  | { readonly kind: 'failed'; readonly problem: string };

const lengthOf = (shape: readonly number[]): number => shape.reduce((size, length) => size * length, 1);

/** Numbers in all feeds together that have to be copied. */
export const copiedLength = (feeds: readonly Feed[]): number =>
  feeds.reduce((total, { values, stays }) => total + (stays ? 0 : values.length), 0);

/** Whether runs with these feeds have the inputs that the thread was told of. */
export const hasLayout = (feeds: readonly Feed[], layout: readonly FeedLayout[]): boolean =>
  feeds.length === layout.length &&
  feeds.every(({ name, shape }, i) => {
    const known = layout[i]!;
    return name === known.name && shape.length === known.shape.length && shape.every((n, k) => n === known.shape[k]);
  });

/**
 * Copies the numbers of feeds into a slot, one after the other; it may be longer. Gives the places of all.
 * @param slotOf The slot by which memory is known that threads share.
 */
export function packFeeds(
  feeds: readonly Feed[],
  slot: number,
  memory: Float32Array,
  slotOf: (shared: SharedArrayBuffer) => number,
): number[] {
  let offset = 0;
  return feeds.flatMap(({ values, stays }) => {
    if (stays) return [slotOf(values.buffer as ArrayBufferLike as SharedArrayBuffer), values.byteOffset / 4];
    const start = offset;
    copyNumbers(memory.subarray(start), values);
    offset += values.length;
    return [slot, start];
  });
}

/** Feeds of a layout in memory of one thread: ONNX Runtime refuses memory that threads share. */
export function allocateFeeds(layout: readonly FeedLayout[]): Feed[] {
  return layout.map(({ name, shape }) => ({ name, shape, values: new Float32Array(lengthOf(shape)) }));
}

/** Copies the numbers of a run's feeds from where they are. */
export function unpackFeeds(places: readonly number[], slots: readonly Float32Array[], feeds: readonly Feed[]): void {
  for (const [i, { values }] of feeds.entries()) {
    const start = places[2 * i + 1]!;
    copyNumbers(values, slots[places[2 * i]!]!.subarray(start, start + values.length));
  }
}
