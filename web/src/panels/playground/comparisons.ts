/** What stands beside the model: the estimators that a task's prompts have, and the truth, in words. Knows nothing that is seen. */
import { createEstimator, estimators } from '../../../../models/estimators/index.ts';
import { type TaskSpec, taskNamed } from '../../../../models/tasks/index.ts';
import type { Comparison } from '../../worker/comparison.ts';

export interface NamedComparison {
  /** In the link. */
  readonly key: string;
  readonly title: string;
  /** A sentence for a student. */
  readonly about: string;
  readonly request: Comparison;
}

/** The estimators that are worth a look here, the most telling first. */
const words: readonly Omit<NamedComparison, 'request'>[] = [
  {
    key: 'dmmse',
    title: 'Memory of the training tasks',
    about: 'Bayes for whoever takes every prompt to be one of the training tasks.',
  },
  {
    key: 'least-squares',
    title: 'Least squares',
    about: 'The plane through the origin with the smallest squared errors at the pairs.',
  },
  {
    key: 'ridge',
    title: 'Ridge',
    about: 'Least squares that prefers flat planes.',
  },
  {
    key: 'linear-discriminant',
    title: 'Linear discriminant',
    about: 'Classes around the means of their pairs, scattered as in training.',
  },
  {
    key: 'logistic',
    title: 'Logistic regression',
    about: 'The straight boundary under which these labels are likeliest.',
  },
  {
    key: 'nearest-neighbours',
    title: 'Nearest neighbours',
    about: 'The nearest pairs vote.',
  },
];

/**
 * @param isDrawn Whether the pairs are as the task drew them: only then somebody knows the truth.
 * @param penalty Of ridge, where the training law does not say how much noise there is.
 */
export function comparisonsFor(task: TaskSpec, isDrawn: boolean, penalty: number): readonly NamedComparison[] {
  const isRegression = taskNamed(task.name).kind === 'regression';
  const truth: NamedComparison = {
    key: 'truth',
    title: 'Truth',
    about: isRegression
      ? 'The function that the responses were drawn from, without noise.'
      : 'The classes’ true probabilities, by whoever knows where the classes were drawn.',
    request: 'truth',
  };
  const known = words.flatMap((each): NamedComparison[] => {
    const kind = estimators.find(({ name }) => name === each.key)!;
    if (!kind.tasks.includes(task.name)) return [];
    if (each.key !== 'ridge') return fits(each.key, task) ? [{ ...each, request: { name: each.key } }] : [];
    const request = { name: 'ridge', options: { penalty } };
    const lambda = `λ = ${Number(penalty.toPrecision(3))}`;
    const isBayes = penalty > 0 && penalty === noiseOf(task) && hasStandardTasks(task);
    const title = isBayes ? `Bayes (ridge, ${lambda})` : `Ridge, ${lambda}`;
    const sum = isBayes
      ? 'With the training noise as λ nobody does better on prompts as in training'
      : `λ |w|² is what steepness costs`;
    return [{ ...each, title, about: `${each.about} ${sum}.`, request }];
  });
  return isDrawn ? [truth, ...known] : known;
}

/** Some estimators need more of a task than its name says: a bank of tasks, say. */
function fits(name: string, task: TaskSpec): boolean {
  try {
    createEstimator(name, { task });
    return true;
  } catch {
    return false;
  }
}

const noiseOf = (task: TaskSpec): number => ('noiseVariance' in task ? task.noiseVariance : 0);

/** Whether fresh task vectors are N(0, I): ridge with the noise variance as its penalty is then the posterior mean. */
function hasStandardTasks(task: TaskSpec): boolean {
  if (task.name === 'linear-regression') return task.taskCovariance.kind === 'identity';
  return task.name === 'linear-regression-bank' && task.tasks === null && task.law === 'gaussian';
}

/** The penalty that makes ridge Bayes for a training law with noise; without noise 1, so that there is something to see. */
export function defaultPenalty(task: TaskSpec): number {
  return noiseOf(task) > 0 ? noiseOf(task) : 1;
}
