/**
 * What a person asks of a frozen model's robustness, completed to a plan: the training task and length of its metadata, the
 * task's own estimators, its study's exact risk. The command line and the page ask the same here. Measures nothing itself.
 */
import { trainingLengthOf } from '../export/metadata.ts';
import { isFrozen, type RunnableModel } from '../export/read-model.ts';
import type { EvaluationPlan, EvaluationRequest } from '../infer/evaluate.ts';
import type { InferenceSession } from '../infer/session.ts';
import { UsageError } from '../models/errors.ts';
import { usualEstimators } from '../models/tasks/index.ts';
import type { ModelTheory, Study } from './study.ts';

/** What `icl evaluate` may choose. */
export interface EvaluateRequest
  extends Pick<EvaluationPlan, 'shifts' | 'prompts' | 'queriesPerPrompt' | 'seed' | 'targetStandardError'> {
  /** Absent: the training length. */
  readonly lengths?: readonly number[];
  /** By name; absent: the task's own. */
  readonly estimators?: readonly string[];
  /** A second model, which answers the same prompts. */
  readonly compared?: InferenceSession;
  readonly signal?: AbortSignal;
}

/**
 * @param studies Those whose exact risks are known here.
 * @throws {UsageError} for a model whose metadata names no training length, if none is asked for.
 */
export function requestFor(
  model: RunnableModel,
  request: EvaluateRequest,
  studies: readonly Study[],
): EvaluationRequest {
  const { lengths, estimators, compared, signal, ...rest } = request;
  const { task } = model.metadata;
  return {
    ...rest,
    task,
    lengths: lengths ?? [requireTrainingLength(model)],
    estimators: (estimators ?? usualEstimators(task)).map((name) => ({ name })),
    theory: theoryOf(model, studies),
    compared: compared === undefined ? null : { session: compared, theory: theoryOf(compared.model, studies) },
    signal: signal ?? null,
  };
}

/** The exact risk that a model's study gives; null for a model of no study that is known here. */
export function theoryOf(model: RunnableModel, studies: readonly Study[]): ModelTheory | null {
  if (!isFrozen(model)) return null;
  return studies.find(({ name }) => name === model.metadata.study)?.modelTheory(model) ?? null;
}

function requireTrainingLength(model: RunnableModel): number {
  const length = trainingLengthOf(model.metadata);
  if (length !== undefined) return length;
  throw new UsageError({
    where: '--lengths',
    expected: 'test lengths for a model whose configuration names no context length',
    got: 'none',
    remedy: 'Give them: --lengths 10,20,40.',
  });
}
