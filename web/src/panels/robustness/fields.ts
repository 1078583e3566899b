/** What the robustness panel has in its link. */
import type { ValuesOf } from '../../app/fields.ts';
import { choice, flag, number, optional, text, wholeNumber } from '../../app/fields.ts';

/** Targets for standard error / risk. The interval that is shown is twice as wide to either side. */
export const precisions = ['0.1', '0.05', '0.025', '0.01', '0.005'] as const;

const level = () => optional(number({ default: 0, low: -1e6, high: 1e6 }));

export const fields = {
  model: text('zhang2023-5d'),
  /** A second model on the same prompts; empty: none. */
  compare: text(''),
  /** `length`, or the name of a shift; empty: the first that the task has. */
  vary: text(''),
  /** Ends and number of levels or lengths; all open: the usual ones. */
  from: level(),
  to: level(),
  points: optional(wholeNumber({ default: 9, low: 2, high: 25 })),
  /** Pairs in test prompts while a shift varies; open: the training length. */
  length: optional(wholeNumber({ default: 20, low: 1, high: 2000 })),
  /** Empty: the first that the task has. */
  measure: text(''),
  /** Names with commas between, or `none`; empty: the task's own. */
  beside: text(''),
  precision: choice(precisions, '0.025'),
  prompts: wholeNumber({ default: 20_000, low: 16, high: 1_000_000 }),
  seed: wholeNumber({ default: 0, low: 0, high: Number.MAX_SAFE_INTEGER }),
  axis: choice(['auto', 'log', 'linear'], 'auto'),
  band: flag(true),
};

export type RobustnessValues = ValuesOf<typeof fields>;

/** What an empty link says. */
export const defaultValues = Object.fromEntries(
  Object.entries(fields).map(([key, field]) => [key, field.default]),
) as unknown as RobustnessValues;
