/** A part of the reproduction: some figures with the models they need. */
import type { FigurePlan, TrainedModel, Workshop } from '../reproduce.ts';
import type { Claim } from '../study.ts';

export interface Part {
  /** Models to train and measurements to make: for the progress. */
  readonly stages: number;
  run(workshop: Workshop): Promise<PartResult>;
}

export interface PartResult {
  readonly models: readonly TrainedModel[];
  readonly claims: readonly Claim[];
  readonly figures: readonly FigurePlan[];
  /** What was done, for the report's first paragraph. */
  readonly sentence: string;
}
