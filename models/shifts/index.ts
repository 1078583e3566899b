/**
 * What may differ at test time from training. A shift is data: a name, the tasks it applies to, what its level means, and
 * how it changes a task. Test-time prompt length is not here: every evaluation has its own list of lengths. A task's shifts
 * are a file beside this and a line here.
 */
import { unknownName } from '../errors.ts';
import type { TaskSpec } from '../tasks/index.ts';
import { featureRegressionShifts } from './feature-regression.ts';
import { gaussianMixtureShifts } from './gaussian-mixture.ts';
import { linearRegressionShifts } from './linear-regression.ts';
import { linearRegressionBankShifts } from './linear-regression-bank.ts';
import { markovChainShifts } from './markov-chain.ts';
import type { Shift } from './shift.ts';

export type { Shift } from './shift.ts';

export const shifts: readonly Shift[] = [
  ...linearRegressionShifts,
  ...linearRegressionBankShifts,
  ...featureRegressionShifts,
  ...gaussianMixtureShifts,
  ...markovChainShifts,
];

/** @throws {UsageError} naming the nearest known shift. */
export function shiftNamed(name: string): Shift {
  const found = shifts.find((shift) => shift.name === name);
  if (found === undefined) {
    throw unknownName(
      '--shift',
      name,
      shifts.map((shift) => shift.name),
    );
  }
  return found;
}

/** The shifts that a task has. */
export const shiftsFor = ({ name }: TaskSpec): readonly Shift[] => shifts.filter(({ tasks }) => tasks.includes(name));
