/**
 * The providers: where a frozen model can run. Data only, for Node and browsers alike; whether one works here is for
 * `providers.ts` to find out.
 */
import { unknownName } from '../models/errors.ts';

export type ProviderName = 'cpu' | 'cuda' | 'webgpu' | 'wasm';

export interface Provider {
  readonly name: ProviderName;
  /** The package that has it in Node. */
  readonly runtime: 'onnxruntime-node' | 'onnxruntime-web';
  readonly description: string;
  /** What brings a missing one, where one command does. */
  readonly install: string | null;
  /**
   * Whether ONNX Runtime could put nodes on the CPU instead. Such a session is opened with that switched off, so that it
   * runs wholly on the provider or does not open.
   */
  readonly canFallBack: boolean;
}

export const providers: readonly Provider[] = [
  {
    name: 'cpu',
    runtime: 'onnxruntime-node',
    description: 'all cores of this machine',
    install: 'npm ci',
    canFallBack: false,
  },
  {
    name: 'cuda',
    runtime: 'onnxruntime-node',
    description: 'NVIDIA GPU (Linux x64)',
    install: 'npm run setup:cuda',
    canFallBack: true,
  },
  {
    name: 'webgpu',
    runtime: 'onnxruntime-node',
    description: 'any GPU with a Vulkan, Metal or Direct3D 12 driver',
    install: null, // Depends on what is missing: see webgpu-install.ts.
    canFallBack: true,
  },
  {
    name: 'wasm',
    runtime: 'onnxruntime-web',
    description: 'WebAssembly on one thread, as in a browser',
    install: 'npm ci',
    canFallBack: false,
  },
];

export const providerNames: readonly ProviderName[] = providers.map(({ name }) => name);

/** @throws {UsageError} for an unknown name, with the nearest one. */
export function providerNamed(name: string): Provider {
  const provider = providers.find((candidate) => candidate.name === name);
  if (provider === undefined) throw unknownName('provider', name, providerNames);
  return provider;
}
