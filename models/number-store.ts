/**
 * Memory into which arrays are copied side by side, and which says whether all their numbers are finite: in WebAssembly's
 * memory, by its SIMD, where there is such a thing, and otherwise number by number. Whoever computes from the copies has
 * them in the cache, looked through, at the price of one reading.
 */
import { kernelBase64 } from './simd/finite-wasm.ts';
import { growTo, type KernelMemory, startKernel } from './simd/start-kernel.ts';

export interface NumberStore {
  /** Copies the arrays; the views are good until the next call. */
  copy(arrays: readonly Float32Array[]): Float32Array[];
  /** Whether no number of the last copies is NaN or infinite. */
  isFinite(): boolean;
}

interface Kernel {
  readonly memory: KernelMemory;
  readonly base: { readonly value: number };
  allFinite(at: number, end: number): number;
}

/** The kernel reads this many bytes at a time; what is between two arrays is 0. */
const stride = 64;

const padded = (values: Float32Array): number => Math.ceil(values.byteLength / stride) * stride;

/** Copies numbers to the start of a room of the same length or a greater one. */
export type CopyNumbers = (room: Float32Array, values: Float32Array) => void;

/** @param copy Where the platform has a faster one than the language for what will be copied. */
export function createNumberStore(copy: CopyNumbers = (room, values) => room.set(values)): NumberStore {
  const kernel = startKernel<Kernel>(kernelBase64);
  return kernel === undefined ? createPlainStore() : simdStore(kernel, copy);
}

function simdStore({ memory, base, allFinite }: Kernel, copy: CopyNumbers): NumberStore {
  const start = base.value;
  let end = start;
  return {
    copy(arrays) {
      end = start + arrays.reduce((sum, values) => sum + padded(values), 0);
      growTo(memory, end);
      let at = start;
      return arrays.map((values) => {
        const length = padded(values) / 4;
        const room = new Float32Array(memory.buffer, at, length);
        copy(room, values);
        room.fill(0, values.length);
        at += 4 * length;
        return room.subarray(0, values.length);
      });
    },
    isFinite: () => allFinite(start, end) === 1,
  };
}

/** Number by number. */
export function createPlainStore(): NumberStore {
  let copies: Float32Array[] = [];
  return {
    copy(arrays) {
      copies = arrays.map((values) => Float32Array.from(values));
      return copies;
    },
    isFinite: () => copies.every((values) => values.every((value) => value - value === 0)),
  };
}
