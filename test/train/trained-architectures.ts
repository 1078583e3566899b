/** How each architecture is trained in tests: sizes, start and rate. A new architecture is a line here. */
import type { TaskSpec } from '../../models/tasks/index.ts';
import { classifierVariants, regression } from '../models/attention/variants.ts';

export interface Choice {
  readonly options?: Record<string, number>;
  readonly scheme?: string;
  readonly learningRate: number;
  /** @default linear regression */
  readonly task?: TaskSpec;
  /** Share of the loss of one batch that may be left after 200 steps on it. @default 0.6 */
  readonly left?: number;
}

const small = { layers: 1, width: 8, heads: 2, maxContext: 9 };

/**
 * Rates at which the models learn and do not yet oscillate: then a step carries the rounding of those before it on without
 * enlarging it.
 */
export const trained: Readonly<Record<string, Choice>> = {
  'linear-attention': { learningRate: 0.02 },
  'linear-attention-classifier': { learningRate: 0.3, task: classifierVariants[0]!.task },
  // Linear in its six parameters: the best of them leave 0.834 of the loss of eight prompts.
  'reduced-linear-attention': { learningRate: 0.02, left: 0.84 },
  'multilayer-linear-attention': { options: { layers: 2 }, learningRate: 0.01 },
  'sparse-linear-attention': { options: { layers: 2 }, learningRate: 0.01 },
  'softmax-attention': { learningRate: 0.05 },
  'stacked-attention': { options: { blocks: 1 }, learningRate: 0.01 },
  transformer: { options: small, scheme: 'fan-in', learningRate: 0.003 },
  'paired-transformer': { options: small, scheme: 'fan-in', learningRate: 0.003 },
};

export function sizesOf({ options, task = regression(2) }: Choice) {
  return { dimension: task.dimension, ...(options !== undefined && { options }) };
}
