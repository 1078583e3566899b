/** Frozen models answer prompts, in a browser: the same facade over onnxruntime-web. */
export * from './evaluate.ts';
export * from './provider-table.ts';
export * from './session.ts';
export { openSession } from './session-web.ts';
export * from './verify-session.ts';
