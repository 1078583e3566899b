/** What the experiments have found, before it becomes claims and figures. */
import type { MeasureName } from '../../infer/measures.ts';
import type { GaussianMixtureSpec } from '../../models/tasks/gaussian-mixture.ts';
import type { RunRow, TrainedModel } from '../reproduce.ts';
import { numberOf } from '../settings.ts';
import type { Settings } from '../study.ts';
import type { DescentTheory } from './descent.ts';
import { taskOf } from './law.ts';

/** Full-batch descent, its distances to the optimum of its own prompts, and what is predicted about them. */
export interface Descent {
  readonly model: TrainedModel;
  readonly theory: DescentTheory;
  /** |W^t - W*| at the steps that were kept. */
  readonly distances: readonly { readonly step: number; readonly distance: number }[];
  readonly rate: number;
}

/** What was trained and measured; parts that the wanted figures do not need are empty. */
export interface Findings {
  readonly settings: Settings;
  /** One per training length and seed, at the settings' number of classes. */
  readonly models: readonly TrainedModel[];
  /** One per number of classes, at the settings' training length, with the settings' own among them. */
  readonly byClasses: readonly TrainedModel[];
  readonly main: TrainedModel | undefined;
  readonly descents: readonly Descent[];
  /** Of the models, over test lengths. */
  readonly lengthRows: readonly RunRow[];
  /** Of the models by classes, at test length M. */
  readonly classRows: readonly RunRow[];
  readonly shiftRows: readonly RunRow[];
  /** Of classical classifiers and the models beside them, over test lengths. */
  readonly baselineRows: readonly RunRow[];
  /** Of the layer and the 3-layer transformer, over test lengths and shifts. */
  readonly depthRows: readonly RunRow[];
}

export const trainingTask = ({ plan }: TrainedModel): GaussianMixtureSpec => taskOf(plan.settings);
export const trainingLength = ({ plan }: TrainedModel): number => numberOf(plan.settings, 'N');
export const classesOf = ({ plan }: TrainedModel): number => numberOf(plan.settings, 'c');

/** Rows of a model's own answers by one measure. */
export const rowsOf = (rows: readonly RunRow[], model: TrainedModel, measure: MeasureName): RunRow[] =>
  rows.filter((row) => row.run === model.plan.name && row.measure === measure && row.estimator === 'model');

/** Each value once, ascending. */
export const sorted = (values: readonly number[]): number[] => [...new Set(values)].sort((a, b) => a - b);
