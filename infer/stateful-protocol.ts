/**
 * What the caller's thread and the thread of a stateful session say to each other, and how the feeds of one run lie in the
 * buffer that travels between them. Messages are handled in the order they were sent.
 */
import type { ProviderName } from './provider-table.ts';
import type { Feed, StatefulGraph } from './stateful-runner.ts';

/** What the thread is started with. */
export interface StatefulSettings {
  readonly provider: ProviderName;
  readonly graph: StatefulGraph;
  readonly threads: number;
}

/** Name and shape of an input; its numbers follow those of the one before it in the buffer. */
export type FeedLayout = Omit<Feed, 'values'>;

type Reports = readonly (readonly number[])[];

export type ToStateful =
  | { readonly kind: 'step'; readonly layout: readonly FeedLayout[]; readonly buffer: ArrayBuffer }
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
  /** The buffer of a step comes back, with the reports of the oldest steps that had none yet, if they are free. */
  | { readonly kind: 'stepped'; readonly buffer: ArrayBuffer; readonly reports: Reports; readonly tensors: number }
  /** The same, asked for. */
  | { readonly kind: 'reported'; readonly reports: Reports; readonly tensors: number }
  | { readonly kind: 'state'; readonly vectors: readonly Float32Array[] }
  /** A step, a report or a reading failed, and everything fails from now on. */
  | { readonly kind: 'failed'; readonly problem: string };

const lengthOf = (shape: readonly number[]): number => shape.reduce((size, length) => size * length, 1);

/** Bytes of the buffer that feeds need. */
export function feedBytes(feeds: readonly Feed[]): number {
  return 4 * feeds.reduce((total, { values }) => total + values.length, 0);
}

/** Copies the numbers of feeds into a buffer, one after the other; it may be longer. */
export function packFeeds(feeds: readonly Feed[], buffer: ArrayBuffer): FeedLayout[] {
  let offset = 0;
  return feeds.map(({ name, shape, values }) => {
    new Float32Array(buffer, offset, values.length).set(values);
    offset += 4 * values.length;
    return { name, shape };
  });
}

/** The feeds as views of the buffer. */
export function unpackFeeds(layout: readonly FeedLayout[], buffer: ArrayBuffer): Feed[] {
  let offset = 0;
  return layout.map(({ name, shape }) => {
    const values = new Float32Array(buffer, offset, lengthOf(shape));
    offset += 4 * values.length;
    return { name, shape, values };
  });
}
