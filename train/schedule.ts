/**
 * How the learning rate changes over a run: a factor for each step, 0-based, of the optimizer's own rate. Pure functions
 * of (step, steps), so that a resumed run has the rates of an uninterrupted one. No factor is 0 at the first step.
 */
import { unknownName } from '../models/errors.ts';

/** `warmup` and `at` are fractions of all steps; `final` and `factor` are fractions of the optimizer's rate. */
export type ScheduleSpec =
  | { readonly name: 'constant' }
  | { readonly name: 'cosine'; readonly warmup: number; readonly final: number }
  | { readonly name: 'step'; readonly at: number; readonly factor: number };

interface ScheduleKind {
  readonly name: ScheduleSpec['name'];
  readonly description: string;
  readonly defaults: ScheduleSpec;
  factor(spec: ScheduleSpec, step: number, steps: number): number;
}

const constant: ScheduleKind = {
  name: 'constant',
  description: 'the same rate at every step; the only one whose runs can be given more steps later',
  defaults: { name: 'constant' },
  factor: () => 1,
};

/**
 * Over the first W = ceil(warmup * steps) steps the factor is (step + 1) / W; then it falls along half a cosine from 1
 * to `final`, which the last step has, and steps beyond it.
 */
const cosine: ScheduleKind = {
  name: 'cosine',
  description: 'a linear rise over the fraction `warmup` of the steps, then half a cosine down to `final`',
  defaults: { name: 'cosine', warmup: 0.05, final: 0 },
  factor(spec: ScheduleSpec & { name: 'cosine' }, step, steps) {
    const warmupSteps = Math.ceil(spec.warmup * steps);
    if (step < warmupSteps) return (step + 1) / warmupSteps;
    const progress = Math.min(1, (step - warmupSteps) / Math.max(1, steps - 1 - warmupSteps));
    return spec.final + (1 - spec.final) * 0.5 * (1 + Math.cos(Math.PI * progress));
  },
};

const stepDecay: ScheduleKind = {
  name: 'step',
  description: 'the full rate up to the fraction `at` of the steps, then `factor` of it',
  defaults: { name: 'step', at: 0.7, factor: 0.1 },
  factor: (spec: ScheduleSpec & { name: 'step' }, step, steps) => (step < spec.at * steps ? 1 : spec.factor),
};

export const schedules: readonly ScheduleKind[] = [constant, cosine, stepDecay];

/** The fraction of the optimizer's learning rate at this step. */
export function scheduleFactor(spec: ScheduleSpec, step: number, steps: number): number {
  const kind = schedules.find(({ name }) => name === spec.name);
  if (kind === undefined) {
    throw unknownName(
      'schedule',
      spec.name,
      schedules.map(({ name }) => name),
    );
  }
  return kind.factor(spec, step, steps);
}
