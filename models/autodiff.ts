/**
 * Reverse-mode differentiation of anything written against {@link Ops}. The function runs once on recorded values; then the
 * record is walked back from the result, and each operation's rule (`derivative-rules.ts`) adds to the gradients of what
 * it read. Read with float64 arrays this is the reference gradient, with graph values it is the backward graph.
 *
 * A gradient under way may have length 1 along an axis where its value is longer, or lack leading axes: it is the same
 * for all entries there. So a mean or a sum costs nothing on the way back, until a rule needs every entry.
 * Knows how gradients flow and add up; knows no operation.
 */
import { type Call, type DerivativeRule, derivativeRules, type OpName } from './derivative-rules.ts';
import { ExportError, ShapeError } from './errors.ts';
import { lengthAlong, type Ops, type ShapedOps, scale } from './ops.ts';
import { formatShape, normalizeAxis } from './shape.ts';

/** A function of named values, written once for every reading. Its result is a scalar. */
export type ScalarFunction = <V>(
  ops: Ops<V>,
  parameters: Readonly<Record<string, V>>,
  inputs: Readonly<Record<string, V>>,
) => V;

export interface Differentiated<T> {
  readonly value: T;
  /** By parameter, each of the parameter's shape. */
  readonly gradients: Record<string, T>;
}

/** A value with the call that made it. */
interface Recorded<T> {
  readonly value: T;
  /** Absent where no parameter has an influence: nothing flows back there. */
  readonly origin?: Origin<T>;
}

/** Place in the record, and what was called there; a parameter was not made by a call. */
interface Origin<T> {
  readonly index: number;
  readonly call?: { readonly name: OpName; readonly args: readonly unknown[] };
  readonly value: T;
}

/**
 * Value and gradient of a function. Parameters that have no influence get a gradient of 0; inputs get none.
 * @throws {ShapeError} if the result is not a scalar.
 * @throws {ExportError} if an operation on the way has no rule.
 */
export function differentiate<T>(
  ops: ShapedOps<T>,
  compute: ScalarFunction,
  parameters: Readonly<Record<string, T>>,
  inputs: Readonly<Record<string, T>>,
): Differentiated<T> {
  const record: Origin<T>[] = [];
  const add = (value: T, call?: Origin<T>['call']): Recorded<T> => {
    const origin = { index: record.length, value, ...(call === undefined ? {} : { call }) };
    record.push(origin);
    return { value, origin };
  };
  const simplified = rememberTransposes(ops);
  const watched = mapValues(parameters, (value) => add(value));
  const fixed = mapValues(inputs, (value): Recorded<T> => ({ value }));
  const result = compute<Recorded<T>>(recordingOps(simplified, add), watched, fixed);
  const shape = ops.shapeOf(result.value);
  if (shape.length > 0) {
    throw new ShapeError({ where: 'differentiate', expected: 'a scalar', got: `shape ${formatShape(shape)}` });
  }
  const gradients = result.origin === undefined ? [] : flowBack(transposeFactors(simplified), record, result.origin);
  return {
    value: result.value,
    gradients: mapValues(watched, ({ value, origin }) => {
      const gradient = gradients[origin!.index];
      return gradient === undefined ? scale(ops, value, 0) : fill(ops, gradient, value);
    }),
  };
}

/** Every operation of a reading, on recorded values. */
function recordingOps<T>(ops: ShapedOps<T>, add: (value: T, call: Origin<T>['call']) => Recorded<T>): Ops<Recorded<T>> {
  const names = Object.keys(ops).filter((name) => name !== 'shapeOf') as OpName[];
  const recording = names.map((name) => {
    const run = ops[name] as (...args: unknown[]) => T;
    return [
      name,
      (...args: unknown[]): Recorded<T> => {
        const value = run(...args.map(unwrap));
        const isActive = args.flat().some((arg) => isRecorded<T>(arg) && arg.origin !== undefined);
        return isActive ? add(value, { name, args }) : { value };
      },
    ];
  });
  return Object.fromEntries(recording) as unknown as Ops<Recorded<T>>;
}

function isRecorded<T>(arg: unknown): arg is Recorded<T> {
  return typeof arg === 'object' && arg !== null && 'value' in arg;
}

/** An argument of an operation without its record: a value, a list of values, or a number. */
function unwrap(arg: unknown): unknown {
  if (Array.isArray(arg)) return arg.map(unwrap);
  return isRecorded(arg) ? arg.value : arg;
}

/** Gradients by place in the record. Each is complete when its place is reached: who reads a value stands behind it. */
function flowBack<T>(ops: ShapedOps<T>, record: readonly Origin<T>[], from: Origin<T>): (T | undefined)[] {
  const gradients: (T | undefined)[] = [];
  /** Gradients of slices of a value, which are put together when all are there. */
  const pieces: Piece<T>[][] = [];
  gradients[from.index] = ops.constant(1);
  for (let index = from.index; index >= 0; index--) {
    const { call, value: output } = record[index]!;
    for (const part of joinPieces(ops, pieces[index] ?? [], output)) {
      const known = gradients[index];
      gradients[index] = known === undefined ? part : ops.add(known, part);
    }
    const gradient = gradients[index];
    if (call === undefined || gradient === undefined) continue;
    const rule: DerivativeRule | undefined = derivativeRules[call.name];
    if (rule === undefined) throw noRule(call.name);
    const args = call.args.map(unwrap) as Call<T, OpName>['args'];
    if (call.name === 'slice') {
      const input = call.args[0] as Recorded<T>;
      if (input.origin !== undefined) {
        const piece = { args: args as Piece<T>['args'], gradient: fill(ops, gradient, output) };
        pieces[input.origin.index] = [...(pieces[input.origin.index] ?? []), piece];
      }
      continue;
    }
    const flowing = rule.takesPartial ? align(ops, gradient, output) : fill(ops, gradient, output);
    const back = rule.gradients<T>({ ops, args, output, gradient: flowing });
    for (const [i, input] of (call.args.flat() as unknown[]).filter(isRecorded<T>).entries()) {
      const contribution = back[i];
      if (input.origin === undefined || contribution === undefined) continue;
      const share = sumToShape(ops, contribution(), input.value, rule.isElementwise ? output : undefined);
      const known = gradients[input.origin.index];
      gradients[input.origin.index] = known === undefined ? share : ops.add(known, share);
    }
  }
  return gradients;
}

/** The gradient of a slice, with what was sliced. */
interface Piece<T> {
  readonly args: Parameters<Ops<T>['slice']>;
  readonly gradient: T;
}

/**
 * The gradient of a value of which slices were taken, as terms of a sum. Slices that cover an axis without overlap are joined:
 * one copy, where padding each of them with zeros and adding would take one for each. Others are padded, by the rule of `slice`.
 */
function joinPieces<T>(ops: ShapedOps<T>, pieces: readonly Piece<T>[], value: T): T[] {
  const shape = ops.shapeOf(value);
  const parts = new Map<string, Piece<T> & { readonly axis: number; readonly start: number; readonly end: number }>();
  for (const { args, gradient } of pieces) {
    const axis = normalizeAxis('slice', args[1], shape.length);
    const length = shape[axis]!;
    // Along a symbolic axis only slices that are written alike are known to be the same.
    const within = (index: number) => (index < 0 && typeof length === 'number' ? index + length : index);
    const [start, end] = [within(args[2]), within(args[3] ?? (typeof length === 'number' ? length : Infinity))];
    const key = `${axis} ${start} ${end}`;
    const known = parts.get(key);
    parts.set(key, { args, axis, start, end, gradient: known ? ops.add(known.gradient, gradient) : gradient });
  }
  return shape.flatMap((length, axis) => {
    const along = [...parts.values()].filter((part) => part.axis === axis).sort((a, b) => a.start - b.start);
    const covers =
      along.length > 1 && along[0]!.start === 0 && along.every(({ end }, i) => end === (along[i + 1]?.start ?? length));
    const gradients = along.map(({ gradient }) => gradient);
    if (covers) return [ops.concat(gradients, axis)];
    return along.map(({ args: [, ...range], gradient }) =>
      derivativeRules.slice!.gradients<T>({ ops, args: [value, ...range], output: gradient, gradient })[0]!(),
    );
  });
}

function noRule(name: string): ExportError {
  return new ExportError({
    where: 'differentiate',
    expected: 'operations that have a derivative',
    got: name,
    remedy: 'Write the forward pass without it, or add its rule to models/derivative-rules.ts.',
  });
}

/** The gradient with as many axes as its value. */
function align<T>(ops: ShapedOps<T>, gradient: T, value: T): T {
  const missing = ops.shapeOf(value).length - ops.shapeOf(gradient).length;
  let aligned = gradient;
  for (let i = 0; i < missing; i++) aligned = ops.expandDims(aligned, 0);
  return aligned;
}

/** The gradient with an entry for each entry of its value. */
function fill<T>(ops: ShapedOps<T>, gradient: T, value: T): T {
  const [own, shape] = [ops.shapeOf(gradient), ops.shapeOf(value)];
  const isFull = own.length === shape.length && own.every((length, axis) => length === shape[axis]);
  return isFull ? gradient : ops.add(scale(ops, value, 0), gradient);
}

/**
 * The gradient of an input that may have been broadcast: summed over the axes along which the input was repeated.
 * @param span The result of an elementwise operation: along an axis of it that the gradient lacks all entries are the same,
 *   and their sum is one of them times their number.
 */
function sumToShape<T>(ops: ShapedOps<T>, gradient: T, input: T, span: T | undefined): T {
  const target = ops.shapeOf(input);
  const spanned = span === undefined ? [] : ops.shapeOf(span);
  let sum = gradient;
  for (let fromRight = 1; fromRight <= spanned.length; fromRight++) {
    const [length, own, wanted] = [spanned, ops.shapeOf(sum), target].map((shape) => shape.at(-fromRight) ?? 1);
    if (length !== 1 && own === 1 && wanted === 1) sum = ops.mul(sum, lengthAlong(ops, span!, -fromRight));
  }
  const [length, lastOfTarget] = [ops.shapeOf(sum).length, target.at(-1)];
  // A vector for all rows: one reduction.
  if (target.length === 1 && length > 2 && ops.shapeOf(sum).at(-1) === lastOfTarget) sum = ops.rows(sum);
  while (ops.shapeOf(sum).length > target.length) sum = ops.sum(sum, 0);
  for (let fromRight = 1; fromRight <= ops.shapeOf(sum).length; fromRight++) {
    if (target.at(-fromRight) !== 1 || ops.shapeOf(sum).at(-fromRight) === 1) continue;
    sum = ops.expandDims(ops.sum(sum, -fromRight), target.length - fromRight);
  }
  return sum;
}

/** Transposing what is a transpose gives the original: the backward pass often asks for it, and it costs a copy. */
function rememberTransposes<T>(ops: ShapedOps<T>): ShapedOps<T> {
  const known = new Map<T, T>();
  return {
    ...ops,
    transpose(a) {
      const transposed = known.get(a) ?? ops.transpose(a);
      known.set(a, transposed).set(transposed, a);
      return transposed;
    },
  };
}

/**
 * The transpose of a product, (A B)^T, as the product of the transposed factors, of which one is mostly known already: the gradient
 * of a value that entered a product transposed needs no copy. The product itself is then read by nobody.
 */
function transposeFactors<T>(ops: ShapedOps<T>): ShapedOps<T> {
  const factors = new Map<T, readonly [a: T, b: T]>();
  return {
    ...ops,
    matMul(a, b) {
      const product = ops.matMul(a, b);
      factors.set(product, [a, b]);
      return product;
    },
    transpose(value) {
      const [a, b] = factors.get(value) ?? [];
      return a === undefined ? ops.transpose(value) : ops.matMul(ops.transpose(b!), ops.transpose(a));
    },
  };
}

function mapValues<A, B>(record: Readonly<Record<string, A>>, map: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, map(value)]));
}
