/** icl-onnx in a browser: train, export, infer, measure. */
export * from './export/index.ts';
export * from './infer/index-browser.ts';
export * from './models/index.ts';
export * from './train/index-browser.ts';
