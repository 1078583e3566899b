/** The engines and their devices: data only. What they are is in `engines.ts`, whether they work here in `choose-engine.ts`. */
import { UsageError, unknownName } from '../models/errors.ts';

export type TfjsDevice = 'tensorflow-gpu' | 'webgpu' | 'wasm' | 'cpu';
/** Each is the ONNX Runtime provider of the same name. */
export type OnnxDevice = 'cuda' | 'webgpu' | 'cpu';

export type EngineName = 'onnx' | 'tfjs';
export type DeviceName = TfjsDevice | OnnxDevice;

export const engineTable: readonly {
  readonly name: EngineName;
  readonly description: string;
  readonly devices: readonly DeviceName[];
}[] = [
  {
    name: 'onnx',
    description: 'the training step as a graph on ONNX Runtime',
    devices: ['cuda', 'webgpu', 'cpu'] satisfies OnnxDevice[],
  },
  {
    name: 'tfjs',
    description: 'TensorFlow.js',
    devices: ['tensorflow-gpu', 'webgpu', 'wasm', 'cpu'] satisfies TfjsDevice[],
  },
];

/** What stands where an engine would in a run whose parameters were solved for instead of trained: `exact-fit.ts`. */
export const exactEngine = 'exact';
export type ExactEngine = typeof exactEngine;

export const engineNames: readonly EngineName[] = engineTable.map(({ name }) => name);
export const deviceNames: readonly DeviceName[] = [...new Set(engineTable.flatMap(({ devices }) => devices))];

/** @throws {UsageError} if an engine that was asked for does not have the device that was asked for. */
export function checkEngineDevice(where: string, engine: EngineName | 'auto', device: DeviceName | 'auto'): void {
  const table = engineTable.find(({ name }) => name === engine);
  if (engine !== 'auto' && table === undefined) throw unknownName(`${where}: engine`, engine, engineNames);
  if (table === undefined || device === 'auto' || table.devices.includes(device)) return;
  const other = engineTable.find(({ devices }) => devices.includes(device));
  throw new UsageError({
    where: `${where}: device`,
    expected: `a device of the engine ${engine}: ${table.devices.join(', ')}`,
    got: device,
    ...(other === undefined ? {} : { remedy: `The engine ${other.name} has it.` }),
  });
}
