/**
 * Engines fit parameters, on devices: what the training loop knows of them. Which there are is in
 * `engine-table.ts`; what `auto` means, in `choose-engine.ts`.
 */
import type { Architecture, ModelSizes } from '../models/architecture.ts';
import { unknownName } from '../models/errors.ts';
import type { LabelledBatch } from '../models/prompts.ts';
import { type DeviceName, type EngineName, engineNames } from './engine-table.ts';
import type { LossSpec } from './losses.ts';
import { createOnnxEngine } from './onnx-engine.ts';
import type { OptimizerSpec } from './optimizers.ts';
import { createTfjsEngine } from './tfjs-engine.ts';

export {
  type EngineChoice,
  type EngineProbe,
  type EngineRequest,
  probeEngines,
  requireDevice,
  resolveEngine,
} from './choose-engine.ts';
export { type DeviceProbe, probeDevice, probeDevices, processorFor, resolveDevice, type Workload } from './devices.ts';
export { type DeviceName, deviceNames, type EngineName, engineNames, engineTable } from './engine-table.ts';
export { devices } from './tfjs.ts';

/** What a step found before it changed the parameters. */
export interface StepReport {
  /** Of the batch, by the loss of the engine's options. */
  readonly loss: number;
  /** Norm of the whole gradient, before clipping. */
  readonly gradientNorm: number;
}

/** A step that was started. On a GPU it may still be under way. Read it once. */
export interface StepHandle {
  read(): Promise<StepReport>;
}

/** Everything that a later step depends on. */
export interface TrainingState {
  readonly parameters: Readonly<Record<string, Float32Array>>;
  /** By slot, then by parameter. */
  readonly optimizer: Readonly<Record<string, Readonly<Record<string, Float32Array>>>>;
}

export interface Engine {
  readonly name: EngineName;
  readonly device: DeviceName;
  /** The hardware, in its driver's words; null on a processor. */
  readonly adapter: string | null;
  readonly runtime: string;
  /** Steps to start before the oldest is read; 0 where a step is over when `step` returns. */
  readonly pipelineDepth: number;
  /** Names of the optimizer's scalars at a step (0-based). */
  scalars(learningRate: number, step: number): Record<string, number>;
  /**
   * Starts one optimizer step. The batch may be refilled as soon as this returns, unless it lies in memory that threads share:
   * then not before as many more have been started as the pipeline is deep.
   */
  step(batch: LabelledBatch, scalars: Readonly<Record<string, number>>): StepHandle;
  readState(): Promise<TrainingState>;
  /** @throws {ShapeError} if a parameter or a slot is missing or has another size. */
  loadState(state: TrainingState): void;
  /** Tensors alive in the engine. It is the same after every step that has been read. */
  tensorCount(): number;
  /** Frees the parameters and the device; where a thread holds them, it has ended when the promise settles. */
  dispose(): void | Promise<void>;
}

export interface EngineOptions {
  readonly device: DeviceName;
  readonly architecture: Architecture;
  readonly sizes: ModelSizes;
  readonly optimizer: OptimizerSpec;
  readonly clipNorm: number | null;
  /** @default the architecture's own */
  readonly loss?: LossSpec;
  /** Pairs in every prompt; a loss at every position needs to know. */
  readonly contextLength?: number;
  /** Prompts in every batch: known beforehand, they make a step shorter. Needs `contextLength`. */
  readonly batch?: number;
}

const create: Readonly<Record<EngineName, (options: EngineOptions) => Promise<Engine>>> = {
  onnx: createOnnxEngine,
  tfjs: createTfjsEngine,
};

/**
 * An engine on its device, with all parameters 0 until `loadState`.
 * @throws {ProviderError} if the device does not work here.
 */
export function createEngine(name: string, options: EngineOptions): Promise<Engine> {
  if (!Object.hasOwn(create, name)) throw unknownName('engine', name, engineNames);
  return create[name as EngineName](options);
}
