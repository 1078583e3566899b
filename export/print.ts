/**
 * A graph as text, in ONNX's own textual syntax (`onnx.printer`), with each node's type behind it as a comment. For
 * people and for golden tests; numbers of large initializers are left out.
 */
import type { Attribute, Dim, DType, Graph, Initializer, Node, Value } from './graph.ts';

/** What is printed: a `FrozenModel` is one. */
export interface Printable {
  readonly irVersion: number;
  readonly opset: number;
  readonly graph: Graph;
}

/** The most numbers of an initializer that are printed. */
const printedNumbers = 16;

/** ONNX calls float32 `float` and float64 `double`. */
const typeName = (dtype: DType): string => ({ float32: 'float', float64: 'double' })[dtype as string] ?? dtype;

export function printModel({ irVersion, opset, graph }: Printable): string {
  const types = new Map([...graph.interior, ...graph.outputs].map((value) => [value.name, printType(value)]));
  const lines = graph.nodes.map((node) => ({ text: `  ${printNode(node)}`, type: types.get(node.outputs[0]!) }));
  const width = lines.reduce((longest, { text }) => Math.max(longest, text.length), 0);
  return [
    `<ir_version: ${irVersion}, opset_import: ["" : ${opset}]>`,
    `${graph.name} (${graph.inputs.map(printValue).join(', ')})`,
    `  => (${graph.outputs.map(printValue).join(', ')})`,
    '<',
    graph.initializers.map((initializer) => `  ${printInitializer(initializer)}`).join(',\n'),
    '>',
    '{',
    ...lines.map(({ text, type }) => (type === undefined ? text : `${text.padEnd(width)}  # ${type}`)),
    '}',
    '',
  ].join('\n');
}

function printType({ dtype, shape }: { dtype: DType; shape: readonly Dim[] }): string {
  const dims = shape.map((dim) => (dim === '' ? '?' : dim)).join(', ');
  return shape.length === 0 ? typeName(dtype) : `${typeName(dtype)}[${dims}]`;
}

const printValue = (value: Value): string => `${printType(value)} ${value.name}`;

function printInitializer({ name, dtype, shape, data }: Initializer): string {
  const numbers = data.length <= printedNumbers ? Array.from(data, String).join(', ') : '...';
  return `${printType({ dtype, shape })} ${name} = {${numbers}}`;
}

function printNode({ opType, domain, inputs, outputs, attributes }: Node): string {
  const names = Object.keys(attributes).sort();
  const list = names.map((name) => `${name} = ${printAttribute(attributes[name]!)}`).join(', ');
  const operator = domain === '' ? opType : `${domain}.${opType}`;
  return `${outputs.join(', ')} = ${operator}${list === '' ? '' : ` <${list}>`} (${inputs.join(', ')})`;
}

function printAttribute(attribute: Attribute): string {
  switch (attribute.kind) {
    case 'int':
      return String(attribute.value);
    case 'float':
      // A point tells it from an integer.
      return Number.isInteger(attribute.value) ? attribute.value.toFixed(1) : String(attribute.value);
    case 'ints':
      return `[${attribute.values.join(', ')}]`;
    case 'string':
      return JSON.stringify(attribute.value);
    case 'opaque':
      return '...';
  }
}
