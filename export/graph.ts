/**
 * The intermediate representation of an ONNX file: plain immutable data, values referred to by name as in ONNX.
 * Knows the rules every graph obeys (`checkGraph`); knows neither protobuf (`serialize.ts`) nor what is computed.
 */
import { ExportError } from '../models/errors.ts';
import { formatShape } from '../models/shape.ts';

/** Element types in use: float32 for numbers, int64 for axes and ends, bool for what comparisons give; others in foreign files. */
export type DType = 'float32' | 'int64' | 'bool' | ForeignType;

/** Element types that only other tools write. */
export type ForeignType =
  | 'float16'
  | 'bfloat16'
  | 'float64'
  | 'int8'
  | 'int16'
  | 'int32'
  | 'uint8'
  | 'uint16'
  | 'uint32'
  | 'uint64'
  | 'string';

/** A fixed length, or the name of a symbolic one; the empty string is a length nothing is known about. */
export type Dim = number | string;

/** A named tensor that is known when the graph runs. */
export interface Value {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly Dim[];
  /** One sentence for readers of the file. */
  readonly doc?: string;
}

/** A tensor that is stored in the file: float32 or int64. */
export type Initializer =
  | { readonly name: string; readonly dtype: 'float32'; readonly shape: readonly number[]; readonly data: Float32Array }
  | {
      readonly name: string;
      readonly dtype: 'int64';
      readonly shape: readonly number[];
      readonly data: BigInt64Array;
    };

export type Attribute =
  | { readonly kind: 'int'; readonly value: number }
  | { readonly kind: 'ints'; readonly values: readonly number[] }
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string }
  /** What only other tools write, as the bytes of its `AttributeProto`. */
  | { readonly kind: 'opaque'; readonly message: Uint8Array };

/** One operator call. An empty input name is an optional input that is absent. */
export interface Node {
  readonly name: string;
  readonly opType: string;
  /** Empty for the standard operators. */
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

export interface Graph {
  readonly name: string;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly initializers: readonly Initializer[];
  /** In an order in which each node comes after those it reads. */
  readonly nodes: readonly Node[];
  /** Types of values between nodes (`value_info`). */
  readonly interior: readonly Value[];
}

export interface OpsetImport {
  /** Empty for the standard operators. */
  readonly domain: string;
  readonly version: number;
}

export interface Model {
  readonly irVersion: number;
  readonly opsetImports: readonly OpsetImport[];
  readonly producerName: string;
  readonly producerVersion: string;
  readonly domain: string;
  readonly modelVersion: number;
  readonly docString: string;
  readonly graph: Graph;
  /** `metadata_props`; written in sorted key order. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** `float32 [batch, queries]` */
export function formatType({ dtype, shape }: { dtype: DType; shape: readonly Dim[] }): string {
  return `${dtype} ${formatShape(shape.map((dim) => (dim === '' ? '?' : dim)))}`;
}

/**
 * Checks what ONNX asks of every graph: each name is made once, each input of a node is made before it, each output of
 * the graph is made by something, and each initializer holds as many numbers as its shape says.
 * @throws {ExportError} naming the node, value or initializer.
 */
export function checkGraph(graph: Graph): void {
  const made = new Set<string>();
  const make = (where: string, name: string) => {
    if (name === '') throw new ExportError({ where, expected: 'a name', got: 'an empty one' });
    if (made.has(name)) {
      throw new ExportError({ where, expected: 'a name that is used once', got: JSON.stringify(name) });
    }
    made.add(name);
  };
  for (const input of graph.inputs) make('inputs', input.name);
  for (const initializer of graph.initializers) {
    make('initializers', initializer.name);
    checkSize(initializer);
  }
  for (const [index, node] of graph.nodes.entries()) {
    const where = `node ${node.name === '' ? `#${index}` : node.name}`;
    if (node.opType === '') throw new ExportError({ where, expected: 'an operator', got: 'none' });
    for (const input of node.inputs) {
      if (input !== '' && !made.has(input)) {
        throw new ExportError({ where, expected: 'inputs that are made before it', got: JSON.stringify(input) });
      }
    }
    if (node.outputs.every((output) => output === '')) {
      throw new ExportError({ where, expected: 'a named output', got: 'none' });
    }
    // An empty name among others is an optional output that is not wanted.
    for (const output of node.outputs) if (output !== '') make(where, output);
  }
  if (graph.outputs.length === 0) throw new ExportError({ where: 'outputs', expected: 'at least one', got: 'none' });
  for (const output of graph.outputs) {
    if (!made.has(output.name)) {
      throw new ExportError({
        where: 'outputs',
        expected: 'a value some node makes',
        got: JSON.stringify(output.name),
      });
    }
  }
}

function checkSize({ name, shape, data }: Initializer): void {
  const where = `initializer ${name}`;
  // A product in floating point: a hostile shape cannot overflow it into a small number.
  const size = shape.reduce((product, length) => product * length, 1);
  if (shape.some((length) => !Number.isSafeInteger(length) || length < 0) || size !== data.length) {
    throw new ExportError({
      where,
      expected: `as many numbers as shape ${formatShape(shape)} has entries`,
      got: `${data.length}`,
    });
  }
}

/** Entries of an int64 initializer as numbers: axes, starts, ends. */
export function integersOf(initializer: Initializer): number[] {
  if (initializer.dtype !== 'int64') {
    throw new ExportError({ where: initializer.name, expected: 'int64 values', got: initializer.dtype });
  }
  return Array.from(initializer.data, Number);
}

/** The graph without interior types of values that no node makes any more. */
export function withNodes(graph: Graph, nodes: readonly Node[], initializers = graph.initializers): Graph {
  const made = new Set(nodes.flatMap((node) => node.outputs));
  return { ...graph, nodes, initializers, interior: graph.interior.filter(({ name }) => made.has(name)) };
}
