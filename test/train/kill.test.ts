/** A run that is killed again and again ends with the bytes of one that never was. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { TrainingConfig } from '../../train/config.ts';
import { readRun, runPaths } from '../../train/run-folder.ts';
import { smallConfig, temporaryFolder } from './fixtures.ts';

const program = fileURLToPath(new URL('train-process.mjs', import.meta.url));

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly output: string;
  readonly errors: string;
}

interface Started {
  readonly child: ChildProcess;
  /** When steps are under way; also when the process has ended before that. */
  readonly training: Promise<void>;
  readonly ended: Promise<Ended>;
}

function start(folder: string, config: TrainingConfig): Started {
  const child = spawn(process.execPath, [program, folder, JSON.stringify(config)], { stdio: 'pipe' });
  let output = '';
  let errors = '';
  child.stderr.on('data', (chunk) => {
    errors += chunk;
  });
  const ended = new Promise<Ended>((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal, output, errors }));
  });
  const begun = new Promise<void>((resolve) => {
    child.stdout.on('data', (chunk) => {
      output += chunk;
      if (output.includes('training')) resolve();
    });
  });
  return { child, training: Promise.race([begun, ended.then(() => {})]), ended };
}

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

const withoutSeconds = (path: string): unknown[] =>
  readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((line) => ({ ...JSON.parse(line), seconds: undefined }));

const stepOf = (folder: string): number =>
  existsSync(runPaths(folder).checkpoint) ? (readRun(folder).checkpoint?.step ?? 0) : 0;

const where = [
  { engine: 'onnx', device: 'cpu', kills: 20 },
  { engine: 'tfjs', device: 'wasm', kills: 20 },
  { engine: 'tfjs', device: 'cpu', kills: 5 },
] as const;

describe.concurrent.each(where)('$engine on $device', ({ engine, device, kills }) => {
  test(`${kills} kills at random moments change no bit`, { timeout: 600_000 }, async ({ onTestFinished, expect }) => {
    const config = smallConfig({ steps: 1000, batch: 8, checkpointEvery: 7, logEvery: 3, engine, device });
    const parent = temporaryFolder(onTestFinished);
    const [killed, whole] = [join(parent, 'killed'), join(parent, 'whole')];

    let lastStep = 0;
    for (let i = 0; i < kills; i++) {
      const { child, ended } = start(killed, config);
      // One in five is killed while it starts; the others a moment after a checkpoint, and they write those all the time.
      const target = i % 5 === 4 ? 0 : lastStep + config.checkpointEvery * Math.ceil(Math.random() * 5);
      while (stepOf(killed) < target && child.exitCode === null) await pause(3);
      await pause(Math.random() * (target === 0 ? 500 : 20));
      child.kill('SIGKILL');
      const { signal, errors } = await ended;
      expect(errors).toBe('');
      expect(signal, 'killed, not ended').toBe('SIGKILL');
      if (!existsSync(runPaths(killed).config)) continue;
      const { checkpoint, metrics } = readRun(killed);
      const step = checkpoint?.step ?? 0;
      expect(step).toBeGreaterThanOrEqual(target === 0 ? lastStep : target);
      expect(step % config.checkpointEvery).toBe(0);
      expect(metrics.length).toBe(Math.floor(step / config.logEvery));
      lastStep = step;
    }

    const resumed = await start(killed, config).ended;
    expect(resumed.errors).toBe('');
    expect(JSON.parse(resumed.output.trim().split('\n').at(-1)!)).toMatchObject({
      steps: 1000,
      interrupted: false,
      resumedFrom: lastStep,
      engine,
      device,
    });
    const uninterrupted = await start(whole, config).ended;
    expect(uninterrupted.errors).toBe('');
    const bytesOf = (folder: string) => readFileSync(runPaths(folder).checkpoint).toString('hex');
    expect(bytesOf(killed)).toBe(bytesOf(whole));
    expect(withoutSeconds(runPaths(killed).metrics)).toEqual(withoutSeconds(runPaths(whole).metrics));
  });
});

// ONNX Runtime's binding aborts the process if its thread is stopped within a call.
test.each([1, 2])('a process exits in the middle of a step as it is told to: try %i', async () => {
  const model = { name: 'transformer', dimension: 2, options: { layers: 2, width: 32, heads: 2 } };
  const config = smallConfig({ steps: 1000, batch: 256, contextLength: 20, model, engine: 'onnx' });
  const { child, training, ended } = start(join(temporaryFolder(), 'run'), config);
  await training;
  child.kill('SIGTERM');
  const { code, signal, errors } = await ended;
  expect({ code, signal, errors }).toEqual({ code: 3, signal: null, errors: '' });
});

test('SIGINT saves where the run stands, and it continues from there', { timeout: 120_000 }, async () => {
  const folder = join(temporaryFolder(), 'run');
  const config = smallConfig({ steps: 1_000_000, batch: 8, checkpointEvery: 900_000, schedule: { name: 'constant' } });
  const { child, training, ended } = start(folder, config);
  await training;
  child.kill('SIGINT');
  const { code, output, errors } = await ended;
  expect({ code, errors }).toEqual({ code: 0, errors: '' });
  const result = JSON.parse(output.trim().split('\n').at(-1)!);
  expect(result.interrupted).toBe(true);
  expect(result.steps).toBeGreaterThan(0);
  expect(readRun(folder).checkpoint!.step).toBe(result.steps);
});
