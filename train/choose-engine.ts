/**
 * Which engine and device `auto` means. A GPU is taken only if it works, is no software, and has enough to do; an engine or
 * a device that was asked for is never replaced.
 */
import { type ProviderProbe, probeProvider } from '../infer/providers.ts';
import { ProviderError } from '../models/errors.ts';
import { type DeviceProbe, probeDevice, resolveDevice, type Workload } from './devices.ts';
import { type DeviceName, type EngineName, engineTable, type OnnxDevice, type TfjsDevice } from './engine-table.ts';

export interface EngineRequest {
  readonly engine: EngineName | 'auto';
  readonly device: DeviceName | 'auto';
}

export interface EngineChoice {
  readonly engine: EngineName;
  readonly device: DeviceName;
}

/** GPUs, best first. */
const gpus: readonly EngineChoice[] = [
  { engine: 'onnx', device: 'cuda' },
  { engine: 'tfjs', device: 'tensorflow-gpu' },
  { engine: 'onnx', device: 'webgpu' },
];

/**
 * A step of `onnx` on `cpu` takes about 0.5 ms for 200,000 covariate numbers (256 prompts of 40 pairs in 20 dimensions). A
 * GPU pays about a millisecond for starting the hundred operations of any step, so it has to have some times more to do.
 */
const gpuThreshold = 1_000_000;

/**
 * The engine and the device for a request.
 *
 * - A device alone: the engine `onnx` if it has the device, otherwise `tfjs`. Measured on a processor, a step of `onnx`
 *   takes a fifth to a tenth of the time of `tfjs` on `wasm` or `cpu`.
 * - Neither: for steps of a million covariate numbers and more the first GPU that works and is no software, of `cuda`,
 *   `tensorflow-gpu` and `webgpu`; for all others, and without a GPU, `onnx` on `cpu`.
 * - An engine alone: the same among its own devices; for `tfjs` see {@link resolveDevice}.
 */
export async function resolveEngine(request: EngineRequest, workload: Workload): Promise<EngineChoice> {
  const { engine, device } = request;
  if (device !== 'auto') return { engine: engine === 'auto' ? engineWith(device) : engine, device };
  if (engine === 'tfjs') return { engine, device: await resolveDevice('auto', workload) };
  const numbers = workload.batch * workload.context * workload.dimension;
  if (numbers >= gpuThreshold) {
    for (const choice of gpus) {
      if ((engine === 'auto' || engine === choice.engine) && (await worksInHardware(choice))) return choice;
    }
  }
  return { engine: 'onnx', device: 'cpu' };
}

/**
 * Makes sure that a GPU that was asked for works, before anything is written. The processor always does.
 * @throws {ProviderError} with what to install.
 */
export async function requireDevice({ engine, device }: EngineChoice): Promise<void> {
  if (device === 'cpu' || device === 'wasm') return;
  const { available, detail, install } = await probe({ engine, device });
  if (available) return;
  throw new ProviderError({
    where: `device ${device}`,
    expected: 'a device that works here',
    got: detail,
    ...(install === null ? {} : { remedy: `To install it: ${install}` }),
  });
}

/** The first engine that has a device. */
export function engineWith(device: DeviceName): EngineName {
  return engineTable.find(({ devices }) => devices.includes(device))!.name;
}

function probe({ engine, device }: EngineChoice): Promise<ProviderProbe | DeviceProbe> {
  return engine === 'onnx' ? probeProvider(device as OnnxDevice) : probeDevice(device as TfjsDevice);
}

/** An engine on one of its devices, tried. */
export interface EngineProbe extends EngineChoice {
  /** `onnx on cpu` */
  readonly name: string;
  readonly available: boolean;
  /** What it is, or why it does not work. */
  readonly detail: string;
  /** What makes it work; null where it does. */
  readonly install: string | null;
}

/** Every engine on every device it has, probed side by side. */
export function probeEngines(): Promise<EngineProbe[]> {
  const choices = engineTable.flatMap(({ name: engine, devices }) => devices.map((device) => ({ engine, device })));
  return Promise.all(
    choices.map(async ({ engine, device }) => {
      const { available, detail, install } = await probe({ engine, device });
      return { name: `${engine} on ${device}`, engine, device, available, detail, install };
    }),
  );
}

async function worksInHardware(choice: EngineChoice): Promise<boolean> {
  const { available, isSoftware } = await probe(choice);
  return available && !isSoftware;
}
