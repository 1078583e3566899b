/** Shifts of Markov chains: what each changes, and nothing else. */
import { expect, test } from 'vitest';
import { shiftNamed, shiftsFor } from '../../models/shifts/index.ts';
import { createSampler } from '../../models/tasks/index.ts';
import { type MarkovChainSpec, markovChainDefaults } from '../../models/tasks/markov-chain.ts';

const task: MarkovChainSpec = { ...markovChainDefaults, dimension: 3 };
const apply = (name: string, level: number) => shiftNamed(name).apply(task, level);

test('start, concentration and groups change alone; at all levels there are prompts', () => {
  expect(apply('start-probability', 0.2)).toEqual({ ...task, start: { kind: 'bernoulli', p: 0.2 } });
  expect(apply('kernel-concentration', 3)).toEqual({ ...task, concentration: 3 });
  expect(apply('kernel-groups', 4)).toEqual({ ...task, groups: 4 });
  expect(apply('kernel-groups', 1)).toEqual(task);
  expect(shiftsFor(task).map(({ name }) => name)).toEqual([
    'start-probability',
    'kernel-concentration',
    'kernel-groups',
  ]);
  for (const shift of shiftsFor(task)) for (const level of shift.levels) createSampler(shift.apply(task, level));
});

test('impossible levels are refused', () => {
  expect(() => apply('start-probability', 1)).toThrow(/a probability between 0 and 1, got 1/);
  expect(() => apply('kernel-concentration', 0)).toThrow(/a number above 0, got 0/);
  expect(() => apply('kernel-groups', 1.5)).toThrow(/a whole number, 1 or more, got 1.5/);
});
