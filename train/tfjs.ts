/**
 * Loads TensorFlow.js for one device, only when it is asked for, and makes sure that this device is what computes.
 * The only file that knows how TensorFlow.js, its backends and Dawn are started, and what they leave behind in the process.
 */
import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { type AdapterInfo, formatAdapter, isSoftwareAdapter } from '../infer/adapter.ts';
import { ProviderError, unknownName } from '../models/errors.ts';
import type { TfjsDevice as DeviceName } from './engine-table.ts';
import type { TensorFlow } from './tfjs-ops.ts';

export type { TfjsDevice as DeviceName } from './engine-table.ts';

/** A device that works, with TensorFlow.js set to it. */
export interface LoadedDevice {
  readonly name: DeviceName;
  readonly tf: TensorFlow;
  /** What TensorFlow.js calls it. */
  readonly backend: string;
  /** The hardware, in its driver's words; null on a processor. */
  readonly adapter: string | null;
  /** The adapter computes on the processor after all (SwiftShader, llvmpipe). */
  readonly isSoftware: boolean;
  /** Library and version. */
  readonly runtime: string;
  /** Steps to have under way before the oldest result is read: a GPU should not wait for the reading. */
  readonly pipelineDepth: number;
  /** Lets go of what would keep the process alive. */
  release(): void;
}

interface Device {
  readonly name: DeviceName;
  readonly description: string;
  /** What makes it work, where it does not. */
  readonly install: string;
  load(): Promise<LoadedDevice>;
}

const require = createRequire(import.meta.url);

/** All devices; `resolveDevice` in `devices.ts` says which one `auto` takes. */
export const devices: readonly Device[] = [
  {
    name: 'tensorflow-gpu',
    description: "TensorFlow's C library on an NVIDIA GPU (CUDA 11.2, cuDNN 8.1)",
    install: 'npm run setup:tensorflow-gpu',
    load: loadTensorFlowGpu,
  },
  {
    name: 'webgpu',
    description: 'WebGPU through Dawn: any GPU with a Vulkan, Metal or Direct3D 12 driver',
    install:
      'apt-get install libvulkan1 and the Vulkan driver of your GPU (in a container: NVIDIA_DRIVER_CAPABILITIES=all)',
    load: loadWebGpu,
  },
  {
    name: 'wasm',
    description: 'the processor, WebAssembly with SIMD, one thread',
    install: 'npm ci',
    load: loadWasm,
  },
  { name: 'cpu', description: 'the processor, plain JavaScript', install: 'npm ci', load: loadCpu },
];

/**
 * TensorFlow.js on this device.
 * @throws {ProviderError} with what to install, if the device does not work here.
 */
export async function loadDevice(name: DeviceName): Promise<LoadedDevice> {
  const device = devices.find((candidate) => candidate.name === name);
  if (device === undefined) {
    throw unknownName(
      'device',
      name,
      devices.map((candidate) => candidate.name),
    );
  }
  return device.load();
}

function fail(name: DeviceName, got: string, remedy: string, cause?: unknown): ProviderError {
  return new ProviderError({ where: `device ${name}`, expected: 'a device that works here', got, remedy, cause });
}

/** What an unknown error says, without the stack of files that native loaders add to it. */
function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0]!.slice(0, 200);
}

function requireTensorFlow(): TensorFlow {
  const tf = require('@tensorflow/tfjs') as TensorFlow;
  // Its only effect on tensors is none: it silences the banner that asks for the native addon.
  tf.enableProdMode();
  return tf;
}

/** `setBackend` answers false, or leaves another backend in place, where we want an error. */
async function useBackend(tf: TensorFlow, name: DeviceName, backend: string, remedy: string): Promise<void> {
  const isSet = await tf.setBackend(backend);
  if (!isSet || tf.getBackend() !== backend) {
    throw fail(name, `TensorFlow.js on ${JSON.stringify(tf.getBackend() ?? 'nothing')}`, remedy);
  }
}

async function loadCpu(): Promise<LoadedDevice> {
  const tf = requireTensorFlow();
  await useBackend(tf, 'cpu', 'cpu', 'Reinstall with: npm ci');
  return {
    name: 'cpu',
    tf,
    backend: 'cpu',
    adapter: null,
    isSoftware: false,
    runtime: `tfjs ${tf.version['tfjs-core']}`,
    pipelineDepth: 0,
    release: () => {},
  };
}

async function loadWasm(): Promise<LoadedDevice> {
  const tf = requireTensorFlow();
  try {
    const specifier = '@tensorflow/tfjs-backend-wasm';
    const { setWasmPaths } = require(specifier) as { setWasmPaths(prefix: string): void };
    if (tf.findBackend('wasm') === null) setWasmPaths(`${dirname(require.resolve(specifier))}/`);
    await withoutProcessListeners(() => useBackend(tf, 'wasm', 'wasm', 'Use --device cpu.'));
  } catch (cause) {
    if (cause instanceof ProviderError) throw cause;
    throw fail('wasm', firstLine(cause), 'Reinstall with: npm ci', cause);
  }
  return {
    name: 'wasm',
    tf,
    backend: 'wasm',
    adapter: null,
    isSoftware: false,
    runtime: `tfjs ${tf.version['tfjs-core']}`,
    pipelineDepth: 0,
    release: () => {},
  };
}

/**
 * The glue code of the wasm backend listens to the process's uncaught exceptions and throws them again: Node then prints
 * the line that threw, and that line is the whole minified library. Its listeners are removed as soon as it is up.
 */
async function withoutProcessListeners(start: () => Promise<void>): Promise<void> {
  const events = ['uncaughtException', 'unhandledRejection'] as const;
  const before = new Map(events.map((event) => [event, process.listeners(event as 'uncaughtException')]));
  try {
    await start();
  } finally {
    for (const event of events) {
      for (const listener of process.listeners(event as 'uncaughtException')) {
        const isGlue = /ExitStatus|throw reason/.test(String(listener));
        if (isGlue && !before.get(event)!.includes(listener)) process.removeListener(event, listener);
      }
    }
  }
}

interface Adapter {
  readonly info: AdapterInfo;
  readonly limits: Readonly<Record<string, number>>;
  requestDevice(descriptor: { requiredLimits: Record<string, number> }): Promise<{ destroy(): void }>;
}

/** The part of the browser's `navigator.gpu` that we call. */
interface Gpu {
  requestAdapter(options: { powerPreference: 'high-performance' }): Promise<Adapter | null>;
}

/** What the WebGPU backend wants as large as the adapter has it. */
const wantedLimits = [
  'maxComputeWorkgroupStorageSize',
  'maxComputeWorkgroupsPerDimension',
  'maxStorageBufferBindingSize',
  'maxBufferSize',
  'maxComputeWorkgroupSizeX',
  'maxComputeInvocationsPerWorkgroup',
];

/** The instances of Dawn whose devices are in use. */
const openDawns = new Set<Gpu>();

/** WebGPU in Node: Dawn, from the package `webgpu`, in the place of the browser. */
async function loadWebGpu(): Promise<LoadedDevice> {
  const remedy = 'Install a GPU driver with Vulkan, or use --device wasm.';
  const tf = requireTensorFlow();
  try {
    const dawn = (await import('webgpu')) as unknown as { create(flags: string[]): Gpu; globals: object };
    Object.assign(globalThis, dawn.globals);
    const gpu = dawn.create([]);
    const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
    if (adapter === null) throw fail('webgpu', 'no adapter', remedy);
    const device = await adapter.requestDevice({
      requiredLimits: Object.fromEntries(wantedLimits.map((name) => [name, adapter.limits[name]!])),
    });
    openDawns.add(gpu);
    const { WebGPUBackend } = require('@tensorflow/tfjs-backend-webgpu') as {
      WebGPUBackend: new (device: object, info: AdapterInfo) => ReturnType<TensorFlow['backend']>;
    };
    const backend = withNavigatorGpu(gpu, () => new WebGPUBackend(device, adapter.info));
    if (tf.findBackendFactory('webgpu') !== null) tf.removeBackend('webgpu');
    tf.registerBackend('webgpu', () => backend);
    // Small tensors would otherwise be computed on the processor without a word.
    tf.env().set('WEBGPU_CPU_FORWARD', false);
    await useBackend(tf, 'webgpu', 'webgpu', remedy);
    return {
      name: 'webgpu',
      tf,
      backend: 'webgpu',
      adapter: formatAdapter(adapter.info),
      isSoftware: isSoftwareAdapter(adapter.info),
      runtime: `tfjs ${tf.version['tfjs-core']}, Dawn`,
      pipelineDepth: 8,
      release: () => {
        // A device that is not destroyed keeps the process alive; one whose Dawn was collected crashes it.
        openDawns.delete(gpu);
        if (tf.getBackend() === 'webgpu') void tf.setBackend('cpu');
        if (tf.findBackend('webgpu') === backend) tf.removeBackend('webgpu');
        device.destroy();
      },
    };
  } catch (cause) {
    throw cause instanceof ProviderError ? cause : fail('webgpu', firstLine(cause), remedy, cause);
  }
}

/** The backend's constructor refuses to work unless it finds `navigator.gpu`: it does, for as long as that takes. */
function withNavigatorGpu<T>(gpu: Gpu, construct: () => T): T {
  const before = Object.getOwnPropertyDescriptor(globalThis, 'navigator');
  Object.defineProperty(globalThis, 'navigator', { value: { gpu }, configurable: true });
  try {
    return construct();
  } finally {
    if (before === undefined) Reflect.deleteProperty(globalThis, 'navigator');
    else Object.defineProperty(globalThis, 'navigator', before);
  }
}

/**
 * TensorFlow.js for CUDA is a package of its own, with an addon that an install script downloads. Without a usable GPU it
 * computes on the processor and does not say so: `isUsingGpuDevice` does.
 */
async function loadTensorFlowGpu(): Promise<LoadedDevice> {
  const setUp = 'Run: npm run setup:tensorflow-gpu';
  // Read when the library is loaded: full float32 products (TF32 rounds to 10 bits), and no log of what it found.
  process.env['NVIDIA_TF32_OVERRIDE'] ??= '0';
  process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '2';
  let tf: TensorFlow;
  try {
    tf = require('@tensorflow/tfjs-node-gpu') as TensorFlow;
  } catch (cause) {
    const isMissing = (cause as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND';
    const got = isMissing && !String(cause).includes('tfjs_binding') ? 'no package @tensorflow/tfjs-node-gpu' : null;
    const addon = /tfjs_binding\.node/.test(String(cause)) ? 'a package without its addon tfjs_binding.node' : null;
    throw fail('tensorflow-gpu', got ?? addon ?? firstLine(cause), setUp, cause);
  }
  tf.enableProdMode();
  await useBackend(tf, 'tensorflow-gpu', 'tensorflow', setUp);
  const { isUsingGpuDevice } = tf.backend() as unknown as { isUsingGpuDevice?: boolean };
  if (isUsingGpuDevice !== true) {
    throw fail(
      'tensorflow-gpu',
      'TensorFlow on the processor: it found no GPU',
      'It needs an NVIDIA driver, CUDA 11.2 and cuDNN 8.1 on the library path. Or use --device webgpu.',
    );
  }
  return {
    name: 'tensorflow-gpu',
    tf,
    backend: 'tensorflow',
    adapter: nvidiaName(),
    isSoftware: false,
    runtime: `tfjs-node-gpu ${tf.version['tfjs-core']}`,
    pipelineDepth: 8,
    release: () => {},
  };
}

/** TensorFlow.js does not say which GPU; the driver's own tool does. */
function nvidiaName(): string | null {
  try {
    const names = execFileSync('nvidia-smi', ['--query-gpu=name', '--format=csv,noheader'], { encoding: 'utf8' });
    return names.split('\n')[0]!.trim() || null;
  } catch {
    return null;
  }
}
