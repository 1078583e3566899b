/** Methods that train: what can be trained, what a training would be, running one, steering it, freezing its model. */
import type { CallContext } from '../protocol.ts';
import type { TrainingRequest } from '../training/request.ts';
import type {
  FrozenTraining,
  Preparation,
  SteerArgument,
  StudySummary,
  TrainArgument,
  TrainingEnd,
  TrainingFrame,
} from '../training/runs.ts';

/** The studies and their formulas: only when they are asked for. */
const load = () => import('../training/runs.ts');

export async function listStudies(_argument: null): Promise<StudySummary[]> {
  return (await load()).studySummaries();
}

/** @throws {UsageError} in the study's words. */
export async function prepareTraining(request: TrainingRequest): Promise<Preparation> {
  return (await load()).prepare(request);
}

/** Trains until it ends, or is told to stop. @throws {TrainingError} | {ProviderError} | {UsageError} */
export async function train(argument: TrainArgument, context: CallContext<TrainingFrame>): Promise<TrainingEnd> {
  return (await load()).trainRun(argument, context);
}

export async function steerTraining(argument: SteerArgument): Promise<void> {
  (await load()).steerRun(argument);
}

/** The model of a training as it is now. @throws {ExportError} */
export async function freezeTraining({ run }: { readonly run: string }): Promise<FrozenTraining> {
  return (await load()).freezeRun(run);
}
