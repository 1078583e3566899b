/** What the papers write on the board: architectures, tasks, shifts, estimators, theory, and the generator. Pure. */
export * from './architecture.ts';
export { architectureNamed, architectures } from './attention/index.ts';
export { type Differentiated, differentiate, type ScalarFunction } from './autodiff.ts';
export * from './errors.ts';
export * from './estimators/index.ts';
export * from './ops.ts';
export * from './prompts.ts';
export * from './random.ts';
export * from './reference-ops.ts';
export * from './shape.ts';
export * from './shifts/index.ts';
export type { Covariance } from './tasks/covariance.ts';
export {
  createSampler,
  parseTask,
  type Sampler,
  type Task,
  type TaskName,
  type TaskSpec,
  tasks,
} from './tasks/index.ts';
export * as ding2025 from './theory/ding2025.ts';
export * as huang2023 from './theory/huang2023.ts';
export * as zhang2023 from './theory/zhang2023.ts';
export { version } from './version.ts';
