/** What an exported model says of its training. Needs no files: the same for a run on disk and for one in a page. */
import type { ModelDescription } from '../export/export-model.ts';
import { architectureNamed } from '../models/attention/index.ts';
import type { TrainingConfig } from '../train/config.ts';
import { finalLoss, type MetricsRow } from '../train/metrics.ts';

/** How far a training is. */
export interface Trained {
  /** Steps done. */
  readonly step: number;
  readonly parameters: Readonly<Record<string, Float32Array>>;
  readonly metrics: readonly MetricsRow[];
  readonly engine: string;
  readonly device: string;
  readonly adapter: string | null;
  readonly runtime: string;
}

/** What `exportModel` makes a file of. */
export function describeTrained(
  config: TrainingConfig,
  { step, parameters, metrics, engine, device, adapter, runtime }: Trained,
): ModelDescription {
  const loss = finalLoss(metrics, step);
  return {
    architecture: architectureNamed(config.model.name),
    sizes: config.model,
    parameters,
    study: config.study,
    task: config.task,
    config,
    // JSON has no NaN: a run that was stopped before its first row of metrics.
    training: { steps: step, loss: Number.isNaN(loss) ? null : loss, engine, device, adapter, runtime },
  };
}
