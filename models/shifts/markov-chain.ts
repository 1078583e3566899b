/** What may differ at test time on Markov chains: how they begin, which kernels they follow, how many share a context. */
import { defineShift, requireLevel, type Shift } from './shift.ts';

const tasks = ['markov-chain'] as const;

export const markovChainShifts: readonly Shift[] = [
  defineShift({
    name: 'start-probability',
    about: 'covariate',
    tasks,
    level: 'p: probability that a chain of two states begins with 1, in context and query, independently',
    description: 'covariate shift: chains begin elsewhere, with the same kernels',
    neutral: undefined,
    levels: [0.1, 0.3, 0.5, 0.7, 0.9],
    apply(task, level) {
      requireLevel('start-probability', level, level > 0 && level < 1, 'a probability between 0 and 1');
      return { ...task, start: { kind: 'bernoulli', p: level } };
    },
  }),
  defineShift({
    name: 'kernel-concentration',
    about: 'task',
    tasks,
    level: 'a: kernel rows are Dirichlet(a, .., a)',
    description: 'task shift: kernels are nearer to certainty (a < 1) or to chance (a > 1)',
    neutral: undefined,
    levels: [0.1, 0.3, 1, 3, 10],
    apply(task, level) {
      requireLevel('kernel-concentration', level, level > 0, 'a number above 0');
      return { ...task, concentration: level };
    },
  }),
  defineShift({
    name: 'kernel-groups',
    about: 'task',
    tasks,
    level: 'k: the context is k equal groups with a kernel each, and the query has the last one’s',
    description: 'task shift: most of the context follows other kernels',
    neutral: 1,
    levels: [1, 2, 4],
    isWhole: true,
    apply(task, level) {
      requireLevel('kernel-groups', level, Number.isInteger(level) && level >= 1, 'a whole number, 1 or more');
      const { groups: _groups, ...rest } = task;
      return level === 1 ? rest : { ...rest, groups: level };
    },
  }),
];
