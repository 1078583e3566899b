/** Methods of the playground: what a model, an estimator and the truth answer at thousands of places, from one context. */
import type { WebProvider } from '../../../../infer/web-runtime.ts';
import type { PromptBatch } from '../../../../models/prompts.ts';
import type { TaskSpec } from '../../../../models/tasks/index.ts';
import { type Comparison, compare } from '../comparison.ts';
import { sessionOf } from '../open-models.ts';
import type { CallContext } from '../protocol.ts';
import { redraw } from '../redraw.ts';

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
  const laws = { task, testTask, ...(taskParameters === undefined ? {} : { taskParameters }) };
  const probe = { ...prompt, queries: 1, query: prompt.query.subarray(0, prompt.dimension) };
  return {
    model: prediction,
    comparison: comparison === null ? null : compare(comparison, prompt, laws),
    others: others.map((each) => compare(each, probe, laws)),
    milliseconds,
  };
}

export interface ScatterArgument {
  readonly model: string;
  readonly provider: WebProvider;
  /** One prompt: its task is kept, its pairs are drawn afresh. */
  readonly testTask: TaskSpec;
  readonly taskParameters: Float32Array;
  readonly context: number;
  /** `[Q, D]` */
  readonly query: Float32Array;
  readonly seed: number;
  readonly contexts: number;
}

export interface Scatter {
  /** `[Q]` or `[Q, c]`: eight predictions in ten lie between. */
  readonly low: Float32Array;
  readonly high: Float32Array;
}

/** How a model's answers scatter when the same task shows other pairs. @throws as {@link answerPlane} */
export async function scatterAnswers(
  { model, provider, testTask, taskParameters, context, query, seed, contexts }: ScatterArgument,
  { turn }: CallContext<never>,
): Promise<Scatter> {
  await turn();
  const session = await sessionOf(model, provider, { prefixes: false });
  const prompts = redraw({ testTask, taskParameters, context, query, seed, contexts });
  const { prediction } = await session.run(prompts);
  const width = prediction.length / contexts;
  const quantile = (share: number) =>
    Float32Array.from({ length: width }, (_, at) => {
      const sorted = Float32Array.from({ length: contexts }, (_unused, b) => prediction[b * width + at]!).sort();
      return sorted[Math.round(share * (contexts - 1))]!;
    });
  return { low: quantile(0.1), high: quantile(0.9) };
}
