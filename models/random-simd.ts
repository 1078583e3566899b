/**
 * The generator on WebAssembly SIMD: starts the kernel of `models/simd/generator.as` and cuts draws into pieces that fit
 * its memory. Numbers for memory that is a kernel's are made there. The numbers are those of `models/random-plain.ts`, bit for bit.
 */
import type { Draw } from './random.ts';
import { drawingKernelsAt, type GeneratorKernel } from './simd/drawing-kernels.ts';
import { kernelBase64 } from './simd/generator-wasm.ts';
import { startKernel } from './simd/start-kernel.ts';

/** A kernel with a memory of its own, from which numbers are copied to where they are wanted. */
interface Kernel extends GeneratorKernel {
  readonly memory: { readonly buffer: ArrayBuffer };
}

const TWO_32 = 4294967296;
/** Blocks that are made at once, where rows are not too long for it: they stay in a core's own cache. */
const cachedBlocks = 2048;
/** Rows come in fours: fewer are cheaper one by one. */
const rowsThatPay = 3;
/** Up to here a loop copies faster than `set` with the view it needs. */
const SHORT = 32;

/** A function that fills rows with the kernel, or undefined where it cannot run. */
export function createSimdFill(): ((draw: Draw) => void) | undefined {
  const kernel = startKernel<Kernel>(kernelBase64);
  if (kernel === undefined) return undefined;
  const buffer = kernel.buffer.value;
  const numbers = new Float32Array(kernel.memory.buffer, buffer);
  const tableBlocks = kernel.tableBlocks.value;

  function copy(out: Float32Array, at: number, length: number): void {
    if (length <= SHORT) for (let i = 0; i < length; i++) out[at + i] = numbers[i]!;
    else out.set(numbers.subarray(0, length), at);
  }

  return ({ distribution, generator, position, prompts, count, out, at }) => {
    if (count === 0) return;
    const { seed, stream } = generator;
    const isExponential = distribution === 'exponential' ? 1 : 0;
    const key1 = Math.floor(seed / TWO_32);
    const inPlace = drawingKernelsAt(out.buffer)?.generator;
    const run = (prompt: number, block: number, rows: number, length: number, to: number) => {
      const c2 = (Math.floor(prompt / TWO_32) << 8) | position.purpose;
      if (inPlace !== undefined) {
        inPlace.fill(isExponential, seed, key1, block, prompt, c2, stream, rows, length, out.byteOffset + 4 * to);
      } else {
        kernel.fill(isExponential, seed, key1, block, prompt, c2, stream, rows, length, buffer);
        copy(out, to, rows * length);
      }
    };
    const blocks = Math.ceil(count / 4);
    const rowsAtOnce = blocks > tableBlocks ? 1 : 4 * Math.max(1, Math.floor(cachedBlocks / (4 * blocks)));
    for (let row = 0; row < prompts; ) {
      const prompt = position.prompt + row;
      const to = at + row * count;
      // The kernel counts prompts in 32 bits: a call ends where the upper word would change.
      const rows = Math.min(prompts - row, rowsAtOnce, TWO_32 - (prompt % TWO_32));
      if (rows >= rowsThatPay) {
        run(prompt, 0, rows, count, to);
        row += rows;
      } else {
        for (let done = 0; done < count; done += 4 * cachedBlocks) {
          run(prompt, done / 4, 1, Math.min(4 * cachedBlocks, count - done), to + done);
        }
        row += 1;
      }
    }
  };
}
