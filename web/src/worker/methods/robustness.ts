/** Methods of robustness: risks measured in rounds, and the exact curves beside them. */
import {
  answererNames,
  type EvaluationRow,
  type EvaluationStep,
  evaluateProgressively,
  zScore,
} from '../../../../infer/evaluate.ts';
import { type MeasureName, measuresFor } from '../../../../infer/measures.ts';
import type { SessionReport } from '../../../../infer/session.ts';
import type { WebProvider } from '../../../../infer/web-runtime.ts';
import { shiftNamed } from '../../../../models/shifts/index.ts';
import type { TaskSpec } from '../../../../models/tasks/index.ts';
import { definitions, studyIn } from '../../../../studies/definitions.ts';
import { requestFor, theoryOf } from '../../../../studies/evaluate-model.ts';
import { parseSettings } from '../../../../studies/settings.ts';
import type { Paper } from '../../../../studies/study.ts';
import { modelNamed, sessionOf } from '../open-models.ts';
import type { CallContext } from '../protocol.ts';

export interface ModelPlace {
  readonly id: string;
  readonly provider: WebProvider;
}

export interface MeasureArgument {
  readonly model: ModelPlace;
  readonly compared: ModelPlace | null;
  /** Null: the training task, at several lengths. */
  readonly shift: { readonly name: string; readonly levels: readonly number[] } | null;
  readonly lengths: readonly number[];
  readonly estimators: readonly string[];
  readonly prompts: number;
  readonly targetStandardError: number;
  readonly seed: number;
  /** Whether a run is to answer all lengths at once, where a model can. */
  readonly prefixes: boolean;
}

export interface MeasureProgress extends Omit<EvaluationStep, 'rows'> {
  /** Exactly what `icl evaluate --json` prints. */
  readonly rows: readonly EvaluationRow[];
  /** z of each row. */
  readonly z: readonly (number | null)[];
  /** Whose standard error / risk is largest, of the models and of all; differences apart. Null before there is a risk. */
  readonly widest: { readonly models: Width; readonly all: Width } | null;
  readonly report: SessionReport;
}

export interface Width {
  readonly estimator: string;
  /** Standard error / risk. */
  readonly ratio: number;
}

/** Least time between two reports: the page draws each. */
const betweenReports = 300;

/**
 * Measures until every point is precise enough or has had all prompts. Rounds are reported when they are complete, the first
 * one also on the way: what was reported last is an evaluation that can be had again.
 * @throws {UsageError} for an impossible setting. @throws {DataError} if a measured number is not finite.
 */
export async function measureRobustness(
  argument: MeasureArgument,
  { signal, report, turn }: CallContext<MeasureProgress>,
): Promise<MeasureProgress> {
  const { model, compared, shift, prefixes, ...rest } = argument;
  const session = await sessionOf(model.id, model.provider, { prefixes });
  const other = compared === null ? undefined : await sessionOf(compared.id, compared.provider, { prefixes });
  const request = requestFor(
    session.model,
    {
      ...rest,
      shifts: shift === null ? [] : [{ shift: shiftNamed(shift.name), levels: shift.levels }],
      queriesPerPrompt: 1,
      signal,
      ...(other === undefined ? {} : { compared: other }),
    },
    definitions,
  );
  let reported = Number.NEGATIVE_INFINITY;
  let isFirstRound = true;
  let last: MeasureProgress | undefined;
  await turn();
  for await (const { rows: rowsNow, ...step } of evaluateProgressively(session, request)) {
    const isDue = performance.now() - reported >= betweenReports && (isFirstRound || step.isRoundComplete);
    if (isDue || step.isDone || (isFirstRound && step.isRoundComplete)) {
      const rows = rowsNow();
      last = { ...step, rows, z: rows.map(zScore), widest: widestOf(rows), report: session.report };
      report(last);
      reported = performance.now();
    }
    if (step.isRoundComplete) isFirstRound = false;
    await turn();
  }
  return last!;
}

function widestOf(rows: readonly EvaluationRow[]): MeasureProgress['widest'] {
  const widths = rows.flatMap(({ estimator, risk, standardError }): Width[] =>
    estimator === answererNames.difference
      ? []
      : [{ estimator, ratio: standardError === 0 ? 0 : standardError / risk }],
  );
  if (widths.length === 0) return null;
  const largest = (among: readonly Width[]) => among.reduce((a, b) => (b.ratio > a.ratio ? b : a));
  const models: readonly string[] = [answererNames.model, answererNames.compared];
  return { models: largest(widths.filter(({ estimator }) => models.includes(estimator))), all: largest(widths) };
}

export interface CurveArgument {
  readonly models: readonly string[];
  /** The training task whose prompts are asked. */
  readonly task: TaskSpec;
  readonly shift: string | null;
  /** Levels of the shift, or lengths. In the order in which they are wanted. */
  readonly at: readonly number[];
  /** Of all prompts, if a shift varies. */
  readonly length: number;
}

/** The exact risk of one model at one place. */
export interface CurvePoint {
  readonly model: string;
  readonly at: number;
  readonly measure: MeasureName;
  readonly risk: number;
}

export interface Curves {
  readonly points: readonly CurvePoint[];
  /** The papers of the models, where their studies are known here. */
  readonly papers: readonly Paper[];
}

/** Where a curve has to be asked often, and each time takes long, the page sees it grow. */
const betweenCurves = 150;

/** The closed forms over a range; places where a shift is impossible are left out. Needs no session. */
export async function exactRisks(
  { models, task, shift, at, length }: CurveArgument,
  { report, turn }: CallContext<Curves>,
): Promise<Curves> {
  const theories = models.map((id) => ({ id, theory: theoryOf(modelNamed(id), definitions) }));
  const studies = new Set(models.map((id) => modelNamed(id).metadata.study));
  const papers = definitions.filter(({ name }) => studies.has(name)).map(({ paper }) => paper);
  const points: CurvePoint[] = [];
  let reported = performance.now();
  for (const place of at) {
    const test = shift === null ? task : possible(() => shiftNamed(shift).apply(task, place));
    if (test === undefined) continue;
    for (const { id, theory } of theories) {
      for (const { name } of measuresFor(test).measures) {
        const risk = theory?.(test, shift === null ? place : length, name) ?? null;
        if (risk !== null && Number.isFinite(risk)) points.push({ model: id, at: place, measure: name, risk });
      }
    }
    if (performance.now() - reported > betweenCurves) {
      report({ points: [...points], papers });
      reported = performance.now();
    }
    await turn();
  }
  return { points, papers };
}

function possible<Value>(make: () => Value): Value | undefined {
  try {
    return make();
  } catch {
    return undefined;
  }
}

/** The training laws of models that are not open, from how they are made. */
export async function lawsOf(
  recipes: readonly { readonly id: string; readonly study: string; readonly settings: string }[],
): Promise<readonly { readonly id: string; readonly task: TaskSpec }[]> {
  return recipes.map(({ id, study: name, settings }) => {
    const study = studyIn(definitions, name);
    return { id, task: study.task(parseSettings(study, [settings])) };
  });
}
