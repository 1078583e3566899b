/**
 * From what the link says and what the model is to an experiment: which law varies over which levels, who answers, what is
 * measured. What cannot be is said in words and the usual taken instead. Knows no element and measures nothing.
 */
import { trainingLengthOf } from '../../../../export/metadata.ts';
import { type Measure, measuresFor } from '../../../../infer/measures.ts';
import { unknownName } from '../../../../models/errors.ts';
import { createEstimator, type EstimatorKind, estimatorsFor } from '../../../../models/estimators/index.ts';
import { type Shift, shiftsFor } from '../../../../models/shifts/index.ts';
import { type TaskSpec, usualEstimators } from '../../../../models/tasks/index.ts';
import { geometricGrid, linearGrid } from '../../../../studies/figures/grids.ts';
import type { ModelDescription } from '../../worker/methods/models.ts';
import type { RobustnessValues } from './fields.ts';

/** In links, where a shift's name may stand. */
export const varyLength = 'length';

/** What varies, as a link says it. */
export const varyOf = ({ shift }: Pick<Experiment, 'shift'>): string => shift?.name ?? varyLength;

export interface Experiment {
  readonly task: TaskSpec;
  /** Null: the test length varies. */
  readonly shift: Shift | null;
  /** Levels of the shift, or test lengths, ascending. */
  readonly levels: readonly number[];
  /** Whether these are the usual ones. */
  readonly isUsual: boolean;
  /** Test lengths: one with a shift. */
  readonly lengths: readonly number[];
  readonly trainingLength: number | undefined;
  readonly scale: 'linear' | 'log';
  readonly measure: Measure;
  readonly measures: readonly Measure[];
  /** Names of the estimators beside the model, and of all that the task has. */
  readonly estimators: readonly string[];
  readonly offered: readonly EstimatorKind[];
  readonly shifts: readonly Shift[];
  /** What the link asks for and cannot be. */
  readonly problems: readonly string[];
}

/** Where a configuration names no training length. */
const lengthOfForeign = 20;

export function resolveExperiment(values: RobustnessValues, model: ModelDescription): Experiment {
  const problems: string[] = [];
  const { task } = model.metadata;
  const shifts = shiftsFor(task);
  const { measures } = measuresFor(task);
  const offered = estimatorsFor(task).filter(({ name }) => isPossible(() => createEstimator(name, { task })));

  const pick = <Each extends { readonly name: string }>(what: string, wanted: string, all: readonly Each[]) => {
    if (wanted === '') return all[0];
    const found = all.find(({ name }) => name === wanted);
    if (found === undefined) {
      const names = all.map(({ name }) => name);
      problems.push(`${unknownName(what, wanted, names).message} Shown is ${names[0] ?? 'none'}.`);
    }
    return found ?? all[0];
  };
  const shift = values.vary === varyLength ? null : (pick('shift', values.vary, shifts) ?? null);
  const measure = pick('measure', values.measure, measures)!;
  const estimators = wantedEstimators(values.beside, task, offered, problems);

  const trainingLength = trainingLengthOf(model.metadata);
  const usualLength = Math.max(model.minimumContext, trainingLength ?? lengthOfForeign);
  const scale = shift === null ? 'log' : scaleOf(shift);
  const { levels, isUsual } =
    shift === null
      ? lengthsOf(values, usualLength, model.minimumContext, problems)
      : levelsOf(values, shift, task, scale, problems);
  const length = Math.max(model.minimumContext, values.length ?? usualLength);
  if (shift !== null && values.length !== null && values.length < length) {
    problems.push(`The model needs prompts of ${length} pairs or more.`);
  }
  return {
    ...{
      task,
      shift,
      levels,
      isUsual,
      trainingLength,
      scale,
      measure,
      measures,
      estimators,
      offered,
      shifts,
      problems,
    },
    lengths: shift === null ? levels : [length],
  };
}

/** Some estimators are for certain laws of a task only. */
function isPossible(make: () => unknown): boolean {
  try {
    make();
    return true;
  } catch {
    return false;
  }
}

function wantedEstimators(
  beside: string,
  task: TaskSpec,
  offered: readonly EstimatorKind[],
  problems: string[],
): readonly string[] {
  if (beside === 'none') return [];
  const names = offered.map(({ name }) => name);
  if (beside === '') return usualEstimators(task);
  return beside.split(',').filter((wanted) => {
    if (names.includes(wanted)) return true;
    problems.push(`${unknownName('estimator', wanted, names).message} It is left out.`);
    return false;
  });
}

/** Equal ratios where the usual levels span a decade or nearly so and are not shares of one. */
function scaleOf({ levels }: Shift): 'linear' | 'log' {
  const [least, most] = [Math.min(...levels), Math.max(...levels)];
  return least > 0 && most > 1 && most / least >= 6 ? 'log' : 'linear';
}

type Range = Pick<RobustnessValues, 'from' | 'to' | 'points'>;

const isOpen = ({ from, to, points }: Range) => from === null && to === null && points === null;

/** Numbers that are short to read and to type. */
const short = (value: number) => Number(value.toPrecision(3));

const unique = (values: readonly number[]) => [...new Set(values)].sort((a, b) => a - b);

function grid(low: number, high: number, count: number, scale: 'linear' | 'log', isWhole: boolean): number[] {
  const values = scale === 'log' ? geometricGrid(low, high, count) : linearGrid(low, high, count);
  return unique(values.map(isWhole ? Math.round : short));
}

function levelsOf(range: Range, shift: Shift, task: TaskSpec, scale: 'linear' | 'log', problems: string[]) {
  const reason = (level: number): string | undefined => {
    try {
      shift.apply(task, level);
      return undefined;
    } catch (error) {
      return (error as Error).message;
    }
  };
  const usual = shift.levels.filter((level) => reason(level) === undefined);
  if (usual.length < shift.levels.length) {
    const first = shift.levels.find((level) => reason(level) !== undefined)!;
    problems.push(
      `${usual.length === 0 ? 'This model has no such shift' : 'Some usual levels are left out'}: ${reason(first)}`,
    );
  }
  if (isOpen(range) || usual.length === 0) return { levels: usual, isUsual: true };
  const low = range.from ?? Math.min(...usual);
  const high = range.to ?? Math.max(...usual);
  const refused = low < high ? (reason(low) ?? reason(high)) : `The range from ${low} to ${high} is empty.`;
  if (refused !== undefined || (scale === 'log' && low <= 0)) {
    problems.push(`${refused ?? 'The levels must be above 0.'} Shown are the usual levels.`);
    return { levels: usual, isUsual: true };
  }
  const levels = grid(low, high, range.points ?? usual.length, scale, shift.isWhole === true);
  return { levels: levels.filter((level) => reason(level) === undefined), isUsual: false };
}

function lengthsOf(range: Range, trained: number, shortest: number, problems: string[]) {
  const usual = unique(geometricGrid(trained / 4, 4 * trained, 7).map((n) => Math.max(shortest, Math.round(n))));
  if (isOpen(range)) return { levels: usual, isUsual: true };
  const low = Math.max(shortest, Math.round(range.from ?? usual[0]!));
  const high = Math.min(2000, Math.round(range.to ?? usual.at(-1)!));
  if (low >= high) {
    problems.push(`The range from ${low} to ${high} pairs is empty. Shown are the usual lengths.`);
    return { levels: usual, isUsual: true };
  }
  return { levels: grid(low, high, range.points ?? 7, 'log', true), isUsual: false };
}

/** Where exact curves are asked: between the ends of the levels, coarse first, every level among them. */
export function curvePlaces({ shift, levels, scale }: Experiment): number[] {
  if (levels.length === 0) return [];
  const [low, high] = [levels[0]!, levels.at(-1)!];
  const isWhole = shift === null || shift.isWhole === true;
  const dense = low < high ? grid(low, high, 49, scale, isWhole) : [];
  const order = dense.map((value, i) => ({ value, rank: i === 0 ? 0 : i & -i }));
  const coarseFirst = order.sort((a, b) => b.rank - a.rank).map(({ value }) => value);
  return [...new Set([...levels, ...coarseFirst])];
}
