/**
 * Which devices work on this machine, found out by loading each, and which one `auto` means.
 */
import { execFile } from 'node:child_process';
import { compiledFile } from '../infer/compiled.ts';
import type { DeviceReport } from './probe-process.ts';
import { type DeviceName, devices } from './tfjs.ts';

export interface DeviceProbe {
  readonly name: DeviceName;
  readonly available: boolean;
  /** What it is, or why it does not work: one line. */
  readonly detail: string;
  /** What brings what is missing; null if nothing is. */
  readonly install: string | null;
  /** The GPU, or the software that plays one; null on a processor. */
  readonly adapter: string | null;
  /** True for a GPU that is software: SwiftShader, llvmpipe. Correct and slow; `auto` never takes it. */
  readonly isSoftware: boolean;
}

/** A probe that takes longer hangs. */
const patience = 60_000;

const probes = new Map<DeviceName, Promise<DeviceProbe>>();

/**
 * Loads a device and computes something on it, in a process of its own: a driver that crashes, hangs or prints does so
 * there. Asked again, it gives the first answer.
 * @throws {ProviderError} only if the library itself is not compiled.
 */
export function probeDevice(name: DeviceName): Promise<DeviceProbe> {
  let known = probes.get(name);
  if (known === undefined) {
    known = probe(name);
    probes.set(name, known);
  }
  return known;
}

/** Every device, probed side by side. */
export function probeDevices(): Promise<DeviceProbe[]> {
  return Promise.all(devices.map(({ name }) => probeDevice(name)));
}

async function probe(name: DeviceName): Promise<DeviceProbe> {
  const { description, install } = devices.find((device) => device.name === name)!;
  const { problem, runtime, adapter, isSoftware } = await runProbe(name);
  if (problem !== null) return { name, available: false, detail: problem, install, adapter, isSoftware };
  const parts = [runtime, adapter ?? description, isSoftware ? 'software, slow' : null];
  const detail = parts.filter((part) => part !== null).join(', ');
  return { name, available: true, detail, install: null, adapter, isSoftware };
}

function runProbe(name: DeviceName): Promise<DeviceReport> {
  const program = compiledFile(import.meta.url, 'probe-process');
  const options = { timeout: patience, killSignal: 'SIGKILL', maxBuffer: 2 ** 20 } as const;
  return new Promise((resolve) => {
    execFile(process.execPath, [program, name], options, (error, stdout) => {
      const failed = (problem: string) => resolve({ problem, runtime: null, adapter: null, isSoftware: false });
      const line = stdout.trim().split('\n').at(-1) ?? '';
      // A report that was printed counts even if the driver crashed when the process ended.
      if (line.startsWith('{')) resolve(JSON.parse(line) as DeviceReport);
      else if (error?.killed === true) failed(`no answer within ${patience / 1000} s`);
      else failed(error?.signal ? `the probe was ended by ${error.signal}` : 'the probe gave no answer');
    });
  });
}

/** What one training step works on. */
export interface Workload {
  readonly batch: number;
  readonly context: number;
  readonly dimension: number;
}

/**
 * The device for a request. `auto` is the first that works of: `tensorflow-gpu`; `webgpu` on real hardware; then one of
 * the two on the processor by the size of a step, see {@link processorFor}. A device that was asked for is returned as it
 * is: loading it fails if it does not work.
 */
export async function resolveDevice(requested: DeviceName | 'auto', workload: Workload): Promise<DeviceName> {
  if (requested !== 'auto') return requested;
  for (const name of ['tensorflow-gpu', 'webgpu'] as const) {
    const { available, isSoftware } = await probeDevice(name);
    if (available && !isSoftware) return name;
  }
  return processorFor(workload);
}

/**
 * Covariate numbers per step from which `wasm` is faster than `cpu`. Measured, ms per Adam step of linear attention, best
 * of 60, `cpu` / `wasm`: 3,200 numbers 0.93 / 1.06; 6,400: 1.18 / 1.04; 25,600: 3.1 / 1.6; 204,800: 11.2 / 3.9.
 */
const wasmThreshold = 5_000;

/** `cpu` or `wasm`: the latter pays a higher fixed price per operation and less per number. */
export function processorFor({ batch, context, dimension }: Workload): 'cpu' | 'wasm' {
  return batch * context * dimension < wasmThreshold ? 'cpu' : 'wasm';
}
