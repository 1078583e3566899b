/** What may differ at test time on Gaussian mixtures: the means' norms, the classes' chances, how covariates scatter. */
import type { GaussianMixtureSpec } from '../tasks/gaussian-mixture.ts';
import { defineShift, requireLevel, type Shift } from './shift.ts';

const tasks = ['gaussian-mixture'] as const;

const onLast = ({ classes }: GaussianMixtureSpec, last: number, others: number): number[] =>
  Array.from({ length: classes }, (_, k) => (k === classes - 1 ? last : others));

export const gaussianMixtureShifts: readonly Shift[] = [
  defineShift({
    name: 'mean-scale',
    about: 'task',
    tasks,
    level: 'f: all means are f times as long as in training',
    description: 'task shift: classes are further apart or nearer',
    neutral: 1,
    levels: [0.25, 0.5, 0.75, 1, 1.5, 2],
    apply(task, level) {
      requireLevel('mean-scale', level, level > 0, 'a factor above 0');
      return { ...task, radius: task.radius * level };
    },
  }),
  defineShift({
    name: 'mean-norm',
    about: 'task',
    tasks,
    level: 'f: the last class has a mean f times as long as the others',
    description: 'task shift: means of unequal norm, for which the true log-odds have a constant',
    neutral: 1,
    levels: [0.5, 0.75, 1, 1.25, 1.5, 2],
    apply(task, level) {
      requireLevel('mean-norm', level, level >= 0, 'a factor of 0 or more');
      return { ...task, normFactors: onLast(task, level, 1) };
    },
  }),
  defineShift({
    name: 'class-prior',
    about: 'task',
    tasks,
    level: 'p: probability of the last class, in context and query; the others share the rest equally',
    description: 'task shift: classes are not equally frequent',
    neutral: undefined,
    levels: [0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 0.9],
    apply(task, level) {
      requireLevel('class-prior', level, level > 0 && level < 1, 'a probability between 0 and 1');
      return { ...task, classPrior: onLast(task, level, (1 - level) / (task.classes - 1)) };
    },
  }),
  defineShift({
    name: 'covariance-factor',
    about: 'covariate',
    tasks,
    level: 's: covariates scatter about their means with s times the covariance of training',
    description: 'covariate shift: another spread, the same means',
    neutral: 1,
    levels: [0.25, 0.5, 0.75, 1, 1.5, 2, 4],
    apply(task, level) {
      requireLevel('covariance-factor', level, level > 0, 'a factor above 0');
      return { ...task, covarianceFactor: level };
    },
  }),
  defineShift({
    name: 'scale-mixture',
    about: 'covariate',
    tasks,
    level: 'a: a covariate scatters with variance 1 - a or 1 + a times that of training, with equal chance',
    description: 'covariate shift: covariates that are not Gaussian, with the same means and covariance',
    neutral: 0,
    levels: [0, 0.25, 0.5, 0.75, 0.9],
    apply(task, level) {
      requireLevel('scale-mixture', level, level >= 0 && level < 1, 'a number from 0 to below 1');
      return { ...task, scaleMixture: level };
    },
  }),
];
