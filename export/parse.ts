/**
 * ONNX bytes to the graph's intermediate representation: the mirror of `serialize.ts`.
 *
 * A file that is read is not trusted: sizes are checked before anything is allocated, and what this library would not
 * write (subgraphs, functions, data in another file) is refused. Files that other tools wrote are read by
 * {@link parseForeignModel}: other element types and attributes are kept as they stand.
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
import { fromLittleEndian } from './little-endian.ts';
import { attributeTypes, dataTypes, graphAttributeTypes, rung } from './proto-numbers.ts';

const proto = onnxProto.onnx;

/** Number of `TensorProto.DataLocation.EXTERNAL`. */
const externalLocation = 1;
/** Number of `AttributeProto.AttributeType.TENSOR`. */
const tensorAttribute = 4;
/** Element types that this library writes. */
const ownTypes: readonly DType[] = ['float32', 'int64', 'bool'];

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
  return parse(where, bytes, inspect, parseGraph);
}

/**
 * As {@link parseModel}, of a file that any tool wrote. Initializers of other types than float32 and int64 become `Constant`
 * nodes; attributes that this library has no word for are kept as bytes; interior types are left out where they are not
 * those of a tensor of known rank.
 * @throws {DataError} for subgraphs (`If`, `Loop`, `Scan`), local functions, sparse tensors, and data in another file.
 */
export function parseForeignModel(where: string, bytes: Uint8Array): Model {
  return parse(where, bytes, () => {}, parseForeignGraph);
}

/** A file's metadata alone. @throws {DataError} if the bytes are no ONNX model. */
export function parseProps(where: string, bytes: Uint8Array): Readonly<Record<string, string>> {
  return naming(where, () => parseMetadata(decode(where, bytes).metadataProps ?? []));
}

function parse(
  where: string,
  bytes: Uint8Array,
  inspect: (metadata: Readonly<Record<string, string>>) => void,
  read: (graph: onnx.IGraphProto) => Graph,
): Model {
  const message = decode(where, bytes);
  return naming(where, () => {
    const metadata = parseMetadata(message.metadataProps ?? []);
    inspect(metadata);
    const graph = message.graph;
    if (graph === null || graph === undefined) {
      throw new ExportError({ where: 'model', expected: 'a graph', got: 'none' });
    }
    refuse('model', 'local functions', message.functions?.length);
    refuse('model', 'training information', message.trainingInfo?.length);
    return {
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
      graph: rung(`graph ${graph.name}`, () => read(graph)),
      metadata,
    };
  });
}

/** Runs a part of reading; what is wrong with the file is said under the file's name. */
function naming<T>(where: string, run: () => T): T {
  try {
    return run();
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

function parseForeignGraph(graph: onnx.IGraphProto): Graph {
  refuse('graph', 'sparse initializers', graph.sparseInitializer?.length);
  const isOwn = (tensor: onnx.ITensorProto) =>
    tensor.dataType === dataTypes.float32 || tensor.dataType === dataTypes.int64;
  const stored = graph.initializer ?? [];
  // Before IR 4 an initializer was listed among the inputs too.
  const storedNames = new Set(stored.map(({ name }) => name));
  const foreign = (value: onnx.IValueInfoProto) => parseValue(value, Object.keys(dataTypes) as DType[]);
  const parsed: Graph = {
    name: graph.name ?? '',
    inputs: (graph.input ?? [])
      .filter(({ name }) => !storedNames.has(name))
      .map((value) => rung(`input ${value.name}`, () => foreign(value))),
    outputs: (graph.output ?? []).map((value) => rung(`output ${value.name}`, () => foreign(value))),
    initializers: stored.filter(isOwn).map((t) => rung(`initializer ${t.name}`, () => parseTensor(t))),
    nodes: [
      ...stored.filter((t) => !isOwn(t)).map((t) => rung(`initializer ${t.name}`, () => constantNode(t))),
      ...(graph.node ?? []).map((node, i) =>
        rung(`node ${node.name || `#${i}`}`, () => parseNode(node, parseForeignAttribute)),
      ),
    ],
    interior: (graph.valueInfo ?? []).filter((value) => value.type?.tensorType?.shape).map(foreign),
  };
  checkGraph(parsed);
  return parsed;
}

/** A stored tensor of another type as a node that makes it. */
function constantNode(tensor: onnx.ITensorProto): Node {
  refuseExternal(tensor);
  const name = tensor.name ?? '';
  const message = proto.AttributeProto.encode({ name: 'value', type: tensorAttribute, t: tensor }).finish();
  const value: Attribute = { kind: 'opaque', message: new Uint8Array(message) };
  return {
    name: `Constant_${name}`,
    opType: 'Constant',
    domain: '',
    inputs: [],
    outputs: [name],
    attributes: { value },
  };
}

function parseForeignAttribute(attribute: onnx.IAttributeProto): Attribute {
  const type = attribute.type as number;
  if (graphAttributeTypes.includes(type)) {
    throw new ExportError({ where: 'type', expected: 'no graph within the graph', got: 'one, as of If, Loop or Scan' });
  }
  if (type === tensorAttribute && attribute.t) refuseExternal(attribute.t);
  const isKnown = Object.values(attributeTypes).some((known) => known === type);
  if (isKnown) return parseAttribute(attribute);
  return { kind: 'opaque', message: new Uint8Array(proto.AttributeProto.encode(attribute).finish()) };
}

function parseNode(node: onnx.INodeProto, readAttribute = parseAttribute): Node {
  const attributes = new Map<string, Attribute>();
  for (const attribute of node.attribute ?? []) {
    attributes.set(
      attribute.name ?? '',
      rung(`attribute ${attribute.name}`, () => readAttribute(attribute)),
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

function refuseExternal(tensor: onnx.ITensorProto): void {
  if ((tensor.dataLocation as number) !== externalLocation && (tensor.externalData?.length ?? 0) === 0) return;
  throw new ExportError({
    where: 'data',
    expected: 'values inside the file',
    got: 'a reference to another file',
    remedy: 'External data is not read: save the model as one file.',
  });
}

function parseTensor(tensor: onnx.ITensorProto): Initializer {
  refuseExternal(tensor);
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
    default:
      throw new ExportError({ where: 'type', expected: 'float32 or int64', got: dtype });
  }
}

function requireMultiple(bytes: Uint8Array, size: number): void {
  if (bytes.length % size !== 0) {
    throw new ExportError({ where: 'data', expected: `a multiple of ${size} bytes`, got: `${bytes.length}` });
  }
}

function parseValue(value: onnx.IValueInfoProto, types = ownTypes): Value {
  const tensorType = value.type?.tensorType;
  if (!tensorType?.shape) throw new ExportError({ where: 'type', expected: 'a tensor of known rank', got: 'none' });
  const doc = value.docString ?? '';
  return {
    name: value.name ?? '',
    dtype: dtypeOf(tensorType.elemType, types),
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

function dtypeOf(code: number | null | undefined, types = ownTypes): DType {
  const found = types.find((dtype) => dataTypes[dtype] === code);
  if (found !== undefined) return found;
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
