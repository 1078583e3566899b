/** Small graphs that a program makes for itself and runs at once: no model, so nothing is said of their origin. */
import type { Graph } from './graph.ts';
import { serializeModel } from './serialize.ts';

/** Opset 17, IR 8, as frozen models by default. */
export function serializeHelperGraph(graph: Graph): Uint8Array {
  return serializeModel({
    irVersion: 8,
    opsetImports: [{ domain: '', version: 17 }],
    producerName: 'icl-onnx',
    producerVersion: '',
    domain: 'icl-onnx',
    modelVersion: 1,
    docString: '',
    graph,
    metadata: {},
  });
}
