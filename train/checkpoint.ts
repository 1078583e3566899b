/**
 * Checkpoints: everything that the next step depends on, in one safetensors file that is replaced as a whole.
 *
 * Tensors `parameters/<name>` and `optimizer/<slot>/<name>`. Metadata, all strings: `icl.schema`, `icl.step` (steps done),
 * `icl.config_hash` (see `configHash`), `icl.generator` (JSON: seed, stream and number of the next prompt), `icl.progress`
 * (JSON: what the loop has summed up since its last row), `icl.engine`, `icl.device`, `icl.adapter`, `icl.runtime`. There is
 * no time in it: equal runs write equal bytes.
 */
import { readFileSync } from 'node:fs';
import { fileError, writeFileAtomic } from '../export/files.ts';
import { canonicalJson } from '../export/json.ts';
import { readSafetensors, serializeSafetensors, type Tensor } from '../export/safetensors.ts';
import { architectureNamed } from '../models/attention/index.ts';
import { DataError, TrainingError } from '../models/errors.ts';
import { streams } from '../models/random.ts';
import { formatShape, type Shape } from '../models/shape.ts';
import type { TrainingConfig } from './config.ts';
import { configHash } from './config-identity.ts';
import type { ExactEngine } from './engine-table.ts';
import type { DeviceName, EngineName, TrainingState } from './engines.ts';
import { createOptimizer } from './optimizers.ts';
import { promptNumber } from './training-prompts.ts';

/** What the loop carries from step to step besides the tensors. Plain numbers. */
export interface LoopProgress {
  /** Sums since the last row of `metrics.jsonl`. */
  readonly interval: { readonly count: number; readonly loss: number; readonly gradientNorm: number };
  /** Sums over the current window of the divergence check: the loss, and what predicting 0 would lose. */
  readonly window: { readonly count: number; readonly loss: number; readonly zeroLoss: number };
  /** Loss of the first step, at the initial parameters; null before it. */
  readonly firstLoss: number | null;
}

export interface Checkpoint {
  /** Steps done. */
  readonly step: number;
  readonly state: TrainingState;
  readonly progress: LoopProgress;
  /** `exact`: solved for, not trained. */
  readonly engine: EngineName | ExactEngine;
  readonly device: DeviceName;
  readonly adapter: string | null;
  readonly runtime: string;
}

const keys = {
  schema: 'icl.schema',
  step: 'icl.step',
  configHash: 'icl.config_hash',
  generator: 'icl.generator',
  progress: 'icl.progress',
  engine: 'icl.engine',
  device: 'icl.device',
  adapter: 'icl.adapter',
  runtime: 'icl.runtime',
} as const;

/** The tensors of a state by their names in the file, with their shapes. */
function layout(config: TrainingConfig): { shapes: Readonly<Record<string, Shape>>; slots: readonly string[] } {
  return {
    shapes: architectureNamed(config.model.name).parameterShapes(config.model),
    slots: createOptimizer(config.optimizer).slots,
  };
}

/**
 * Replaces the checkpoint.
 * @param previousStep Step of the one that is there, for the error.
 * @throws {TrainingError} if a number is not finite: the file of before is kept.
 * @throws {DataError} if it cannot be written.
 */
export function writeCheckpoint(
  path: string,
  config: TrainingConfig,
  checkpoint: Checkpoint,
  previousStep: number,
): void {
  const { step, state, progress } = checkpoint;
  const { shapes, slots } = layout(config);
  const tensors: Record<string, Tensor> = {};
  for (const [name, shape] of Object.entries(shapes)) {
    tensors[`parameters/${name}`] = { shape, data: state.parameters[name]! };
    for (const slot of slots) tensors[`optimizer/${slot}/${name}`] = { shape, data: state.optimizer[slot]![name]! };
  }
  for (const [name, { data }] of Object.entries(tensors)) {
    const bad = data.find((value) => !Number.isFinite(value));
    if (bad !== undefined) {
      throw new TrainingError({
        where: `step ${step}: ${name}`,
        expected: 'finite numbers',
        got: String(bad),
        remedy: `Lower the learning rate or set clipNorm. The checkpoint of step ${previousStep} is kept.`,
      });
    }
  }
  const prompt = promptNumber(config, step);
  const metadata = {
    [keys.schema]: '1',
    [keys.step]: String(step),
    [keys.configHash]: configHash(config),
    [keys.generator]: canonicalJson(path, { seed: config.seed, stream: streams.training, prompt }),
    [keys.progress]: canonicalJson(path, progress),
    [keys.engine]: checkpoint.engine,
    [keys.device]: checkpoint.device,
    [keys.adapter]: checkpoint.adapter ?? '',
    [keys.runtime]: checkpoint.runtime,
  };
  writeFileAtomic(path, serializeSafetensors(tensors, metadata));
}

/**
 * The checkpoint of a run.
 * @throws {DataError} if the file cannot be read, is damaged, or belongs to another configuration.
 */
export function readCheckpoint(path: string, config: TrainingConfig): Checkpoint {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    throw fileError(path, 'a checkpoint', cause);
  }
  const { tensors, metadata } = readSafetensors(path, bytes);
  const entry = (key: string): string => {
    const value = metadata[key];
    if (value === undefined) throw new DataError({ where: path, expected: `the metadata ${key}`, got: 'none' });
    return value;
  };
  if (entry(keys.schema) !== '1') {
    throw new DataError({ where: path, expected: 'a checkpoint of schema 1', got: `schema ${entry(keys.schema)}` });
  }
  const hash = configHash(config);
  if (entry(keys.configHash) !== hash) {
    throw new DataError({
      where: path,
      expected: `a checkpoint of this run's config.json (hash ${hash.slice(0, 12)})`,
      got: `one of another configuration (hash ${entry(keys.configHash).slice(0, 12)})`,
      remedy: 'Restore the config.json it was trained with, or train into a new folder.',
    });
  }
  const step = Number(entry(keys.step));
  if (!Number.isSafeInteger(step) || step < 0) {
    throw new DataError({ where: `${path}: ${keys.step}`, expected: 'a number of steps', got: entry(keys.step) });
  }
  return {
    step,
    state: readState(path, config, tensors),
    progress: parseProgress(path, entry(keys.progress)),
    engine: entry(keys.engine) as Checkpoint['engine'],
    device: entry(keys.device) as DeviceName,
    adapter: entry(keys.adapter) === '' ? null : entry(keys.adapter),
    runtime: entry(keys.runtime),
  };
}

function readState(path: string, config: TrainingConfig, tensors: Readonly<Record<string, Tensor>>): TrainingState {
  const { shapes, slots } = layout(config);
  const take = (prefix: string): Record<string, Float32Array> =>
    Object.fromEntries(
      Object.entries(shapes).map(([name, shape]) => {
        const tensor = tensors[`${prefix}/${name}`];
        const where = `${path}: ${prefix}/${name}`;
        if (tensor === undefined || formatShape(tensor.shape) !== formatShape(shape)) {
          const got = tensor === undefined ? 'none' : `shape ${formatShape(tensor.shape)}`;
          throw new DataError({ where, expected: `a tensor of shape ${formatShape(shape)}`, got });
        }
        const bad = tensor.data.find((value) => !Number.isFinite(value));
        if (bad !== undefined) throw new DataError({ where, expected: 'finite numbers', got: String(bad) });
        return [name, tensor.data];
      }),
    );
  return {
    parameters: take('parameters'),
    optimizer: Object.fromEntries(slots.map((slot) => [slot, take(`optimizer/${slot}`)])),
  };
}

function parseProgress(path: string, json: string): LoopProgress {
  try {
    return JSON.parse(json) as LoopProgress;
  } catch (cause) {
    throw new DataError({ where: `${path}: ${keys.progress}`, expected: 'JSON', got: json.slice(0, 50), cause });
  }
}
