/** The training step of a run as a file: what `icl export --training-step` writes. */
import { writeFileAtomic } from '../export/files.ts';
import { serializeModel } from '../export/serialize.ts';
import { readRun } from './run-folder.ts';
import { buildTrainingStep, stepOf, trainingStepModel } from './training-step.ts';

export interface WrittenStep {
  readonly opset: 17 | 21;
  readonly bytes: number;
  readonly nodes: number;
}

/**
 * Writes the step that a run repeats: its architecture, optimizer and clipping. The parameters are no part of it; those of
 * the run are in its checkpoint.
 * @throws {UsageError} if the folder is no run. @throws {DataError} if a file of it is damaged or `output` cannot be written.
 */
export function writeTrainingStep(folder: string, opset: 17 | 21, output: string): WrittenStep {
  const { config } = readRun(folder);
  const { schedule, steps, study, task } = config;
  const description = { ...stepOf(config), schedule: { spec: schedule, steps } };
  const step = buildTrainingStep(description);
  const bytes = serializeModel(trainingStepModel(step, description, { study, task, config }, opset));
  writeFileAtomic(output, bytes);
  return { opset, bytes: bytes.length, nodes: step.graph.nodes.length };
}
