/** What the study's experiments have in common: how much work each is, how its models are planned, how rows are read. */
import type { VerifyOptions } from '../../infer/verify.ts';
import type { ReportTable } from '../report.ts';
import type { FigurePlan, ModelPlan, RunRow, TrainedModel, Workshop } from '../reproduce.ts';
import type { Claim, Settings } from '../study.ts';

/** How much work a reproduction is. */
export interface Size {
  readonly seeds: number;
  /** Fresh prompts per measured point. */
  readonly prompts: number;
  readonly verification: Partial<VerifyOptions>;
  readonly forms: { readonly steps: number };
  readonly gap: { readonly dimensions: readonly number[]; readonly steps: number; readonly prompts: number };
  readonly depth: { readonly states: readonly number[]; readonly steps: number; readonly freshSteps: number };
  readonly objectives: { readonly steps: number; readonly contextLength: number; readonly prompts: number };
  readonly attention: { readonly steps: number; readonly contextLength: number; readonly groups: readonly number[] };
  /** Largest d for the search of the best layer. */
  readonly largestSearch: number;
}

/** What an experiment works with. */
export interface Bench {
  readonly workshop: Workshop;
  /** The study's settings as the user has them. */
  readonly settings: Settings;
  readonly seed: number;
  readonly size: Size;
}

export interface Outcome {
  readonly figure: FigurePlan;
  readonly claims: readonly Claim[];
  /** For the lead: models, and points measured. */
  readonly models: readonly TrainedModel[];
}

/** One figure with all that is done for it. */
export interface Experiment {
  readonly name: string;
  /** Models trained, measurements and other stages: for the progress. */
  stages(size: Size): number;
  run(bench: Bench): Promise<Outcome>;
}

/** Binary chains with independent starts and one sparse layer: the settings that figures change from. */
export const baseSettings: Settings = {
  d: 1,
  n: 100,
  p: 0.5,
  S: 2,
  alpha: 1,
  start: 'independent',
  groups: 1,
  L: 1,
  form: 'sparse',
};

/** Adam at a constant rate of its own; the rest of a configuration is the study's. */
export const adam = (learningRate: number) =>
  ({ name: 'adam', learningRate, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }) as const;

export function plan(
  bench: Pick<Bench, 'size'>,
  parts: Omit<ModelPlan, 'settings' | 'verification'> & { readonly settings: Settings },
): ModelPlan {
  return { ...parts, settings: { ...baseSettings, ...parts.settings }, verification: bench.size.verification };
}

/** Accuracy, the share of targets that the rounded prediction hits, of rows that measured the share it misses. */
export interface Score {
  readonly mean: number;
  readonly standardError: number;
}

export function scoreOf(
  rows: readonly RunRow[],
  run: string,
  wanted: { readonly measure: RunRow['measure']; readonly estimator?: string; readonly isInSample?: boolean },
): Score {
  const { measure, estimator = 'model', isInSample = false } = wanted;
  const row = rows.find(
    (candidate) =>
      candidate.run === run &&
      candidate.measure === measure &&
      candidate.estimator === estimator &&
      (candidate.stream === 'training') === isInSample,
  );
  if (row === undefined) throw new Error(`no row of ${run}: ${estimator}, ${measure}, in sample ${isInSample}`);
  return { mean: row.risk, standardError: row.standardError };
}

export function accuracyOf(rows: readonly RunRow[], run: string, wanted: { estimator?: string; isInSample?: boolean }) {
  const { mean, standardError } = scoreOf(rows, run, { ...wanted, measure: 'rounding-error-rate' });
  return { mean: 1 - mean, standardError };
}

/** Mean of several, with the standard error of that mean from their spread, or their own where there is one. */
export function meanScore(scores: readonly Score[]): Score {
  const count = scores.length;
  const mean = scores.reduce((sum, score) => sum + score.mean, 0) / count;
  if (count === 1) return scores[0]!;
  const variance = scores.reduce((sum, score) => sum + (score.mean - mean) ** 2, 0) / (count - 1);
  const own = scores.reduce((sum, score) => sum + score.standardError ** 2, 0) / count;
  return { mean, standardError: Math.sqrt(Math.max(variance, own) / count) };
}

/** Standard errors by which something must stand above a limit for a claim that it does. */
const CLEARLY = 4;

/** A claim that a number is above a limit; one with a standard error, by four of them. */
export function aboveClaim(
  statement: string,
  { mean, standardError = null, limit }: { mean: number; standardError?: number | null; limit: number },
): Claim {
  const holds = mean - CLEARLY * (standardError ?? 0) > limit;
  const verdict = `${holds ? '' : 'not '}${standardError === null ? '' : 'clearly '}above ${limit}`;
  return { statement, points: 1, theory: null, measured: mean, standardError, z: null, verdict, holds };
}

export const point = (x: number, { mean, standardError }: Score) => ({ x, y: mean, standardError });

export const exactPoint = (x: number, y: number) => ({ x, y, standardError: 0 });

export const tableOf = (columns: readonly string[], rows: ReportTable['rows']): ReportTable => ({ columns, rows });
