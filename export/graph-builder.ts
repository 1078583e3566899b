/**
 * Collects nodes and initializers under readable names that no two values share. Knows names and nothing about what an
 * operator computes: that is `graph-ops.ts`.
 */
import { ExportError } from '../models/errors.ts';
import type { Attribute, Dim, DType, Graph, Initializer, Node, Value } from './graph.ts';

/** ONNX's word for "to the end of the axis". */
export const toTheEnd = 2n ** 63n - 1n;

export class GraphBuilder {
  readonly #names = new Set<string>();
  readonly #counters = new Map<string, number>();
  readonly #inputs: Value[] = [];
  readonly #outputs: Value[] = [];
  /** Old name of a value to the name of the output it is. */
  readonly #renamed = new Map<string, string>();
  readonly #initializers: Initializer[] = [];
  readonly #constants = new Map<string, Value>();
  readonly #nodes: Node[] = [];
  readonly #interior: Value[] = [];

  /** An input of the graph. */
  input(name: string, shape: readonly Dim[], doc?: string): Value {
    const value: Value = { name: this.#reserve(name), dtype: 'float32', shape, ...(doc === undefined ? {} : { doc }) };
    this.#inputs.push(value);
    return value;
  }

  /** A trained tensor: an initializer under exactly this name. */
  parameter(name: string, shape: readonly number[], data: Float32Array): Value {
    this.#initializers.push({ name: this.#reserve(name), dtype: 'float32', shape, data });
    return { name, dtype: 'float32', shape };
  }

  /** A float32 scalar. The same number asked for twice is one initializer. */
  scalar(value: number): Value {
    const data = Float32Array.of(value);
    if (!Number.isFinite(data[0])) {
      throw new ExportError({ where: 'scalar', expected: 'a finite float32 number', got: String(value) });
    }
    const text = String(value).replaceAll('-', 'minus_').replaceAll('+', '').replaceAll('.', '_');
    return this.#constant(`float32 ${Object.is(value, -0) ? '-0' : data[0]}`, () => ({
      name: this.#claim(`scalar_${text}`),
      dtype: 'float32',
      shape: [],
      data,
    }));
  }

  /** `[length]` float32 ones. */
  ones(length: number): Value {
    const name = `ones_${length}`;
    return this.#constant(name, () => ({
      name: this.#claim(name),
      dtype: 'float32',
      shape: [length],
      data: new Float32Array(length).fill(1),
    }));
  }

  /**
   * An int64 list, or with `isScalar` a single number: what the standard asks of axes, starts and ends. Named after its
   * content, as in `integers_0_1`; the same asked for twice is one initializer.
   */
  integers(values: readonly (number | bigint)[], isScalar = false): Value {
    const text = values.map((value) => (value === toTheEnd ? 'last' : String(value).replace('-', 'minus_'))).join('_');
    const name = `${isScalar ? 'integer' : 'integers'}_${text}`;
    return this.#constant(name, () => ({
      name: this.#claim(name),
      dtype: 'int64',
      shape: isScalar ? [] : [values.length],
      data: BigInt64Array.from(values, BigInt),
    }));
  }

  /** A call of a standard operator with one output, which is named after it: `matmul_3` comes from `MatMul_3`. */
  node(
    opType: string,
    inputs: readonly Value[],
    type: { readonly dtype?: DType; readonly shape: readonly Dim[] },
    attributes: Readonly<Record<string, Attribute>> = {},
  ): Value {
    const count = this.#counters.get(opType) ?? 0;
    this.#counters.set(opType, count + 1);
    const value: Value = {
      name: this.#claim(`${opType.toLowerCase()}_${count}`),
      dtype: type.dtype ?? 'float32',
      shape: type.shape,
    };
    this.#nodes.push({
      name: `${opType}_${count}`,
      opType,
      domain: '',
      inputs: inputs.map(({ name }) => name),
      outputs: [value.name],
      attributes,
    });
    this.#interior.push(value);
    return value;
  }

  /** Optional outputs of the node whose first output is `first`, in the operator's order, named behind it: `matmul_3_mean`. */
  optionalOutputs(first: Value, more: Readonly<Record<string, readonly Dim[]>>): Value[] {
    const index = this.#nodes.findIndex(({ outputs }) => outputs[0] === first.name);
    const node = this.#nodes[index];
    if (node === undefined || node.outputs.length > 1) {
      throw new ExportError({ where: 'GraphBuilder', expected: 'a node with one output', got: first.name });
    }
    const values = Object.entries(more).map(
      ([name, shape]): Value => ({ name: this.#claim(`${first.name}_${name}`), dtype: first.dtype, shape }),
    );
    this.#nodes[index] = { ...node, outputs: [...node.outputs, ...values.map(({ name }) => name)] };
    this.#interior.push(...values);
    return values;
  }

  /**
   * Has the node whose first output is `first` read its first input, `input`, through a view of the same numbers: what ONNX Runtime
   * would join to one operator stays two.
   */
  setApart(first: Value, input: Value): void {
    const index = this.#nodes.findIndex(({ outputs }) => outputs[0] === first.name);
    const axes = this.integers([0]);
    const view = this.node(
      'Squeeze',
      [this.node('Unsqueeze', [input, axes], { shape: [1, ...input.shape] }), axes],
      input,
    );
    const node = this.#nodes[index]!;
    this.#nodes.splice(index, 1, ...this.#nodes.splice(-2), { ...node, inputs: [view.name, ...node.inputs.slice(1)] });
  }

  /** Makes a value an output of the graph, under exactly this name. */
  output(name: string, value: Value, doc?: string): void {
    const { dtype, shape } = value;
    this.#outputs.push({ name: this.#reserve(name), dtype, shape, ...(doc === undefined ? {} : { doc }) });
    // An input, an initializer or another output keeps its name: a copy is made.
    const isFree = this.#interior.some((interior) => interior.name === value.name) && !this.#renamed.has(value.name);
    const source = isFree ? value : this.node('Identity', [value], value);
    this.#renamed.set(source.name, name);
  }

  build(name: string): Graph {
    const rename = (old: string) => this.#renamed.get(old) ?? old;
    return {
      name,
      inputs: [...this.#inputs],
      outputs: [...this.#outputs],
      initializers: [...this.#initializers],
      nodes: this.#nodes.map((node) => ({
        ...node,
        inputs: node.inputs.map(rename),
        outputs: node.outputs.map(rename),
      })),
      interior: this.#interior.filter((value) => !this.#renamed.has(value.name)),
    };
  }

  /** A name that must be exactly this one. */
  #reserve(name: string): string {
    if (name === '' || this.#names.has(name)) {
      throw new ExportError({ where: 'GraphBuilder', expected: 'a name that is free', got: JSON.stringify(name) });
    }
    this.#names.add(name);
    return name;
  }

  /** The wanted name, or with `_b`, `_c`, .. behind it if another value has it. */
  #claim(wanted: string): string {
    let name = wanted;
    for (let attempt = 1; this.#names.has(name); attempt++) name = `${wanted}_${(attempt + 10).toString(36)}`;
    this.#names.add(name);
    return name;
  }

  #constant(key: string, make: () => Initializer): Value {
    const known = this.#constants.get(key);
    if (known !== undefined) return known;
    const initializer = make();
    this.#initializers.push(initializer);
    const { name, dtype, shape } = initializer;
    this.#constants.set(key, { name, dtype, shape });
    return { name, dtype, shape };
  }
}
