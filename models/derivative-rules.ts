/**
 * The vector-Jacobian rule of each operation of {@link Ops}, written in operations: from the gradient of a result to the
 * gradients of what it was made from. One entry per operation; `autodiff.ts` applies them.
 */
import { ShapeError } from './errors.ts';
import { lengthAlong, type Ops, type ShapedOps, scale } from './ops.ts';
import { formatShape, normalizeAxis } from './shape.ts';

export type OpName = keyof Ops<unknown>;

/** One call of an operation, with the gradient of its result. */
export interface Call<T, Name extends OpName> {
  readonly ops: ShapedOps<T>;
  readonly args: Parameters<Ops<T>[Name]>;
  readonly output: T;
  /** An entry for each entry of the result; see {@link DerivativeRule.takesPartial} for the exception. */
  readonly gradient: T;
}

/** Gradients of the inputs that are values, in their order; each is computed only if it is wanted. */
type Gradients<T> = readonly (() => T)[];

export interface DerivativeRule<Name extends OpName = OpName> {
  /**
   * Whether the result has the shape its inputs broadcast to. Then the gradients returned have the result's shape too, and
   * `autodiff.ts` sums them to the inputs' shapes.
   */
  readonly isElementwise: boolean;
  /** Whether `gradient` may have length 1 along an axis along which it is constant. */
  readonly takesPartial: boolean;
  gradients<T>(call: Call<T, Name>): Gradients<T>;
}

type Rule<Name extends OpName> = DerivativeRule<Name>['gradients'];

const elementwise = <Name extends OpName>(gradients: Rule<Name>): DerivativeRule<Name> => ({
  isElementwise: true,
  takesPartial: true,
  gradients,
});
/** Rules that move entries along other axes than those they look at. */
const partial = <Name extends OpName>(gradients: Rule<Name>): DerivativeRule<Name> => ({
  isElementwise: false,
  takesPartial: true,
  gradients,
});
const full = <Name extends OpName>(gradients: Rule<Name>): DerivativeRule<Name> => ({
  isElementwise: false,
  takesPartial: false,
  gradients,
});

/** Operations whose result does not change when their inputs move a little. */
const none = partial(() => []);

const negative = <T>(ops: Ops<T>, a: T): T => scale(ops, a, -1);

/** 2/sqrt(pi) exp(-a^2), the factor in the exponent. */
function erfSlope<T>(ops: Ops<T>, a: T): T {
  return ops.exp(ops.sub(ops.constant(Math.log(2 / Math.sqrt(Math.PI))), ops.mul(a, a)));
}

/** An operation that is not here has no derivative: `rows` and `inverseDeviation` serve rules only. */
export const derivativeRules: { readonly [Name in OpName]?: DerivativeRule<Name> } = {
  constant: none,
  onesAlong: none,
  less: none,

  add: elementwise(({ gradient }) => [() => gradient, () => gradient]),
  sub: elementwise(({ ops, gradient }) => [() => gradient, () => negative(ops, gradient)]),
  mul: elementwise(({ ops, args: [a, b], gradient }) => [() => ops.mul(gradient, b), () => ops.mul(gradient, a)]),
  div: elementwise(({ ops, args: [, b], output, gradient }) => [
    () => ops.div(gradient, b),
    () => negative(ops, ops.div(ops.mul(gradient, output), b)),
  ]),
  sqrt: elementwise(({ ops, output, gradient }) => [() => ops.div(scale(ops, gradient, 0.5), output)]),
  exp: elementwise(({ ops, output, gradient }) => [() => ops.mul(gradient, output)]),
  log: elementwise(({ ops, args: [a], gradient }) => [() => ops.div(gradient, a)]),
  /** s (1 - s) */
  sigmoid: elementwise(({ ops, output, gradient }) => [
    () => ops.mul(gradient, ops.mul(output, ops.sub(ops.constant(1), output))),
  ]),
  softplus: elementwise(({ ops, args: [a], gradient }) => [() => ops.mul(gradient, ops.sigmoid(a))]),
  erf: elementwise(({ ops, args: [a], gradient }) => [() => ops.mul(gradient, erfSlope(ops, a))]),
  /** 1 + erf a + a erf'(a): the first two terms are there already. */
  erfGate: elementwise(({ ops, args: [a], gradient }) => [
    () => {
      const gate = ops.add(ops.erf(a), ops.constant(1));
      return ops.mul(gradient, ops.add(gate, ops.mul(a, erfSlope(ops, a))));
    },
  ]),
  /** s = softmax(a): A' = s (S' - sum s S'). */
  softmax: full(({ ops, output, gradient }) => [
    () => {
      const weighted = ops.mul(gradient, output);
      const total = ops.expandDims(ops.sum(weighted, -1), -1);
      return ops.sub(weighted, ops.mul(output, total));
    },
  ]),
  /**
   * O = S V, S = softmax(a): V' = S^T O', S' = O' V^T, and of A' = S (S' - sum S S') the sum over a row of S, which may be long, is that
   * over a row of O O': sum_j S_ij O'_i V_j = O'_i O_i. Source: Dao et al. (2022), arXiv 2205.14135, appendix B.2.
   */
  softMeans: full(({ ops, args: [a, values], output, gradient }) => {
    const weights = ops.softmax(a);
    const [toWeights, toValues] = derivativeRules.matMul!.gradients({ ops, args: [weights, values], output, gradient });
    const toScores = () => {
      const total = ops.expandDims(ops.sum(ops.mul(gradient, output), -1), -1);
      return ops.mul(weights, ops.sub(toWeights!(), total));
    };
    return [toScores, toValues!];
  }),
  /**
   * y = normalize(a) = n + shift, r its inverse deviation: A' = r (Y' - mean Y' - n mean(n Y')), written with y, which is there:
   * with m = mean Y' and c = mean(n Y') = mean(y Y') - shift m, A' = r (Y' - y c - (m - shift c)).
   */
  normalize: full(({ ops, args: [a, norm], output, gradient }) => [
    () => {
      const mean = (value: typeof gradient) => divideByCount(ops, ops.sum(value, -1), value, [-1]);
      const shifted = (value: typeof gradient, by: typeof gradient) =>
        norm.shift === 0 ? value : ops.sub(value, scale(ops, by, norm.shift));
      const average = mean(gradient);
      const slope = shifted(mean(ops.mul(gradient, output)), average);
      const [along, across] = [slope, shifted(average, slope)].map((value) => ops.expandDims(value, -1));
      return ops.mul(ops.sub(ops.sub(gradient, ops.mul(output, along!)), across!), ops.inverseDeviation(a, norm));
    },
  ]),
  logSumExp: partial(({ ops, args: [a], gradient }) => [() => ops.mul(ops.expandDims(gradient, -1), ops.softmax(a))]),
  /** Where both are equal the gradient goes to the first. */
  minimum: elementwise(({ ops, args: [a, b], gradient }) => {
    const isSecond = ops.less(b, a);
    return [() => ops.mul(gradient, ops.sub(ops.constant(1), isSecond)), () => ops.mul(gradient, isSecond)];
  }),

  /** C = A B: A' = C' B^T, B' = A^T C'. */
  matMul: full(({ ops, args: [a, b], gradient }) => [
    () => product(ops, gradient, ops.transpose(b)),
    () => {
      // One matrix for all rows of a batch: a single large product sums over the batch by itself.
      const isShared = ops.shapeOf(b).length === 2 && ops.shapeOf(a).length > 2;
      if (isShared) return ops.matMul(ops.transpose(ops.rows(a)), ops.rows(gradient));
      return product(ops, ops.transpose(a), gradient);
    },
  ]),
  /** G = A^T A: A' = A (G' + G'^T). Of a long A and a small G one product less than the rule of {@link Ops.matMul} takes. */
  gram: full(({ ops, args: [a], gradient }) => [() => ops.matMul(a, ops.add(gradient, ops.transpose(gradient)))]),
  transpose: partial(({ ops, gradient }) => [() => ops.transpose(gradient)]),

  concat: full(({ ops, args: [values, axis], output, gradient }) => {
    const at = normalizeAxis('concat', axis, ops.shapeOf(output).length);
    const lengths = values.map((value) => ops.shapeOf(value)[at]!);
    return values.map((_, index) => () => {
      const [start, end] = rangeOf(lengths, index);
      return ops.slice(gradient, at, start, end);
    });
  }),
  slice: full(({ ops, args: [a, axis, start, end], gradient }) => [
    () => {
      const zeros = (from: number, to?: number) => scale(ops, ops.slice(a, axis, from, to), 0);
      const before = start === 0 ? [] : [zeros(0, start)];
      const after = end === undefined ? [] : [zeros(end)];
      const parts = [...before, gradient, ...after];
      return parts.length === 1 ? gradient : ops.concat(parts, axis);
    },
  ]),
  expandDims: partial(({ ops, args: [, axis], output, gradient }) => {
    const at = normalizeAxis('expandDims', axis, ops.shapeOf(output).length);
    return [() => ops.squeeze(gradient, at)];
  }),
  squeeze: partial(({ ops, args: [a, axis], gradient }) => {
    const at = normalizeAxis('squeeze', axis, ops.shapeOf(a).length);
    return [() => ops.expandDims(gradient, at)];
  }),

  sum: partial(({ ops, args: [a, axis], gradient }) => {
    const at = normalizeAxis('sum', axis, ops.shapeOf(a).length);
    return [() => ops.expandDims(gradient, at)];
  }),
  mean: partial(({ ops, args: [a], gradient }) => [() => divideByCount(ops, gradient, a)]),
  /** Entry j is in the sums j and later: their gradients are all of them but those before j. */
  cumulativeSum: full(({ ops, args: [, axis], output, gradient }) => {
    const at = normalizeAxis('cumulativeSum', axis, ops.shapeOf(output).length);
    const total = ops.expandDims(ops.sum(gradient, at), at);
    return [() => ops.add(ops.sub(total, ops.cumulativeSum(gradient, at)), gradient)];
  }),
};

/** A matrix product; one of a column and a row is an elementwise product, which every device does faster. */
function product<T>(ops: ShapedOps<T>, a: T, b: T): T {
  return ops.shapeOf(a).at(-1) === 1 ? ops.mul(a, b) : ops.matMul(a, b);
}

/** A gradient divided by the number of entries of a value along some axes; absent: along all. */
function divideByCount<T>(ops: ShapedOps<T>, gradient: T, value: T, along?: readonly number[]): T {
  const shape = ops.shapeOf(value);
  const axes = along ?? shape.map((_, axis) => axis);
  const known = axes.map((axis) => shape.at(axis)!).reduce<number>((n, l) => (typeof l === 'number' ? n * l : n), 1);
  const unknown = axes.flatMap((axis) => (typeof shape.at(axis) === 'string' ? [lengthAlong(ops, value, axis)] : []));
  return unknown.reduce((quotient, length) => ops.div(quotient, length), scale(ops, gradient, 1 / known));
}

/**
 * Where part `index` of a concatenation lies: counted from the front, or from the end behind a part of symbolic length.
 * @throws {ShapeError} if there is a symbolic length on both sides, or the part is not the only one.
 */
function rangeOf(lengths: readonly (number | string)[], index: number): [start: number, end?: number] {
  const total = (parts: readonly (number | string)[]): number | undefined =>
    parts.reduce<number | undefined>(
      (sum, length) => (sum === undefined || typeof length === 'string' ? undefined : sum + length),
      0,
    );
  const before = total(lengths.slice(0, index));
  const behind = total(lengths.slice(index + 1));
  const own = lengths[index]!;
  if (before !== undefined) {
    if (behind === 0) return [before];
    if (typeof own === 'number') return [before, before + own];
    if (behind !== undefined) return [before, -behind];
  } else if (behind !== undefined && typeof own === 'number') {
    return behind === 0 ? [-own] : [-behind - own, -behind];
  }
  throw new ShapeError({
    where: 'differentiate',
    expected: 'at most one part of a concatenation to have a symbolic length',
    got: formatShape(lengths),
    remedy: 'Join the parts of fixed length first.',
  });
}
