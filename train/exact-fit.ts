/**
 * Parameters that are solved for instead of descended to: a study whose training problem has a closed solution gives it, and
 * the run is recorded like any other (engine `exact`, device `cpu`), with all its steps done at once.
 */
import { UsageError } from '../models/errors.ts';
import { version } from '../models/version.ts';
import { type Checkpoint, writeCheckpoint } from './checkpoint.ts';
import type { TrainingConfig } from './config.ts';
import { exactEngine } from './engine-table.ts';
import { initialProgress } from './loop.ts';
import { createOptimizer } from './optimizers.ts';
import { type Run, writeMetrics } from './run-folder.ts';

export interface FitResult {
  readonly parameters: Readonly<Record<string, Float32Array>>;
  /** On the training prompts, half a mean squared error. */
  readonly loss: number;
  /** How it was solved: for the record. */
  readonly detail: string;
}

/** Solves for the parameters of a configuration. */
export type ExactFit = (signal: AbortSignal | undefined) => FitResult | Promise<FitResult>;

/** The exact fit of a configuration; null where it can only be trained. */
export type FitOf = (config: TrainingConfig) => ExactFit | null;

/**
 * The exact fit that a configuration asks for: engine `exact`, or `auto` where there is one.
 * @throws {UsageError} if it asks for one that does not exist, or for a device besides.
 */
export function exactFitOf(config: TrainingConfig, fitOf: FitOf | undefined): ExactFit | null {
  const { engine, device, model } = config;
  if (engine !== 'auto' && engine !== exactEngine) return null;
  const fit = fitOf?.(config) ?? null;
  if (fit === null && engine === exactEngine) {
    throw new UsageError({
      where: '--engine',
      expected: 'an engine that trains',
      got: exactEngine,
      remedy: `${model.name} has no exact fit to ${config.task.name} here.`,
    });
  }
  if (fit !== null && device !== 'auto' && device !== 'cpu') {
    throw new UsageError({
      where: '--device',
      expected: 'cpu, where this model is solved for exactly',
      got: device,
      remedy: 'To train it by gradients instead, name an engine: --engine onnx.',
    });
  }
  return fit;
}

/** A solved run. */
export interface FittedRun {
  readonly checkpoint: Checkpoint;
  readonly seconds: number;
  readonly loss: number;
}

/** Solves and records: one row of metrics, and a checkpoint with all steps done. */
export async function fitRun(run: Run, solve: ExactFit, signal: AbortSignal | undefined): Promise<FittedRun> {
  const { config, paths } = run;
  const start = performance.now();
  const { parameters, loss, detail } = await solve(signal);
  const seconds = (performance.now() - start) / 1000;
  const checkpoint: Checkpoint = {
    step: config.steps,
    state: { parameters, optimizer: emptySlots(config, parameters) },
    progress: initialProgress,
    engine: exactEngine,
    device: 'cpu',
    adapter: null,
    runtime: `icl-onnx ${version}, ${detail}`,
  };
  const row = { step: config.steps, loss, count: config.steps, learningRate: 0, gradientNorm: 0, seconds };
  writeMetrics(paths.metrics, [row]);
  writeCheckpoint(paths.checkpoint, config, checkpoint, 0);
  return { checkpoint, seconds, loss };
}

function emptySlots(config: TrainingConfig, parameters: FitResult['parameters']) {
  const zeros = () =>
    Object.fromEntries(Object.entries(parameters).map(([name, values]) => [name, new Float32Array(values.length)]));
  return Object.fromEntries(createOptimizer(config.optimizer).slots.map((slot) => [slot, zeros()]));
}
