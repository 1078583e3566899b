/**
 * The graph's intermediate representation to ONNX bytes; the way back is `parse.ts`. These two know onnx-proto, and no others.
 *
 * A ladder of functions, one per protobuf message. Optional fields are written
 * only when they say something, metadata in sorted key order, tensors as little-endian `raw_data`: the same model gives
 * the same bytes. Each rung puts its name before the error of the rung below: `model > graph g > node MatMul_3`.
 */
import onnxProto, { type onnx } from 'onnx-proto';
import { ExportError } from '../models/errors.ts';
import {
  type Attribute,
  checkGraph,
  type Graph,
  type Initializer,
  type Model,
  type Node,
  type Value,
} from './graph.ts';
import { toLittleEndian } from './little-endian.ts';
import { attributeTypes, dataTypes, rung } from './proto-numbers.ts';

const proto = onnxProto.onnx;

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
  if (attribute.kind === 'opaque') {
    const message = proto.AttributeProto.decode(attribute.message);
    message.name = name;
    return message;
  }
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
