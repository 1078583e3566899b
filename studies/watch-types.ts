/**
 * What is seen of a training while it runs, beside what theory says of its end: the loss, one matrix that moves to its
 * limit, numbers along the way. Types, and the watch of what no theorem covers; each study has its own in its `watch.ts`.
 */
import type { Matrix } from '../models/matrix.ts';
import type { ShadedRange } from './figures/line-chart.ts';
import type { Point } from './figures/marks.ts';

/** What theory says of the training loss. */
export interface LossTheory {
  /** The least that the model can reach; null where only the curve is known. */
  readonly minimum: number | null;
  /** The expected loss along this very training; empty where no theorem gives one. */
  readonly curve: readonly Point[];
  /** Which formulas, and whose. */
  readonly source: string;
}

/** A matrix that training moves. */
export interface WatchedMatrix {
  readonly name: string;
  readonly limitName: string;
  /** Where theory says that it ends. */
  readonly limit: Matrix;
  /** Another one to compare with: what would be best if the model could be any. */
  readonly beside: { readonly name: string; readonly matrix: Matrix } | null;
  /** From 0 up, or of both signs. */
  readonly scale: 'diverging' | 'sequential';
  /** What rows and columns are; null where they are coordinates. */
  readonly axes: string | null;
  readonly source: string;
}

/** Numbers that are followed along the training. */
export interface WatchedTracks {
  readonly name: string;
  readonly series: readonly { readonly label: string; readonly theory: readonly Point[] }[];
  /** Ranges of steps that theory tells apart. */
  readonly ranges: readonly ShadedRange[];
  readonly source: string;
}

/** The parameters at one step, in the words of theory. */
export interface Look {
  readonly matrix: Matrix | null;
  /** The values of the tracks. */
  readonly tracks: readonly number[];
  /** The expected loss of exactly these parameters on fresh prompts; null where no formula gives it quickly. */
  readonly exactLoss: number | null;
}

export interface Watch {
  readonly loss: LossTheory | null;
  readonly matrix: WatchedMatrix | null;
  readonly tracks: WatchedTracks | null;
  /** What theory does not cover here; null if it covers everything. */
  readonly remark: string | null;
  look(step: number, parameters: Readonly<Record<string, Float32Array>>): Look;
}

/** The watch of a training that no theorem covers. */
export const unknownTheory = (remark: string): Watch => ({
  loss: null,
  matrix: null,
  tracks: null,
  remark,
  look: () => ({ matrix: null, tracks: [], exactLoss: null }),
});
