/**
 * Which providers work on this machine, found out by running a tiny graph on each; and which one `auto` means. For Node.
 * The table itself is `provider-table.ts`.
 */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { ProviderError } from '../models/errors.ts';
import { type AdapterInfo, formatAdapter, isSoftwareAdapter } from './adapter.ts';
import { compiledFile } from './compiled.ts';
import { condense } from './onnxruntime.ts';
import type { ProbeReport } from './probe-process.ts';
import { type ProviderName, providerNamed, providerNames } from './provider-table.ts';

export { type Provider, type ProviderName, providerNames, providers } from './provider-table.ts';

export interface ProviderProbe {
  readonly name: ProviderName;
  readonly available: boolean;
  /** What works, or why it does not: one line. */
  readonly detail: string;
  /** The command that brings what is missing; null if nothing is, or if no command does. */
  readonly install: string | null;
  /** The GPU, or the software that plays one. */
  readonly adapter: string | null;
  /** True for a GPU that is software: SwiftShader, llvmpipe. Correct and slow; `auto` never takes it. */
  readonly isSoftware: boolean;
  /** Package and version: `onnxruntime-node 1.30.0`; null if it cannot be loaded. */
  readonly version: string | null;
}

/** A probe that takes longer hangs: known of drivers whose adapter request failed. */
const patience = 60_000;

const chromiumSwiftShader = '/usr/lib/chromium/vk_swiftshader_icd.json';

const probes = new Map<ProviderName, Promise<ProviderProbe>>();

/**
 * Runs a tiny graph on a provider, in a process of its own: a driver that crashes, hangs or prints does so there. Never
 * fails because of the provider. Asked again, it gives the first answer.
 * @param environment Environment of that process; with another one than this process's own, nothing is remembered.
 * @throws {ProviderError} only if the library itself is not compiled.
 */
export function probeProvider(
  name: ProviderName,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<ProviderProbe> {
  if (environment !== process.env) return probe(name, environment);
  let known = probes.get(name);
  if (known === undefined) {
    known = probe(name, environment);
    probes.set(name, known);
  }
  return known;
}

/** Every provider of the table, probed side by side. */
export function probeProviders(): Promise<ProviderProbe[]> {
  return Promise.all(providerNames.map((name) => probeProvider(name)));
}

/**
 * The provider that `requested` means. `auto` is cuda if it works, else webgpu if its adapter is a real GPU, else cpu, else
 * wasm. A provider that is named is not probed here: opening a session on it does that.
 * @throws {UsageError} for an unknown name. @throws {ProviderError} if `auto` finds none that works.
 */
export async function resolveProvider(requested: ProviderName | 'auto'): Promise<ProviderName> {
  if (requested !== 'auto') return providerNamed(requested).name;
  for (const name of ['cuda', 'webgpu', 'cpu', 'wasm'] as const) {
    const { available, isSoftware } = await probeProvider(name);
    if (available && !isSoftware) return name;
  }
  throw new ProviderError({
    where: 'provider auto',
    expected: 'a provider that works here',
    got: 'none',
    remedy: 'Run icl doctor: it says why, and what to install.',
  });
}

/** The error for a provider that was asked for and does not work. `problem` is one line. */
export function providerUnavailable(name: ProviderName, problem: string, install: string | null): ProviderError {
  return new ProviderError({
    where: `provider ${name}`,
    expected: `a session that runs wholly on ${name}`,
    got: problem,
    ...(install !== null && { remedy: `To install it: ${install}` }),
  });
}

/** @throws {ProviderError} with what to install, if the provider does not work here. */
export async function requireProvider(name: ProviderName): Promise<ProviderProbe> {
  const found = await probeProvider(name);
  if (!found.available) throw providerUnavailable(name, found.detail, found.install);
  return found;
}

async function probe(name: ProviderName, environment: NodeJS.ProcessEnv): Promise<ProviderProbe> {
  const missing = name === 'cuda' ? missingCudaFile() : null;
  const report = missing ?? (await runProbe(name, environment));
  const info = name === 'cuda' ? cudaDevice() : report.adapter;
  const adapter = info === null ? null : formatAdapter(info);
  const isSoftware = info !== null && isSoftwareAdapter(info);
  const version = report.runtime;
  if (report.problem !== null) {
    const install = name === 'webgpu' ? webgpuInstall(environment) : providerNamed(name).install;
    return { name, available: false, detail: report.problem, install, adapter, isSoftware, version };
  }
  const detail = [version, adapter, isSoftware ? 'software, slow' : null].filter((part) => part !== null).join(', ');
  return { name, available: true, detail, install: null, adapter, isSoftware, version };
}

function runProbe(name: ProviderName, env: NodeJS.ProcessEnv): Promise<ProbeReport> {
  const program = compiledFile(import.meta.url, 'probe-process');
  const options = { env, timeout: patience, killSignal: 'SIGKILL', maxBuffer: 2 ** 20 } as const;
  return new Promise((resolve) => {
    execFile(process.execPath, [program, name], options, (error, stdout) => {
      const failed = (problem: string) => resolve({ problem, runtime: null, adapter: null });
      const line = stdout.trim().split('\n').at(-1) ?? '';
      // A report that was printed counts even if the driver crashed when the process ended.
      if (line.startsWith('{')) resolve(JSON.parse(line) as ProbeReport);
      else if (error?.killed === true) failed(`no answer within ${patience / 1000} s`);
      else if (error?.signal) failed(`the probe was ended by ${error.signal}`);
      else failed(condense(error ?? 'no answer'));
    });
  });
}

/** Why CUDA cannot work, seen without starting anything: its libraries do not come with the npm package. */
function missingCudaFile(): ProbeReport | null {
  const failed = (problem: string) => ({ problem, runtime: null, adapter: null });
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    return failed(`${process.platform} on ${process.arch}, and CUDA is for Linux on x64`);
  }
  try {
    const main = createRequire(import.meta.url).resolve('onnxruntime-node');
    const folder = join(dirname(main), '..', 'bin', 'napi-v6', 'linux', 'x64');
    const library = 'libonnxruntime_providers_cuda.so';
    return existsSync(join(folder, library)) ? null : failed(`no ${library} in the onnxruntime-node package`);
  } catch (error) {
    return failed(condense(error));
  }
}

/** The first NVIDIA GPU as its kernel driver names it. */
function cudaDevice(): AdapterInfo | null {
  const folder = '/proc/driver/nvidia/gpus';
  try {
    const information = readFileSync(join(folder, readdirSync(folder).sort()[0]!, 'information'), 'utf8');
    const description = /^Model:\s*(.+)$/m.exec(information)?.[1] ?? '';
    return { vendor: '', architecture: '', description };
  } catch {
    return null;
  }
}

/** What brings WebGPU here: a driver for the GPU, or the software adapter that comes with Chromium. */
function webgpuInstall(environment: NodeJS.ProcessEnv): string | null {
  if (process.platform !== 'linux') return null;
  const software = `export VK_ICD_FILENAMES=${chromiumSwiftShader}`;
  const driver =
    'apt-get install libvulkan1 and the Vulkan driver of your GPU (in a container: NVIDIA_DRIVER_CAPABILITIES=all)';
  const hasSoftware = existsSync(chromiumSwiftShader);
  if (hasSoftware && environment['VK_ICD_FILENAMES'] !== chromiumSwiftShader) {
    return `${driver}; or, in software: ${software}`;
  }
  return `${driver}; or, in software: apt-get install libvulkan1 chromium && ${software}`;
}
