/**
 * A schedule as numbers: what an optimizer needs to know of each step, computed in float64 and rounded once. A graph that counts
 * for itself looks it up: the same numbers, to the bit, as an engine computes from step to step, and none of the precision that
 * float32 would lose in 1 - beta^t. Knows schedules and optimizers, no graph.
 */
import { createOptimizer, type OptimizerSpec } from './optimizers.ts';
import { type ScheduleSpec, scheduleFactor } from './schedule.ts';

/** How the rate changes, and over how many steps. */
export interface StepSchedule {
  readonly spec: ScheduleSpec;
  readonly steps: number;
}

export interface ScheduleTable {
  /** Steps that differ. The last row is that of all later steps too. */
  readonly rows: number;
  /** By the optimizer's name for the scalar, `rows` numbers. */
  readonly columns: Readonly<Record<string, Float32Array>>;
}

/** A table is no longer than this, or than its run. 4 MB for a column. */
const longest = 1 << 20;

/**
 * A row for every step of the run. At a constant rate a run may go on for ever: then a row for every step until Adam's
 * corrections no longer change in float32 (17,320 rows with beta2 = 0.999).
 */
export function tabulate(optimizer: OptimizerSpec, { spec, steps }: StepSchedule): ScheduleTable {
  const { scalars, scalarNames } = createOptimizer(optimizer);
  const at = (step: number) => scalars(optimizer.learningRate * scheduleFactor(spec, step, steps), step);
  const rows = spec.name === 'constant' ? firstSettledStep(at, scalarNames) + 1 : steps;
  const columns = Object.fromEntries(scalarNames.map((name) => [name, new Float32Array(rows)]));
  for (let step = 0; step < rows; step++) {
    const values = at(step);
    for (const name of scalarNames) columns[name]![step] = values[name]!;
  }
  return { rows, columns };
}

/** The first step whose scalars are those of every later one, in float32; found by halving, since they approach their limits. */
function firstSettledStep(at: (step: number) => Record<string, number>, names: readonly string[]): number {
  const limits = at(longest);
  const isSettled = (step: number): boolean => {
    const values = at(step);
    return names.every((name) => Math.fround(values[name]!) === Math.fround(limits[name]!));
  };
  let [low, high] = [0, longest];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (isSettled(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
