/**
 * The graph's intermediate representation to ONNX bytes and back: the only file that knows onnx-proto.
 *
 * Writing is a ladder of functions, one per protobuf message, and reading is its mirror. Optional fields are written
 * only when they say something, metadata in sorted key order, tensors as little-endian `raw_data`: the same model gives
 * the same bytes. Each rung puts its name before the error of the rung below: `model > graph g > node MatMul_3`.
 *
 * A file that is read is not trusted: sizes are checked before anything is allocated, and what this library would not
 * write (subgraphs, functions, data in another file) is refused.
 */
import onnxProto, { type onnx } from 'onnx-proto';
import { DataError, ExportError } from '../models/errors.ts';
import {
  type Attribute,
  checkGraph,
  type Dim,
  type DType,
  type Graph,
  type Initializer,
  type Model,
  type Node,
  type Value,
} from './graph.ts';
import { fromLittleEndian, toLittleEndian } from './little-endian.ts';

const proto = onnxProto.onnx;

/** Numbers of `TensorProto.DataType`. */
const dataTypes: Readonly<Record<DType, number>> = { float32: 1, int64: 7, bool: 9 };
/** Numbers of `AttributeProto.AttributeType`. */
const attributeTypes = { float: 1, int: 2, string: 3, ints: 7 } as const;
/** Number of `TensorProto.DataLocation.EXTERNAL`. */
const externalLocation = 1;

/** Runs one rung of the ladder and puts its name into the errors of those below. */
function rung<T>(name: string, run: () => T): T {
  try {
    return run();
  } catch (cause) {
    if (!(cause instanceof ExportError)) throw cause;
    const { expected, got, remedy } = cause;
    const where = `${name} > ${cause.where}`;
    throw new ExportError({ where, expected, got, ...(remedy === undefined ? {} : { remedy }), cause });
  }
}

// ---------------------------------------------------------------------------------------------------------- writing

/** @throws {ExportError} if the graph breaks a rule of ONNX. */
export function serializeModel(model: Model): Uint8Array {
  const message = rung('model', () => {
    const { irVersion, producerName, producerVersion, domain, modelVersion, docString, metadata } = model;
    return proto.ModelProto.create({
      irVersion,
      opsetImport: model.opsetImports.map(({ domain, version }) => ({ domain, version })),
      producerName,
      producerVersion,
      domain,
      modelVersion,
      ...(docString === '' ? {} : { docString }),
      graph: rung(`graph ${model.graph.name}`, () => serializeGraph(model.graph)),
      metadataProps: Object.keys(metadata)
        .sort()
        .map((key) => ({ key, value: metadata[key]! })),
    });
  });
  // A copy: protobufjs hands out a view into a pool of Node buffers.
  return new Uint8Array(proto.ModelProto.encode(message).finish());
}

function serializeGraph(graph: Graph): onnx.IGraphProto {
  checkGraph(graph);
  return {
    name: graph.name,
    input: graph.inputs.map(serializeValue),
    initializer: graph.initializers.map(serializeTensor),
    node: graph.nodes.map((node) => rung(`node ${node.name}`, () => serializeNode(node))),
    valueInfo: graph.interior.map(serializeValue),
    output: graph.outputs.map(serializeValue),
  };
}

function serializeNode(node: Node): onnx.INodeProto {
  const { name, opType, domain, inputs, outputs, attributes } = node;
  return {
    name,
    opType,
    ...(domain === '' ? {} : { domain }),
    input: [...inputs],
    output: [...outputs],
    attribute: Object.keys(attributes)
      .sort()
      .map((key) => rung(`attribute ${key}`, () => serializeAttribute(key, attributes[key]!))),
  };
}

function serializeAttribute(name: string, attribute: Attribute): onnx.IAttributeProto {
  const type: number = attributeTypes[attribute.kind];
  switch (attribute.kind) {
    case 'int':
      return { name, type, i: safeInteger(attribute.value) };
    case 'ints':
      return { name, type, ints: attribute.values.map(safeInteger) };
    case 'float':
      return { name, type, f: attribute.value };
    case 'string':
      return { name, type, s: new TextEncoder().encode(attribute.value) };
  }
}

function serializeTensor({ name, dtype, shape, data }: Initializer): onnx.ITensorProto {
  return { name, dims: [...shape], dataType: dataTypes[dtype], rawData: toLittleEndian(data) };
}

function serializeValue({ name, dtype, shape, doc }: Value): onnx.IValueInfoProto {
  const dim = shape.map((length) => {
    if (length === '') return {};
    return typeof length === 'number' ? { dimValue: length } : { dimParam: length };
  });
  return {
    name,
    type: { tensorType: { elemType: dataTypes[dtype], shape: { dim } } },
    ...(doc === undefined ? {} : { docString: doc }),
  };
}

function safeInteger(value: number): number {
  if (Number.isSafeInteger(value)) return value;
  throw new ExportError({ where: 'value', expected: 'an integer', got: String(value) });
}

// ---------------------------------------------------------------------------------------------------------- reading

/**
 * @param where The file's name, for errors.
 * @param inspect Called with the metadata before the graph is looked at, so that a file of another kind can be refused
 *   for what it is instead of for an operator in it.
 * @throws {DataError} if the bytes are not a whole ONNX model made of what this library writes.
 */
export function parseModel(
  where: string,
  bytes: Uint8Array,
  inspect: (metadata: Readonly<Record<string, string>>) => void = () => {},
): Model {
  const message = decode(where, bytes);
  try {
    const metadata = parseMetadata(message.metadataProps ?? []);
    inspect(metadata);
    const graph = message.graph;
    if (graph === null || graph === undefined) {
      throw new ExportError({ where: 'model', expected: 'a graph', got: 'none' });
    }
    refuse('model', 'local functions', message.functions?.length);
    refuse('model', 'training information', message.trainingInfo?.length);
    const model: Model = {
      irVersion: integerOf('IR version', message.irVersion),
      opsetImports: (message.opsetImport ?? []).map(({ domain, version }) => ({
        domain: domain ?? '',
        version: integerOf('opset', version),
      })),
      producerName: message.producerName ?? '',
      producerVersion: message.producerVersion ?? '',
      domain: message.domain ?? '',
      modelVersion: integerOf('model version', message.modelVersion),
      docString: message.docString ?? '',
      graph: rung(`graph ${graph.name}`, () => parseGraph(graph)),
      metadata,
    };
    return model;
  } catch (cause) {
    if (!(cause instanceof ExportError)) throw cause;
    const remedy = cause.remedy ?? 'The file is damaged or was changed by another tool: export it again.';
    throw new DataError({ where: `${where}: ${cause.where}`, expected: cause.expected, got: cause.got, remedy, cause });
  }
}

function decode(where: string, bytes: Uint8Array): onnx.ModelProto {
  const expected = 'an ONNX file';
  if (bytes.length === 0) throw new DataError({ where, expected, got: 'an empty file' });
  if (new TextDecoder().decode(bytes.subarray(0, 40)).startsWith('version https://git-lfs.github.com')) {
    throw new DataError({ where, expected, got: 'a pointer of Git LFS', remedy: 'Fetch the file: git lfs pull.' });
  }
  let message: onnx.ModelProto;
  try {
    message = proto.ModelProto.decode(bytes);
  } catch (cause) {
    // Every ONNX writer begins with the field ir_version, number 1; reading past the end means that the end is missing.
    const isTruncated = String(cause).includes('index out of range') && bytes[0] === 0x08;
    throw new DataError({
      where,
      expected: isTruncated ? 'a whole ONNX file' : expected,
      got: isTruncated ? `a file that breaks off after ${bytes.length} bytes` : 'bytes that are no ONNX model',
      remedy: isTruncated ? 'Copy or download it again.' : 'Give the path of a .onnx file.',
      cause,
    });
  }
  if (message.graph === null || message.graph === undefined) {
    throw new DataError({
      where,
      expected,
      got: 'a file without a graph',
      remedy: 'It is damaged, or not an ONNX model: give the path of a .onnx file.',
    });
  }
  return message;
}

function parseMetadata(entries: readonly onnx.IStringStringEntryProto[]): Record<string, string> {
  const metadata = new Map<string, string>();
  for (const { key, value } of entries) {
    if (metadata.has(key ?? '')) {
      throw new ExportError({ where: 'metadata', expected: 'each key once', got: JSON.stringify(key) });
    }
    metadata.set(key ?? '', value ?? '');
  }
  // fromEntries defines own properties, so that a key such as __proto__ is a key like any other.
  return Object.fromEntries(metadata);
}

function parseGraph(graph: onnx.IGraphProto): Graph {
  refuse('graph', 'sparse initializers', graph.sparseInitializer?.length);
  const parsed: Graph = {
    name: graph.name ?? '',
    inputs: (graph.input ?? []).map((value) => rung(`input ${value.name}`, () => parseValue(value))),
    outputs: (graph.output ?? []).map((value) => rung(`output ${value.name}`, () => parseValue(value))),
    initializers: (graph.initializer ?? []).map((t) => rung(`initializer ${t.name}`, () => parseTensor(t))),
    nodes: (graph.node ?? []).map((node, i) => rung(`node ${node.name || `#${i}`}`, () => parseNode(node))),
    interior: (graph.valueInfo ?? []).map((value) => rung(`value ${value.name}`, () => parseValue(value))),
  };
  checkGraph(parsed);
  return parsed;
}

function parseNode(node: onnx.INodeProto): Node {
  const attributes = new Map<string, Attribute>();
  for (const attribute of node.attribute ?? []) {
    attributes.set(
      attribute.name ?? '',
      rung(`attribute ${attribute.name}`, () => parseAttribute(attribute)),
    );
  }
  return {
    name: node.name ?? '',
    opType: node.opType ?? '',
    domain: node.domain ?? '',
    inputs: node.input ?? [],
    outputs: node.output ?? [],
    attributes: Object.fromEntries(attributes),
  };
}

function parseAttribute(attribute: onnx.IAttributeProto): Attribute {
  switch (attribute.type as number) {
    case attributeTypes.int:
      return { kind: 'int', value: integerOf('value', attribute.i) };
    case attributeTypes.ints:
      return { kind: 'ints', values: (attribute.ints ?? []).map((value) => integerOf('value', value)) };
    case attributeTypes.float:
      return { kind: 'float', value: attribute.f ?? 0 };
    case attributeTypes.string:
      return { kind: 'string', value: new TextDecoder().decode(attribute.s ?? new Uint8Array()) };
    default:
      throw new ExportError({ where: 'type', expected: 'int, ints, float or string', got: `type ${attribute.type}` });
  }
}

function parseTensor(tensor: onnx.ITensorProto): Initializer {
  if ((tensor.dataLocation as number) === externalLocation || (tensor.externalData?.length ?? 0) > 0) {
    throw new ExportError({
      where: 'data',
      expected: 'values inside the file',
      got: 'a reference to another file',
      remedy: 'External data is not read: save the model as one file.',
    });
  }
  const name = tensor.name ?? '';
  const shape = (tensor.dims ?? []).map((length) => integerOf('shape', length));
  const raw = tensor.rawData ?? new Uint8Array();
  const dtype = dtypeOf(tensor.dataType);
  switch (dtype) {
    case 'float32':
      if (raw.length === 0) return { name, dtype, shape, data: Float32Array.from(tensor.floatData ?? []) };
      requireMultiple(raw, 4);
      return { name, dtype, shape, data: fromLittleEndian(Float32Array, raw) };
    case 'int64':
      if (raw.length === 0) {
        const values = (tensor.int64Data ?? []).map((value) => BigInt(value.toString()));
        return { name, dtype, shape, data: BigInt64Array.from(values) };
      }
      requireMultiple(raw, 8);
      return { name, dtype, shape, data: fromLittleEndian(BigInt64Array, raw) };
    case 'bool':
      throw new ExportError({ where: 'type', expected: 'float32 or int64', got: 'bool' });
  }
}

function requireMultiple(bytes: Uint8Array, size: number): void {
  if (bytes.length % size !== 0) {
    throw new ExportError({ where: 'data', expected: `a multiple of ${size} bytes`, got: `${bytes.length}` });
  }
}

function parseValue(value: onnx.IValueInfoProto): Value {
  const tensorType = value.type?.tensorType;
  if (!tensorType?.shape) throw new ExportError({ where: 'type', expected: 'a tensor of known rank', got: 'none' });
  const doc = value.docString ?? '';
  return {
    name: value.name ?? '',
    dtype: dtypeOf(tensorType.elemType),
    shape: (tensorType.shape.dim ?? []).map(parseDim),
    ...(doc === '' ? {} : { doc }),
  };
}

function parseDim(dim: onnx.TensorShapeProto.IDimension): Dim {
  if (typeof dim.dimParam === 'string' && dim.dimParam !== '') return dim.dimParam;
  if (dim.dimValue === null || dim.dimValue === undefined) return '';
  const length = integerOf('shape', dim.dimValue);
  if (length < 0) throw new ExportError({ where: 'shape', expected: 'lengths of 0 or more', got: String(length) });
  return length;
}

function dtypeOf(code: number | null | undefined): DType {
  for (const [dtype, known] of Object.entries(dataTypes)) if (known === code) return dtype as DType;
  throw new ExportError({ where: 'type', expected: 'float32, int64 or bool', got: `data type number ${code}` });
}

/** A protobuf int64 as a number. protobufjs gives `Long` objects where the package `long` is there, else numbers. */
function integerOf(where: string, value: number | { toString(): string } | null | undefined): number {
  const integer = Number((value ?? 0).toString());
  if (!Number.isSafeInteger(integer)) {
    throw new ExportError({ where, expected: 'an integer below 2^53', got: String(value) });
  }
  return integer;
}

function refuse(where: string, what: string, count: number | undefined): void {
  if ((count ?? 0) > 0) throw new ExportError({ where, expected: `no ${what}`, got: String(count) });
}
