/** Frozen models answer prompts, in Node. */
export * from './evaluate.ts';
export * from './infer-file.ts';
export { readPrompts } from './prompt-files.ts';
export * from './providers.ts';
export * from './session.ts';
export { openSession } from './session-node.ts';
export * from './verify.ts';
