/** What a shift is: a law of test prompts made from the law of training prompts and a level. One file per task beside this. */
import { UsageError } from '../errors.ts';
import type { TaskName, TaskSpec } from '../tasks/index.ts';

export interface Shift {
  readonly name: string;
  /** What the level is, with its unit. */
  readonly level: string;
  readonly description: string;
  /** What it is about, for the groups of `icl evaluate --suite`. */
  readonly about: 'covariate' | 'query' | 'task';
  /** The tasks it applies to. */
  readonly tasks: readonly TaskName[];
  /** The level at which nothing is shifted; undefined where every level replaces what training had. */
  readonly neutral: number | undefined;
  /** Levels to try when the user names none. */
  readonly levels: readonly number[];
  /** Levels are counts: only whole numbers are possible. */
  readonly isWhole?: true;
  /** @throws {UsageError} if the level is impossible, or the task has no such shift. */
  apply<Spec extends TaskSpec>(task: Spec, level: number): Spec;
}

/** The tasks of a list of names. */
type SpecOf<Name extends TaskName> = Extract<TaskSpec, { readonly name: Name }>;

interface ShiftDefinition<Name extends TaskName> extends Omit<Shift, 'tasks' | 'apply'> {
  readonly tasks: readonly Name[];
  apply(task: SpecOf<Name>, level: number): SpecOf<Name>;
}

/** A shift whose `apply` sees only tasks that it names; others are refused. */
export function defineShift<const Name extends TaskName>(definition: ShiftDefinition<Name>): Shift {
  const { name, tasks } = definition;
  return {
    ...definition,
    apply<Spec extends TaskSpec>(task: Spec, level: number): Spec {
      if (!(tasks as readonly TaskName[]).includes(task.name)) {
        throw new UsageError({
          where: `--shift ${name}`,
          expected: `a model of ${tasks.join(' or ')}`,
          got: task.name,
        });
      }
      return definition.apply(task as unknown as SpecOf<Name>, level) as unknown as Spec;
    },
  };
}

/** @throws {UsageError} unless the level is good and finite. */
export function requireLevel(shift: string, level: number, isGood: boolean, expected: string): void {
  if (!isGood || !Number.isFinite(level)) {
    throw new UsageError({ where: `--shift ${shift}`, expected, got: String(level) });
  }
}
