/** All estimators, by name. A new one is a file beside this and a line here. */
import { UsageError, unknownName } from '../errors.ts';
import { type TaskSpec, taskNamed } from '../tasks/index.ts';
import { dmmse } from './dmmse.ts';
import type { Estimator, EstimatorKind } from './estimator.ts';
import { leastSquares } from './least-squares.ts';
import { linearDiscriminant } from './linear-discriminant.ts';
import { logistic } from './logistic.ts';
import { knownKernel, knownKernelMode, pooledCounts } from './markov.ts';
import { nearestNeighbours } from './nearest-neighbours.ts';
import { posterior } from './posterior.ts';
import { ridge } from './ridge.ts';
import { uniform } from './uniform.ts';
import { zero } from './zero.ts';

export type { Estimator, EstimatorKind, EstimatorOption } from './estimator.ts';

export const estimators: readonly EstimatorKind[] = [
  zero,
  leastSquares,
  ridge,
  dmmse,
  uniform,
  posterior,
  linearDiscriminant,
  nearestNeighbours,
  logistic,
  pooledCounts,
  knownKernel,
  knownKernelMode,
];

/** What an estimator is made for. */
export interface EstimatorSetting {
  /** The law of the training prompts. */
  readonly task: TaskSpec;
  /** The law of the prompts that it will see. @default task */
  readonly testTask?: TaskSpec;
  /** Absent ones take their defaults. */
  readonly options?: Readonly<Record<string, number>>;
}

/** Whether an estimator answers the prompts of a task: it says so, or the task names it among those that stand beside a model. */
const applies = (kind: EstimatorKind, { name }: TaskSpec): boolean =>
  kind.tasks.includes(name) || taskNamed(name).estimators.includes(kind.name);

/** The estimators that answer the prompts of a task. */
export const estimatorsFor = (task: TaskSpec): readonly EstimatorKind[] =>
  estimators.filter((kind) => applies(kind, task));

/**
 * An estimator for the prompts of a task.
 * @throws {UsageError} for an unknown estimator or option, naming the nearest, an impossible value, or a task to which
 *   the estimator does not apply.
 */
export function createEstimator(name: string, { task, testTask = task, options = {} }: EstimatorSetting): Estimator {
  const kind = estimators.find((candidate) => candidate.name === name);
  if (kind === undefined) {
    throw unknownName(
      'estimator',
      name,
      estimators.map((candidate) => candidate.name),
    );
  }
  if (!applies(kind, task)) {
    const apply = estimatorsFor(task).map((candidate) => candidate.name);
    throw new UsageError({
      where: `estimator ${name}`,
      expected: `prompts of ${kind.tasks.join(' or ')}`,
      got: task.name,
      ...(apply.length === 0 ? {} : { remedy: `Of that task: ${apply.join(', ')}.` }),
    });
  }
  const resolved: Record<string, number> = {};
  for (const option of kind.options) {
    const value = options[option.name] ?? option.default;
    if (value === undefined) continue;
    if (!option.accepts(value)) {
      throw new UsageError({ where: `${name}: ${option.name}`, expected: option.expected, got: String(value) });
    }
    resolved[option.name] = value;
  }
  for (const key of Object.keys(options)) {
    if (kind.options.some((option) => option.name === key)) continue;
    if (kind.options.length === 0) {
      throw new UsageError({ where: name, expected: 'no options', got: JSON.stringify(key) });
    }
    throw unknownName(
      `${name}: option`,
      key,
      kind.options.map((option) => option.name),
    );
  }
  return kind.create(resolved, { task, testTask });
}
