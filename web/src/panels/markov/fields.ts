/** What of the panel stands in a link. */
import { choice, number, text, wholeNumber } from '../../app/fields.ts';
import { kernelField } from './kernel.ts';

export const mostChains = 300;

export const fields = {
  /** Id of a model; empty: the first that suits. */
  model: text(''),
  /** A second model: its id, `none`, or empty for the next one that takes the same prompts. */
  compare: text(''),
  kernel: kernelField,
  n: wholeNumber({ default: 100, low: 1, high: mostChains }),
  seed: wholeNumber({ default: 1, low: 0, high: 2 ** 31 - 1 }),
  /** The query's states, as digits; empty: as drawn. */
  query: text('', 16),
  smoothing: number({ default: 1, low: 0.01, high: 100 }),
  /** Of the fresh prompts: the kernel above, or one drawn for each. */
  law: choice(['kernel', 'training'], 'kernel'),
  measure: choice(['squared', 'absolute'], 'squared'),
  prompts: wholeNumber({ default: 2000, low: 100, high: 100_000 }),
} as const;
