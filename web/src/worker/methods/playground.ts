/** Methods of the playground: what a model, an estimator and the truth answer at thousands of places, from one context. */
import type { EstimatorRequest } from '../../../../infer/evaluate.ts';
import type { WebProvider } from '../../../../infer/web-runtime.ts';
import { answerQueries } from '../../../../models/estimators/estimator.ts';
import { createEstimator } from '../../../../models/estimators/index.ts';
import { type LabelledBatch, type PromptBatch, responseWidth } from '../../../../models/prompts.ts';
import { createPosterior, type TaskSpec } from '../../../../models/tasks/index.ts';
import { sessionOf } from '../open-models.ts';
import type { CallContext } from '../protocol.ts';

/** What can stand beside a model: an estimator, or whoever knows what the task drew. */
export type Comparison = EstimatorRequest | 'truth';

export interface PlaneArgument {
  readonly model: string;
  readonly provider: WebProvider;
  /** One prompt; the first query is the probe. */
  readonly prompt: PromptBatch;
  /** The law of the training prompts, and that of this one. */
  readonly task: TaskSpec;
  readonly testTask: TaskSpec;
  /** What the task drew for the prompt; absent where nobody knows. */
  readonly taskParameters?: Float32Array;
  /** Answers every query; null: nothing does. */
  readonly comparison: Comparison | null;
  /** Answer the probe alone. */
  readonly others: readonly Comparison[];
}

export interface PlaneAnswers {
  /** `[Q]`, or `[Q, c]`. */
  readonly model: Float32Array;
  readonly comparison: Float32Array | null;
  /** One number each, or c. */
  readonly others: readonly Float32Array[];
  /** Milliseconds of the model's run. */
  readonly milliseconds: number;
}

/** @throws {ShapeError} | {DataError} | {ProviderError} | {UsageError} */
export async function answerPlane(
  { model, provider, prompt, task, testTask, taskParameters, comparison, others }: PlaneArgument,
  { turn }: CallContext<never>,
): Promise<PlaneAnswers> {
  await turn(); // A newer call may have cancelled this one already.
  const session = await sessionOf(model, provider, { prefixes: false });
  const start = performance.now();
  const { prediction } = await session.run(prompt);
  const milliseconds = performance.now() - start;
  await turn();
  const laws = { task, testTask, taskParameters };
  const width = responseWidth(prompt);
  const probe = { ...prompt, queries: 1, query: prompt.query.subarray(0, prompt.dimension) };
  return {
    model: prediction,
    comparison: comparison === null ? null : compare(comparison, prompt, laws, prompt.queries * width),
    others: others.map((each) => compare(each, probe, laws, width)),
    milliseconds,
  };
}

interface Laws extends Pick<PlaneArgument, 'task' | 'testTask'> {
  readonly taskParameters: Float32Array | undefined;
}

function compare(
  comparison: Comparison,
  prompt: PromptBatch,
  { task, testTask, taskParameters }: Laws,
  length: number,
): Float32Array {
  const out = new Float64Array(length);
  if (comparison !== 'truth') {
    const { name, options = {} } = comparison;
    createEstimator(name, { task, testTask, options }).predict(prompt, out);
  } else if (taskParameters === undefined) {
    throw new Error('the truth is known of drawn prompts only');
  } else {
    const posterior = createPosterior(testTask);
    const labelled: LabelledBatch = { ...prompt, taskParameters, targets: new Float32Array(length) };
    if (posterior === undefined) answerQueries(prompt, 0, Float64Array.from(taskParameters), out);
    else posterior(labelled, out);
  }
  return Float32Array.from(out);
}
