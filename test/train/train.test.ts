/** Whole runs of both engines: what is written, how one ends early, continues, or fails. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { probeProvider } from '../../infer/providers.ts';
import { ProviderError, TrainingError, UsageError } from '../../models/errors.ts';
import { probeDevice } from '../../train/engines.ts';
import { keptPaths, readKept, readRun, runPaths } from '../../train/run-folder.ts';
import { loadDevice } from '../../train/tfjs.ts';
import { initialState, type TrainingProgress, train } from '../../train/train.ts';
import {
  smallConfig as configOf,
  referenceLoss,
  type SmallConfig,
  samplePrompts,
  temporaryFolder,
} from './fixtures.ts';

const newFolder = () => join(temporaryFolder(), 'run');

const engines = [
  { engine: 'tfjs', runtime: 'tfjs 4.22.0' },
  { engine: 'onnx', runtime: 'onnxruntime-node 1.30.0' },
] as const;

describe.each(engines)('a run of $engine', ({ engine, runtime }) => {
  const smallConfig = (overrides: SmallConfig = {}) => configOf({ engine, ...overrides });

  test('says what it did, and the folder says the same', async () => {
    const folder = newFolder();
    const config = smallConfig({ steps: 42 });
    const result = await train({ folder, config });
    expect(result).toMatchObject({
      folder,
      steps: 42,
      engine,
      device: 'cpu',
      adapter: null,
      runtime,
      interrupted: false,
      resumedFrom: null,
      wasFinished: false,
    });
    expect(result.config.versions).toMatchObject({ node: process.versions.node, 'icl-onnx': '0.1.0' });
    const run = readRun(folder);
    expect(run.isFinished).toBe(true);
    expect(run.config).toEqual(result.config);
    expect(run.checkpoint!.state.parameters).toEqual(result.parameters);
    expect(run.metrics.map(({ step }) => step)).toEqual([4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 42]);
    expect(run.metrics.map(({ count }) => count)).toEqual([4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 2]);
    expect(run.metrics.at(-1)!.loss).toBe(result.loss);
    expect(existsSync(run.paths.model)).toBe(false);
  });

  test('each row is the mean loss of its batches, before each update', async () => {
    const folder = newFolder();
    // A rate so small that the parameters stay where they began.
    const config = smallConfig({ steps: 4, optimizer: { name: 'sgd', learningRate: 1e-12, momentum: 0 } });
    await train({ folder, config });
    const { parameters } = initialState(config);
    const losses = [0, 1, 2, 3].map((step) => referenceLoss(parameters, samplePrompts(config, 16, step * 16)));
    const mean = losses.reduce((sum, loss) => sum + loss, 0) / 4;
    expect(readRun(folder).metrics[0]!.loss).toBeCloseTo(mean, 6);
  });

  test('reports progress up to the last step', async () => {
    const reports: TrainingProgress[] = [];
    await train({ folder: newFolder(), config: smallConfig(), onProgress: (progress) => reports.push(progress) });
    expect(reports.at(-1)).toMatchObject({ step: 40, steps: 40, secondsLeft: 0 });
    expect(reports.at(-1)!.loss).toBeGreaterThan(0);
    expect(reports.at(-1)!.promptsPerSecond).toBeGreaterThan(0);
  });

  test('is the same twice', async () => {
    const [a, b] = [newFolder(), newFolder()];
    for (const folder of [a, b]) await train({ folder, config: smallConfig() });
    const [bytesA, bytesB] = [a, b].map((folder) => readFileSync(runPaths(folder).checkpoint).toString('hex'));
    expect(bytesA).toBe(bytesB);
  });

  test('depends on its seed', async () => {
    const losses: number[] = [];
    for (const seed of [1, 2]) losses.push((await train({ folder: newFolder(), config: smallConfig({ seed }) })).loss);
    expect(losses[0]).not.toBe(losses[1]);
  });

  test('leaves the event loop room', async () => {
    let longest = 0;
    let last = performance.now();
    const timer = setInterval(() => {
      const now = performance.now();
      longest = Math.max(longest, now - last);
      last = now;
    }, 1);
    await train({ folder: newFolder(), config: smallConfig({ steps: 400, checkpointEvery: 1000 }) });
    clearInterval(timer);
    // Steps of a millisecond or two and a pause at least every 10 ms; the margin is for a busy machine.
    expect(longest).toBeLessThan(500);
  });
});

describe.each(engines)('continuing with $engine', ({ engine }) => {
  const smallConfig = (overrides: SmallConfig = {}) => configOf({ engine, ...overrides });

  /** Interrupts when the run has done about this many steps. */
  async function interruptedRun(folder: string, config = smallConfig(), after = 10) {
    const controller = new AbortController();
    let calls = 0;
    // The signal is asked once per step.
    const signal = new Proxy(controller.signal, {
      get: (target, key) => (key === 'aborted' ? ++calls > after : Reflect.get(target, key)),
    });
    return train({ folder, config, signal });
  }

  test('an interrupted run ends with the bytes of an uninterrupted one', async () => {
    const [whole, parts] = [newFolder(), newFolder()];
    const config = smallConfig();
    await train({ folder: whole, config });
    // 13 is no checkpoint and within a row.
    const first = await interruptedRun(parts, config, 13);
    expect(first).toMatchObject({ steps: 13, interrupted: true, resumedFrom: null });
    expect(readRun(parts).checkpoint!.step).toBe(13);
    const second = await train({ folder: parts, config, resume: true });
    expect(second).toMatchObject({ steps: 40, interrupted: false, resumedFrom: 13 });
    const [bytesWhole, bytesParts] = [whole, parts].map((folder) =>
      readFileSync(runPaths(folder).checkpoint).toString('hex'),
    );
    expect(bytesParts).toBe(bytesWhole);
    const rowsOf = (folder: string) => readRun(folder).metrics.map((row) => ({ ...row, seconds: 0 }));
    expect(rowsOf(parts)).toEqual(rowsOf(whole));
  });

  test('an interrupt before the first step keeps the start', async () => {
    const folder = newFolder();
    expect(await interruptedRun(folder, smallConfig(), 0)).toMatchObject({ steps: 0, interrupted: true });
    expect(readRun(folder)).toMatchObject({ checkpoint: { step: 0 }, metrics: [] });
  });

  test('a finished run has nothing to do and says so', async () => {
    const folder = newFolder();
    const done = await train({ folder, config: smallConfig() });
    const before = readFileSync(runPaths(folder).checkpoint);
    const again = await train({ folder, config: smallConfig(), resume: true });
    expect(again).toMatchObject({ steps: 40, wasFinished: true, resumedFrom: 40, device: 'cpu', engine });
    expect(again.parameters).toEqual(done.parameters);
    expect(again.loss).toBe(done.loss);
    expect(readFileSync(runPaths(folder).checkpoint).equals(before)).toBe(true);
  });

  test('under a constant schedule a finished run can be given more steps, as if it had had them', async () => {
    const [whole, extended] = [newFolder(), newFolder()];
    const long = smallConfig({ schedule: { name: 'constant' }, steps: 60, logEvery: 5 });
    await train({ folder: whole, config: long });
    await train({ folder: extended, config: { ...long, steps: 25 } });
    const result = await train({ folder: extended, config: long, resume: true });
    expect(result).toMatchObject({ steps: 60, resumedFrom: 25 });
    expect(result.parameters).toEqual(readRun(whole).checkpoint!.state.parameters);
  });

  test('without a configuration it takes the one of the run', async () => {
    const folder = newFolder();
    await interruptedRun(folder);
    expect(await train({ folder, resume: true })).toMatchObject({ steps: 40, resumedFrom: 10 });
  });

  test('kept checkpoints are those of a run that ended there, and change nothing', async () => {
    const schedule = { name: 'constant' } as const;
    const [folder, plain, short] = [newFolder(), newFolder(), newFolder()];
    const kept = await train({ folder, config: smallConfig({ schedule }), keepSteps: [0, 7, 40] });
    const config = smallConfig({ schedule });
    expect((await train({ folder: plain, config })).parameters).toEqual(kept.parameters);
    const early = await train({ folder: short, config: smallConfig({ schedule, steps: 7 }) });
    expect(readKept(folder, config, 7).state.parameters).toEqual(early.parameters);
    expect(readKept(folder, config, 0).state.parameters).toEqual(initialState(config).parameters);
    expect(readKept(folder, config, 40).state.parameters).toEqual(kept.parameters);
    expect(keptPaths(folder)).toHaveLength(3);
    expect(() => readKept(folder, config, 8)).toThrow(/checkpoint-8/);
  });

  test('without --resume a run is not touched', async () => {
    const folder = newFolder();
    await train({ folder, config: smallConfig() });
    await expect(train({ folder, config: smallConfig() })).rejects.toThrow(UsageError);
  });
});

describe.each(engines)('failing with $engine', ({ engine }) => {
  const smallConfig = (overrides: SmallConfig = {}) => configOf({ engine, ...overrides });

  test('a rate that is far too high stops the run, names the numbers and keeps the last checkpoint', async () => {
    const folder = newFolder();
    const config = smallConfig({ optimizer: { name: 'sgd', learningRate: 1000, momentum: 0 }, checkpointEvery: 2 });
    const error = await train({ folder, config }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(TrainingError);
    const { message } = error as TrainingError;
    expect(message).toMatch(/learning rate|finite numbers/);
    expect(message).toMatch(/Lower the learning rate or set clipNorm\. The checkpoint of step \d+ is kept\./);
    const kept = Number(/checkpoint of step (\d+)/.exec(message)![1]);
    const { checkpoint } = readRun(folder);
    expect(checkpoint!.step).toBe(kept);
    expect(Object.values(checkpoint!.state.parameters).every((values) => values.every(Number.isFinite))).toBe(true);
  });

  test('Adam at rate 10 stays finite, and is found to diverge', async () => {
    const folder = newFolder();
    const optimizer = { name: 'adam', learningRate: 10, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 } as const;
    const config = smallConfig({ optimizer, steps: 200, schedule: { name: 'constant' }, checkpointEvery: 1000 });
    const error = await train({ folder, config }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(TrainingError);
    expect((error as TrainingError).message).toMatch(
      /^step 20 of 200: expected a loss below \d\S+ \(10 times .*\), got \d\S+ over 20 steps at learning rate 10\. Lower .* of step 0 is kept\.$/,
    );
    expect(readRun(folder).checkpoint!.step).toBe(0);
  });

  test('clipping keeps a step of a high rate within bounds', async () => {
    const config = smallConfig({
      optimizer: { name: 'sgd', learningRate: 1, momentum: 0 },
      schedule: { name: 'constant' },
      clipNorm: 0.01,
      steps: 1,
    });
    const { parameters } = await train({ folder: newFolder(), config });
    const start = initialState(config).parameters;
    const moved = Object.entries(parameters).flatMap(([name, values]) =>
      [...values].map((value, i) => value - start[name]![i]!),
    );
    expect(Math.hypot(...moved)).toBeCloseTo(0.01, 6);
  });
});

test.each([
  { engine: 'tfjs', device: 'tensorflow-gpu', remedy: 'npm run setup:tensorflow-gpu' },
  { engine: 'onnx', device: 'cuda', remedy: 'npm run setup:cuda' },
] as const)('$device that does not work: what installs it, before anything is trained', async (where) => {
  const { engine, device, remedy } = where;
  const folder = newFolder();
  const { available } = device === 'cuda' ? await probeProvider(device) : await probeDevice(device);
  if (available) return; // nothing is missing here
  const error = await train({ folder, config: configOf({ engine, device }) }).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(ProviderError);
  expect((error as ProviderError).message).toContain(remedy);
  expect(existsSync(folder), 'nothing has been written').toBe(false);
});

test.each(['cpu', 'wasm'] as const)('on %s a run leaves no tensor behind', async (device) => {
  const config = configOf({ device });
  const countTensors = async (): Promise<number> => {
    const { tf, release } = await loadDevice(device);
    release();
    return tf.memory().numTensors;
  };
  const before = await countTensors();
  await train({ folder: newFolder(), config });
  expect(await countTensors()).toBe(before);
});
