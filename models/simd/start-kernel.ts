/** Starts the kernels of this folder, where WebAssembly and its SIMD can run. Knows none of them. */

import { tooLarge } from '../errors.ts';

/** The part of the WebAssembly interface used here: the compiler's libraries without a browser's lack it. */
interface WebAssemblyInterface {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports?: object) => { readonly exports: unknown };
  readonly Memory: new (sizes: { initial: number; maximum: number; shared: true }) => SharedKernelMemory;
  readonly CompileError: new () => Error;
}

/** A kernel's memory. */
export interface KernelMemory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

/** Memory that threads share. It does not grow. */
export interface SharedKernelMemory {
  readonly buffer: ArrayBufferLike;
}

/** A memory grows by whole pages of so many bytes. */
export const pageBytes = 65_536;

const assembly = (): WebAssemblyInterface | undefined =>
  (globalThis as { readonly WebAssembly?: WebAssemblyInterface }).WebAssembly;

/**
 * What a kernel exports, or undefined where WebAssembly or its SIMD is missing or forbidden by the page's policy.
 * @param memory For a kernel that is compiled for it.
 */
export function startKernel<T>(base64: string, memory?: SharedKernelMemory): T | undefined {
  const WebAssembly = assembly();
  if (WebAssembly === undefined) return undefined;
  try {
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    return new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } }).exports as T;
  } catch (error) {
    if (error instanceof WebAssembly.CompileError) return undefined;
    throw error;
  }
}

/** {@link startKernel} when it is first asked for; all who ask have the same kernel, and so the same memory. */
export function kernelOnDemand<T>(base64: string): () => T | undefined {
  let started: { readonly kernel: T | undefined } | undefined;
  return () => {
    started ??= { kernel: startKernel<T>(base64) };
    return started.kernel;
  };
}

/** Zeroed memory that threads share, or undefined where WebAssembly is missing. */
export function shareMemory(bytes: number): SharedKernelMemory | undefined {
  const WebAssembly = assembly();
  const pages = Math.ceil(bytes / pageBytes);
  if (WebAssembly === undefined) return undefined;
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  } catch (cause) {
    throw tooLarge('prompts', bytes, cause);
  }
}

/** Makes a memory at least so large. Views of it that were made before are empty if it grew. */
export function growTo(memory: KernelMemory, bytes: number): void {
  const missing = Math.ceil((bytes - memory.buffer.byteLength) / pageBytes);
  if (missing <= 0) return;
  try {
    memory.grow(missing);
  } catch (cause) {
    throw tooLarge('prompts', bytes, cause);
  }
}
