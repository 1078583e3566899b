/** Run folders and checkpoints: what opens, what is refused, and that damage is named. */
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readSafetensors } from '../../export/safetensors.ts';
import { DataError, TrainingError, UsageError } from '../../models/errors.ts';
import { type Checkpoint, readCheckpoint, writeCheckpoint } from '../../train/checkpoint.ts';
import type { TrainingConfig } from '../../train/config.ts';
import { configHash } from '../../train/config-identity.ts';
import { initialProgress } from '../../train/loop.ts';
import { openRun, readMetrics, readRun, runPaths, writeMetrics } from '../../train/run-folder.ts';
import { initialState } from '../../train/train.ts';
import { smallConfig, temporaryFolder } from './fixtures.ts';

const config = smallConfig();

const checkpointAt = (step: number, of: TrainingConfig = config): Checkpoint => ({
  step,
  state: initialState(of),
  progress: { ...initialProgress, firstLoss: 0.1 + 0.2 },
  engine: 'tfjs',
  device: 'cpu',
  adapter: null,
  runtime: 'tfjs 4.22.0',
});

const row = (step: number) => ({
  step,
  loss: 1 / step,
  count: 4,
  learningRate: 0.1,
  gradientNorm: 2,
  seconds: step / 3,
});

/** A run with a checkpoint at this step and metrics up to `lastRow`. */
function makeRun({ step = 20, lastRow = 20, of = config } = {}): string {
  const folder = join(temporaryFolder(), 'run');
  const { paths } = openRun({ folder, config: of, resume: false });
  writeMetrics(paths.metrics, [4, 8, 12, 16, 20, 24].filter((at) => at <= lastRow).map(row));
  writeCheckpoint(paths.checkpoint, of, checkpointAt(step, of), 0);
  return folder;
}

describe('opening', () => {
  test('a new folder, and those above it, with the configuration in it', () => {
    const folder = join(temporaryFolder(), 'a', 'b');
    const run = openRun({ folder, config, resume: false });
    expect(run).toMatchObject({ checkpoint: null, metrics: [], isFinished: false });
    expect(JSON.parse(readFileSync(run.paths.config, 'utf8'))).toEqual(config);
    expect(readRun(folder)).toMatchObject({ config, checkpoint: null, metrics: [] });
  });

  test('resuming where nothing is yet begins', () => {
    const folder = join(temporaryFolder(), 'new');
    expect(openRun({ folder, config, resume: true }).checkpoint).toBeNull();
  });

  test('what a killed process left behind is cleared away', () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'config.json.4711.tmp'), '{"sche');
    openRun({ folder, config, resume: false });
    expect(readdirSync(folder)).toEqual(['config.json']);
  });

  test('a run, to continue it', () => {
    const run = openRun({ folder: makeRun(), config, resume: true });
    expect(run.checkpoint).toEqual(checkpointAt(20));
    expect(run.metrics.map(({ step }) => step)).toEqual([4, 8, 12, 16, 20]);
  });

  test('a run, with the configuration it has', () => {
    expect(openRun({ folder: makeRun(), resume: true }).config).toEqual(config);
  });

  test('rows beyond the checkpoint are dropped: they were written just before a kill', () => {
    expect(readRun(makeRun({ step: 20, lastRow: 24 })).metrics.at(-1)!.step).toBe(20);
  });

  test('a run on another device, with more rows: the configuration on disk follows', () => {
    const folder = makeRun();
    const changed = { ...config, device: 'wasm', logEvery: 2 } as const;
    expect(openRun({ folder, config: changed, resume: true }).config).toEqual(changed);
    expect(readRun(folder).config).toEqual(changed);
  });

  const refused: [what: string, open: () => unknown, message: RegExp][] = [
    ['a run that is not to be resumed', () => openRun({ folder: makeRun(), config, resume: false }), /Add --resume/],
    [
      'another run',
      () => openRun({ folder: makeRun(), config: smallConfig({ seed: 8, batch: 3 }), resume: true }),
      /expected the configuration of the run that is there, got a run that differs in batch \(\d+ there, 3 here\), seed \(\d+ there, 8 here\)\. Choose another folder, or continue the run as it is: icl train \S+config\.json --out \S+ --resume\.$/,
    ],
    [
      'another run, not to be resumed',
      () => openRun({ folder: makeRun(), config: smallConfig({ seed: 8 }), resume: false }),
      /expected a new folder, got a run that differs in seed/,
    ],
    ['more steps, when the schedule depends on them', () => extend(config, 50), /differs in steps/],
    ['fewer steps than are done', () => extend(constant, 10), /expected 20 or more: the run has done them, got 10/],
    ['nothing to resume', () => openRun({ folder: '/nonexistent/run', resume: true }), /expected a run to resume/],
    [
      'a folder with something else in it',
      () => {
        const folder = temporaryFolder();
        writeFileSync(join(folder, 'thesis.tex'), '');
        return openRun({ folder, config, resume: false });
      },
      /got a folder with thesis\.tex and no config\.json\. Choose another folder/,
    ],
    [
      'a file',
      () => {
        const path = join(temporaryFolder(), 'file');
        writeFileSync(path, '');
        return openRun({ folder: path, config, resume: false });
      },
      /or one that holds a run, got a file/,
    ],
  ];
  const constant = smallConfig({ schedule: { name: 'constant' } });
  const extend = (of: TrainingConfig, steps: number) =>
    openRun({ folder: makeRun({ of }), config: { ...of, steps }, resume: true });

  test.each(refused)('not %s', (_what, open, message) => {
    expect(open).toThrow(UsageError);
    expect(open).toThrow(message);
  });

  test('more steps under a constant schedule', () => {
    expect(extend(constant, 50)).toMatchObject({ isFinished: false, config: { steps: 50 } });
  });

  test.skipIf(process.platform !== 'linux')('where no folder can be created, and it says so at once', () => {
    const open = () => openRun({ folder: '/proc/icl/run', config, resume: false });
    expect(open).toThrow(/^\/proc\/icl\/run: expected a folder that can be created/);
  });

  test('below something that is not a folder', () => {
    const path = join(temporaryFolder(), 'file');
    writeFileSync(path, '');
    expect(() => openRun({ folder: join(path, 'run'), config, resume: false })).toThrow(DataError);
  });

  test.skipIf(process.getuid?.() === 0)('not a folder without write permission', () => {
    const folder = join(temporaryFolder(), 'locked');
    mkdirSync(folder);
    chmodSync(folder, 0o500);
    expect(() => openRun({ folder, config, resume: false })).toThrow('got a folder without write permission');
    chmodSync(folder, 0o700);
  });
});

describe('damage', () => {
  const damaged = (file: 'config' | 'metrics' | 'checkpoint', content: string | Uint8Array) => () => {
    const folder = makeRun();
    writeFileSync(runPaths(folder)[file], content);
    return readRun(folder);
  };
  const cases: [what: string, read: () => unknown, message: RegExp][] = [
    ['config.json that is not JSON', damaged('config', '{'), /config\.json: expected JSON, got "\{"/],
    ['an empty config.json', damaged('config', ''), /config\.json: expected JSON, got nothing/],
    ['half a row', damaged('metrics', '{"step":1,"loss":2}\n{"ste'), /metrics\.jsonl: line 2: expected JSON/],
    ['a row without a loss', damaged('metrics', '{"step":1}\n'), /line 1: expected an object with step and loss/],
    ['a checkpoint that is none', damaged('checkpoint', 'hello'), /checkpoint\.safetensors/],
    ['an empty checkpoint', damaged('checkpoint', ''), /checkpoint\.safetensors/],
  ];
  test.each(cases)('%s', (_what, read, message) => {
    expect(read).toThrow(DataError);
    expect(read).toThrow(message);
  });

  test('a config.json with an unknown key', () => {
    expect(damaged('config', JSON.stringify({ ...config, stps: 3 }))).toThrow('Did you mean steps?');
  });

  test('a truncated checkpoint', () => {
    const folder = makeRun();
    const { checkpoint } = runPaths(folder);
    const bytes = readFileSync(checkpoint);
    for (const length of [7, 100, bytes.length - 1]) {
      writeFileSync(checkpoint, bytes.subarray(0, length));
      expect(() => readRun(folder)).toThrow(DataError);
    }
  });

  test('a folder that is no run', () => {
    expect(() => readRun(temporaryFolder())).toThrow(
      /expected a run: a folder with a config\.json, got an empty folder/,
    );
    expect(() => readRun('/nonexistent')).toThrow('got nothing there');
  });
});

describe('checkpoints', () => {
  const path = () => join(temporaryFolder(), 'checkpoint.safetensors');

  test('read what was written', () => {
    const file = path();
    writeCheckpoint(file, config, checkpointAt(12), 0);
    expect(readCheckpoint(file, config)).toEqual(checkpointAt(12));
  });

  test('hold everything a reader of another language needs', () => {
    const file = path();
    writeCheckpoint(file, config, checkpointAt(12), 0);
    const { tensors, metadata } = readSafetensors(file, readFileSync(file));
    expect(Object.keys(tensors).sort()).toEqual([
      'optimizer/firstMoment/key_query',
      'optimizer/firstMoment/projection_value',
      'optimizer/secondMoment/key_query',
      'optimizer/secondMoment/projection_value',
      'parameters/key_query',
      'parameters/projection_value',
    ]);
    expect(metadata).toMatchObject({
      'icl.schema': '1',
      'icl.step': '12',
      'icl.config_hash': configHash(config),
      'icl.generator': '{"prompt":192,"seed":7,"stream":0}',
      'icl.device': 'cpu',
    });
  });

  test('of another run are refused', () => {
    const file = path();
    writeCheckpoint(file, config, checkpointAt(12), 0);
    const read = () => readCheckpoint(file, smallConfig({ seed: 8 }));
    expect(read).toThrow(DataError);
    expect(read).toThrow(/expected a checkpoint of this run's config\.json \(hash \w{12}\), got one of another config/);
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY])('are never written with %f in them', (bad) => {
    const file = path();
    writeCheckpoint(file, config, checkpointAt(12), 0);
    const before = readFileSync(file);
    for (const group of ['parameters', 'optimizer'] as const) {
      const checkpoint = checkpointAt(16);
      const { state } = checkpoint;
      (group === 'parameters' ? state.parameters : state.optimizer['secondMoment']!)['key_query']![3] = bad;
      const write = () => writeCheckpoint(file, config, checkpoint, 12);
      expect(write).toThrow(TrainingError);
      expect(write).toThrow(
        /^step 16: .*key_query: expected finite numbers, got .* The checkpoint of step 12 is kept\./,
      );
    }
    expect(readFileSync(file).equals(before)).toBe(true);
    expect(existsSync(file)).toBe(true);
  });
});

test('metrics are whole lines', () => {
  const file = join(temporaryFolder(), 'metrics.jsonl');
  writeMetrics(file, []);
  expect(statSync(file).size).toBe(0);
  expect(readMetrics(file)).toEqual([]);
  writeMetrics(file, [row(1), row(3)]);
  expect(readMetrics(file)).toEqual([row(1), row(3)]);
  expect(readFileSync(file, 'utf8').endsWith('}\n')).toBe(true);
});
