/** What the experiments have found, before it becomes claims and figures. */
import { requireTask } from '../../models/tasks/index.ts';
import type { LinearRegressionSpec } from '../../models/tasks/linear-regression.ts';
import type { RunRow, TrainedModel } from '../reproduce.ts';
import { numberOf } from '../settings.ts';
import type { Settings } from '../study.ts';

/** What was trained and measured; parts that the wanted figures do not need are empty. */
export interface Findings {
  readonly settings: Settings;
  /** Plain descent from the paper's start. */
  readonly descents: readonly TrainedModel[];
  /** One per training length and seed. */
  readonly models: readonly TrainedModel[];
  /** The model of length N, and the one whose covariates are correlated if the settings' are not. */
  readonly main: TrainedModel;
  readonly correlated: TrainedModel;
  readonly lengthRows: readonly RunRow[];
  readonly scaleRows: readonly RunRow[];
  readonly shiftRows: readonly RunRow[];
}

export const trainingTask = ({ run }: TrainedModel): LinearRegressionSpec =>
  requireTask('zhang2023', run.frozen.metadata.task, 'linear-regression');
export const trainingLength = ({ plan }: TrainedModel): number => numberOf(plan.settings, 'N');
