/** Parameters are fitted, in Node. */
export * from './config.ts';
export { configHash, differingKeys } from './config-identity.ts';
export * from './engines.ts';
export { type LossSpec, losses } from './losses.ts';
export { type OptimizerSpec, optimizers } from './optimizers.ts';
export * from './train.ts';
export * from './training-step.ts';
