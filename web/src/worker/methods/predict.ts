/** Methods that answer prompts the page has: a model's predictions and estimators' beside them. */
import type { EstimatorRequest } from '../../../../infer/evaluate.ts';
import type { WebProvider } from '../../../../infer/web-runtime.ts';
import { createEstimator } from '../../../../models/estimators/index.ts';
import { type LabelledBatch, type PromptBatch, responseWidth } from '../../../../models/prompts.ts';
import type { TaskSpec } from '../../../../models/tasks/index.ts';
import { sessionOf } from '../open-models.ts';

export interface PredictArgument {
  readonly model: string;
  readonly provider: WebProvider;
  readonly prompts: PromptBatch;
}

export interface Answers {
  /** `[B, Q]` or `[B, Q, c]`. */
  readonly prediction: Float32Array;
  /** `[B, N + 1, Q]` or `[B, N + 1, Q, c]`, of a model that has them. */
  readonly prefixPrediction?: Float32Array;
  /** Milliseconds of the run. */
  readonly milliseconds: number;
}

/** @throws {ShapeError} | {DataError} | {ProviderError} */
export async function predict({ model, provider, prompts }: PredictArgument): Promise<Answers> {
  const session = await sessionOf(model, provider);
  const start = performance.now();
  const answers = await session.run(prompts);
  return { ...answers, milliseconds: performance.now() - start };
}

export interface EstimateArgument {
  readonly task: TaskSpec;
  readonly estimators: readonly EstimatorRequest[];
  /** Labelled, for estimators that know what a task drew. */
  readonly prompts: PromptBatch | LabelledBatch;
}

/** Answers `[B, Q]` or `[B, Q, c]` of each estimator, in their order. @throws {UsageError} */
export async function estimate({ task, estimators, prompts }: EstimateArgument): Promise<Float64Array[]> {
  return estimators.map(({ name, options = {} }) => {
    const out = new Float64Array(prompts.batch * prompts.queries * responseWidth(prompts));
    createEstimator(name, { task, options }).predict(prompts, out);
    return out;
  });
}
