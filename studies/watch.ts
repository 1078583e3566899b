/**
 * How the training of any study is watched. What a study can say is in its own `watch.ts`; where no theorem covers a setting, it
 * says so. Pure: a page and the command line have the same.
 */
import { frobeniusNorm, type Matrix, subtract } from '../models/matrix.ts';
import type { TrainingConfig } from '../train/config.ts';
import { watchChains } from './ding2025/watch.ts';
import { watchFeatures } from './huang2023/watch.ts';
import { watchMixture } from './shen2024/watch.ts';
import { unknownTheory, type Watch } from './watch-types.ts';
import { watchRegression } from './zhang2023/watch.ts';

export type { Look, LossTheory, Watch, WatchedMatrix, WatchedTracks } from './watch-types.ts';

const watches: Readonly<Record<string, (config: TrainingConfig) => Watch>> = {
  zhang2023: watchRegression,
  huang2023: watchFeatures,
  shen2024: watchMixture,
  ding2025: watchChains,
};

/** How the training of a configuration is to be watched. */
export const watchOf = (config: TrainingConfig): Watch =>
  watches[config.study]?.(config) ?? unknownTheory('No formula of this study is about training by gradients.');

/** ||matrix - limit|| / ||limit||, Frobenius. */
export const relativeDistance = (matrix: Matrix, limit: Matrix): number =>
  frobeniusNorm(subtract(matrix, limit)) / frobeniusNorm(limit);
