/**
 * ONNX Runtime in a page: which build a provider needs, whether the browser has an adapter for it, and what `auto` means
 * there. Imports no Node module; the runtime is loaded when it is first asked for.
 */
import { ProviderError } from '../models/errors.ts';
import type { OnnxRuntime } from './onnxruntime.ts';
import { type ProviderName, providerNamed } from './provider-table.ts';
import { canSuspend, findWebAdapter, type WebAdapter } from './web-adapter.ts';

export type WebProvider = 'wasm' | 'webgpu';

/** A provider in this page, ready to open sessions. */
export interface WebRuntime {
  readonly ort: OnnxRuntime;
  readonly provider: WebProvider;
  /** The GPU, or the software that plays one; null for wasm. */
  readonly adapter: string | null;
}

/**
 * Loads what a provider needs. `auto` is webgpu if the browser has a hardware adapter, else wasm.
 * @param wasmPaths Where the page serves onnxruntime-web's `.wasm` files, ending in `/`; null: beside its script.
 * @throws {ProviderError} if it does not work here.
 */
export async function loadWebRuntime(requested: ProviderName | 'auto', wasmPaths: string | null): Promise<WebRuntime> {
  const adapter = requested === 'wasm' ? null : await findWebAdapter();
  const provider = resolveWebProvider(requested, adapter);
  const ort = await importRuntime(provider, wasmPaths === null && canSuspend());
  if (wasmPaths !== null) ort.env.wasm.wasmPaths = wasmPaths;
  return { ort, provider, adapter: provider === 'webgpu' ? adapter!.name : null };
}

function resolveWebProvider(requested: ProviderName | 'auto', adapter: WebAdapter | null): WebProvider {
  if (requested === 'auto') return adapter !== null && !adapter.isSoftware ? 'webgpu' : 'wasm';
  const { name } = providerNamed(requested);
  if (name === 'wasm') return name;
  if (name === 'webgpu') {
    if (adapter !== null) return name;
    throw new ProviderError({
      where: 'provider webgpu',
      expected: 'a browser with a WebGPU adapter',
      got: 'none',
      remedy: 'Use wasm, or a current browser over https or on localhost.',
    });
  }
  throw new ProviderError({
    where: `provider ${name}`,
    expected: 'wasm or webgpu in a browser',
    got: name,
    remedy: 'The others run in Node.',
  });
}

/**
 * Each entry of the package is a build of its own; the plain one has neither name and is to be removed. Of the two for WebGPU,
 * `jspi` lets the browser suspend WebAssembly: 4.2 MB compressed instead of 6.8, and the same numbers.
 */
async function importRuntime(provider: WebProvider, suspends: boolean): Promise<OnnxRuntime> {
  if (provider === 'wasm') return await import('onnxruntime-web/wasm');
  return suspends ? await import('onnxruntime-web/jspi') : await import('onnxruntime-web/webgpu');
}
