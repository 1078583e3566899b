/**
 * Memory into which arrays are copied side by side, with room for what is computed from them, and which says whether all
 * their numbers are finite: in WebAssembly's memory, by its SIMD, where there is such a thing, and otherwise number by
 * number. Whoever computes from the copies has them in the cache.
 */
import { kernelBase64 } from './simd/finite-wasm.ts';
import { growTo, type KernelMemory, startKernel } from './simd/start-kernel.ts';

export interface NumberStore {
  /** Copies the arrays, and makes room for others that are computed from them; all are good until the next call. */
  copy(arrays: readonly Float32Array[], lengths?: readonly number[]): Held;
  /** Whether no number of the last copies is NaN or infinite. */
  copiesAreFinite(): boolean;
  /** The same of what now stands in the rooms beside them. */
  roomsAreFinite(): boolean;
}

export interface Held {
  readonly copies: readonly Float32Array[];
  /** Of the lengths asked for. What is in them is not said. */
  readonly rooms: readonly Float32Array[];
}

interface Kernel {
  readonly memory: KernelMemory;
  readonly base: { readonly value: number };
  allFinite(at: number, end: number): number;
}

/** The kernel reads this many bytes at a time; what is between two arrays is 0. */
const stride = 64;

const padded = (length: number): number => Math.ceil((4 * length) / stride) * stride;

/** Copies numbers to the start of a room of the same length or a greater one. */
export type CopyNumbers = (room: Float32Array, values: Float32Array) => void;

/** @param copy Where the platform has a faster one than the language for what will be copied. */
export function createNumberStore(copy: CopyNumbers = (room, values) => room.set(values)): NumberStore {
  const kernel = startKernel<Kernel>(kernelBase64);
  return kernel === undefined ? createPlainStore() : simdStore(kernel, copy);
}

function simdStore({ memory, base, allFinite }: Kernel, copy: CopyNumbers): NumberStore {
  const start = base.value;
  let [rooms, end] = [start, start];
  return {
    copy(arrays, lengths = []) {
      const total = (sum: number, length: number) => sum + padded(length);
      rooms = arrays.map(({ length }) => length).reduce(total, start);
      end = lengths.reduce(total, rooms);
      growTo(memory, end);
      let at = start;
      const take = (length: number): Float32Array => {
        const room = new Float32Array(memory.buffer, at, length);
        new Float32Array(memory.buffer, at + 4 * length, padded(length) / 4 - length).fill(0);
        at += padded(length);
        return room;
      };
      const copies = arrays.map((values) => {
        const room = take(values.length);
        copy(room, values);
        return room;
      });
      return { copies, rooms: lengths.map(take) };
    },
    copiesAreFinite: () => allFinite(start, rooms) === 1,
    roomsAreFinite: () => allFinite(rooms, end) === 1,
  };
}

/** Number by number. */
export function createPlainStore(): NumberStore {
  let held: Held = { copies: [], rooms: [] };
  return {
    copy(arrays, lengths = []) {
      held = {
        copies: arrays.map((values) => Float32Array.from(values)),
        rooms: lengths.map((length) => new Float32Array(length)),
      };
      return held;
    },
    copiesAreFinite: () => held.copies.every(areFinite),
    roomsAreFinite: () => held.rooms.every(areFinite),
  };
}

/** Whether an array holds neither NaN nor infinity. */
export function areFinite(values: Float32Array): boolean {
  // x - x is 0 for every finite number and NaN for all others.
  return values.every((value) => value - value === 0);
}
