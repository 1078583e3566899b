/**
 * What `softmax-regression.ts` explains where WebAssembly's SIMD is missing: in the kernel's order and to its bits, one prompt at
 * a time. Memory is kept from call to call.
 */
import { type LabelledContexts, mostSteps, type Regression, tolerance } from './softmax-regression.ts';

interface Sizes {
  /** N */
  readonly rows: number;
  /** S = D + 1: covariates end in a 1. */
  readonly size: number;
  readonly classes: number;
}

interface Room extends Sizes {
  /** `[N, S]` */
  readonly x: Float64Array;
  readonly labels: Int32Array;
  /** `[c, N]`: scores, then what the gradient takes of each pair. */
  readonly scores: Float64Array;
  readonly column: Float64Array;
  /** `[S, S]` */
  readonly bound: Float64Array;
  /** V, `[c, S]`. */
  readonly weights: Float64Array;
  readonly gradient: Float64Array;
  readonly move: Float64Array;
  readonly moveOfLast: Float64Array;
}

const createRoom = ({ rows, size, classes }: Sizes): Room => ({
  rows,
  size,
  classes,
  x: new Float64Array(rows * size).fill(1),
  labels: new Int32Array(rows),
  scores: new Float64Array(classes * rows),
  column: new Float64Array(rows),
  bound: new Float64Array(size * size),
  weights: new Float64Array(classes * size),
  gradient: new Float64Array(size),
  move: new Float64Array(size),
  moveOfLast: new Float64Array(size),
});

export function createPlainRegression(): Regression {
  let room: Room | undefined;
  let out = new Float64Array(0);
  return (contexts) => {
    const { count, context: rows, dimension, classes, penalty } = contexts;
    const size = dimension + 1;
    if (room?.rows !== rows || room.size !== size || room.classes !== classes)
      room = createRoom({ rows, size, classes });
    if (out.length < count * classes * size) out = new Float64Array(count * classes * size);
    for (let b = 0; b < count; b++) {
      load(contexts, b, room);
      invertBound(room, penalty);
      room.weights.fill(0);
      let moved = Number.POSITIVE_INFINITY;
      for (let step = 0; step < mostSteps && !(moved < tolerance); step++) moved = makeStep(room, penalty);
      completeWeights(room);
      out.set(room.weights, b * classes * size);
    }
    return out;
  };
}

function load({ covariates, labels }: LabelledContexts, b: number, room: Room): void {
  const { rows, size, x } = room;
  for (let i = 0; i < rows; i++) {
    const at = (b * rows + i) * (size - 1);
    for (let j = 0; j < size - 1; j++) x[i * size + j] = covariates[at + j]!;
    room.labels[i] = labels[b * rows + i]!;
  }
}

/** `to[toAt + j] += sum_i v_i x_ij`, v_i from `v[at]` on. */
function addCombination({ rows, size, x }: Room, v: Float64Array, at: number, to: Float64Array, toAt: number): void {
  for (let i = 0; i < rows; i++) {
    const factor = v[at + i]!;
    for (let j = 0; j < size; j++) to[toAt + j] = to[toAt + j]! + factor * x[i * size + j]!;
  }
}

/** bound = (X^T X / 2 + penalty I)^-1, by sweeping out one column after the other. */
function invertBound(room: Room, penalty: number): void {
  const { rows, size, x, column, bound } = room;
  bound.fill(0);
  for (let a = 0; a < size; a++) {
    for (let i = 0; i < rows; i++) column[i] = 0.5 * x[i * size + a]!;
    bound[a * size + a] = penalty;
    addCombination(room, column, 0, bound, a * size);
  }
  for (let k = 0; k < size; k++) {
    const pivots = k * size;
    const inverse = 1 / bound[pivots + k]!;
    bound[pivots + k] = 1;
    for (let j = 0; j < size; j++) bound[pivots + j] = bound[pivots + j]! * inverse;
    for (let i = 0; i < size; i++) {
      if (i === k) continue;
      const factor = bound[i * size + k]!;
      bound[i * size + k] = 0;
      for (let j = 0; j < size; j++) bound[i * size + j] = bound[i * size + j]! - factor * bound[pivots + j]!;
    }
  }
}

/** 2^0, 2^-1, ... */
const powers = Float64Array.from({ length: 1024 });
powers[0] = 1;
for (let n = 1; n < powers.length; n++) powers[n] = powers[n - 1]! / 2;

/** 1/13!, ..., 1/0! */
const coefficients = [
  1 / 6227020800,
  1 / 479001600,
  1 / 39916800,
  1 / 3628800,
  1 / 362880,
  1 / 40320,
  1 / 5040,
  1 / 720,
  1 / 120,
  1 / 24,
  1 / 6,
  0.5,
  1,
  1,
] as const;

/** e^x for x <= 0; from -700 on downwards e^-700, which is nothing beside the 1 that it is compared with. */
export function kernelExp(x: number): number {
  const above = Math.max(x, -700);
  const n = Math.floor(above * Math.LOG2E + 0.5);
  // ln 2 in two parts, of which the first has few digits.
  const r = above - n * 0.6931471803691238 - n * 1.9082149292705877e-10;
  // Taylor's series, by Horner's rule: for |r| <= ln 2 / 2 what is left out is below a quarter of the last digit.
  let sum = coefficients[0] as number;
  for (let k = 1; k < coefficients.length; k++) sum = coefficients[k]! + sum * r;
  return n <= 0 ? sum * powers[-n]! : sum;
}

/** Scores, the last class's not yet in place, are overwritten by P(k | x_i) - [y_i = k]. */
function residuals({ rows, classes, labels, scores }: Room): void {
  const last = (classes - 1) * rows;
  for (let i = 0; i < rows; i++) {
    let sum = 0;
    for (let at = i; at < last; at += rows) sum += scores[at]!;
    scores[last + i] = -sum;
    let largest = -sum;
    for (let at = i; at < last; at += rows) largest = Math.max(largest, scores[at]!);
    let total = 0;
    for (let at = i; at <= last + i; at += rows) {
      const e = kernelExp(scores[at]! - largest);
      scores[at] = e;
      total += e;
    }
    for (let k = 0; k < classes; k++) scores[k * rows + i] = scores[k * rows + i]! / total - (labels[i] === k ? 1 : 0);
  }
}

/** @returns How far the entry of V that moved most did. */
function makeStep(room: Room, penalty: number): number {
  const { rows, size, classes, x, scores, bound, weights, gradient, move, moveOfLast } = room;
  for (let k = 0; k < classes - 1; k++) {
    for (let i = 0; i < rows; i++) {
      let sum = 0;
      for (let j = 0; j < size; j++) sum += weights[k * size + j]! * x[i * size + j]!;
      scores[k * rows + i] = sum;
    }
  }
  residuals(room);
  let moved = 0;
  moveOfLast.fill(0);
  for (let k = 0; k < classes - 1; k++) {
    for (let j = 0; j < size; j++) gradient[j] = penalty * weights[k * size + j]!;
    addCombination(room, scores, k * rows, gradient, 0);
    for (let i = 0; i < size; i++) {
      let sum = 0;
      for (let j = 0; j < size; j++) sum += gradient[j]! * bound[i * size + j]!;
      move[i] = sum;
    }
    for (let j = 0; j < size; j++) {
      weights[k * size + j] = weights[k * size + j]! - move[j]!;
      moveOfLast[j] = moveOfLast[j]! + move[j]!;
      moved = Math.max(moved, Math.abs(move[j]!));
    }
  }
  for (let j = 0; j < size; j++) moved = Math.max(moved, Math.abs(moveOfLast[j]!));
  return moved;
}

/** The classes' weights sum to 0. */
function completeWeights({ size, classes, weights }: Room): void {
  const last = (classes - 1) * size;
  for (let j = 0; j < size; j++) {
    weights[last + j] = 0;
    for (let at = j; at < last; at += size) weights[last + j] = weights[last + j]! - weights[at]!;
  }
}
