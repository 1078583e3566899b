/** The laws of prompts that an evaluation asks for: the training task, or every level of every shift, each with who answers. */
import { createEstimator, type Estimator } from '../models/estimators/index.ts';
import type { Posterior, TaskSpec } from '../models/tasks/index.ts';
import type { EvaluationPlan } from './evaluation-plan.ts';
import { type Measure, measuresFor } from './measures.ts';

/** One level of one shift, or the training task. */
export interface Setting {
  readonly shift: string | null;
  readonly level: number | null;
  readonly task: TaskSpec;
  readonly estimators: readonly Estimator[];
  readonly measures: readonly Measure[];
  /** The true probabilities, if a measure needs them. */
  readonly posterior: Posterior | undefined;
}

/** In the order of the plan. @throws {UsageError} for an impossible level or estimator. */
export function settingsOf({ task, shifts, estimators }: EvaluationPlan): readonly Setting[] {
  const setting = (shift: string | null, level: number | null, testTask: TaskSpec): Setting => ({
    shift,
    level,
    task: testTask,
    estimators: estimators.map((wanted) =>
      'predict' in wanted ? wanted : createEstimator(wanted.name, { ...wanted, task, testTask }),
    ),
    ...measuresFor(testTask),
  });
  if (shifts.length === 0) return [setting(null, null, task)];
  return shifts.flatMap(({ shift, levels }) =>
    levels.map((level) => setting(shift.name, level, shift.apply(task, level))),
  );
}
