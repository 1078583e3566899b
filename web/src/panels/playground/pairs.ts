/**
 * The pairs of one prompt as a person handles them: places in the plane with a response. Draws them from a task's law, and makes
 * prompts of them. Knows tasks; knows no model and nothing that is seen.
 */
import { allocateBatch, type PromptBatch } from '../../../../models/prompts.ts';
import { createGenerator, streams } from '../../../../models/random.ts';
import { createSampler, type TaskSpec, taskNamed } from '../../../../models/tasks/index.ts';

export interface Pair {
  readonly x1: number;
  readonly x2: number;
  /** The response: a number; of signs -1 or +1; of c classes 1 .. c. */
  readonly y: number;
}

/** What a response is: a number, or a class, whose values are listed in the order of a prediction's probabilities. */
export type ResponseKind =
  | { readonly kind: 'number' }
  | { readonly kind: 'classes'; readonly values: readonly number[]; readonly isOneHot: boolean };

export interface DrawnContext {
  readonly pairs: readonly Pair[];
  /** What the task drew; see the task's file. */
  readonly taskParameters: Float32Array;
}

export const mostPairs = 200;

export function responseKindOf(task: TaskSpec): ResponseKind {
  if (taskNamed(task.name).kind === 'regression') return { kind: 'number' };
  const { classes } = createSampler(task);
  if (classes === 0) return { kind: 'classes', values: [-1, 1], isOneHot: false };
  return { kind: 'classes', values: Array.from({ length: classes }, (_, k) => k + 1), isOneHot: true };
}

/** Prompt number `prompt` of a seed, its first `count` pairs. @throws {UsageError} if the law is impossible. */
export function drawContext(task: TaskSpec, seed: number, prompt: number, count: number): DrawnContext {
  const sampler = createSampler(task);
  const batch = allocateBatch({ batch: 1, context: count, queries: 1, ...sampler });
  sampler.fill(createGenerator(seed, streams.evaluation), prompt, batch);
  const width = Math.max(1, sampler.classes);
  const pairs = Array.from({ length: count }, (_, i) => {
    const label = batch.responses.subarray(i * width, (i + 1) * width);
    const y = width === 1 ? label[0]! : label.indexOf(1) + 1;
    return { x1: batch.covariates[2 * i]!, x2: batch.covariates[2 * i + 1]!, y };
  });
  return { pairs, taskParameters: batch.taskParameters };
}

/** One prompt of these pairs and queries `[Q, 2]`. */
export function promptOf(pairs: readonly Pair[], responses: ResponseKind, query: Float32Array): PromptBatch {
  const classes = responses.kind === 'classes' && responses.isOneHot ? responses.values.length : 0;
  const labels = Float32Array.from(
    classes === 0
      ? pairs.map(({ y }) => y)
      : pairs.flatMap(({ y }) => Array.from({ length: classes }, (_, k) => (k === y - 1 ? 1 : 0))),
  );
  return {
    batch: 1,
    context: pairs.length,
    queries: query.length / 2,
    dimension: 2,
    classes,
    covariates: Float32Array.from(pairs.flatMap(({ x1, x2 }) => [x1, x2])),
    responses: labels,
    query,
  };
}

/** The line of a JSON Lines file that `icl infer` reads; numbers are float32, written so that they are read as the same. */
export function formatPrompt({ context, queries, classes = 0, covariates, responses, query }: PromptBatch): string {
  const rows = (values: Float32Array, count: number, width: number) =>
    Array.from({ length: count }, (_, i) => [...values.subarray(i * width, (i + 1) * width)]);
  return `${JSON.stringify({
    covariates: rows(covariates, context, 2),
    responses: classes === 0 ? [...responses] : rows(responses, context, classes),
    query: rows(query, queries, 2),
  })}\n`;
}
