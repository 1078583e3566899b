/** The study lu2024: its settings, its exact fits, its draws and what they tend to. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { runDraw, runDraws } from '../../studies/lu2024/draws.ts';
import { drawGrid, extrapolate, sizeSeries } from '../../studies/lu2024/grid.ts';
import { actualPhase, finiteSizes } from '../../studies/lu2024/law.ts';
import { lu2024 } from '../../studies/lu2024.ts';
import { resolveRun, trainAndExport } from '../../studies/run-study.ts';
import { parseSettings } from '../../studies/settings.ts';

const folder = mkdtempSync(join(tmpdir(), 'icl-lu2024-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('settings', () => {
  it('answer icl theory, kappa = inf too', () => {
    const theory = (text: string) => lu2024.theory(parseSettings(lu2024, [text]));
    const report = theory('tau=2,alpha=10,kappa=.5,rho=.01,lambda=1e-5');
    expect(report['iclRisk']).toBeCloseTo(0.891, 3);
    expect(report['idgRisk']).toBeCloseTo(0.1124, 4);
    expect(report['trainRisk']).toBeCloseTo(0.0281, 4);
    expect(report['xi']).toBeCloseTo(2e-5, 8);
    const diverse = theory('tau=2,alpha=10,kappa=inf,rho=.01,lambda=1e-5');
    expect(diverse['iclRisk']).toBeCloseTo(0.2035, 4);
  });

  it('become whole numbers, which theory is then asked about', () => {
    const phase = { tau: 2, alpha: 10, kappa: 0.2, rho: 0.01, lambda: 0 };
    expect(finiteSizes(phase, 32)).toEqual({ d: 32, contextLength: 320, contexts: 2048, tasks: 6 });
    expect(actualPhase(phase, 32).kappa).toBe(6 / 32);
    expect(finiteSizes({ ...phase, kappa: Number.POSITIVE_INFINITY }, 32).tasks).toBeNull();
  });

  it('that are impossible say so', () => {
    expect(() => parseSettings(lu2024, ['tau=-1'])).toThrow(/tau/);
    expect(() => parseSettings(lu2024, ['kappa=none'])).toThrow(/a number above 0, or inf/);
    expect(() => parseSettings(lu2024, ['model=softmax9'])).toThrow(/one of reduced/);
    expect(() => lu2024.theory(parseSettings(lu2024, ['tau=1,lambda=0']))).toThrow(/another value than 1/);
  });
});

describe('exact fits', () => {
  it('are run, frozen and verified like any training', async () => {
    const config = resolveRun('lu2024', ['d=10,tau=3,alpha=4'], {});
    const run = await trainAndExport({
      folder: join(folder, 'exact'),
      config,
      resume: false,
      verifyProviders: ['cpu'],
    });
    if (run.interrupted) throw new Error('interrupted');
    expect(run).toMatchObject({ engine: 'exact', device: 'cpu', steps: 1 });
    expect(run.parity.every(({ ok }) => ok)).toBe(true);
    // The same problem by the draws of the figures, at a coarser tolerance.
    const phase = { tau: 3, alpha: 4, kappa: 0.5, rho: 0.01, lambda: 1e-5 };
    const drawn = runDraw({ kind: 'fit', phase, d: 10, seed: 0, design: 'balanced' });
    expect(run.loss).toBeCloseTo(drawn.trainRisk / 2, 7);
    const theory = lu2024.modelTheory(run.frozen);
    const task = run.frozen.metadata.task;
    if (task.name !== 'linear-regression-bank') throw new Error(task.name);
    expect(theory(task, 40, 'squared-error')).toBeCloseTo(drawn.idgRisk, 4);
    expect(theory({ ...task, freshShare: 1 }, 40, 'squared-error')).toBeCloseTo(drawn.iclRisk, 4);
    expect(theory({ ...task, law: 'gaussian' }, 40, 'squared-error')).toBeNull();
    const row = JSON.parse(readFileSync(join(folder, 'exact', 'metrics.jsonl'), 'utf8')) as { loss: number };
    expect(row.loss).toBe(run.loss);

    const again = await trainAndExport({ folder: join(folder, 'exact'), resume: true, verifyProviders: [] });
    expect(again).toMatchObject({ wasFinished: true, engine: 'exact' });
  });

  it('refuse what they cannot do', async () => {
    const exact = (assignments: string[], overrides: object) =>
      trainAndExport({
        folder: join(folder, 'refused'),
        config: resolveRun('lu2024', assignments, overrides),
        resume: false,
        verifyProviders: [],
      });
    await expect(exact(['d=6'], { device: 'webgpu' })).rejects.toThrow(
      /expected cpu, where this model is solved for exactly/,
    );
    await expect(exact(['d=6,model=softmax1'], { engine: 'exact' })).rejects.toThrow(
      /stacked-attention has no exact fit/,
    );
  });

  it('give way to training where an engine is named', async () => {
    const overrides = { engine: 'onnx', steps: 3, learningRate: 1e-3 };
    const config = resolveRun('lu2024', ['d=6,tau=1.5,alpha=2'], overrides);
    const run = await trainAndExport({ folder: join(folder, 'trained'), config, resume: false, verifyProviders: [] });
    expect(run).toMatchObject({ engine: 'onnx', steps: 3 });
  });
});

describe('draws', () => {
  it('do not depend on how they are shared out', async () => {
    const phase = { tau: 2, alpha: 5, kappa: 1, rho: 0.1, lambda: 1e-3 };
    const jobs = [1, 2, 3].map((seed) => ({ kind: 'fit' as const, phase, d: 10, seed, design: 'uniform' as const }));
    const together = await runDraws(jobs);
    expect(together[2]).toEqual(runDraw(jobs[2]!));
    const stopped = runDraws(jobs, { signal: AbortSignal.abort(new Error('stop')) });
    await expect(stopped).rejects.toThrow('stop');
  });

  it('tend to the asymptotic theory as 1/d', async () => {
    const phase = { tau: 2, alpha: 10, kappa: 0.5, rho: 0.01, lambda: 1e-5 };
    const points = [16, 20, 28].map((d) => ({ phase, d, draws: 20 }));
    const { limits } = sizeSeries('', await drawGrid(points, { seed: 3, design: 'balanced' }));
    for (const { mean, standardError, theory } of Object.values(limits)) {
      // Small d: terms of order 1/d^2 take part, hence the 3 % beside the standard errors.
      expect(Math.abs(mean - theory)).toBeLessThan(3 * standardError + 0.03 * theory);
    }
  });

  it('of Bayes with the bank err by the noise on known tasks and by the bank on fresh ones', () => {
    const phase = { tau: 1, alpha: 10, kappa: 1, rho: 0.01, lambda: 0 };
    const { idgRisk, iclRisk } = runDraw({ kind: 'dmmse', phase, d: 16, seed: 1, design: 'balanced', prompts: 60 });
    expect(idgRisk).toBeCloseTo(0.01, 4);
    expect(iclRisk).toBeGreaterThan(0.6);
  });

  it('are extrapolated by weighted least squares', () => {
    const exact = [10, 20, 50].map((d) => ({ d, estimate: { mean: 2 + 3 / d, standardError: 0.1 * d } }));
    const { mean, slope } = extrapolate(exact);
    expect(mean).toBeCloseTo(2, 10);
    expect(slope).toBeCloseTo(3, 9);
  });
});
