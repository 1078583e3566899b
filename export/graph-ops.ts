/**
 * {@link Ops} read with graph values: each operation appends the standard ONNX nodes that compute it and infers the
 * type of the result, lengths of symbolic axes included. Every node used here exists unchanged from opset 17 to 21 and
 * has a WebGPU kernel in ONNX Runtime; `Shape` has none, hence {@link Ops.onesAlong} as it is.
 */
import { ShapeError } from '../models/errors.ts';
import { type Norm, type ShapedOps, scale } from '../models/ops.ts';
import { broadcastShapes, formatShape, normalizeAxis } from '../models/shape.ts';
import type { Attribute, Dim, Value } from './graph.ts';
import { type GraphBuilder, toTheEnd } from './graph-builder.ts';
import { addDims, multiplyDims, sliceDim } from './symbolic-dims.ts';

const int = (value: number): Attribute => ({ kind: 'int', value });

/** So small that it changes no probability that counts, and no subnormal number, which GPUs take for 0. */
const vanishing = 1e-30;

/** The number of float32 among ONNX's element types. */
const float32Type = 1;

/** The outputs of one `LayerNormalization`. */
interface NormValues {
  readonly normalized: Value;
  inverseDeviation?: Value;
}

export function graphOps(builder: GraphBuilder): ShapedOps<Value> {
  const binary = (opType: string) => (a: Value, b: Value) =>
    builder.node(opType, [a, b], { shape: broadcastShapes<Dim>(opType, a.shape, b.shape) });

  const squeezeAxes = (a: Value, axes: readonly number[]): Value => {
    for (const axis of axes) {
      if (a.shape[axis] !== 1) {
        throw new ShapeError({
          where: 'Squeeze',
          expected: `length 1 along axis ${axis}`,
          got: formatShape(a.shape),
        });
      }
    }
    const shape = a.shape.filter((_, axis) => !axes.includes(axis));
    return builder.node('Squeeze', [a, builder.integers(axes)], { shape });
  };

  /** By what is normalized, and how: forward and, with one more output, on the way back. */
  const norms = new Map<string, NormValues>();
  const normOf = (a: Value, { epsilon, shift }: Norm): NormValues => {
    const key = `${a.name} ${epsilon} ${shift}`;
    const known = norms.get(key);
    if (known !== undefined) return known;
    normalizeAxis('LayerNormalization', -1, a.shape.length);
    const attributes: Record<string, Attribute> = {
      axis: int(-1),
      epsilon: { kind: 'float', value: Math.fround(epsilon) },
    };
    const ones = ops.onesAlong(a, -1);
    const inputs = [a, ones, ...(shift === 0 ? [] : [scale(ops, ones, shift)])];
    const norm: NormValues = { normalized: builder.node('LayerNormalization', inputs, a, attributes) };
    norms.set(key, norm);
    return norm;
  };

  const ops: ShapedOps<Value> = {
    shapeOf: ({ shape }) => shape,
    constant: (value) => builder.scalar(value),
    add: binary('Add'),
    sub: binary('Sub'),
    mul: binary('Mul'),
    div: binary('Div'),
    minimum: binary('Min'),
    sqrt: (a) => builder.node('Sqrt', [a], a),
    exp: (a) => builder.node('Exp', [a], a),
    log: (a) => builder.node('Log', [a], a),
    softMeans: (scores, values) => ops.matMul(ops.softmax(scores), values),
    gram: (a) => ops.matMul(ops.transpose(a), a),
    sigmoid: (a) => builder.node('Sigmoid', [a], a),
    softplus: (a) => builder.node('Softplus', [a], a),
    erf: (a) => builder.node('Erf', [a], a),
    erfGate: (a) => ops.mul(a, ops.add(ops.erf(a), ops.constant(1))),
    softmax(a) {
      normalizeAxis('Softmax', -1, a.shape.length);
      return builder.node('Softmax', [a], a, { axis: int(-1) });
    },
    normalize: (a, norm) => normOf(a, norm).normalized,
    inverseDeviation(a, norm) {
      const made = normOf(a, norm);
      if (made.inverseDeviation === undefined) {
        const shape = a.shape.with(-1, 1);
        // The mean too, which nobody reads: not every kernel can leave out an output between others.
        made.inverseDeviation = builder.optionalOutputs(made.normalized, { mean: shape, inverse_deviation: shape })[1]!;
        // Joined with a sum before it, ONNX Runtime's WebGPU kernel would not give this output, and its CPU kernel is slow.
        builder.setApart(made.normalized, a);
      }
      return made.inverseDeviation;
    },
    // With p = softmax(a): sum p (a - log p), of which a term is 0 where p is. How ReduceMax, by which one would do it, is
    // given its axis changed in opset 18, and LogSoftmax and ReduceLogSumExp have no (safe) WebGPU kernel.
    logSumExp(a) {
      const p = ops.softmax(a);
      const logarithm = ops.log(ops.add(p, ops.constant(vanishing)));
      return ops.sum(ops.mul(p, ops.sub(a, logarithm)), -1);
    },
    less(a, b) {
      const shape = broadcastShapes<Dim>('Less', a.shape, b.shape);
      const isLess = builder.node('Less', [a, b], { dtype: 'bool', shape });
      return builder.node('Cast', [isLess], { shape }, { to: int(float32Type) });
    },

    matMul: (a, b) => builder.node('MatMul', [a, b], { shape: matMulShape(a.shape, b.shape) }),

    transpose(a) {
      const rank = a.shape.length;
      normalizeAxis('Transpose', -2, rank);
      const permutation = a.shape.map((_, axis) =>
        axis === rank - 1 ? rank - 2 : axis === rank - 2 ? rank - 1 : axis,
      );
      const shape = permutation.map((axis) => a.shape[axis]!);
      if (rank === 2 && shape.includes(1) && shape.every((length) => typeof length === 'number')) {
        // ONNX Runtime would take a transposed vector into a product that it is a factor of, and compute that three times as slowly.
        return builder.node('Reshape', [a, builder.integers(shape)], { shape });
      }
      return builder.node('Transpose', [a], { shape }, { perm: { kind: 'ints', values: permutation } });
    },

    concat(values, axis) {
      const at = normalizeAxis('Concat', axis, values[0]?.shape.length ?? 0);
      const shapes = values.map((value) => value.shape);
      const shape = shapes.reduce((joined, next) => concatShapes(joined, next, at));
      return builder.node('Concat', values, { shape }, { axis: int(at) });
    },

    slice(a, axis, start, end) {
      const at = normalizeAxis('Slice', axis, a.shape.length);
      const shape = a.shape.with(at, sliceDim('Slice', a.shape[at]!, start, end));
      const inputs = [builder.integers([start]), builder.integers([end ?? toTheEnd]), builder.integers([at])];
      return builder.node('Slice', [a, ...inputs], { shape });
    },

    rows(a) {
      normalizeAxis('Flatten', -1, a.shape.length);
      const shape = [a.shape.slice(0, -1).reduce(multiplyDims, 1), a.shape.at(-1)!];
      return builder.node('Flatten', [a], { shape }, { axis: int(-1) });
    },

    expandDims(a, axis) {
      const at = normalizeAxis('Unsqueeze', axis, a.shape.length + 1);
      return builder.node('Unsqueeze', [a, builder.integers([at])], { shape: a.shape.toSpliced(at, 0, 1) });
    },

    squeeze: (a, axis) => squeezeAxes(a, [normalizeAxis('Squeeze', axis, a.shape.length)]),

    sum(a, axis) {
      const at = normalizeAxis('ReduceSum', axis, a.shape.length);
      const shape = a.shape.toSpliced(at, 1);
      return builder.node('ReduceSum', [a, builder.integers([at])], { shape }, { keepdims: int(0) });
    },

    // Without axes: how ReduceMean is given some changed in opset 18, but absent means all of them in every opset.
    mean: (a) => builder.node('ReduceMean', [a], { shape: [] }, { keepdims: int(0) }),

    cumulativeSum(a, axis) {
      const at = normalizeAxis('CumSum', axis, a.shape.length);
      return builder.node('CumSum', [a, builder.integers([at], true)], a);
    },

    onesAlong(a, axis) {
      const at = normalizeAxis('onesAlong', axis, a.shape.length);
      const length = a.shape[at]!;
      if (typeof length === 'number') return builder.ones(length);
      const others = a.shape.flatMap((_, other) => (other === at ? [] : [other]));
      const line = others.length === 0 ? a : squeezeAxes(firstAlong(a, others), others);
      return ops.add(ops.mul(line, ops.constant(0)), ops.constant(1));
    },
  };

  /** Entry 0 along each of the axes, which stay with length 1. */
  function firstAlong(a: Value, axes: readonly number[]): Value {
    const shape = a.shape.map((dim, axis) => (axes.includes(axis) ? 1 : dim));
    const zeros = axes.map(() => 0);
    const ones = axes.map(() => 1);
    const inputs = [builder.integers(zeros), builder.integers(ones), builder.integers(axes)];
    return builder.node('Slice', [a, ...inputs], { shape });
  }

  return ops;
}

function matMulShape(a: readonly Dim[], b: readonly Dim[]): Dim[] {
  const [rows, inner] = a.slice(-2);
  const [innerOfB, columns] = b.slice(-2);
  if (a.length < 2 || b.length < 2 || inner !== innerOfB) {
    throw new ShapeError({
      where: 'MatMul',
      expected: 'matrices whose inner lengths are equal',
      got: `${formatShape(a)} and ${formatShape(b)}`,
    });
  }
  return [...broadcastShapes('MatMul', a.slice(0, -2), b.slice(0, -2)), rows!, columns!];
}

function concatShapes(a: readonly Dim[], b: readonly Dim[], at: number): Dim[] {
  if (a.length !== b.length || a.some((dim, axis) => axis !== at && dim !== b[axis])) {
    throw new ShapeError({
      where: 'Concat',
      expected: `shapes that differ along axis ${at} only`,
      got: `${formatShape(a)} and ${formatShape(b)}`,
    });
  }
  return a.map((dim, axis) => (axis === at ? addDims(dim, b[axis]!) : dim));
}
