/**
 * The workshop in which a study's experiments are done: trains models into run folders, opens them on ONNX Runtime, measures
 * their risk, and in the end writes the data, the figures and the report. Knows nothing about any paper.
 *
 * A study asks `chooseFigures` what is wanted, then calls, in any order and as often as it likes: `train`, `measure` (both
 * one stage of progress per model or call), `work` for a stage of its own (a map of closed forms, an exact fit, a probe of a
 * run's checkpoints), `addRows` for rows that it measured itself; and `finish` at the end. None but `finish` is needed: a figure
 * of closed forms alone has no models.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { ensureFolder, writeFileAtomic } from '../export/files.ts';
import { type EvaluationPlan, type EvaluationRow, evaluate } from '../infer/evaluate.ts';
import type { InferenceSession, SessionReport } from '../infer/session.ts';
import { openSession } from '../infer/session-node.ts';
import type { VerifyOptions } from '../infer/verify.ts';
import { DataError, UsageError } from '../models/errors.ts';
import type { Estimator } from '../models/estimators/index.ts';
import { version } from '../models/version.ts';
import { parseConfig, type TrainingConfig } from '../train/config.ts';
import { differingKeys } from '../train/config-identity.ts';
import { keptPath, keptPaths, readRun, runPaths } from '../train/run-folder.ts';
import { chooseFigures } from './figure-choice.ts';
import type { FigureContext, SvgElement } from './figures/document.ts';
import { renderFigure } from './figures/render.ts';
import { showNumber } from './numbers.ts';
import { type ExportedRun, type FinishedRun, resolveConfig, startRun, type TrainingOverrides } from './pipeline.ts';
import { type ReportFigure, type ReportTable, renderReport } from './report.ts';
import { environmentSection, modelSection, paritySection } from './report-sections.ts';
import { formatSettings } from './settings.ts';
import type { Claim, DrawnFigure, ReproduceOptions, ReproduceResult, Settings, Study } from './study.ts';
import { versionsHere } from './versions.ts';

/** A model to be trained. */
export interface ModelPlan {
  /** Folder under `models/`, and `run` in the rows. */
  readonly name: string;
  /** In words: `N = 20, correlated covariates`. */
  readonly label: string;
  readonly settings: Settings;
  readonly seed: number;
  readonly overrides: TrainingOverrides;
  /** Steps at which the parameters are kept: `run.kept`. */
  readonly keepSteps?: readonly number[];
  /** Sizes to verify at, where not all. */
  readonly verification?: Partial<VerifyOptions>;
  /** Export with predictions from every prefix of the context: where a pass is dear, one then measures all lengths. */
  readonly hasPrefixes?: true;
}

export interface TrainedModel {
  readonly plan: ModelPlan;
  readonly run: FinishedRun;
}

/** A row of the evaluation, and which of the models it is about. */
export interface RunRow extends EvaluationRow {
  readonly run: string;
  /** The prompts are the run's own training prompts: this is the error in sample. */
  readonly stream?: 'training';
}

export type MeasurePlan = Pick<EvaluationPlan, 'lengths' | 'prompts'> &
  Partial<Pick<EvaluationPlan, 'shifts' | 'queriesPerPrompt' | 'stream'>> & {
    /** Estimators beside the model, by name or made by the study. */
    readonly estimators?: readonly (string | Estimator)[];
    /** Keep only the estimators' rows. */
    readonly isForEstimators?: true;
  };

export interface FigurePlan {
  readonly name: string;
  readonly caption: string;
  readonly draw: (context: FigureContext) => SvgElement;
  readonly table: ReportTable;
}

export interface Workshop {
  /** Trains one after the other; while one is verified, the next is trained. */
  train(plans: readonly ModelPlan[]): Promise<readonly TrainedModel[]>;
  /** Risk of a model over lengths and shifts, with the exact risk of its own matrices in `theory`. */
  measure(trained: TrainedModel, plan: MeasurePlan): Promise<readonly RunRow[]>;
  /** A stage of the study's own. `run` may report how far it is, from 0 to 1. */
  work<T>(detail: string, run: (report: (fraction: number) => void) => T | Promise<T>): Promise<T>;
  /** Rows for `evaluation.jsonl` that `measure` did not make. */
  addRows(measured: readonly RunRow[]): void;
  finish(lead: string, claims: readonly Claim[], figures: readonly FigurePlan[]): ReproduceResult;
}

/**
 * Opens a workshop.
 * @param stages How many models will be trained, and how often `measure` will be called: for the progress.
 */
export function openWorkshop(study: Study, options: ReproduceOptions, stages: number): Workshop {
  const { folder, signal, onProgress } = options;
  const started = performance.now();
  const { omitted } = chooseFigures(study, options);
  const models: TrainedModel[] = [];
  const rows: RunRow[] = [];
  const sessions = new Map<string, SessionReport>();
  let stage = 0;
  const report = (within: number, detail: string) =>
    onProgress?.({ fraction: Math.min(1, (stage + within) / stages), detail });

  const measureIn = async (session: InferenceSession, { plan, run }: TrainedModel, measures: MeasurePlan) => {
    const { lengths, estimators = [], shifts = [], isForEstimators = false, ...rest } = measures;
    const isInSample = measures.stream === 'training';
    const levels = shifts.flatMap((shift) => shift.levels.map((level) => `${shift.shift.name} ${level}`));
    const measured: RunRow[] = [];
    const evaluation = evaluate(session, {
      ...rest,
      task: run.frozen.metadata.task,
      lengths,
      shifts,
      estimators: estimators.map((one) => (typeof one === 'string' ? { name: one } : one)),
      seed: isInSample ? plan.seed : options.seed,
      // Closed forms are about fresh prompts.
      theory: isInSample ? null : study.modelTheory(run.frozen),
      signal: signal ?? null,
      onProgress: ({ shift, level, prompts, maximum }) => {
        const done = shift === null ? 0 : Math.max(0, levels.indexOf(`${shift} ${level}`));
        report((done + prompts / maximum) / Math.max(1, levels.length), `measuring ${plan.label}`);
      },
    });
    for await (const row of evaluation) {
      if (isForEstimators && row.estimator === 'model') continue;
      measured.push({ run: plan.name, ...(isInSample ? { stream: 'training' } : {}), ...row });
    }
    return measured;
  };

  const startModel = async (plan: ModelPlan): Promise<ExportedRun> => {
    const base = resolveConfig(study, plan.settings, { ...plan.overrides, seed: plan.seed });
    // What is solved for exactly has no device to choose.
    const isExact = (study.exactFit?.(base) ?? null) !== null;
    const config = isExact ? base : parseConfig(plan.name, { ...base, device: options.device });
    const own = join(folder, 'models', plan.name);
    removeOtherRun(own, config, plan.keepSteps ?? []);
    const run = await startRun({
      config,
      folder: own,
      resume: true,
      verifyProviders: options.verifyProviders,
      ...(plan.keepSteps === undefined ? {} : { keepSteps: plan.keepSteps }),
      hasPrefixes: plan.hasPrefixes === true,
      ...(plan.verification === undefined ? {} : { verification: plan.verification }),
      ...(signal === undefined ? {} : { signal }),
      onProgress: ({ step, loss }) =>
        report(
          step / config.steps,
          `training ${plan.label}${Number.isFinite(loss) ? `: loss ${showNumber(loss, 3)}` : ''}`,
        ),
    });
    if (!run.interrupted) return run;
    signal?.throwIfAborted();
    throw new Error(`training of ${plan.name} stopped at step ${run.steps}`);
  };

  return {
    async train(plans) {
      const started: Promise<FinishedRun>[] = [];
      try {
        for (const plan of plans) {
          started.push((await startModel(plan)).finished);
          stage++;
        }
      } catch (error) {
        await Promise.allSettled(started);
        throw error;
      }
      const runs = await Promise.all(started);
      const trained = runs.map((run, i) => ({ plan: plans[i]!, run }));
      models.push(...trained);
      return trained;
    },

    async measure(trained, plan) {
      const session = await openSession(trained.run.frozen);
      try {
        const measured = await measureIn(session, trained, plan);
        sessions.set(trained.plan.name, session.report);
        rows.push(...measured);
        stage++;
        return measured;
      } finally {
        await session.close();
      }
    },

    async work(detail, run) {
      report(0, detail);
      const result = await run((fraction) => report(fraction, detail));
      signal?.throwIfAborted();
      stage++;
      return result;
    },

    addRows(measured) {
      rows.push(...measured);
    },

    finish(lead, claims, figures) {
      const files: string[] = models.flatMap(({ run }) => run.files);
      const write = (name: string, content: string) => {
        const path = join(folder, name);
        writeFileAtomic(path, content);
        files.push(path);
        return path;
      };
      ensureFolder(join(folder, 'figures'));
      write('evaluation.jsonl', rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
      const drawn: DrawnFigure[] = [];
      const shown = figures.map(({ name, caption, table, draw }): ReportFigure => {
        const rendered = renderFigure(draw);
        const path = write(`figures/${name}.svg`, rendered.standalone);
        const info = study.figures.find((figure) => figure.name === name)!;
        const command = commandOf(study, options, name);
        drawn.push({ ...info, caption, path, command });
        return { name, title: info.title, caption, table, rendered, command };
      });
      const versions = versionsHere();
      const page = renderReport({
        title: study.title,
        paper: study.paper,
        lead,
        claims,
        figures: shown,
        omitted: omitted.map((figure) => ({ ...figure, command: commandOf(study, options, figure.name) })),
        sections: [
          ...(models.length === 0 ? [] : [modelSection(models), paritySection(models)]),
          environmentSection(versions, [...sessions.values()]),
        ],
        attachments: models.map(({ plan, run }) => ({
          title: plan.label,
          text: JSON.stringify(run.config, null, 2),
        })),
        version,
      });
      const path = write('report.html', page);
      const seconds = (performance.now() - started) / 1000;
      const { seed } = options;
      const command = commandOf(study, options, options.figure);
      const reusedModels = models.filter(({ run }) => run.wasFinished).length;
      const facts = { study, seed, command, versions, files, report: path, seconds, reusedModels };
      return { ...facts, rows, claims, figures: drawn, omitted };
    },
  };
}

/**
 * Makes room for a run in a folder of the workshop's own: one of the same configuration stays and is continued, anything else
 * that an earlier reproduction left there goes, file by file.
 */
function removeOtherRun(folder: string, config: TrainingConfig, keepSteps: readonly number[]): void {
  const kept = keptPaths(folder);
  try {
    const run = readRun(folder);
    const done = keepSteps.filter((step) => step <= (run.checkpoint?.step ?? -1));
    const hasKept = done.every((step) => kept.includes(keptPath(folder, step)));
    if (hasKept && differingKeys(run.config, config).length === 0) return;
  } catch (error) {
    if (!(error instanceof UsageError || error instanceof DataError)) throw error;
  }
  for (const path of [...Object.values(runPaths(folder)), ...kept]) rmSync(path, { force: true });
}

/** The command that does the same again. */
function commandOf(study: Study, { settings, isQuick, seed }: ReproduceOptions, figure: string | undefined): string {
  const set = formatSettings(study, settings);
  const parts = [
    `icl reproduce ${study.name}`,
    figure ?? '',
    isQuick ? '--quick' : '',
    set === '' ? '' : `--set "${set}"`,
  ];
  return [...parts, `--seed ${seed}`].filter((part) => part !== '').join(' ');
}
