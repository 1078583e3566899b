/**
 * The prompts of each training step: always fresh ones, or a finite set that is gone through again and again. Which ones is a
 * function of the configuration and the step alone, so that a resumed run sees what an uninterrupted one sees.
 */
import { allocateBatch, type BatchSizes, type LabelledBatch, sliceLabelledBatch } from '../models/prompts.ts';
import { createGenerator, streams } from '../models/random.ts';
import { createSampler } from '../models/tasks/index.ts';
import type { TrainingConfig } from './config.ts';

export type Source = Pick<TrainingConfig, 'batch' | 'contextLength' | 'seed' | 'task' | 'trainingPrompts'>;

/** Number, in the stream `training`, of the first prompt of a step (0-based). */
export function promptNumber(
  { batch, trainingPrompts }: Pick<Source, 'batch' | 'trainingPrompts'>,
  step: number,
): number {
  return trainingPrompts === null ? step * batch : (step * batch) % trainingPrompts;
}

/** Up to so many covariates a step is short beside the turns that threads take on a core. */
const covariatesOfShortStep = 1_000_000;

/**
 * Steps that may be under way at once: the next ones are drawn while they compute. Short ones in greater number, since three
 * threads share the cores for some milliseconds each: with 2 of 256 prompts of 40 pairs in 20 dimensions two cores were idle for
 * 22 % of the time, with 6 for 13 %.
 */
export function stepsUnderWay({ batch, contextLength, dimension }: Readonly<Record<SizeName, number>>): number {
  return batch * (contextLength + 1) * dimension <= covariatesOfShortStep ? 6 : 2;
}

type SizeName = 'batch' | 'contextLength' | 'dimension';

/** Where a loop's prompts come from. */
export interface PromptSource {
  /**
   * The prompts of a step; steps are asked for in their order. The batch is filled again after the next call; in memory that
   * threads share it stays for {@link stepsUnderWay} calls more.
   */
  next(step: number): LabelledBatch | Promise<LabelledBatch>;
  close(): Promise<void>;
}

/** Draws in the thread that asks. */
export function createPromptSource(config: Source): PromptSource {
  return { next: createTrainingPrompts(config), close: async () => {} };
}

/** Sizes of the prompts of one step. */
export function stepSizes({ batch, contextLength, task }: Source): BatchSizes {
  const { dimension, classes, parameterCount } = createSampler(task);
  return { batch, context: contextLength, queries: 1, dimension, classes, parameterCount };
}

/** The prompts of a step, in `prompts`. They are filled again by the next call. */
export function createTrainingPrompts(
  config: Source,
  prompts = allocateBatch(stepSizes(config)),
): (step: number) => LabelledBatch {
  const { batch, seed, task, trainingPrompts } = config;
  const generator = createGenerator(seed, streams.training);
  const sampler = createSampler(task);
  let drawn: number | undefined;
  return (step) => {
    const first = promptNumber(config, step);
    if (first === drawn) return prompts; // A full batch is drawn once.
    const end = Math.min(batch, (trainingPrompts ?? Number.POSITIVE_INFINITY) - first);
    if (end === batch) sampler.fill(generator, first, prompts);
    else {
      // The end of the set, and its beginning: at most once around, since a batch is no larger than the set.
      sampler.fill(generator, first, sliceLabelledBatch(prompts, 0, end));
      sampler.fill(generator, 0, sliceLabelledBatch(prompts, end, batch));
    }
    drawn = first;
    return prompts;
  };
}
