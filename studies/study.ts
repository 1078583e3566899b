/**
 * What a study is: the experiments of one paper, as data. A study file says what is trained, what theory says about it and
 * what is drawn; how a model is trained, frozen, verified and measured is the same for all and stands elsewhere.
 */

import type { FrozenModel } from '../export/read-model.ts';
import type { EvaluationRow } from '../infer/evaluate.ts';
import type { MeasureName } from '../infer/measures.ts';
import type { ProviderName } from '../infer/provider-table.ts';
import type { Architecture, ModelSizes } from '../models/architecture.ts';
import type { TaskSpec } from '../models/tasks/index.ts';
import type { TrainingConfig } from '../train/config.ts';
import type { ExactFit } from '../train/exact-fit.ts';
import type { Paper } from './papers.ts';

export type { Paper } from './papers.ts';

export type SettingValue = string | number;
export type Settings = Readonly<Record<string, SettingValue>>;

/** A symbol of the paper that the user may set. */
export interface Setting {
  readonly name: string;
  readonly description: string;
  /** A value; or the name of a setting before it, whose value it then takes. */
  readonly default: SettingValue;
  /** @throws {UsageError} that names the setting. */
  parse(where: string, text: string): SettingValue;
}

export interface FigureInfo {
  readonly name: string;
  readonly title: string;
  /** One sentence: what is seen. */
  readonly description: string;
  /** Takes long: `--quick` draws it only when it is asked for by name, or all figures are. */
  readonly isExtra?: true;
}

/** What a reproduction of all figures takes at the default settings. Measured or counted by the study's author. */
export interface Cost {
  /** Floating-point operations, nearly all of them in training. */
  readonly flops: number;
  /** Most memory at any time, in bytes. */
  readonly memory: number;
  /** Minutes on two CPU cores. */
  readonly minutes: number;
  /** What should be known besides: what takes the time, on which machine minutes are not those of a CPU. */
  readonly note?: string;
}

/** The sizes of a study's model at given settings. */
export interface StudyModel {
  readonly architecture: Architecture;
  readonly sizes: ModelSizes;
  /** Pairs in each training prompt. */
  readonly contextLength: number;
}

/** What a study chooses for training; the rest of a configuration comes from the caller. */
export type TrainingDefaults = Pick<
  TrainingConfig,
  'initialisation' | 'steps' | 'batch' | 'optimizer' | 'schedule' | 'clipNorm' | 'logEvery' | 'checkpointEvery'
> &
  /** Absent: the architecture's loss, fresh prompts for ever. */
  Partial<Pick<TrainingConfig, 'loss' | 'trainingPrompts'>>;

/** Closed forms by name: numbers, words, matrices as rows, and numbers by names of their own. */
export type TheoryReport = Readonly<
  Record<
    string,
    number | string | readonly number[] | readonly (readonly number[])[] | Readonly<Record<string, number | null>>
  >
>;

/** The exact risk of one model under a test law; null where no formula covers it. */
export type ModelTheory = (task: TaskSpec, contextLength: number, measure: MeasureName) => number | null;

export interface ReproduceProgress {
  /** From 0 to 1. */
  readonly fraction: number;
  readonly detail: string;
}

export interface ReproduceOptions {
  readonly settings: Settings;
  /** One figure, or {@link allFigures}; absent: all of them, of which `isQuick` leaves out the extra ones. */
  readonly figure: string | undefined;
  readonly isQuick: boolean;
  readonly seed: number;
  readonly folder: string;
  /** Where to train. */
  readonly device: string;
  /** Where every exported file is verified. */
  readonly verifyProviders: readonly (ProviderName | 'auto')[];
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: ReproduceProgress) => void;
}

/** One statement that was checked. */
export interface Claim {
  /** What is measured, in words; where several points are, the row shows the worst. */
  readonly statement: string;
  /** How many numbers were compared. */
  readonly points: number;
  readonly theory: number | null;
  readonly measured: number;
  readonly standardError: number | null;
  /** (measured - theory) / standardError. */
  readonly z: number | null;
  readonly verdict: string;
  readonly holds: boolean;
  /** Why it is as it is. A claim that does not hold must have one, and says what is known about the difference. */
  readonly explanation?: string;
}

/** The name that stands for every figure, the extra ones too. */
export const allFigures = 'all';

/** A figure that was drawn. */
export interface DrawnFigure extends FigureInfo {
  readonly caption: string;
  /** Path of the SVG file. */
  readonly path: string;
  /** The command that draws it again. */
  readonly command: string;
}

export interface ReproduceResult {
  readonly study: Study;
  readonly seed: number;
  readonly figures: readonly DrawnFigure[];
  /** Extra figures that `--quick` left out. */
  readonly omitted: readonly FigureInfo[];
  /** The command that does all of it again. */
  readonly command: string;
  /** Of this package, of Node and of the libraries that computed. */
  readonly versions: Readonly<Record<string, string>>;
  readonly rows: readonly EvaluationRow[];
  readonly claims: readonly Claim[];
  /** Every file that was written, the report last. */
  readonly files: readonly string[];
  readonly report: string;
  readonly seconds: number;
  /** Models whose training was in the folder already and was not done again: `seconds` lacks it. */
  readonly reusedModels: number;
}

/** What a study says: pure, so that a page has it too. */
export interface Study {
  /** Key on the command line: `zhang2023`. */
  readonly name: string;
  readonly title: string;
  readonly paper: Paper;
  readonly settings: readonly Setting[];
  readonly figures: readonly FigureInfo[];
  /** Name of the figure that stands for the study where there is room for one. */
  readonly leadFigure: string;
  readonly cost: { readonly quick: Cost; readonly full: Cost };
  /** The law of training prompts. @throws {UsageError} if settings contradict one another. */
  task(settings: Settings): TaskSpec;
  model(settings: Settings): StudyModel;
  trainingDefaults(settings: Settings): TrainingDefaults;
  /** Solves for the parameters of a configuration of this study; null, or absent, where they have to be trained. */
  exactFit?(config: TrainingConfig): ExactFit | null;
  /** Closed forms at these settings, for `icl theory`. */
  theory(settings: Settings): TheoryReport;
  /** The exact risk of a frozen model's own matrices. */
  modelTheory(model: FrozenModel): ModelTheory;
}

/** A study with its experiments, which need files and processes. */
export interface ReproducibleStudy extends Study {
  reproduce(options: ReproduceOptions): Promise<ReproduceResult>;
}
