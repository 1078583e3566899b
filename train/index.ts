/** Parameters are fitted, in Node. */
export * from './config.ts';
export * from './engines.ts';
export * from './train.ts';
