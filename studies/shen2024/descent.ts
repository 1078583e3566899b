/**
 * Full-batch descent on a finite set of prompts: where it must end and how fast, from the very prompts of a run, in float64.
 * Shares only the sampler with training.
 */
import { inverse, type Matrix } from '../../models/matrix.ts';
import { symmetricEigen } from '../../models/symmetric-eigen.ts';
import type { TrainingConfig } from '../../train/config.ts';
import { createTrainingPrompts } from '../../train/training-prompts.ts';

/** What theory says about one run of descent. */
export interface DescentTheory {
  /** argmin of the empirical loss, d^2 numbers row by row. */
  readonly optimum: readonly number[];
  /** Least and largest eigenvalue of the Hessian there. */
  readonly least: number;
  readonly largest: number;
}

/** p q^T of each prompt as a row of d^2 numbers, and the label as 0 or 1. */
function featuresOf(config: TrainingConfig): { rows: Float64Array; labels: Float64Array; size: number } {
  const prompts = createTrainingPrompts(config)(0);
  const { batch, context, dimension: d, covariates, responses, query, targets } = prompts;
  const size = d * d;
  const rows = new Float64Array(batch * size);
  const p = new Float64Array(d);
  for (let b = 0; b < batch; b++) {
    p.fill(0);
    for (let i = 0; i < context; i++) {
      const y = responses[b * context + i]! / context;
      for (let j = 0; j < d; j++) p[j]! += y * covariates[(b * context + i) * d + j]!;
    }
    for (let i = 0; i < d; i++) {
      for (let j = 0; j < d; j++) rows[b * size + i * d + j] = p[i]! * query[b * d + j]!;
    }
  }
  return { rows, labels: Float64Array.from(targets, (y) => (y > 0 ? 1 : 0)), size };
}

/** Newton's method from 0: the loss is convex and the start is near. */
export function descentTheory(config: TrainingConfig): DescentTheory {
  const { rows, labels, size } = featuresOf(config);
  let optimum = new Array<number>(size).fill(0);
  let hessian: Matrix = [];
  for (let step = 0; step < 30; step++) {
    const next = derivatives(rows, labels, size, optimum);
    hessian = next.hessian;
    const move = inverse(hessian).map((row) => row.reduce((sum, value, j) => sum + value * next.gradient[j]!, 0));
    optimum = optimum.map((value, j) => value - move[j]!);
    if (Math.max(...move.map(Math.abs)) < 1e-12) break;
  }
  const { values } = symmetricEigen(hessian);
  return { optimum, least: values[0]!, largest: values.at(-1)! };
}

function derivatives(rows: Float64Array, labels: Float64Array, size: number, W: readonly number[]) {
  const gradient = new Array<number>(size).fill(0);
  const hessian = Array.from({ length: size }, () => new Array<number>(size).fill(0));
  const count = labels.length;
  for (let b = 0, at = 0; b < count; b++, at += size) {
    let z = 0;
    for (let j = 0; j < size; j++) z += rows[at + j]! * W[j]!;
    const yhat = 1 / (1 + Math.exp(-z));
    const residual = (yhat - labels[b]!) / count;
    const slope = (yhat * (1 - yhat)) / count;
    for (let i = 0; i < size; i++) {
      const feature = rows[at + i]!;
      gradient[i]! += residual * feature;
      const row = hessian[i]!;
      for (let j = 0; j <= i; j++) row[j]! += slope * feature * rows[at + j]!;
    }
  }
  for (let i = 0; i < size; i++) for (let j = i + 1; j < size; j++) hessian[i]![j] = hessian[j]![i]!;
  return { gradient, hessian };
}

/** |W - optimum|_F. */
export const distanceTo = (optimum: readonly number[], W: ArrayLike<number>): number =>
  Math.sqrt(optimum.reduce((sum, value, i) => sum + (value - W[i]!) ** 2, 0));
