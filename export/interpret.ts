/**
 * Runs a graph with any {@link Ops}: the way back from nodes to operations. Passes use it to fold constants, tests to
 * compare a graph before and after a pass in float64. Knows the operators that `graph-ops.ts` makes, and no others.
 */
import { ExportError } from '../models/errors.ts';
import type { Ops } from '../models/ops.ts';
import { type Graph, type Initializer, integersOf, type Node } from './graph.ts';

type Float32Initializer = Extract<Initializer, { dtype: 'float32' }>;

/**
 * Values of the graph's outputs, by name.
 * @param inputs A value for each input of the graph.
 * @param literal Turns a stored float32 tensor into a value.
 * @throws {ExportError} for an operator or a form of it that no operation of {@link Ops} makes.
 */
export function interpretGraph<T>(
  ops: Ops<T>,
  graph: Graph,
  inputs: Readonly<Record<string, T>>,
  literal: (initializer: Float32Initializer) => T,
): Record<string, T> {
  const values = new Map<string, T>(Object.entries(inputs));
  const integers = new Map<string, number[]>();
  for (const initializer of graph.initializers) {
    if (initializer.dtype === 'int64') integers.set(initializer.name, integersOf(initializer));
    else values.set(initializer.name, literal(initializer));
  }
  const read = new Set([...graph.outputs.map(({ name }) => name), ...graph.nodes.flatMap(({ inputs }) => inputs)]);
  for (const node of graph.nodes) {
    for (const [index, name] of node.outputs.entries()) {
      if (read.has(name)) values.set(name, interpretNode(ops, node, values, integers, index));
    }
  }
  return Object.fromEntries(graph.outputs.map(({ name }) => [name, values.get(name)!]));
}

/** The number of float32 among ONNX's element types. */
const float32Type = 1;

/** Operators that are an operation of the same two inputs. */
const binary = {
  Add: 'add',
  Sub: 'sub',
  Mul: 'mul',
  Div: 'div',
  Min: 'minimum',
  Less: 'less',
  MatMul: 'matMul',
} as const;

/** The value of an output of a node, its first by default, from the values and the int64 initializers the node reads. */
export function interpretNode<T>(
  ops: Ops<T>,
  node: Node,
  values: ReadonlyMap<string, T>,
  integers: ReadonlyMap<string, readonly number[]>,
  output = 0,
): T {
  const at = (index: number): T => required(node, values.get(node.inputs[index] ?? ''), `value for input ${index}`);
  const list = (index: number) => required(node, integers.get(node.inputs[index] ?? ''), `list for input ${index}`);

  if (Object.hasOwn(binary, node.opType)) return ops[binary[node.opType as keyof typeof binary]](at(0), at(1));
  switch (node.opType) {
    case 'Identity':
      return at(0);
    case 'Cast':
      // Comparisons give 0 and 1 here already.
      if (integerAttribute(node, 'to') !== float32Type) throw unknownForm(node, 'a cast to float32');
      return at(0);
    case 'Flatten':
      if (integerAttribute(node, 'axis') !== -1) throw unknownForm(node, 'axis = -1');
      return ops.rows(at(0));
    case 'Sqrt':
      return ops.sqrt(at(0));
    case 'Exp':
      return ops.exp(at(0));
    case 'Log':
      return ops.log(at(0));
    case 'Sigmoid':
      return ops.sigmoid(at(0));
    case 'Softplus':
      return ops.softplus(at(0));
    case 'Erf':
      return ops.erf(at(0));
    case 'LayerNormalization': {
      if (integerAttribute(node, 'axis') !== -1) throw unknownForm(node, 'axis = -1');
      const epsilon = node.attributes['epsilon'];
      if (epsilon?.kind !== 'float') throw unknownForm(node, 'an attribute epsilon');
      const norm = { epsilon: epsilon.value, shift: 0 };
      if (output === 2) return ops.inverseDeviation(at(0), norm);
      const scaled = ops.mul(ops.normalize(at(0), norm), at(1));
      if (output === 0) return node.inputs.length === 2 ? scaled : ops.add(scaled, at(2));
      throw unknownForm(node, 'a mean that nobody reads');
    }
    case 'Softmax':
      if (integerAttribute(node, 'axis') !== -1) throw unknownForm(node, 'axis = -1');
      return ops.softmax(at(0));
    case 'Transpose':
      requireLastTwoSwapped(node);
      return ops.transpose(at(0));
    case 'Concat':
      return ops.concat(
        node.inputs.map((_, index) => at(index)),
        integerAttribute(node, 'axis'),
      );
    case 'Slice': {
      const [starts, ends, axes] = [list(1), list(2), list(3)];
      // Ends too large for the axis are cut off by every reading of Ops.
      return axes.reduce((value, axis, i) => ops.slice(value, axis, starts[i]!, openEnd(ends[i]!)), at(0));
    }
    case 'Unsqueeze':
      return list(1).reduce((value, axis) => ops.expandDims(value, axis), at(0));
    case 'Squeeze':
      return [...list(1)].sort((a, b) => b - a).reduce((value, axis) => ops.squeeze(value, axis), at(0));
    case 'ReduceSum':
      if (integerAttribute(node, 'keepdims') !== 0) throw unknownForm(node, 'keepdims = 0');
      return [...list(1)].sort((a, b) => b - a).reduce((value, axis) => ops.sum(value, axis), at(0));
    case 'ReduceMean':
      if (integerAttribute(node, 'keepdims') !== 0) throw unknownForm(node, 'keepdims = 0');
      return ops.mean(at(0));
    case 'CumSum':
      return ops.cumulativeSum(at(0), list(1)[0]!);
    default:
      throw unknownForm(node, 'an operator that Ops can express');
  }
}

const openEnd = (end: number): number | undefined => (end >= Number.MAX_SAFE_INTEGER ? undefined : end);

function required<T>(node: Node, value: T | undefined, what: string): T {
  if (value === undefined) throw unknownForm(node, `a ${what}`);
  return value;
}

function integerAttribute(node: Node, name: string): number {
  const attribute = node.attributes[name];
  if (attribute?.kind !== 'int') throw unknownForm(node, `an attribute ${name}`);
  return attribute.value;
}

function requireLastTwoSwapped(node: Node): void {
  const perm = node.attributes['perm'];
  const values = perm?.kind === 'ints' ? perm.values : [];
  const rank = values.length;
  const isSwap = values.every((axis, i) => axis === (i === rank - 1 ? rank - 2 : i === rank - 2 ? rank - 1 : i));
  if (rank < 2 || !isSwap) throw unknownForm(node, 'a permutation that swaps the last two axes');
}

function unknownForm(node: Node, expected: string): ExportError {
  return new ExportError({ where: `node ${node.name}`, expected, got: node.opType });
}
