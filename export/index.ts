/** A model becomes an ONNX file, and is read back. Runs in Node and in browsers. */
export * from './export-model.ts';
export type { JsonValue } from './json.ts';
export type { ModelMetadata } from './metadata.ts';
export { printModel } from './print.ts';
export * from './read-model.ts';
export * from './safetensors.ts';
