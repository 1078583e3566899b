/** What may differ at test time where training had a bank of tasks: tasks that are not in it. */
import { defineShift, requireLevel, type Shift } from './shift.ts';

export const linearRegressionBankShifts: readonly Shift[] = [
  defineShift({
    name: 'fresh-tasks',
    about: 'task',
    tasks: ['linear-regression-bank'],
    level: 'share of prompts with a fresh task: 0 is the pretraining tasks, 1 is in-context learning proper',
    description: 'task shift: tasks that training never saw',
    neutral: 0,
    levels: [0, 0.25, 0.5, 0.75, 1],
    apply(task, level) {
      requireLevel('fresh-tasks', level, level >= 0 && level <= 1, 'a share from 0 to 1');
      return { ...task, freshShare: level };
    },
  }),
];
