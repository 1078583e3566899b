/** All studies in turn and the results page, on studies that compute nothing. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { UsageError } from '../../models/errors.ts';
import { boundClaim, statisticalClaim } from '../../studies/claims.ts';
import { chooseFigures } from '../../studies/figure-choice.ts';
import { isReproduced, type Outcome, reproduceAll } from '../../studies/reproduce-all.ts';
import { unexplained, writeResults } from '../../studies/results.ts';
import type { Claim, ReproduceOptions, ReproduceResult, ReproducibleStudy } from '../../studies/study.ts';
import { zhang2023 } from '../../studies/zhang2023.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'icl-all-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const figures = [
  { name: 'small', title: 'Small', description: 'quick to draw' },
  { name: 'large', title: 'Large', description: 'slow to draw', isExtra: true },
] as const;

/** What was asked of the studies, in order. */
const asked: { name: string; options: ReproduceOptions }[] = [];

/** A study whose reproduction writes one figure and says `claims`; or fails with them. */
function toy(name: string, minutes: number, claims: readonly Claim[] | Error): ReproducibleStudy {
  const study: ReproducibleStudy = {
    ...zhang2023,
    name,
    figures,
    leadFigure: 'small',
    cost: {
      quick: { flops: 5e10, memory: 7e8, minutes },
      full: { flops: 2e15, memory: 4e9, minutes: 600, note: 'GPU' },
    },
    async reproduce(options): Promise<ReproduceResult> {
      asked.push({ name, options });
      for (const fraction of [0, 0.5, 1]) options.onProgress?.({ fraction, detail: 'drawing' });
      if (claims instanceof Error) throw claims;
      const path = join(options.folder, 'figures', 'small.svg');
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, `<svg>${name}</svg>`);
      const drawn = [{ ...figures[0], caption: 'What is seen.', path, command: `icl reproduce ${name} small` }];
      const told = {
        seed: options.seed,
        command: `icl reproduce ${name} all`,
        versions: { node: '20' },
        seconds: 3,
        reusedModels: 2,
      };
      return { study, ...told, rows: [], claims, figures: drawn, omitted: [], files: [path], report: 'report.html' };
    },
  };
  return study;
}

const holding = boundClaim('a | b', { measured: 1, limit: 2, shown: '2' });
const flagged = statisticalClaim('risk', [{ label: '', theory: 1, measured: 2, standardError: 0.1 }]);
const explained = { ...flagged, explanation: 'the formula has first order only' };

async function collect(
  studies: readonly ReproducibleStudy[],
  onProgress: (fraction: number) => void = () => {},
  signal?: AbortSignal,
) {
  asked.length = 0;
  const outcomes: Outcome[] = [];
  const all = reproduceAll(studies, {
    ...{ isQuick: true, seed: 5, folder, device: 'cpu', verifyProviders: [] },
    ...(signal === undefined ? {} : { signal }),
    onProgress: ({ fraction }) => onProgress(fraction),
  });
  for await (const outcome of all) outcomes.push(outcome);
  return outcomes;
}

describe('reproduceAll', () => {
  it('does one study after the other, each in its own folder with all figures, and goes on after one that fails', async () => {
    const fractions: number[] = [];
    const studies = [toy('one', 3, [holding]), toy('two', 1, new Error('broken')), toy('three', 4, [flagged])];
    const outcomes = await collect(studies, (fraction) => fractions.push(fraction));
    expect(outcomes.map((outcome) => [outcome.study.name, isReproduced(outcome)])).toEqual([
      ['one', true],
      ['two', false],
      ['three', true],
    ]);
    expect(asked.map(({ options }) => options.folder)).toEqual(
      ['one', 'two', 'three'].map((name) => join(folder, name)),
    );
    expect(asked.every(({ options }) => options.figure === 'all' && options.seed === 5 && options.isQuick)).toBe(true);
    // 3, 1 and 4 of 8 minutes.
    expect(fractions).toEqual([0, 0.1875, 0.375, 0.375, 0.4375, 0.5, 0.5, 0.75, 1]);
  });

  it('stops when it is told to, even if a study takes that for a failure', async () => {
    const controller = new AbortController();
    const stops = { ...toy('stops', 1, []), reproduce: () => Promise.reject(new Error('stopped')) };
    controller.abort(new Error('enough'));
    await expect(collect([stops, toy('next', 1, [])], undefined, controller.signal)).rejects.toThrow('enough');
    expect(asked).toEqual([]);
  });
});

describe('the results page', () => {
  it('has of every study the leading figure, the claims and what it costs', async () => {
    const outcomes = await collect([toy('one', 3, [holding, explained]), toy('two', 1, new Error('broken'))]);
    const path = join(folder, 'docs', 'results.md');
    const files = writeResults({ path, command: 'icl reproduce all --quick', outcomes });
    expect(files).toEqual([join(folder, 'docs', 'results', 'one-small.svg'), path]);
    expect(readFileSync(files[0]!, 'utf8')).toBe('<svg>one</svg>');
    const page = readFileSync(path, 'utf8');
    expect(page).toContain('Written by `icl reproduce all --quick`');
    expect(page).toContain('1 of 2 claims hold');
    expect(page).toContain('![Small](results/one-small.svg)');
    expect(page).toContain('| a \\| b | – | 1 | – | – | within 2 |');
    expect(page).toContain('*the formula has first order only* | 1 | 2 | 0.1 | 10.0 | ⚑ differs by more than 4');
    expect(page).toContain('| full | `icl reproduce one all` | 2·10^15 | 4 GB | 600 | GPU |');
    expect(page).toContain(
      'Seed 5, 3 s (without the training of 2 models, done before). All of it again: `icl reproduce one all`. Other figures: `large`.',
    );
    expect(page).toContain('⚑ Could not be reproduced: broken');
    // A table row each has as many cells as its head.
    for (const table of page.matchAll(/(^\|.*\n)+/gm)) {
      const widths = table[0].trim().split('\n').map((line) => line.replaceAll('\\|', '').split('|').length); // biome-ignore format: short
      expect(new Set(widths).size).toBe(1);
    }
    expect(existsSync(join(folder, 'docs', 'results', 'two-small.svg'))).toBe(false);
  });

  it('counts the claims that do not hold and do not say why', async () => {
    expect(unexplained(await collect([toy('one', 1, [holding, flagged, explained])]))).toBe(1);
  });
});

describe('chooseFigures', () => {
  const study = { name: 'toy', figures };
  it.each([
    [undefined, true, ['small'], ['large']],
    [undefined, false, ['small', 'large'], []],
    ['all', true, ['small', 'large'], []],
    ['large', true, ['large'], []],
    ['small', false, ['small'], []],
  ] as const)('%s, quick %s', (figure, isQuick, drawn, omitted) => {
    const choice = chooseFigures(study, { figure, isQuick });
    expect(figures.map(({ name }) => name).filter((name) => choice.wants(name))).toEqual(drawn);
    expect(choice.wants('small', 'large')).toBe(true);
    expect(choice.omitted.map(({ name }) => name)).toEqual(omitted);
  });

  it('knows the names', () => {
    expect(() => chooseFigures(study, { figure: 'larg', isQuick: true })).toThrow(UsageError);
    expect(() => chooseFigures(study, { figure: 'larg', isQuick: true })).toThrow(/Did you mean large\?/);
  });
});
