import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { shiftNamed } from '../../models/shifts/index.ts';
import { matrixRisks } from '../../models/theory/shen2024.ts';
import { resolveConfig } from '../../studies/pipeline.ts';
import { parseSettings } from '../../studies/settings.ts';
import { descentTheory, distanceTo } from '../../studies/shen2024/descent.ts';
import { reproduce, type Size } from '../../studies/shen2024/experiments.ts';
import { limitRisks, scaleOf, settingOf, taskOf } from '../../studies/shen2024/law.ts';
import { shen2024 } from '../../studies/shen2024.ts';
import { allFigures, type ReproduceResult } from '../../studies/study.ts';

const settingsOf = (...texts: string[]) => parseSettings(shen2024, texts);
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'icl-study-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('settings and theory', () => {
  it('has the paper’s symbols, M following N', () => {
    expect(settingsOf('N=40')).toEqual({ d: 10, c: 2, r: 2, N: 40, M: 40, covariance: 'identity' });
    expect(() => settingsOf('c=1')).toThrow(/2 or more/);
    expect(() => settingsOf('r=0')).toThrow(/norm above 0/);
  });

  it('gives w_N', () => {
    // Simulated by an independent program, with an error of some 0.005.
    expect(shen2024.theory(settingsOf('d=20,c=2,r=2,N=100'))['wN']).toBeCloseTo(1.735, 2);
  });
});

describe('risks of a matrix', () => {
  it.each([
    ['c=2', 'class-prior', 0.3],
    ['c=2', 'scale-mixture', 0.75],
    ['c=3', 'covariance-factor', 2],
  ] as const)('of w Lambda^-1 are those of the limit, %s, %s %d', (text, shift, level) => {
    const task = taskOf(settingsOf(`d=3,${text},r=1.5,covariance=[2,1,.5]`));
    const test = shiftNamed(shift).apply(task, level);
    const [N, M] = [20, 30];
    const w = scaleOf(settingOf(task), N).mean;
    const matrix = [w / 2, 0, 0, 0, w, 0, 0, 0, 2 * w];
    const own = matrixRisks({ matrix, task: test, contextLength: M });
    const limit = limitRisks(task, N, test, M);
    for (const name of ['totalVariation', 'crossEntropy', 'accuracy'] as const) {
      const error = Math.hypot(own[name].standardError, limit[name].standardError);
      expect(Math.abs(own[name].mean - limit[name].mean), name).toBeLessThan(5 * error + 1e-4);
      expect(error / own[name].mean, name).toBeLessThan(0.02);
    }
  });
});

describe('descent on a set of prompts', () => {
  it('ends at a point of zero gradient', () => {
    const config = resolveConfig(shen2024, settingsOf('d=2,N=6,r=1'), { batch: 500, trainingPrompts: 500, seed: 4 });
    const { optimum, least, largest } = descentTheory(config);
    expect(least).toBeGreaterThan(0);
    expect(largest).toBeGreaterThan(least);
    expect(distanceTo(optimum, optimum)).toBe(0);
    // Prompts are many: the optimum is near w_N I.
    const w = scaleOf({ dimension: 2, classes: 2, radius: 1 }, 6).mean;
    expect(distanceTo(optimum, [w, 0, 0, w]) / w).toBeLessThan(1);
  });
});

const tiny: Size = {
  lengthFactors: [0.5, 1],
  classes: [2, 3],
  seeds: 1,
  steps: 150,
  batch: 256,
  lengths: [4, 20, 60],
  prompts: 400,
  baselinePrompts: 60,
  descentPrompts: 512,
  depthSteps: 10,
  verification: { batches: [1] },
};

describe('reproduction in small', () => {
  let result: ReproduceResult;
  beforeAll(async () => {
    const options = {
      settings: settingsOf('d=3,N=20,r=1.5'),
      figure: allFigures,
      isQuick: true,
      seed: 0,
      folder,
      device: 'auto',
      verifyProviders: ['cpu'],
    } as const;
    result = await reproduce(shen2024, options, tiny);
  }, 120_000);

  it('draws every figure', () => {
    expect(result.figures.map(({ name }) => name)).toEqual(shen2024.figures.map(({ name }) => name));
    for (const { path } of result.figures) expect(readFileSync(path, 'utf8')).not.toMatch(/NaN|undefined/);
  });

  it('agrees with the law of its own matrices, and descends as predicted', () => {
    const about = (words: string) => result.claims.filter(({ statement }) => statement.includes(words));
    expect(about('by the trained W').length).toBe(9);
    for (const claim of [...about('by the trained W'), ...about('contraction')]) {
      expect(claim.holds, `${claim.statement}: ${claim.measured} beside ${claim.theory}, z = ${claim.z}`).toBe(true);
    }
  });
});
