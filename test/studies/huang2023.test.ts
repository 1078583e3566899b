/** The whole of huang2023 at a tiny size: every figure, every claim, rows with the exact risk beside them. */
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { reproduce } from '../../studies/huang2023/experiments.ts';
import { parseDictionary } from '../../studies/huang2023/law.ts';
import { huang2023 } from '../../studies/huang2023.ts';
import { resolveConfig } from '../../studies/pipeline.ts';
import { parseSettings } from '../../studies/settings.ts';

const tiny = { batch: 32, seeds: 1, prompts: 4000, sampledK: [5], sampledSeeds: 5, meanFieldK: [5, 10, 20, 500, 1000] };

const run = (figure: string | undefined, set: string) =>
  reproduce(
    huang2023,
    {
      settings: parseSettings(huang2023, [set]),
      figure,
      isQuick: true,
      seed: 0,
      folder: mkdtempSync(join(tmpdir(), 'icl-huang-')),
      device: 'auto',
      verifyProviders: ['cpu'],
    },
    tiny,
  );

describe('reproducing huang2023', () => {
  it('draws its figures of theory without any model', async () => {
    for (const figure of ['time', 'order']) {
      const result = await run(figure, 'K=20');
      expect(result.rows).toEqual([]);
      expect(result.figures.map(({ name }) => name)).toEqual([figure]);
      expect(result.claims.filter(({ holds }) => !holds)).toEqual([]);
      expect(result.claims.length).toBeGreaterThanOrEqual(2);
    }
  });

  it('follows exact descent while it trains, and measures what theory says', async () => {
    const result = await run('shifts', 'K=10,N=100,eta=2');
    const flagged = result.claims.filter(({ holds }) => !holds);
    expect(flagged).toEqual([]);
    const compared = result.claims.filter(({ z }) => z !== null);
    expect(compared.length).toBeGreaterThanOrEqual(5);
    const models = result.rows.filter(({ estimator }) => estimator === 'model');
    expect(models.every(({ theory }) => theory !== null && theory > 0)).toBe(true);
    expect(new Set(models.map(({ shift }) => shift))).toEqual(
      new Set([null, 'feature-probability', 'query-probability', 'response-noise']),
    );
    const figure = result.figures.find(({ name }) => name === 'shifts')!;
    expect(existsSync(figure.path)).toBe(true);
    expect(readFileSync(result.report, 'utf8')).toContain('Other frequencies');
  });

  it('draws balanced features too', async () => {
    const result = await run('attention', 'K=6,N=60,p1=balanced,eta=1');
    expect(result.figures.map(({ name }) => name)).toEqual(['attention']);
    expect(result.claims.filter(({ holds }) => !holds)).toEqual([]);
  });
});

describe('settings', () => {
  it('name a dictionary', () => {
    expect(parseDictionary('x', 'equicorrelated(.3)')).toEqual({ kind: 'equicorrelated', correlation: 0.3 });
    expect(parseDictionary('x', 'basis')).toEqual({ kind: 'basis' });
    for (const text of ['bases', 'equicorrelated', 'basis(2)', 'equicorrelated()']) {
      expect(() => parseDictionary('x', text)).toThrow(/x: expected basis, rotation/);
    }
    expect(() => parseSettings(huang2023, ['K=5,d=4'])).toThrow(/d: expected 5 dimensions or more/);
    expect(() => parseSettings(huang2023, ['p1=1.5'])).toThrow(/a probability between 0 and 1, or balanced/);
  });

  it('descend plainly from Q = 0 at the rate eta', () => {
    const config = resolveConfig(huang2023, parseSettings(huang2023, ['K=10,N=100,eta=1']), {});
    expect(config.optimizer).toEqual({ name: 'sgd', learningRate: 1, momentum: 0 });
    expect(config.initialisation.scheme).toBe('zero');
    expect(config.schedule.name).toBe('constant');
    // One and a half times the mean field's 940 steps to a loss of .01.
    expect(config.steps).toBe(1500);
  });

  it('give theory the events by name', () => {
    const report = huang2023.theory(parseSettings(huang2023, ['K=100,p1=.5,eta=10']));
    expect(report['events']).toEqual({
      leadingInfluenceSwitches: 953,
      dominantSuppressed: 1511,
      logitsSeparate: 2109,
      targetGrown: 2537,
    });
    expect(report['lossBelow']).toEqual({ '0.1': 2577, '0.05': 2701, '0.01': 3308 });
  });
});
