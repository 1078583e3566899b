/**
 * {@link Ops} read with TensorFlow.js tensors: the forward pass on whichever backend is current. Gradients come from
 * TensorFlow.js itself, so only operations with a gradient kernel on every backend are used (`einsum` and `gather`
 * have none). Knows nothing about models, devices or training.
 */
import type * as tf from '@tensorflow/tfjs';
import { ShapeError } from '../models/errors.ts';
import type { Ops } from '../models/ops.ts';
import { formatShape, normalizeAxis } from '../models/shape.ts';

export type TensorFlow = typeof tf;

/**
 * A tensor whose last two axes are to be read swapped. A matrix product takes it without moving a number, which
 * matters: transposing the pairs of a batch costs more than multiplying them.
 */
export interface Transposed {
  readonly transposed: tf.Tensor;
}

export type Operand = tf.Tensor | Transposed;

const isTransposed = (value: Operand): value is Transposed => 'transposed' in value;

/** A value of these operations as a tensor. */
export function toTensor(tf: TensorFlow, value: Operand): tf.Tensor {
  if (!isTransposed(value)) return value;
  const source = value.transposed;
  const { shape, rank } = source;
  // A row turned into a column keeps its numbers in place, and a reshape costs nothing.
  if (shape[rank - 1] === 1 || shape[rank - 2] === 1) return tf.reshape(source, shapeOf(value));
  const order = shape.map((_, axis) => axis);
  [order[rank - 2], order[rank - 1]] = [rank - 1, rank - 2];
  return tf.transpose(source, order);
}

function shapeOf(value: Operand): number[] {
  if (!isTransposed(value)) return value.shape;
  const { shape, rank } = value.transposed;
  return [...shape.slice(0, -2), shape[rank - 1]!, shape[rank - 2]!];
}

/** The operations on tensors of this copy of TensorFlow.js. Run them inside `tf.tidy`: they dispose of nothing. */
export function createTensorOps(tf: TensorFlow): Ops<Operand> {
  const tensor = (value: Operand): tf.Tensor => toTensor(tf, value);
  return {
    constant: (value) => tf.scalar(value),
    add: (a, b) => tf.add(tensor(a), tensor(b)),
    sub: (a, b) => tf.sub(tensor(a), tensor(b)),
    mul: (a, b) => tf.mul(tensor(a), tensor(b)),
    div: (a, b) => tf.div(tensor(a), tensor(b)),
    sqrt: (a) => tf.sqrt(tensor(a)),
    exp: (a) => tf.exp(tensor(a)),
    log: (a) => tf.log(tensor(a)),
    sigmoid: (a) => tf.sigmoid(tensor(a)),
    softplus: (a) => tf.softplus(tensor(a)),
    erf: (a) => tf.erf(tensor(a)),
    erfGate: (a) => tf.mul(tensor(a), tf.add(tf.erf(tensor(a)), 1)),
    softmax: (a) => tf.softmax(tensor(a)),
    softMeans: (scores, values) => matMul(tf, tf.softmax(tensor(scores)), values),
    gram: (a) => tf.matMul(tensor(a), tensor(a), true),
    logSumExp: (a) => tf.logSumExp(tensor(a), -1),
    normalize(a, { epsilon, shift }) {
      const { offsets, deviation } = momentsOf(tf, tensor(a), epsilon);
      return tf.add(tf.div(offsets, deviation), shift);
    },
    inverseDeviation: (a, { epsilon }) => tf.reciprocal(momentsOf(tf, tensor(a), epsilon).deviation),
    minimum: (a, b) => tf.minimum(tensor(a), tensor(b)),
    less: (a, b) => tf.cast(tf.less(tensor(a), tensor(b)), 'float32'),
    matMul: (a, b) => matMul(tf, a, b),
    transpose: (a) => (isTransposed(a) ? a.transposed : { transposed: a }),
    concat: (values, axis) => {
      const tensors = values.map(tensor);
      const at = normalizeAxis('concat', axis, tensors[0]!.rank);
      return tf.getBackend() === 'wasm' ? concatByPadding(tf, tensors, at) : tf.concat(tensors, at);
    },
    slice(a, axis, start, end) {
      const source = tensor(a);
      const at = normalizeAxis('slice', axis, source.rank);
      const length = source.shape[at]!;
      const first = start < 0 ? start + length : start;
      const last = end === undefined ? length : end < 0 ? end + length : end;
      if (tf.getBackend() === 'cpu' && source.rank > 2 && at === source.rank - 1) {
        return selectColumns(tf, source, first, last);
      }
      const begin = source.shape.map((_, i) => (i === at ? first : 0));
      const size = source.shape.map((whole, i) => (i === at ? last - first : whole));
      return tf.slice(source, begin, size);
    },
    rows: (a) => {
      const source = tensor(a);
      return tf.reshape(source, [-1, source.shape.at(-1)!]);
    },
    expandDims: (a, axis) => tf.expandDims(tensor(a), normalizeAxis('expandDims', axis, tensor(a).rank + 1)),
    squeeze: (a, axis) => tf.squeeze(tensor(a), [normalizeAxis('squeeze', axis, tensor(a).rank)]),
    sum: (a, axis) => tf.sum(tensor(a), axis),
    mean: (a) => tf.mean(tensor(a)),
    cumulativeSum: (a, axis) => tf.cumsum(tensor(a), normalizeAxis('cumulativeSum', axis, tensor(a).rank)),
    onesAlong: (a, axis) => {
      const shape = shapeOf(a);
      return tf.ones([shape[normalizeAxis('onesAlong', axis, shape.length)]!]);
    },
  };
}

/** Along the last axis, which stays: a - mean and sqrt(variance + epsilon). */
function momentsOf(tf: TensorFlow, a: tf.Tensor, epsilon: number): { offsets: tf.Tensor; deviation: tf.Tensor } {
  const offsets = tf.sub(a, tf.mean(a, -1, true));
  return { offsets, deviation: tf.sqrt(tf.add(tf.mean(tf.mul(offsets, offsets), -1, true), epsilon)) };
}

/**
 * Columns of the last axis, as a product with columns of the identity. The plain JavaScript backend slices number by
 * number through a general index: 6 of a step's 15 ms at 512 prompts of 20 pairs in 5 dimensions, and its product takes 0.1.
 */
function selectColumns(tf: TensorFlow, source: tf.Tensor, first: number, last: number): tf.Tensor {
  const [length, width] = [source.shape.at(-1)!, last - first];
  const selection = new Float32Array(length * width);
  for (let j = 0; j < width; j++) selection[(first + j) * width + j] = 1;
  const flat = tf.matMul(tf.reshape(source, [-1, length]), tf.tensor2d(selection, [length, width]));
  return tf.reshape(flat, [...source.shape.slice(0, -1), width]);
}

/**
 * Joins tensors as a sum of padded ones. The wasm backend joins row by row in JavaScript, a third of a training step's
 * time (1 of 3 ms at 256 prompts of 20 pairs in 5 dimensions), but pads in compiled code.
 */
function concatByPadding(tf: TensorFlow, tensors: readonly tf.Tensor[], axis: number): tf.Tensor {
  const total = tensors.reduce((sum, { shape }) => sum + shape[axis]!, 0);
  let start = 0;
  const padded = tensors.map((tensor) => {
    const length = tensor.shape[axis]!;
    const around = tensor.shape.map((_, i): [number, number] =>
      i === axis ? [start, total - start - length] : [0, 0],
    );
    start += length;
    return tf.pad(tensor, around);
  });
  return padded.reduce((sum, tensor) => tf.add(sum, tensor));
}

/**
 * Matrix product over the last two axes. A matrix against a batch becomes one large product of two matrices: faster,
 * and necessary, since the gradient kernel of TensorFlow.js does not sum over a broadcast batch.
 */
function matMul(tf: TensorFlow, a: Operand, b: Operand): Operand {
  const shapeA = shapeOf(a);
  const shapeB = shapeOf(b);
  const sourceA = isTransposed(a) ? a.transposed : a;
  const sourceB = isTransposed(b) ? b.transposed : b;
  if (shapeA.length === shapeB.length && shapeA.slice(0, -2).every((length, axis) => length === shapeB[axis])) {
    return tf.matMul(sourceA, sourceB, isTransposed(a), isTransposed(b));
  }
  if (shapeB.length === 2) {
    const inner = shapeA.at(-1)!;
    const flat = tf.reshape(toTensor(tf, a), [-1, inner]);
    return tf.reshape(tf.matMul(flat, sourceB, false, isTransposed(b)), [...shapeA.slice(0, -1), shapeB[1]!]);
  }
  if (shapeA.length === 2) {
    // W X = (X^T W^T)^T for each X of the batch.
    const swap = (value: Operand): Operand => (isTransposed(value) ? value.transposed : { transposed: value });
    return swap(matMul(tf, swap(b), swap(a)));
  }
  throw new ShapeError({
    where: 'matMul',
    expected: 'two batches of the same size, or a matrix and a batch',
    got: `${formatShape(shapeA)} and ${formatShape(shapeB)}`,
  });
}
