/** Parameters are fitted, in a browser. */
export * from './config.ts';
export type { Engine, TrainingState } from './engines.ts';
export * from './fit-web.ts';
export type { FinishedStep, Hold, TrainingProgress } from './loop.ts';
export { type LossSpec, losses } from './losses.ts';
export type { MetricsRow } from './metrics.ts';
export { createWebEngine, type WebEngineOptions } from './onnx-engine-web.ts';
export { type OptimizerSpec, optimizers } from './optimizers.ts';
export * from './training-step.ts';
