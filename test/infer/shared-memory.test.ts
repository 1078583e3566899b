/** Whether ONNX Runtime takes memory that threads share is found out by trying; whoever refuses is believed. */
import * as ort from 'onnxruntime-node';
import { expect, test } from 'vitest';
import type { OnnxRuntime } from '../../infer/onnxruntime.ts';
import { takesSharedMemory } from '../../infer/shared-memory.ts';

/** The runtime, with another answer to a run. */
const answering = (run: () => Promise<unknown>): OnnxRuntime => ({
  ...ort,
  InferenceSession: {
    create: async () => ({ run, release: async () => {} }),
  } as unknown as OnnxRuntime['InferenceSession'],
});

const y = (...numbers: number[]) => ({ y: { data: Float32Array.from(numbers) } });

test('is true only of a runtime that gives the right numbers', async () => {
  expect(await takesSharedMemory(answering(async () => y(4, 9)))).toBe(true);
  expect(await takesSharedMemory(answering(async () => y(0, 0)))).toBe(false);
  expect(await takesSharedMemory(answering(() => Promise.reject(new Error('Invalid argument'))))).toBe(false);
});

test('is said of the runtime at hand, which refuses such memory before Node 24.9', async () => {
  const [major, minor] = process.versions.node.split('.').map(Number) as [number, number];
  const takesIt = await takesSharedMemory(ort);
  if (major < 22) expect(takesIt).toBe(false);
  if (major > 24 || (major === 24 && minor >= 9)) expect(takesIt).toBe(true);
});
