/**
 * Trains the model of a configuration into a run folder: opens or resumes the run, loads the engine, runs the loop, keeps
 * checkpoints and metrics. It does not export: what becomes of the parameters is the caller's affair.
 */
import { version } from '../models/version.ts';
import { type Checkpoint, writeCheckpoint } from './checkpoint.ts';
import type { TrainingConfig } from './config.ts';
import { exactEngine } from './engine-table.ts';
import {
  createEngine,
  type DeviceName,
  type EngineRequest,
  requireDevice,
  resolveEngine,
  type Workload,
} from './engines.ts';
import { exactFitOf, type FitOf, fitRun } from './exact-fit.ts';
import { initialState } from './initial-state.ts';
import { initialProgress, type LoopState, runLoop, type TrainingProgress } from './loop.ts';
import { openPromptSource } from './prompt-threads.ts';
import { keptPath, openRun, type Run, writeMetrics } from './run-folder.ts';
import type { PromptSource } from './training-prompts.ts';
import { stepOf } from './training-step.ts';

export { initialState } from './initial-state.ts';
export type { TrainingProgress } from './loop.ts';

export interface TrainOptions {
  /** The run folder. */
  readonly folder: string;
  /** As `parseConfig` gives it. May be left out when a run is resumed. */
  readonly config?: TrainingConfig | undefined;
  /** Continue the run in the folder, if there is one. Default false: a run there is an error. */
  readonly resume?: boolean | undefined;
  /** Steps whose checkpoints stay in the folder beside the latest one, to be read by `readKept`. Nothing else depends on them. */
  readonly keepSteps?: readonly number[] | undefined;
  /** What can be solved for is not trained: see `exact-fit.ts`. */
  readonly fitOf?: FitOf | undefined;
  /** Aborted: a checkpoint is saved and the result says `interrupted`. */
  readonly signal?: AbortSignal | undefined;
  /** About ten times a second. */
  readonly onProgress?: ((progress: TrainingProgress) => void) | undefined;
}

export interface TrainingResult {
  readonly folder: string;
  readonly config: TrainingConfig;
  /** Steps done, over all sittings. */
  readonly steps: number;
  /** Mean over the last interval of `metrics.jsonl`; NaN if there is none yet. */
  readonly loss: number;
  readonly engine: string;
  readonly device: DeviceName;
  readonly adapter: string | null;
  readonly runtime: string;
  /** Training time over all sittings. */
  readonly seconds: number;
  /** In this sitting; if there was nothing to do, over the whole run. */
  readonly promptsPerSecond: number;
  readonly parameters: Readonly<Record<string, Float32Array>>;
  readonly interrupted: boolean;
  /** Step of the checkpoint that was continued; null for a new run. */
  readonly resumedFrom: number | null;
  /** The run had all its steps already: nothing was done. */
  readonly wasFinished: boolean;
}

/**
 * Fits the parameters. On one device, a run that was killed and resumed gives the parameters of one that was not, bit for bit.
 * @throws {UsageError} | {DataError} about the folder, see `openRun`. @throws {ProviderError} if the device does not work.
 * @throws {TrainingError} if the loss is not finite or diverges; the last checkpoint is kept.
 */
export async function train(options: TrainOptions): Promise<TrainingResult> {
  const { folder, fitOf, signal } = options;
  const requestedConfig = options.config === undefined ? undefined : withVersions(options.config);
  const isExact = requestedConfig !== undefined && exactFitOf(requestedConfig, fitOf) !== null;
  if (requestedConfig !== undefined && requestedConfig.device !== 'auto' && !isExact) {
    await requireDevice(await resolveEngine(requestOf(requestedConfig, null), workloadOf(requestedConfig)));
  }
  const run = openRun({ folder, config: requestedConfig, resume: options.resume === true });
  const { config, checkpoint } = run;
  if (run.isFinished && checkpoint !== null) return finishedResult(run, checkpoint.step);
  const fit = exactFitOf(config, fitOf);
  if (fit !== null) {
    const { checkpoint: solved, seconds, loss } = await fitRun(run, fit, signal);
    const done = finishedResult({ ...run, checkpoint: solved }, solved.step);
    return { ...done, seconds, loss, promptsPerSecond: config.batch / seconds, resumedFrom: null, wasFinished: false };
  }

  // The thread that helps to draw starts while the engine does.
  const prompts = openPromptSource(config, checkpoint?.step ?? 0);
  try {
    return await descend(run, prompts, options);
  } finally {
    await prompts.close();
  }
}

/** Takes the steps that a run has left. */
async function descend(
  run: Run,
  prompts: PromptSource,
  { keepSteps = [], signal, onProgress }: TrainOptions,
): Promise<TrainingResult> {
  const { folder, config, checkpoint } = run;
  const { engine: engineName, device } = await resolveEngine(requestOf(config, checkpoint), workloadOf(config));
  const engine = await createEngine(engineName, { device, ...stepOf(config), batch: config.batch });
  try {
    engine.loadState(checkpoint?.state ?? initialState(config));
    const save = async ({ step, progress, metrics }: LoopState, previousStep: number): Promise<void> => {
      const state = await engine.readState();
      const { name, adapter, runtime } = engine;
      const done: Checkpoint = { step, state, progress, engine: name, device, adapter, runtime };
      // Metrics first: rows beyond the checkpoint are dropped when the run is read, missing ones could not be made up.
      writeMetrics(run.paths.metrics, metrics);
      if (keepSteps.includes(step)) writeCheckpoint(keptPath(folder, step), config, done, previousStep);
      writeCheckpoint(run.paths.checkpoint, config, done, previousStep);
    };
    const start: LoopState = {
      step: checkpoint?.step ?? 0,
      progress: checkpoint?.progress ?? initialProgress,
      metrics: run.metrics,
    };
    // A run has a checkpoint from its first moment on: whatever happens next, there is one to return to.
    if (checkpoint === null) await save(start, 0);
    const result = await runLoop({ config, engine, start, save, prompts, keepSteps, signal, onProgress });
    const { parameters } = await engine.readState();
    const stepsHere = result.step - start.step;
    return {
      folder,
      config,
      steps: result.step,
      loss: result.metrics.at(-1)?.loss ?? Number.NaN,
      engine: engine.name,
      device,
      adapter: engine.adapter,
      runtime: engine.runtime,
      seconds: (run.metrics.at(-1)?.seconds ?? 0) + result.seconds,
      promptsPerSecond: stepsHere === 0 ? 0 : (stepsHere * config.batch) / result.seconds,
      parameters,
      interrupted: result.interrupted,
      resumedFrom: checkpoint?.step ?? null,
      wasFinished: false,
    };
  } finally {
    // A process that exits while a thread is still closing its session may crash.
    await engine.dispose();
  }
}

const workloadOf = ({ batch, contextLength, model }: TrainingConfig): Workload => ({
  batch,
  context: contextLength,
  dimension: model.dimension,
});

/** On `auto` a resumed run stays with its engine and on its device: others would round differently. */
function requestOf({ engine, device }: TrainingConfig, checkpoint: Checkpoint | null): EngineRequest {
  if (engine === exactEngine) throw new Error('an exact fit is not trained');
  if (checkpoint === null || checkpoint.engine === exactEngine) return { engine, device };
  const isStill = (asked: string, was: string) => asked === 'auto' || asked === was;
  const stays = isStill(engine, checkpoint.engine) && isStill(device, checkpoint.device);
  return stays ? { engine: checkpoint.engine, device: checkpoint.device } : { engine, device };
}

/** What trains, for the record in `config.json`. */
function withVersions(config: TrainingConfig): TrainingConfig {
  return { ...config, versions: { ...config.versions, 'icl-onnx': version, node: process.versions.node } };
}

function finishedResult(run: Run, steps: number): TrainingResult {
  const { engine, device, adapter, runtime, state } = run.checkpoint!;
  const seconds = run.metrics.at(-1)?.seconds ?? 0;
  return {
    folder: run.folder,
    config: run.config,
    steps,
    loss: run.metrics.at(-1)?.loss ?? Number.NaN,
    engine,
    device,
    adapter,
    runtime,
    seconds,
    promptsPerSecond: seconds > 0 ? (steps * run.config.batch) / seconds : 0,
    parameters: state.parameters,
    interrupted: false,
    resumedFrom: steps,
    wasFinished: true,
  };
}
