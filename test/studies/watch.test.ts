/** What is watched along a training, against numbers that do not come from the watch. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { configOf, withOverrides } from '../../studies/configuration.ts';
import { definitions, studyIn } from '../../studies/definitions.ts';
import { parseSettings } from '../../studies/settings.ts';
import { relativeDistance, watchOf } from '../../studies/watch.ts';
import { finalLoss } from '../../train/metrics.ts';
import { readRun } from '../../train/run-folder.ts';
import { initialState, train } from '../../train/train.ts';

const configure = (name: string, set: string, overrides: Parameters<typeof withOverrides>[2] = {}) => {
  const study = studyIn(definitions, name);
  return withOverrides('test', configOf(study, parseSettings(study, [set]), {}, {}), { seed: 1, ...overrides });
};

describe.each([
  ['zhang2023', 'd=3,N=15,covariance=[2,1,.5]', { steps: 600, batch: 128 }, 0.05],
  ['shen2024', 'd=2,N=20', { steps: 1500, batch: 256 }, 0.1],
  ['ding2025', 'd=1,n=40', { steps: 800, batch: 256 }, 0.06],
] as const)('%s', (name, set, overrides, tolerance) => {
  test('training moves the matrix to its limit and the loss to its minimum', { timeout: 60_000 }, async () => {
    const config = configure(name, set, { ...overrides, device: 'cpu' });
    const watch = watchOf(config);
    const folder = mkdtempSync(join(tmpdir(), 'icl-watch-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const { parameters, steps } = await train({ folder: join(folder, 'run'), config });
    const limit = watch.matrix!.limit;
    const before = watch.look(0, initialState(config).parameters);
    const after = watch.look(steps, parameters);
    expect(relativeDistance(before.matrix!, limit)).toBeGreaterThan(0.5);
    expect(relativeDistance(after.matrix!, limit)).toBeLessThan(tolerance);
    const minimum = watch.loss!.minimum!;
    const loss = finalLoss(readRun(join(folder, 'run')).metrics, steps);
    // A mean over some 8,000 prompts whose squared errors vary by several times their mean: a standard error of 6 %.
    expect(Math.abs(loss / minimum - 1)).toBeLessThan(0.2);
    if (after.exactLoss !== null) {
      expect(after.exactLoss / minimum).toBeGreaterThanOrEqual(1);
      expect(after.exactLoss / minimum).toBeLessThan(1.01);
    }
  });
});

test('huang2023: attention begins at the features’ probabilities, on the curves of exact descent', () => {
  const watch = watchOf(configure('huang2023', 'K=4,N=200,p1=0.7,features=basis', { steps: 300 }));
  const { tracks, exactLoss, matrix } = watch.look(0, { key_query: new Float32Array(16) });
  // Uniform attention: each feature gets its share of the pairs, whoever asks.
  expect(tracks[0]).toBeCloseTo(0.1, 12);
  expect(tracks[1]).toBeCloseTo(0.7, 12);
  expect(tracks[2]).toBeCloseTo(0.7, 12);
  expect(matrix![0]).toEqual(matrix![0]!.map(() => expect.closeTo(0.7, 12)));
  const first = watch.tracks!.series.map(({ theory }) => theory[0]!);
  expect(first.every(({ x }) => x === 1)).toBe(true);
  expect(watch.tracks!.ranges.map(({ label }) => label)).toEqual(['I', 'II', 'III', 'IV']);
  expect(watch.loss!.curve[0]!.y).toBeLessThan(exactLoss!);
  expect(watch.loss!.curve.at(-1)!.y).toBeGreaterThan(watch.loss!.minimum!);
});

test('where no theorem is about a training, it says so', () => {
  for (const set of ['form=transformer', 'S=3', 'L=2', 'groups=2']) {
    const watch = watchOf(configure('ding2025', set));
    expect([watch.loss, watch.matrix, watch.tracks]).toEqual([null, null, null]);
    expect(watch.remark).toMatch(/none/);
  }
  expect(watchOf(configure('huang2023', 'features=gaussian,K=3', { steps: 10 })).remark).toMatch(/orthonormal/);
  expect(watchOf(configure('huang2023', 'K=3', { steps: 10, optimizer: 'adam' })).remark).toMatch(
    /plain gradient descent/,
  );
});
