/** icl-onnx in Node: train, export, infer, measure. */
export * from './export/index.ts';
export * from './infer/index.ts';
export * from './models/index.ts';
