/** What the panel's link holds, and what it means as a request to the worker. */

import type { ValuesOf } from '../../app/fields.ts';
import { choice, flag, text, wholeNumber } from '../../app/fields.ts';
import type { TrainingRequest } from '../../worker/training/request.ts';
import { type Preset, presets } from './presets.ts';

/** Studies whose models are trained by gradients, in the order of their papers. */
export const trainedStudies = ['zhang2023', 'huang2023', 'shen2024', 'ding2025'] as const;

const first = presets[0]!;

export const fields = {
  study: choice(trainedStudies, 'zhang2023'),
  /** Settings as `icl train --set` takes them. */
  set: text(first.set, 400),
  model: choice(['study', 'transformer'], 'study'),
  steps: wholeNumber({ default: first.steps, low: 1, high: 1_000_000 }),
  batch: wholeNumber({ default: first.batch, low: 1, high: 65_536 }),
  seed: wholeNumber({ default: 1, low: 0, high: 4_294_967_295 }),
  /** Empty: the study's own. */
  rate: text(first.rate, 20),
  /** A logarithmic axis of steps. */
  log: flag(false),
  /** Wait after so many steps; 0: do not. */
  pause: wholeNumber({ default: 0, low: 0, high: 1_000_000 }),
};

export type TrainingValues = ValuesOf<typeof fields>;

export function requestOf({ study, set, model, steps, batch, seed, rate }: TrainingValues): TrainingRequest {
  return {
    study,
    settings: set,
    variant: model,
    steps,
    batch,
    seed,
    // What is no number is refused by the configuration, in its words.
    learningRate: rate === '' ? null : Number(rate),
  };
}

export const valuesOf = ({ study, set, variant, steps, batch, rate }: Preset): Partial<TrainingValues> => ({
  study: study as TrainingValues['study'],
  set,
  model: variant,
  ...{ steps, batch, rate },
});

/** The preset that the values are, if they are one; the seed may be any. */
export const presetOf = (values: TrainingValues): Preset | undefined =>
  presets.find((preset) =>
    Object.entries(valuesOf(preset)).every(([key, value]) => values[key as keyof TrainingValues] === value),
  );
