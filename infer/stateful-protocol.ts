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

/** Name and shape of an input, and where its numbers are: in the run's own slot behind those of the one before it, or elsewhere. */
export interface FeedLayout extends Pick<Feed, 'name' | 'shape'> {
  readonly place: { readonly slot: number; readonly start: number } | null;
}

type Reports = readonly (readonly number[])[];

export type ToStateful =
  /**
   * Shared memory for the feeds of one run at a time, or in which feeds lie, made known once: memory that travelled with every run would be
   * collected as garbage on both sides, which costs more than a short run.
   */
  | { readonly kind: 'slot'; readonly slot: number; readonly memory: SharedArrayBuffer }
  | { readonly kind: 'step'; readonly slot: number; readonly layout: readonly FeedLayout[] }
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

/**
 * Copies the numbers of feeds into memory, one after the other; it may be longer.
 * @param slotOf The slot by which memory is known that threads share.
 */
export function packFeeds(
  feeds: readonly Feed[],
  memory: Float32Array,
  slotOf: (shared: SharedArrayBuffer) => number,
): FeedLayout[] {
  let offset = 0;
  return feeds.map(({ name, shape, values, stays }) => {
    if (stays) {
      const slot = slotOf(values.buffer as ArrayBufferLike as SharedArrayBuffer);
      return { name, shape, place: { slot, start: values.byteOffset / 4 } };
    }
    copyNumbers(memory.subarray(offset), values);
    offset += values.length;
    return { name, shape, place: null };
  });
}

/** Copies the numbers of a run's feeds from where they are into memory, and gives the feeds there. */
export function unpackFeeds(
  { slot, layout }: ToStateful & { kind: 'step' },
  slots: readonly Float32Array[],
  memory: Float32Array,
): Feed[] {
  let [to, packed] = [0, 0];
  return layout.map(({ name, shape, place }) => {
    const length = lengthOf(shape);
    const from = place ?? { slot, start: packed };
    if (place === null) packed += length;
    const values = memory.subarray(to, to + length);
    copyNumbers(values, slots[from.slot]!.subarray(from.start, from.start + length));
    to += length;
    return { name, shape, values };
  });
}

/** Numbers in all feeds of a run. */
export const totalLength = (layout: readonly FeedLayout[]): number =>
  layout.reduce((total, { shape }) => total + lengthOf(shape), 0);
