/** All tasks, by name: what a configuration's `task` may be, and the sampler that draws it. */
import { unknownName } from '../errors.ts';
import { createLinearRegressionSampler, type LinearRegressionSpec, type Sampler } from './linear-regression.ts';

export type { Sampler } from './linear-regression.ts';

/** A task as plain data. Its `name` says which. */
export type TaskSpec = LinearRegressionSpec;

interface Task {
  readonly name: TaskSpec['name'];
  readonly description: string;
  createSampler(spec: TaskSpec): Sampler;
}

export const tasks: readonly Task[] = [
  {
    name: 'linear-regression',
    description: 'y = <w, x> + noise with a fresh w per prompt',
    createSampler: createLinearRegressionSampler,
  },
];

/** @throws {UsageError} for an unknown task or impossible numbers. */
export function createSampler(spec: TaskSpec): Sampler {
  const task = tasks.find(({ name }) => name === spec.name);
  if (task === undefined) {
    throw unknownName(
      'task',
      spec.name,
      tasks.map(({ name }) => name),
    );
  }
  return task.createSampler(spec);
}
