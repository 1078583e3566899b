/**
 * The risk of a frozen model and of estimators, over test length and distribution shift, with standard errors and the
 * paper's own formula. Runs in Node and in a browser: it knows a session, not what is behind it.
 *
 * Risk is the mean over prompts of a measure (`measures.ts`): of a regression the squared error, the label noise of y_q
 * included; of a classification several, and each has its row. All numbers of
 * an evaluation come from one stream: the model and all estimators answer the same prompts, a shift changes their law but
 * not the numbers they are drawn from, and a shorter context is the beginning of a longer one. So differences between rows
 * are known better than the rows themselves.
 */

import { DataError, UsageError } from '../models/errors.ts';
import { createEstimator, type Estimator } from '../models/estimators/index.ts';
import { allocateBatch, type LabelledBatch, responseWidth, sliceLabelledBatch } from '../models/prompts.ts';
import { createGenerator, streams } from '../models/random.ts';
import type { Shift } from '../models/shifts/index.ts';
import { samplerFor } from '../models/task-fit.ts';
import { createSampler, type Posterior, type TaskSpec } from '../models/tasks/index.ts';
import { createBreather } from './breathe.ts';
import { type Measure, type MeasureName, measuresFor } from './measures.ts';
import type { ProviderName } from './provider-table.ts';
import type { InferenceSession, Predictions } from './session.ts';
import { standardError } from './statistics.ts';
import { addAnswers, emptyTally, type Tally } from './tally.ts';

export interface EvaluationRow {
  readonly study: string;
  readonly model: string;
  /** Name of the shift; null for the training task. */
  readonly shift: string | null;
  readonly level: number | null;
  /** Pairs in the test prompt. */
  readonly contextLength: number;
  /** `model`, or the estimator's name. */
  readonly estimator: string;
  /** What `risk` is the mean of. */
  readonly measure: MeasureName;
  readonly risk: number;
  /** Standard error of `risk`, over prompts. */
  readonly standardError: number;
  readonly prompts: number;
  /** What the closed form says for the model; null where there is none. */
  readonly theory: number | null;
  readonly provider: ProviderName;
  readonly seed: number;
}

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
  /** Stop drawing for a row once standard error / risk is at most this. Null: draw them all. */
  readonly targetStandardError: number | null;
  /** Closed form of the model's risk for a test task, a test length and a measure. */
  readonly theory: ((task: TaskSpec, contextLength: number, measure: MeasureName) => number | null) | null;
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
  signal: null,
  onProgress: null,
} as const;

/** Covariate entries drawn at once: some 5 ms of sampling. */
const blockEntries = 1 << 18;
const largestBlock = 1024;
/** Fewest prompts from which a standard error is believed, when it decides whether to go on. */
const fewestForTarget = 1000;

/** One level of one shift, or the training task. */
interface Setting {
  readonly shift: string | null;
  readonly level: number | null;
  readonly task: TaskSpec;
  readonly estimators: readonly Estimator[];
  readonly measures: readonly Measure[];
  /** The true probabilities, if a measure needs them. */
  readonly posterior: Posterior | undefined;
}

/** What is being measured: one length, with the statistics of the model and then of each estimator. */
interface Cell {
  readonly contextLength: number;
  readonly tallies: readonly Tally[];
  isDone: boolean;
}

/**
 * Rows in the order of the plan: level by level, in each by length, the model first.
 *
 * A block of prompts is drawn once for all lengths, at the longest; a shorter one is its beginning. If the model has
 * prefix predictions one run answers all lengths. The next block is drawn while the session runs.
 * @param plan `task` and `lengths`, and whatever is to differ from {@link evaluationDefaults}.
 * @throws {UsageError} for an impossible plan. @throws {DataError} if a measured number is not finite.
 */
export async function* evaluate(
  session: InferenceSession,
  plan: Pick<EvaluationPlan, 'task' | 'lengths'> & Partial<EvaluationPlan>,
): AsyncGenerator<EvaluationRow, void, undefined> {
  const resolved: EvaluationPlan = { ...evaluationDefaults, ...plan };
  checkPlan(session, resolved);
  const { study, model } = session.model.metadata;
  const { provider } = session.report;
  const { estimators, theory, seed } = resolved;
  for (const setting of settingsOf(resolved)) {
    for (const { contextLength, tallies } of await measure(session, resolved, setting)) {
      for (const [i, estimator] of ['model', ...estimators.map(({ name }) => name)].entries()) {
        for (const [j, { name }] of setting.measures.entries()) {
          const statistics = tallies[i]![j]!;
          yield {
            study,
            model,
            shift: setting.shift,
            level: setting.level,
            contextLength,
            estimator,
            measure: name,
            risk: statistics.mean,
            standardError: standardError(statistics),
            prompts: statistics.count,
            theory: i === 0 && theory !== null ? theory(setting.task, contextLength, name) : null,
            provider,
            seed,
          };
        }
      }
    }
  }
}

function settingsOf({ task, shifts, estimators }: EvaluationPlan): readonly Setting[] {
  const setting = (shift: string | null, level: number | null, testTask: TaskSpec): Setting => ({
    shift,
    level,
    task: testTask,
    estimators: estimators.map((wanted) =>
      'predict' in wanted ? wanted : createEstimator(wanted.name, { ...wanted, task, testTask }),
    ),
    ...measuresFor(testTask),
  });
  if (shifts.length === 0) return [setting(null, null, task)];
  return shifts.flatMap(({ shift, levels }) =>
    levels.map((level) => setting(shift.name, level, shift.apply(task, level))),
  );
}

/** @throws {UsageError} for numbers that make no evaluation. */
function checkPlan(session: InferenceSession, plan: EvaluationPlan): void {
  const { sizes, architecture } = session.model;
  const require = (isGood: boolean, where: string, expected: string, got: unknown) => {
    if (!isGood) throw new UsageError({ where, expected, got: String(got) });
  };
  const { task, lengths, prompts, queriesPerPrompt, targetStandardError } = plan;
  samplerFor('task', architecture, sizes, task);
  require(lengths.length > 0, '--lengths', 'at least one length', 'none');
  const shortest = architecture.minimumContext;
  for (const length of lengths) {
    require(Number.isInteger(length) && length >= shortest, '--lengths', `whole numbers, ${shortest} or more`, length);
  }
  require(Number.isInteger(prompts) && prompts >= 2, '--prompts', 'a whole number, 2 or more', prompts);
  require(Number.isInteger(queriesPerPrompt) &&
    queriesPerPrompt >= 1, 'queriesPerPrompt', 'a whole number, 1 or more', queriesPerPrompt);
  const isGoodTarget = targetStandardError === null || (targetStandardError > 0 && targetStandardError < 1);
  require(isGoodTarget, 'targetStandardError', 'a ratio between 0 and 1', targetStandardError);
}

/** All lengths of one setting. */
async function measure(session: InferenceSession, plan: EvaluationPlan, setting: Setting): Promise<readonly Cell[]> {
  const { lengths, prompts, seed, queriesPerPrompt, signal } = plan;
  const cells: Cell[] = [...new Set(lengths)].map((contextLength) => ({
    contextLength,
    tallies: Array.from({ length: setting.estimators.length + 1 }, () => emptyTally(setting.measures)),
    isDone: false,
  }));
  const context = Math.max(...lengths);
  const { dimension } = setting.task;
  const size = Math.max(1, Math.min(prompts, largestBlock, Math.floor(blockEntries / (context * dimension))));
  const sampler = createSampler(setting.task);
  const sizes = { batch: size, context, queries: queriesPerPrompt, ...sampler, isShared: true };
  const generator = createGenerator(seed, streams[plan.stream]);
  // Two buffers, in turn: one is drawn into while the session reads the other.
  const buffers = [allocateBatch(sizes), allocateBatch(sizes)] as const;
  const shorter = allocateBatch(sizes);
  const draw = (first: number): LabelledBatch => {
    const block = sliceLabelledBatch(buffers[Math.floor(first / size) % 2]!, 0, Math.min(size, prompts - first));
    sampler.fill(generator, first, block);
    return block;
  };

  let block = draw(0);
  for (let first = 0; first < prompts && !cells.every(({ isDone }) => isDone); first += size) {
    const next = first + size;
    let following: LabelledBatch | undefined;
    await answerBlock(session, cells, { setting, first, block, shorter }, () => {
      if (following === undefined && next < prompts) following = draw(next);
    });
    signal?.throwIfAborted();
    plan.onProgress?.({ shift: setting.shift, level: setting.level, prompts: first + block.batch, maximum: prompts });
    for (const cell of cells) cell.isDone ||= isPrecise(cell, plan.targetStandardError);
    if (following !== undefined) block = following;
  }
  return cells;
}

interface Work {
  readonly setting: Setting;
  /** Number of the block's first prompt in the stream. */
  readonly first: number;
  readonly block: LabelledBatch;
  /** Room for the block with a shorter context. */
  readonly shorter: LabelledBatch;
}

/**
 * Adds a block's measures to every cell that still wants them.
 * @param whileRunning Called while the session is busy.
 */
async function answerBlock(
  session: InferenceSession,
  cells: readonly Cell[],
  { setting, first, block, shorter }: Work,
  whileRunning: () => void,
): Promise<void> {
  const breather = createBreather();
  const { batch, context } = block;
  const { measures } = setting;
  const perPrompt = block.targets.length / batch;
  const answers = new Float64Array(batch * perPrompt);
  const posterior = new Float64Array(setting.posterior === undefined ? 0 : batch * perPrompt);
  const open = cells.filter(({ isDone }) => !isDone);
  const record = (cell: Cell, index: number, values: ArrayLike<number>, stride = perPrompt, offset = 0) =>
    addAnswers(cell.tallies[index]!, measures, block, posterior, { values, stride, offset }, (measure, b, value) =>
      notFinite(setting, cell, index, measure, first + b, value),
    );
  let whole: Predictions | undefined;
  if (session.model.hasPrefixes) {
    const running = session.run(block);
    running.catch(() => {}); // Thrown below, where it is awaited.
    whileRunning();
    whole = await running;
  }
  setting.posterior?.(block, posterior);
  const prefixes = whole?.prefixPrediction;
  for (const cell of open) {
    const n = cell.contextLength;
    const prompts = truncateContext(block, n, shorter);
    const isAnswered = prefixes !== undefined || (whole !== undefined && n === context);
    const running = isAnswered ? undefined : session.run(prompts);
    running?.catch(() => {});
    whileRunning();
    for (const [i, estimator] of setting.estimators.entries()) {
      estimator.predict(prompts, answers);
      record(cell, i + 1, answers);
      if (breather.isDue()) await breather.breathe();
    }
    if (prefixes !== undefined) {
      record(cell, 0, prefixes, (context + 1) * perPrompt, n * perPrompt);
    } else {
      const { prediction } = running === undefined ? whole! : await running;
      record(cell, 0, prediction);
    }
  }
}

function notFinite(
  { shift, level, estimators }: Setting,
  { contextLength }: Cell,
  index: number,
  measure: Measure,
  prompt: number,
  value: number,
): never {
  const name = index === 0 ? 'model' : estimators[index - 1]!.name;
  const place = shift === null ? '' : `, ${shift} ${level}`;
  throw new DataError({
    where: `evaluate: ${name}, length ${contextLength}${place}`,
    expected: `a finite ${measure.name.replace('-', ' ')}`,
    got: `${value} at prompt ${prompt}`,
    remedy: 'The numbers leave the range of float32 here: leave this level out.',
  });
}

/** True once every standard error is small enough beside its risk. A risk of 0 is exact. */
function isPrecise({ tallies }: Cell, target: number | null): boolean {
  if (target === null || tallies[0]![0]!.count < fewestForTarget) return false;
  return tallies.flat().every((s) => standardError(s) <= target * s.mean);
}

/** The same prompts with their first n pairs only, written to `room`. */
function truncateContext(prompts: LabelledBatch, n: number, room: LabelledBatch): LabelledBatch {
  const { batch, context, dimension } = prompts;
  if (n === context) return prompts;
  const width = responseWidth(prompts);
  const covariates = room.covariates.subarray(0, batch * n * dimension);
  const responses = room.responses.subarray(0, batch * n * width);
  for (let b = 0; b < batch; b++) {
    const pair = b * context;
    covariates.set(prompts.covariates.subarray(pair * dimension, (pair + n) * dimension), b * n * dimension);
    responses.set(prompts.responses.subarray(pair * width, (pair + n) * width), b * n * width);
  }
  return { ...prompts, context: n, covariates, responses };
}
