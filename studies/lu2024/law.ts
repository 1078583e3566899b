/** What the settings mean: sizes from ratios, the task, and the exact error of a frozen Gamma. */
import type { FrozenModel } from '../../export/read-model.ts';
import { reducedLinearAttention } from '../../models/attention/reduced-linear-attention.ts';
import type { TaskSpec } from '../../models/tasks/index.ts';
import { drawBank, type LinearRegressionBankSpec } from '../../models/tasks/linear-regression-bank.ts';
import { bankMoments, finiteRisk, freshTaskMoments, type Phase, type TaskMoments } from '../../models/theory/lu2024.ts';
import { numberOf } from '../settings.ts';
import type { ModelTheory, Settings } from '../study.ts';

export type Design = 'balanced' | 'uniform';

/** kappa may be infinite, which JSON has no number for. */
export const kappaOf = (settings: Settings): number =>
  settings['kappa'] === 'inf' ? Number.POSITIVE_INFINITY : numberOf(settings, 'kappa');

export const phaseOf = (settings: Settings): Phase => ({
  tau: numberOf(settings, 'tau'),
  alpha: numberOf(settings, 'alpha'),
  kappa: kappaOf(settings),
  rho: numberOf(settings, 'rho'),
  lambda: numberOf(settings, 'lambda'),
});

/** Whole numbers nearest to a point of the phase diagram. */
export interface FiniteSizes {
  readonly d: number;
  /** l */
  readonly contextLength: number;
  /** n */
  readonly contexts: number;
  /** k; null: infinitely many. */
  readonly tasks: number | null;
}

const atLeastOne = (value: number) => Math.max(1, Math.round(value));

/** With `balanced` tasks n is a multiple of k where k divides no more often than d^2, as the authors' is. */
export function finiteSizes({ tau, alpha, kappa }: Omit<Phase, 'rho' | 'lambda'>, d: number): FiniteSizes {
  return {
    d,
    contextLength: atLeastOne(alpha * d),
    contexts: atLeastOne(tau * d * d),
    tasks: kappa === Number.POSITIVE_INFINITY ? null : atLeastOne(kappa * d),
  };
}

/** The point that whole numbers really stand at: what theory is to be asked for. */
export function actualPhase(phase: Phase, d: number): Phase {
  const { contextLength, contexts, tasks } = finiteSizes(phase, d);
  return {
    ...phase,
    tau: contexts / (d * d),
    alpha: contextLength / d,
    kappa: tasks === null ? Number.POSITIVE_INFINITY : tasks / d,
  };
}

export function taskOf(settings: Settings): LinearRegressionBankSpec {
  const { tasks } = finiteSizes(phaseOf(settings), numberOf(settings, 'd'));
  return {
    name: 'linear-regression-bank',
    dimension: numberOf(settings, 'd'),
    tasks,
    // The linear theory's tasks lie on a sphere; the paper's Transformers see Gaussian ones. The limit is the same.
    law: settings['model'] === 'reduced' ? 'sphere' : 'gaussian',
    bankSeed: numberOf(settings, 'bank'),
    noiseVariance: numberOf(settings, 'rho'),
  };
}

/** Moments of a law of test tasks: the bank's, fresh ones', or a mixture's. */
export function momentsOf(task: LinearRegressionBankSpec): TaskMoments {
  const { dimension, tasks, freshShare = 0 } = task;
  const fresh = freshTaskMoments(dimension);
  if (tasks === null || freshShare === 1) return fresh;
  const bank = bankMoments(drawBank(task), dimension);
  return {
    mean: bank.mean.map((value) => (1 - freshShare) * value),
    second: bank.second.map((value, i) => (1 - freshShare) * value + freshShare * fresh.second[i]!),
  };
}

/** e(Gamma), exact for tasks on the sphere; null for another model, another task, or Gaussian tasks. */
export function modelTheory({ architecture, parameters }: FrozenModel): ModelTheory {
  if (architecture.name !== reducedLinearAttention.name) return () => null;
  const gamma = parameters['gamma']!;
  return (task: TaskSpec, contextLength, measure) => {
    const isCovered = measure === 'squared-error' && task.name === 'linear-regression-bank' && task.law === 'sphere';
    if (!isCovered) return null;
    const { dimension, noiseVariance } = task;
    return finiteRisk(gamma, { dimension, contextLength, noiseVariance, tasks: momentsOf(task) });
  };
}
