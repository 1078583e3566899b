/** What stands beside a model: an estimator, or whoever knows what the task drew. Pure; knows no session. */
import type { EstimatorRequest } from '../../../infer/evaluate.ts';
import { answerQueries } from '../../../models/estimators/estimator.ts';
import { createEstimator } from '../../../models/estimators/index.ts';
import { type LabelledBatch, type PromptBatch, responseWidth } from '../../../models/prompts.ts';
import { createPosterior, type TaskSpec } from '../../../models/tasks/index.ts';

export type Comparison = EstimatorRequest | 'truth';

export interface Laws {
  /** The law of the training prompts, and that of this one. */
  readonly task: TaskSpec;
  readonly testTask: TaskSpec;
  /** What the task drew for the prompt; absent where nobody knows. */
  readonly taskParameters?: Float32Array;
}

/** Answers one prompt: `[Q]`, or `[Q, c]`. @throws {UsageError} if the task has no such estimator. */
export function compare(comparison: Comparison, prompt: PromptBatch, laws: Laws): Float32Array {
  const { task, testTask, taskParameters } = laws;
  const out = new Float64Array(prompt.queries * responseWidth(prompt));
  if (comparison !== 'truth') {
    const { name, options = {} } = comparison;
    createEstimator(name, { task, testTask, options }).predict(prompt, out);
    return Float32Array.from(out);
  }
  if (taskParameters === undefined) throw new Error('the truth is known of drawn prompts only');
  const posterior = createPosterior(testTask);
  const labelled: LabelledBatch = { ...prompt, taskParameters, targets: new Float32Array(out.length) };
  if (posterior === undefined) answerQueries(prompt, 0, Float64Array.from(taskParameters), out);
  else posterior(labelled, out);
  return Float32Array.from(out);
}
