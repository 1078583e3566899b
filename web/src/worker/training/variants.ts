/** Which model is trained on a study's prompts: the study's own, or another. Data. */

import type { TrainingOverrides } from '../../../../studies/configuration.ts';
import { numberOf } from '../../../../studies/settings.ts';
import type { Settings } from '../../../../studies/study.ts';

interface Variant {
  readonly title: string;
  /** Studies whose prompts it can read; null: all. */
  readonly studies: readonly string[] | null;
  overrides(settings: Settings): TrainingOverrides;
}

export const variants = {
  study: { title: "the study's own", studies: null, overrides: () => ({}) },
  transformer: {
    title: 'small transformer, two layers',
    studies: ['zhang2023'],
    overrides: (settings) => ({
      model: {
        name: 'transformer',
        dimension: numberOf(settings, 'd'),
        options: { layers: 2, width: 16, heads: 2, positions: 1, maxContext: 2 * numberOf(settings, 'N') },
      },
      initialisation: { scheme: 'fan-in', options: {} },
      loss: { name: 'sequence-squared-error' },
      optimizer: { name: 'adam', learningRate: 5e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
      schedule: { name: 'cosine', warmup: 0.05, final: 0.01 },
      clipNorm: 1,
    }),
  },
} as const satisfies Record<string, Variant>;

export type VariantName = keyof typeof variants;
