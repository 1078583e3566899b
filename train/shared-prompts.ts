/** Prompts of training steps in memory that threads share: allocated by one, drawn by one, read by others. */
import { allocateForDrawing, type DrawingMemory, drawInPlace } from '../models/drawing-memory.ts';
import { arrayLengths, arrayNames, type LabelledBatch } from '../models/prompts.ts';
import { createTrainingPrompts, type Source, stepSizes } from './training-prompts.ts';

/** Room for the prompts of several steps. May be sent to the thread that draws them. */
export interface SharedSteps extends Pick<DrawingMemory, 'memory'> {
  readonly batches: readonly LabelledBatch[];
}

/** One thread draws in all of it. */
export function allocateSharedSteps(config: Source, count: number): SharedSteps {
  const sizes = stepSizes(config);
  const lengths = arrayLengths(sizes);
  const { memory, arrays } = allocateForDrawing(
    Array.from({ length: count }, () => arrayNames.map((name) => lengths[name])).flat(),
  );
  const batches = Array.from({ length: count }, (_, slot) => {
    const own = arrayNames.map((name, i) => [name, arrays[slot * arrayNames.length + i]!]);
    return { ...sizes, ...(Object.fromEntries(own) as Pick<LabelledBatch, (typeof arrayNames)[number]>) };
  });
  return { memory, batches };
}

/** For each room what draws the prompts of a step into it. No other thread may draw into one of them. */
export function createSharedPrompts(config: Source, steps: SharedSteps): readonly ((step: number) => LabelledBatch)[] {
  drawInPlace(steps);
  return steps.batches.map((batch) => createTrainingPrompts(config, batch));
}
