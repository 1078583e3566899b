/**
 * The measures of many answers as running statistics: one number per prompt and measure, the mean over its queries. Knows
 * where answers lie in arrays; knows no sessions, tasks or files.
 */
import { type LabelledBatch, responseWidth } from '../models/prompts.ts';
import type { Answer, Measure } from './measures.ts';
import { addValue, addValues, emptyStatistics, type RunningStatistics } from './statistics.ts';

/** Of one answerer at one length: a measure's statistics at the measure's place. */
export type Tally = readonly RunningStatistics[];

export const emptyTally = (measures: readonly Measure[]): Tally => measures.map(emptyStatistics);

/** The answers to a batch. */
export interface Answers {
  readonly values: ArrayLike<number>;
  /** Numbers between the answers of one prompt and those of the next, and before those of the first. */
  readonly stride: number;
  readonly offset: number;
}

/**
 * Adds a batch's measures.
 * @returns Them: of each measure one number per prompt.
 * @param posterior Beside the targets; empty if no measure needs it.
 * @param fail Called with the prompt's place and a value that is not finite.
 */
export function addAnswers(
  tally: Tally,
  measures: readonly Measure[],
  block: LabelledBatch,
  posterior: Float64Array,
  { values, stride, offset }: Answers,
  fail: (measure: Measure, b: number, value: number) => never,
): Float64Array[] {
  const { batch, queries, targets } = block;
  const width = responseWidth(block);
  const answer: Answer = { width, values, at: 0, targets, posterior, target: 0 };
  return measures.map((measure, i) => {
    const means = new Float64Array(batch);
    for (let b = 0; b < batch; b++) {
      let sum = 0;
      for (let q = 0; q < queries; q++) {
        answer.at = offset + b * stride + q * width;
        answer.target = (b * queries + q) * width;
        sum += measure.of(answer);
      }
      const mean = sum / queries;
      if (!Number.isFinite(mean)) fail(measure, b, mean);
      means[b] = mean;
      addValue(tally[i]!, mean);
    }
    return means;
  });
}

/** Adds how much larger the second's measures are than the first's, prompt by prompt; both as {@link addAnswers} gave them. */
export function addDifferences(tally: Tally, first: readonly Float64Array[], second: readonly Float64Array[]): void {
  for (const [i, values] of second.entries())
    addValues(
      tally[i]!,
      values.map((value, b) => value - first[i]![b]!),
    );
}
