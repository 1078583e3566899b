/**
 * The tensor operations a forward pass may use. An architecture is written once against `Ops<T>`, and read with
 * float64 arrays (`reference-ops.ts`), with TensorFlow.js tensors (train) or with graph values (export). An operation
 * belongs here only if every reading can have it on every device; see `onesAlong` for one that was shaped by this.
 *
 * Elementwise operations broadcast as numpy does. Axes may be negative. Nothing here is in place.
 */
export interface Ops<T> {
  /** A scalar that does not depend on any input. */
  constant(value: number): T;
  add(a: T, b: T): T;
  sub(a: T, b: T): T;
  mul(a: T, b: T): T;
  div(a: T, b: T): T;
  sqrt(a: T): T;
  exp(a: T): T;
  /** Natural logarithm. */
  log(a: T): T;
  /** 1 / (1 + exp(-a)), without overflow: a probability from a score. */
  sigmoid(a: T): T;
  /** log(1 + exp(a)), without overflow: what the cross-entropy of two classes is made of. */
  softplus(a: T): T;
  /** The error function, 2/sqrt(pi) int_0^a exp(-t^2) dt: what an exact GELU is made of. */
  erf(a: T): T;
  /** a (1 + erf a): GELU(x) = x Phi(x) is that of x / sqrt(2), divided by sqrt(2). */
  erfGate(a: T): T;
  /** exp(a) divided by its sum along the last axis, without overflow. */
  softmax(a: T): T;
  /** softmax(scores) values: means of the rows of `values`, a weighted one for each row of `scores`. Shapes as of {@link matMul}. */
  softMeans(scores: T, values: T): T;
  /** log sum exp(a) along the last axis, which is removed, without overflow: the cross-entropy of many classes. */
  logSumExp(a: T): T;
  /** (a - mean) / sqrt(variance + epsilon) + shift along the last axis, without cancellation: a layer norm before its gain and bias. */
  normalize(a: T, norm: Norm): T;
  /** 1 / sqrt(variance + epsilon) along the last axis, which becomes 1: what {@link normalize} multiplies by. */
  inverseDeviation(a: T, norm: Norm): T;
  /** Entrywise minimum. */
  minimum(a: T, b: T): T;
  /** 1 where an entry of `a` is below that of `b`, otherwise 0. */
  less(a: T, b: T): T;
  /** Matrix product over the last two axes; the axes before them broadcast. Both operands have rank 2 or more. */
  matMul(a: T, b: T): T;
  /** a^T a over the last two axes: the sum of z z^T over the rows z^T of `a`. Rank 2 or more. */
  gram(a: T): T;
  /** Swaps the last two axes. */
  transpose(a: T): T;
  /** Joins along an existing axis. */
  concat(values: readonly T[], axis: number): T;
  /** Entries `start` to `end` (exclusive; absent: to the end of the axis). Negative numbers count from the end. */
  slice(a: T, axis: number, start: number, end?: number): T;
  /** `[m, n]`: the rows of `a`, all axes but the last joined to one. */
  rows(a: T): T;
  /** Inserts an axis of length 1. */
  expandDims(a: T, axis: number): T;
  /** Removes an axis of length 1. */
  squeeze(a: T, axis: number): T;
  /** Sum over one axis, which is removed. */
  sum(a: T, axis: number): T;
  /** Mean over all entries: a scalar. */
  mean(a: T): T;
  /** Inclusive running sum along one axis. */
  cumulativeSum(a: T, axis: number): T;
  /**
   * `[n]` ones, n = the length of `a` along `axis`. This is how a forward pass learns a prompt's own length: a graph
   * that used ONNX's `Shape` could not run wholly on a GPU, since ONNX Runtime puts it and what follows on the CPU.
   */
  onesAlong(a: T, axis: number): T;
}

/** How numbers are normalized. */
export interface Norm {
  /** Added to the variance. */
  readonly epsilon: number;
  /** Added to what is normalized, at no cost: see `transformer-layers.ts` for what that is good for. */
  readonly shift: number;
}

/** A reading that also knows shapes; symbolic lengths are names, equal only to themselves. Derivatives need it. */
export interface ShapedOps<T> extends Ops<T> {
  shapeOf(a: T): readonly (number | string)[];
}

/** Length of `a` along an axis, as a scalar tensor: the rho of linear attention. */
export function lengthAlong<T>(ops: Ops<T>, a: T, axis: number): T {
  return ops.sum(ops.onesAlong(a, axis), 0);
}

/** `[n]`: 1, 2, .., n along an axis of `a`. */
export function positionsAlong<T>(ops: Ops<T>, a: T, axis: number): T {
  return ops.cumulativeSum(ops.onesAlong(a, axis), 0);
}

/** `a` times a number. */
export function scale<T>(ops: Ops<T>, a: T, factor: number): T {
  return ops.mul(a, ops.constant(factor));
}
