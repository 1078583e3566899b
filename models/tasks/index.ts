/**
 * All tasks, by name: what a configuration's `task` may be, how one from outside is checked, and the sampler that draws
 * it. A new task is a file beside this, a line in the list and a member of the union.
 */
import * as v from 'valibot';
import { UsageError, unknownName } from '../errors.ts';
import { parseWith } from '../schema.ts';
import { type FeatureRegressionSpec, featureRegression } from './feature-regression.ts';
import { type GaussianMixtureSpec, gaussianMixture } from './gaussian-mixture.ts';
import { type LinearRegressionSpec, linearRegression } from './linear-regression.ts';
import { type LinearRegressionBankSpec, linearRegressionBank } from './linear-regression-bank.ts';
import { type MarkovChainSpec, markovChain } from './markov-chain.ts';
import type { Posterior, Sampler, Task } from './task.ts';

export type { Posterior, Sampler, Task } from './task.ts';

/** A task as plain data. Its `name` says which. */
export type TaskSpec =
  | LinearRegressionSpec
  | LinearRegressionBankSpec
  | FeatureRegressionSpec
  | GaussianMixtureSpec
  | MarkovChainSpec;
export type TaskName = TaskSpec['name'];

export const tasks: readonly Task<TaskSpec>[] = [
  linearRegression,
  linearRegressionBank,
  featureRegression,
  gaussianMixture,
  markovChain,
];

export const taskNames: readonly TaskName[] = tasks.map(({ name }) => name);

/** Of a specification from outside, such as a configuration's. */
export const taskSchema = v.variant(
  'name',
  tasks.map(
    ({ schema }) => schema as v.GenericSchema<unknown, TaskSpec> & v.StrictObjectSchema<TaskEntries, undefined>,
  ),
  `a task with a name: ${taskNames.join(', ')}`,
) as unknown as v.GenericSchema<unknown, TaskSpec>;

interface TaskEntries extends v.ObjectEntries {
  readonly name: v.LiteralSchema<TaskName, undefined>;
}

/**
 * A specification from outside, with what can be checked without drawing from it.
 * @param where What was read, for errors.
 * @throws {UsageError} naming the key that is unknown, missing or wrong, or the nearest known task.
 */
export function parseTask(where: string, value: unknown): TaskSpec {
  const name = typeof value === 'object' && value !== null ? (value as { readonly name?: unknown }).name : undefined;
  return parseWith(where, typeof name === 'string' ? taskNamed(name).schema : taskSchema, value);
}

/** @throws {UsageError} naming the nearest known task. */
export function taskNamed(name: string): Task<TaskSpec> {
  const task = tasks.find((candidate) => candidate.name === name);
  if (task === undefined) throw unknownName('task', name, taskNames);
  return task;
}

/** @throws {UsageError} for an unknown task or impossible numbers. */
export function createSampler(spec: TaskSpec): Sampler {
  return taskNamed(spec.name).createSampler(spec);
}

/** The true probabilities of a task's classes; undefined where the task has none. */
export function createPosterior(spec: TaskSpec): Posterior | undefined {
  return taskNamed(spec.name).createPosterior?.(spec);
}

/** Names of the estimators that stand beside a model of a law unless others are asked for. */
export function usualEstimators(spec: TaskSpec): readonly string[] {
  const { estimators, estimatorsOf } = taskNamed(spec.name);
  return estimatorsOf?.(spec) ?? estimators;
}

/**
 * A specification that must be of a certain task.
 * @throws {UsageError} if it is of another.
 */
export function requireTask<Name extends TaskName>(
  where: string,
  spec: TaskSpec,
  name: Name,
): Extract<TaskSpec, { readonly name: Name }> {
  if (spec.name !== name) throw new UsageError({ where, expected: `the task ${name}`, got: spec.name });
  return spec as Extract<TaskSpec, { readonly name: Name }>;
}
