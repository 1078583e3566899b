/**
 * Training in a page: the loop of `icl train` on the web engine, with nothing written anywhere. What it gives can be exported
 * there too, with `exportModel`.
 */
import { architectureNamed } from '../models/attention/index.ts';
import type { TrainingConfig } from './config.ts';
import type { TrainingState } from './engines.ts';
import { initialState } from './initial-state.ts';
import { initialProgress, runLoop, type TrainingProgress } from './loop.ts';
import { createWebEngine, type WebEngineOptions } from './onnx-engine-web.ts';
import type { MetricsRow } from './run-folder.ts';

export interface FitOptions extends Pick<WebEngineOptions, 'device' | 'wasmPaths'> {
  /** As `parseConfig` gives it; its `engine` and `device` are for Node and not looked at. */
  readonly config: TrainingConfig;
  /** Aborted: what is done so far is returned. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: TrainingProgress) => void;
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
export async function fit({ config, device, wasmPaths, signal, onProgress }: FitOptions): Promise<FitResult> {
  const { model, optimizer, clipNorm, loss, contextLength, batch } = config;
  const engine = await createWebEngine({
    architecture: architectureNamed(model.name),
    sizes: model,
    optimizer,
    clipNorm,
    loss,
    contextLength,
    batch,
    ...(device !== undefined && { device }),
    ...(wasmPaths !== undefined && { wasmPaths }),
  });
  try {
    engine.loadState(initialState(config));
    const start = { step: 0, progress: initialProgress, metrics: [] };
    const result = await runLoop({ config, engine, start, save: async () => {}, signal, onProgress });
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
    engine.dispose();
  }
}
