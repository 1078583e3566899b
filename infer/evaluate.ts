/**
 * The risk of a frozen model and of estimators, over test length and distribution shift, with standard errors and the
 * paper's own formula: all at once, or block by block for curves that grow. Runs in Node and in a browser: it knows a
 * session, not what is behind it.
 *
 * Risk is the mean over prompts of a measure (`measures.ts`): of a regression the squared error, the label noise of y_q
 * included; of a classification several, and each has its row. All numbers of
 * an evaluation come from one stream: the models and all estimators answer the same prompts, a shift changes their law but
 * not the numbers they are drawn from, and a shorter context is the beginning of a longer one. So differences between rows
 * are known better than the rows themselves.
 */
import { createBreather } from './breathe.ts';
import { type EvaluationPlan, type EvaluationRequest, type EvaluationRow, resolvePlan } from './evaluation-plan.ts';
import { settingsOf } from './evaluation-settings.ts';
import { Measurement } from './measurement.ts';
import type { InferenceSession } from './session.ts';

export {
  answererNames,
  type ComparedModel,
  type EstimatorRequest,
  type EvaluationPlan,
  type EvaluationProgress,
  type EvaluationRequest,
  type EvaluationRow,
  evaluationDefaults,
  type RiskFormula,
  zScore,
} from './evaluation-plan.ts';

/**
 * Rows in the order of the plan: level by level, in each by length, the model first.
 *
 * A block of prompts is drawn once for all lengths, at the longest; a shorter one is its beginning. If the model has
 * prefix predictions one run answers all lengths. The next block is drawn while the session runs.
 * @throws {UsageError} for an impossible plan. @throws {DataError} if a measured number is not finite.
 */
export async function* evaluate(
  session: InferenceSession,
  request: EvaluationRequest,
): AsyncGenerator<EvaluationRow, void, undefined> {
  const plan = resolvePlan(session, request);
  const breather = createBreather();
  for (const setting of settingsOf(plan)) {
    const measurement = new Measurement(session, plan, setting);
    while (!measurement.isDone) {
      if (breather.isDue()) await breather.breathe();
      await measurement.measureBlock(breather);
      report(plan, measurement);
    }
    yield* measurement.rows();
  }
}

/** An evaluation under way, after another block. */
export interface EvaluationStep {
  /** The rows so far, as `evaluate` gives them; of laws that had no block yet there are none. Ask before the next step. */
  rows(): EvaluationRow[];
  /**
   * True when every law has had its block: what `evaluate` would give of as many prompts as the law with the most has had
   * is {@link rows}, now.
   */
  readonly isRoundComplete: boolean;
  readonly isDone: boolean;
  /** Most prompts that a law has had. */
  readonly prompts: number;
  /** Of the block: its prompts, and the milliseconds that it took. */
  readonly blockPrompts: number;
  readonly milliseconds: number;
}

/**
 * The same evaluation in rounds: a block for every law that wants more, again and again, so that all points become precise
 * together. Its last rows are those of {@link evaluate}. It goes on only while steps are taken, and gives the event loop its
 * turn before each: to pause, take none; the plan's signal ends it.
 * @throws as {@link evaluate} does.
 */
export async function* evaluateProgressively(
  session: InferenceSession,
  request: EvaluationRequest,
): AsyncGenerator<EvaluationStep, void, undefined> {
  const plan = resolvePlan(session, request);
  const breather = createBreather();
  const measurements = settingsOf(plan).map((setting) => new Measurement(session, plan, setting));
  const rows = () => measurements.flatMap((measurement) => [...measurement.rows()]);
  for (let open = measurements; open.length > 0; open = open.filter(({ isDone }) => !isDone)) {
    for (const [i, measurement] of open.entries()) {
      await breather.breathe();
      plan.signal?.throwIfAborted();
      const [before, start] = [measurement.prompts, performance.now()];
      await measurement.measureBlock(breather);
      const milliseconds = performance.now() - start;
      report(plan, measurement);
      yield {
        rows,
        isRoundComplete: i === open.length - 1,
        isDone: open.every(({ isDone }) => isDone),
        prompts: Math.max(...measurements.map(({ prompts }) => prompts)),
        blockPrompts: measurement.prompts - before,
        milliseconds,
      };
    }
  }
}

function report({ signal, onProgress, prompts: maximum }: EvaluationPlan, { setting, prompts }: Measurement): void {
  signal?.throwIfAborted();
  onProgress?.({ shift: setting.shift, level: setting.level, prompts, maximum });
}
