/** The loop alone, on an engine that computes nothing: who is told what, when, and what a hold leaves as it is. */
import { expect, test } from 'vitest';
import type { Engine } from '../../train/engines.ts';
import { initialProgress, type LoopOptions, runLoop } from '../../train/loop.ts';
import { smallConfig } from './fixtures.ts';

/** Its losses are 1/1, 1/2, 1/3, ..; a report takes a turn of the event loop. `read` counts the reports that were read. */
function countingEngine(pipelineDepth: number) {
  const counts = { started: 0, read: 0 };
  const engine: Engine = {
    ...{ name: 'onnx', device: 'cpu', adapter: null, runtime: 'none', pipelineDepth },
    scalars: () => ({}),
    step() {
      counts.started += 1;
      const loss = 1 / counts.started;
      return {
        async read() {
          await new Promise((resolve) => setTimeout(resolve, 0));
          counts.read += 1;
          return { loss, gradientNorm: 0 };
        },
      };
    },
    readState: async () => ({ parameters: {}, optimizer: {} }),
    loadState: () => {},
    tensorCount: () => 0,
    dispose: () => {},
  };
  return { engine, counts };
}

const start = { step: 0, progress: initialProgress, metrics: [] };
const config = smallConfig({ steps: 12, logEvery: 4, checkpointEvery: 100 });
const save = async () => {};

const run = async (pipelineDepth: number, options: Partial<LoopOptions> = {}) => {
  const { engine, counts } = countingEngine(pipelineDepth);
  return { ...(await runLoop({ config, engine, start, save, ...options })), counts };
};

test.each([0, 3])('every step is told once and in order, %i steps ahead', async (pipelineDepth) => {
  const told: number[] = [];
  const losses: number[] = [];
  await run(pipelineDepth, {
    onStep: ({ step, loss }) => {
      told.push(step);
      losses.push(loss);
    },
  });
  expect(told).toEqual(Array.from({ length: 12 }, (_, i) => i + 1));
  expect(losses).toEqual(told.map((step) => 1 / step));
});

test.each([0, 3])(
  'a hold comes when all steps so far are read, and changes no number, %i steps ahead',
  async (pipelineDepth) => {
    const { engine, counts } = countingEngine(pipelineDepth);
    const asked: number[] = [];
    const held: (readonly [number, number, number])[] = [];
    const { metrics, seconds } = await runLoop({
      ...{ config, engine, start, save },
      betweenSteps: (started, rows) => {
        asked.push(started);
        if (started % 5 !== 0) return undefined;
        return async () => {
          held.push([started, counts.read, rows.length]);
          await new Promise((resolve) => setTimeout(resolve, 300));
        };
      },
    });
    expect(asked).toEqual(Array.from({ length: 13 }, (_, i) => i));
    expect(held).toEqual([
      [0, 0, 0],
      [5, 5, 1],
      [10, 10, 2],
    ]);
    const losses = (rows: readonly { readonly loss: number }[]) => rows.map(({ loss }) => loss);
    expect(losses(metrics)).toEqual(losses((await run(pipelineDepth)).metrics));
    // Three holds of 0.3 s are no training time.
    expect(seconds).toBeLessThan(0.8);
  },
);

test('an abort during a hold ends the run there', async () => {
  const controller = new AbortController();
  const { step, interrupted, counts } = await run(0, {
    signal: controller.signal,
    betweenSteps: (started) => (started === 7 ? async () => controller.abort() : undefined),
  });
  expect({ step, interrupted, started: counts.started }).toEqual({ step: 7, interrupted: true, started: 7 });
});
