/**
 * Training in a page: the loop of `icl train` on the web engine, with nothing written anywhere. What it gives can be exported
 * there too, with `exportModel`.
 */
import type { TrainingConfig } from './config.ts';
import type { Engine, TrainingState } from './engines.ts';
import { initialState } from './initial-state.ts';
import {
  type FinishedStep,
  type Hold,
  initialProgress,
  type LoopState,
  runLoop,
  type TrainingProgress,
} from './loop.ts';
import type { MetricsRow } from './metrics.ts';
import { createWebEngine, type WebEngineOptions } from './onnx-engine-web.ts';
import { stepOf } from './training-step.ts';

export interface FitOptions extends Pick<WebEngineOptions, 'device' | 'wasmPaths'> {
  /** As `parseConfig` gives it; its `engine` and `device` are for Node and not looked at. */
  readonly config: TrainingConfig;
  /** Aborted: what is done so far is returned. */
  readonly signal?: AbortSignal;
  /** About ten times a second. */
  readonly onProgress?: (progress: TrainingProgress) => void;
  /** Every step, as soon as its numbers are known. */
  readonly onStep?: (step: FinishedStep) => void;
  /**
   * Asked at the start and after each step. What it gives is called once all steps so far have been read, and holds the training
   * up: a pause, or a look at the parameters. The numbers of the training do not depend on it.
   */
  readonly betweenSteps?: (moment: FitMoment) => Hold | undefined;
  /** What is done at the start, at each checkpoint and at the end: what remains when a later step fails. */
  readonly onCheckpoint?: (checkpoint: FitCheckpoint) => void;
}

/** A training between two steps. */
export interface FitMoment {
  /** Steps started. */
  readonly step: number;
  /** The rows of `metrics.jsonl`; later ones are added to them. */
  readonly metrics: readonly MetricsRow[];
  /** What computes. */
  readonly engine: Pick<Engine, 'device' | 'adapter' | 'runtime'>;
  /** The parameters after these steps. */
  readParameters(): Promise<TrainingState['parameters']>;
}

export interface FitCheckpoint {
  /** Steps done. */
  readonly step: number;
  readonly parameters: TrainingState['parameters'];
  readonly metrics: readonly MetricsRow[];
}

export interface FitResult extends TrainingState {
  /** Steps done. */
  readonly steps: number;
  readonly interrupted: boolean;
  /** As the rows of a run's `metrics.jsonl`. */
  readonly metrics: readonly MetricsRow[];
  readonly device: string;
  readonly adapter: string | null;
  readonly runtime: string;
  readonly seconds: number;
}

/**
 * Fits the parameters.
 * @throws {ProviderError} if the device does not work in this browser. @throws {TrainingError} if the loss is not finite or diverges.
 */
export async function fit(options: FitOptions): Promise<FitResult> {
  const { config, device, wasmPaths, signal, onProgress, onStep, betweenSteps, onCheckpoint } = options;
  const engine = await createWebEngine({
    ...stepOf(config),
    batch: config.batch,
    ...(device !== undefined && { device }),
    ...(wasmPaths !== undefined && { wasmPaths }),
  });
  const readParameters = async () => (await engine.readState()).parameters;
  const save = async ({ step, metrics }: Pick<LoopState, 'step' | 'metrics'>): Promise<void> => {
    onCheckpoint?.({ step, metrics: [...metrics], parameters: await readParameters() });
  };
  try {
    engine.loadState(initialState(config));
    const start = { step: 0, progress: initialProgress, metrics: [] };
    if (onCheckpoint !== undefined) await save(start);
    const result = await runLoop({
      config,
      engine,
      start,
      save: onCheckpoint && save,
      signal,
      onProgress,
      onStep,
      betweenSteps: betweenSteps && ((step, metrics) => betweenSteps({ step, metrics, engine, readParameters })),
    });
    const { parameters, optimizer: slots } = await engine.readState();
    return {
      parameters,
      optimizer: slots,
      steps: result.step,
      interrupted: result.interrupted,
      metrics: result.metrics,
      device: engine.device,
      adapter: engine.adapter,
      runtime: engine.runtime,
      seconds: result.seconds,
    };
  } finally {
    await engine.dispose();
  }
}
