/**
 * What an evaluation is asked for and what it gives: plans, checked, and rows. Knows no prompts and does not measure.
 */
import { UsageError } from '../models/errors.ts';
import type { Estimator } from '../models/estimators/index.ts';
import type { Shift } from '../models/shifts/index.ts';
import { samplerFor } from '../models/task-fit.ts';
import type { TaskSpec } from '../models/tasks/index.ts';
import type { MeasureName } from './measures.ts';
import type { ProviderName } from './provider-table.ts';
import type { InferenceSession } from './session.ts';

/** Who answers, besides estimators, by their own names: what stands in a row's `estimator`. */
export const answererNames = {
  model: 'model',
  compared: 'compared-model',
  /** Not an answerer: the compared model's measure less the model's, prompt by prompt. */
  difference: 'difference',
} as const;

export interface EvaluationRow {
  /** Study and architecture of the model; of the compared model in its own rows. */
  readonly study: string;
  readonly model: string;
  /** Name of the shift; null for the training task. */
  readonly shift: string | null;
  readonly level: number | null;
  /** Pairs in the test prompt. */
  readonly contextLength: number;
  /** One of {@link answererNames}, or the estimator's name. */
  readonly estimator: string;
  /** What `risk` is the mean of. */
  readonly measure: MeasureName;
  readonly risk: number;
  /** Standard error of `risk`, over prompts. */
  readonly standardError: number;
  readonly prompts: number;
  /** What the closed form says for a model, or for the difference of two; null where there is none. */
  readonly theory: number | null;
  readonly provider: ProviderName;
  readonly seed: number;
}

/** Standard errors between a row's risk and its theory; null where there is no theory, or nothing scatters. */
export const zScore = ({ risk, theory, standardError }: EvaluationRow): number | null =>
  theory === null || !(standardError > 0) ? null : (risk - theory) / standardError;

export interface EvaluationProgress {
  readonly shift: string | null;
  readonly level: number | null;
  /** Prompts drawn at this level so far, and the most that will be. */
  readonly prompts: number;
  readonly maximum: number;
}

export interface EstimatorRequest {
  readonly name: string;
  readonly options?: Readonly<Record<string, number>>;
}

/** Closed form of a model's risk for a test task, a test length and a measure; null where no formula covers it. */
export type RiskFormula = (task: TaskSpec, contextLength: number, measure: MeasureName) => number | null;

/** A second model, which answers the same prompts. */
export interface ComparedModel {
  readonly session: InferenceSession;
  readonly theory: RiskFormula | null;
}

export interface EvaluationPlan {
  /** The training task. A shift is applied to it. */
  readonly task: TaskSpec;
  /** Test context lengths. */
  readonly lengths: readonly number[];
  /** With none, the training task itself is evaluated. */
  readonly shifts: readonly { readonly shift: Shift; readonly levels: readonly number[] }[];
  /** What answers the same prompts as the model: by name, made anew for the law of every level; or one that is ready. */
  readonly estimators: readonly (EstimatorRequest | Estimator)[];
  /** Prompts per row; with `targetStandardError` the most. At least 2, since one has no standard error. */
  readonly prompts: number;
  readonly seed: number;
  /**
   * `training`: prompts 0, 1, .. of a run's own training stream, if `seed` is the run's: with `prompts` its
   * `trainingPrompts`, the error in sample.
   */
  readonly stream: 'evaluation' | 'training';
  /** Queries that share a context. Their measures are averaged: the standard error is over prompts. */
  readonly queriesPerPrompt: number;
  /** Stop drawing for a point once standard error / risk of all its rows is at most this. Null: draw them all. */
  readonly targetStandardError: number | null;
  readonly theory: RiskFormula | null;
  readonly compared: ComparedModel | null;
  /** Ends the evaluation with the signal's reason. */
  readonly signal: AbortSignal | null;
  readonly onProgress: ((progress: EvaluationProgress) => void) | null;
}

export const evaluationDefaults = {
  shifts: [],
  estimators: [],
  prompts: 20_000,
  seed: 1,
  stream: 'evaluation',
  queriesPerPrompt: 1,
  targetStandardError: null,
  theory: null,
  compared: null,
  signal: null,
  onProgress: null,
} as const;

/** `task` and `lengths`, and whatever is to differ from {@link evaluationDefaults}. */
export type EvaluationRequest = Pick<EvaluationPlan, 'task' | 'lengths'> & Partial<EvaluationPlan>;

/** The whole plan. @throws {UsageError} if it is impossible for the session's model. */
export function resolvePlan(session: InferenceSession, request: EvaluationRequest): EvaluationPlan {
  const plan: EvaluationPlan = { ...evaluationDefaults, ...request };
  checkPlan(session, plan);
  return plan;
}

/** @throws {UsageError} for numbers that make no evaluation. */
function checkPlan(session: InferenceSession, plan: EvaluationPlan): void {
  const require = (isGood: boolean, where: string, expected: string, got: unknown) => {
    if (!isGood) throw new UsageError({ where, expected, got: String(got) });
  };
  const { task, lengths, prompts, queriesPerPrompt, targetStandardError, compared } = plan;
  const models = [session, ...(compared === null ? [] : [compared.session])].map(({ model }) => model);
  for (const { architecture, sizes } of models) samplerFor('task', architecture, sizes, task);
  require(lengths.length > 0, '--lengths', 'at least one length', 'none');
  const shortest = Math.max(...models.map(({ architecture }) => architecture.minimumContext));
  for (const length of lengths) {
    require(Number.isInteger(length) && length >= shortest, '--lengths', `whole numbers, ${shortest} or more`, length);
  }
  require(Number.isInteger(prompts) && prompts >= 2, '--prompts', 'a whole number, 2 or more', prompts);
  require(Number.isInteger(queriesPerPrompt) &&
    queriesPerPrompt >= 1, 'queriesPerPrompt', 'a whole number, 1 or more', queriesPerPrompt);
  const isGoodTarget = targetStandardError === null || (targetStandardError > 0 && targetStandardError < 1);
  require(isGoodTarget, '--target', 'a ratio between 0 and 1', targetStandardError);
}
