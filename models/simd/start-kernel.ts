/** Starts the kernels of this folder, where WebAssembly and its SIMD can run. Knows none of them. */

/** The part of the WebAssembly interface used here: the compiler's libraries without a browser's lack it. */
interface WebAssemblyInterface {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
  readonly CompileError: new () => Error;
}

/** A kernel's memory. */
export interface KernelMemory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

/** A memory grows by whole pages of so many bytes. */
export const pageBytes = 65_536;

/** What a kernel exports, or undefined where WebAssembly or its SIMD is missing or forbidden by the page's policy. */
export function startKernel<T>(base64: string): T | undefined {
  const { WebAssembly } = globalThis as { readonly WebAssembly?: WebAssemblyInterface };
  if (WebAssembly === undefined) return undefined;
  try {
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    return new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports as T;
  } catch (error) {
    if (error instanceof WebAssembly.CompileError) return undefined;
    throw error;
  }
}

/** Makes a memory at least so large. Views of it that were made before are empty if it grew. */
export function growTo(memory: KernelMemory, bytes: number): void {
  const missing = Math.ceil((bytes - memory.buffer.byteLength) / pageBytes);
  if (missing > 0) memory.grow(missing);
}
