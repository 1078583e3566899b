/**
 * The training loop: fresh prompts, a step, the numbers it gave, and now and then a checkpoint. Knows an {@link Engine}
 * and a sampler, no files and no library. It gives way to the event loop all the time, so that an interrupt is heard.
 */

import { createBreather } from '../infer/breathe.ts';
import { architectureNamed } from '../models/attention/index.ts';
import { TrainingError } from '../models/errors.ts';
import type { LoopProgress } from './checkpoint.ts';
import type { TrainingConfig } from './config.ts';
import type { Engine, StepHandle, StepReport } from './engines.ts';
import { lossFor } from './losses.ts';
import type { MetricsRow } from './metrics.ts';
import { scheduleFactor } from './schedule.ts';
import { createPromptSource, type PromptSource } from './training-prompts.ts';

export interface TrainingProgress {
  /** Steps done. */
  readonly step: number;
  readonly steps: number;
  /** Mean over the steps since the last row, or that row's. */
  readonly loss: number;
  readonly promptsPerSecond: number;
  readonly secondsLeft: number;
}

export interface LoopOptions {
  readonly config: TrainingConfig;
  /** With the state of `start` loaded. */
  readonly engine: Engine;
  readonly start: LoopState;
  /**
   * Keeps what is done: at each checkpoint, at the end and on an interrupt. `previousStep` is what was kept before. Absent:
   * nothing is kept.
   */
  readonly save?: ((state: LoopState, previousStep: number) => Promise<void>) | undefined;
  /** Default: drawn in this thread. Closing it is left to the caller. */
  readonly prompts?: PromptSource | undefined;
  /** Steps after which to save besides. */
  readonly keepSteps?: readonly number[] | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: TrainingProgress) => void) | undefined;
  readonly onStep?: ((step: FinishedStep) => void) | undefined;
  /**
   * Asked at the start and after each step, with the number of steps that were started and the rows of metrics, to which later ones
   * are added. What it gives is called, and waited for, as soon as all steps so far have been read. That time is not training
   * time.
   */
  readonly betweenSteps?: ((started: number, metrics: readonly MetricsRow[]) => Hold | undefined) | undefined;
}

/** Holds a training up for as long as it takes. */
export type Hold = () => Promise<void>;

/** What one step found, before it changed the parameters. */
export interface FinishedStep extends StepReport {
  /** Steps done, this one among them. */
  readonly step: number;
  readonly learningRate: number;
}

export interface LoopState {
  /** Steps done. */
  readonly step: number;
  readonly progress: LoopProgress;
  readonly metrics: readonly MetricsRow[];
}

export interface LoopResult {
  /** Steps done. */
  readonly step: number;
  readonly metrics: readonly MetricsRow[];
  readonly interrupted: boolean;
  /** Of this sitting. */
  readonly seconds: number;
}

export const initialProgress: LoopProgress = {
  interval: { count: 0, loss: 0, gradientNorm: 0 },
  window: { count: 0, loss: 0, zeroLoss: 0 },
  firstLoss: null,
};

/**
 * A run has diverged when the mean loss of a window of this many steps is more than the factor times what predicting 0
 * would lose on the same prompts, and than the loss at the initial parameters. Both means see the same heavy tails.
 */
export const divergence = { window: 20, factor: 10 } as const;

const millisecondsBetweenReports = 100;

/** @throws {TrainingError} if the loss is not finite or has diverged. */
export async function runLoop({
  config,
  engine,
  start,
  save,
  prompts: source = createPromptSource(config),
  keepSteps = [],
  signal,
  onProgress,
  onStep,
  betweenSteps,
}: LoopOptions): Promise<LoopResult> {
  const { steps, batch, schedule, optimizer } = config;
  const { zeroLoss } = lossFor(config.loss, architectureNamed(config.model.name), config.model);

  const metrics = [...start.metrics];
  const secondsBefore = metrics.at(-1)?.seconds ?? 0;
  let { interval, window, firstLoss } = start.progress;
  let lastSaved = start.step;

  /** Steps that were started and not read yet, oldest first. */
  const pending: { step: number; learningRate: number; zeroLoss: number; handle: StepHandle }[] = [];
  let started = start.step;

  const startedAt = performance.now();
  let heldUp = 0;
  const elapsed = (): number => (performance.now() - startedAt - heldUp) / 1000;
  const breather = createBreather();
  let lastReport = startedAt;

  const startStep = async (): Promise<void> => {
    const prompts = await source.next(started);
    const learningRate = optimizer.learningRate * scheduleFactor(schedule, started, steps);
    const handle = engine.step(prompts, engine.scalars(learningRate, started));
    pending.push({ step: started, learningRate, zeroLoss: zeroLoss(prompts), handle });
    started++;
  };

  const fail = (step: number, expected: string, got: string, learningRate: number): never => {
    throw new TrainingError({
      where: `step ${step + 1} of ${steps}`,
      expected,
      got: `${got} at learning rate ${Number(learningRate.toPrecision(6))}`,
      remedy: `Lower the learning rate or set clipNorm.${save === undefined ? '' : ` The checkpoint of step ${lastSaved} is kept.`}`,
    });
  };

  /** Takes in the numbers of the oldest step. */
  const finishStep = async (): Promise<void> => {
    const { step, learningRate, zeroLoss, handle } = pending.shift()!;
    const { loss, gradientNorm } = await handle.read();
    if (!Number.isFinite(loss)) fail(step, 'a finite loss', String(loss), learningRate);
    firstLoss ??= loss;
    window = { count: window.count + 1, loss: window.loss + loss, zeroLoss: window.zeroLoss + zeroLoss };
    if (window.count === divergence.window) {
      const mean = window.loss / window.count;
      const bound = divergence.factor * Math.max(window.zeroLoss / window.count, firstLoss);
      if (mean > bound) {
        const what = `${divergence.factor} times that of predicting 0 or of the start`;
        const got = `${mean.toPrecision(4)} over ${divergence.window} steps`;
        fail(step, `a loss below ${bound.toPrecision(4)} (${what})`, got, learningRate);
      }
      window = { count: 0, loss: 0, zeroLoss: 0 };
    }
    interval = {
      count: interval.count + 1,
      loss: interval.loss + loss,
      gradientNorm: interval.gradientNorm + gradientNorm,
    };
    const done = step + 1;
    onStep?.({ step: done, loss, gradientNorm, learningRate });
    if (done % config.logEvery === 0 || done === steps) {
      const { count } = interval;
      metrics.push({
        step: done,
        loss: interval.loss / count,
        count,
        learningRate,
        gradientNorm: interval.gradientNorm / count,
        seconds: Number((secondsBefore + elapsed()).toFixed(3)),
      });
      interval = { count: 0, loss: 0, gradientNorm: 0 };
    }
  };

  const saveNow = async (): Promise<void> => {
    await save?.({ step: started, progress: { interval, window, firstLoss }, metrics }, lastSaved);
    lastSaved = started;
  };

  const report = (): void => {
    const done = started - pending.length;
    const secondsPerStep = elapsed() / Math.max(1, done - start.step);
    onProgress?.({
      step: done,
      steps,
      loss: interval.count > 0 ? interval.loss / interval.count : (metrics.at(-1)?.loss ?? Number.NaN),
      promptsPerSecond: secondsPerStep > 0 ? batch / secondsPerStep : 0,
      secondsLeft: secondsPerStep * (steps - done),
    });
  };

  const holdUp = async (): Promise<void> => {
    const hold = betweenSteps?.(started, metrics);
    if (hold === undefined) return;
    while (pending.length > 0) await finishStep();
    const since = performance.now();
    await hold();
    heldUp += performance.now() - since;
  };

  try {
    await holdUp();
    while (started < steps && !signal?.aborted) {
      await startStep();
      const isCheckpoint = started % config.checkpointEvery === 0 || started === steps || keepSteps.includes(started);
      while (pending.length > (isCheckpoint ? 0 : engine.pipelineDepth)) await finishStep();
      if (isCheckpoint) await saveNow();
      const now = performance.now();
      if (now - lastReport >= millisecondsBetweenReports) {
        report();
        lastReport = now;
      }
      if (breather.isDue()) await breather.breathe();
      await holdUp();
    }
    while (pending.length > 0) await finishStep();
    if (started > lastSaved) await saveNow();
  } finally {
    // After an error: what is still under way is waited for, so that nothing of it outlives this call.
    await Promise.allSettled(pending.map(({ handle }) => handle.read()));
  }
  report();
  return { step: started, metrics, interrupted: started < steps, seconds: elapsed() };
}
