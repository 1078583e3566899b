/**
 * Memory that threads share and in which one of them draws in place: what it draws is written once. The kernels' own memory is
 * no thread's but their own, and what is copied from there to shared memory is copied word by word.
 */
import { type GeneratorKernel, type InnerProductsKernel, keepDrawingKernels } from './simd/drawing-kernels.ts';
import { kernelBase64 as generatorBase64 } from './simd/generator-shared-wasm.ts';
import { kernelBase64 as innerProductsBase64 } from './simd/inner-products-shared-wasm.ts';
import { pageBytes, type SharedKernelMemory, shareMemory, startKernel } from './simd/start-kernel.ts';

/** The kernels' own part of the memory: as large as the memory of a generator alone. */
const ownBytes = 2 * pageBytes;

export interface DrawingMemory {
  /** May be sent to another thread, with the arrays; undefined where WebAssembly is missing. */
  readonly memory: SharedKernelMemory | undefined;
  /** Zeros. */
  readonly arrays: readonly Float32Array[];
}

/** Arrays of these lengths in memory that threads share. */
export function allocateForDrawing(lengths: readonly number[]): DrawingMemory {
  const total = lengths.reduce((sum, length) => sum + length, 0);
  const memory = shareMemory(ownBytes + 4 * total);
  const buffer = memory?.buffer ?? new SharedArrayBuffer(ownBytes + 4 * total);
  let at = ownBytes;
  const arrays = lengths.map((length) => {
    const array = new Float32Array(buffer, at, length);
    at += 4 * length;
    return array;
  });
  return { memory, arrays };
}

/**
 * From now on this thread, and no other, draws in place in this memory. Where WebAssembly or its SIMD is missing it is drawn there
 * as anywhere else: the numbers are the same.
 */
export function drawInPlace({ memory }: Pick<DrawingMemory, 'memory'>): void {
  if (memory === undefined) return;
  const generator = startKernel<GeneratorKernel>(generatorBase64, memory);
  const innerProducts = startKernel<InnerProductsKernel>(innerProductsBase64, memory);
  if (generator === undefined || innerProducts === undefined) return;
  const at = generator.buffer.value;
  keepDrawingKernels(memory.buffer, {
    generator,
    innerProducts,
    scratch: { at, length: Math.floor((ownBytes - at) / 8) },
  });
}
