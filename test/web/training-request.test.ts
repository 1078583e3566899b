/** What the training panel asks for is what the command that it shows asks for, preset by preset. No page is needed. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { resolveRun } from '../../studies/run-study.ts';
import type { TrainingConfig } from '../../train/config.ts';
import { presets } from '../../web/src/panels/training/presets.ts';
import { requestOf, valuesOf } from '../../web/src/panels/training/training-fields.ts';
import { resolveRequest } from '../../web/src/worker/training/request.ts';

const withoutVersions = (config: TrainingConfig) => ({ ...config, versions: {} });

/** The words of a command as a shell takes them apart; the only quotes are those of a whole word. */
const wordsOf = (command: string) =>
  Array.from(command.matchAll(/"([^"]*)"|(\S+)/g), ([, quoted, plain]) => quoted ?? plain!);

describe.each(presets.map((preset) => [preset.id, preset] as const))('preset %s', (_, preset) => {
  const values = { seed: 4, log: false, pause: 0, ...valuesOf(preset) } as Parameters<typeof requestOf>[0];
  const { config, command } = resolveRequest(requestOf(values));

  test('trains for its steps on its study', () => {
    expect(config).toMatchObject({ study: preset.study, steps: preset.steps, batch: preset.batch, seed: 4 });
  });

  test.runIf(preset.variant === 'study')('its command means the same configuration', () => {
    const words = wordsOf(command);
    expect(words.slice(0, 3)).toEqual(['icl', 'train', preset.study]);
    const option = (name: string) => words[words.indexOf(name) + 1]!;
    const number = (name: string) => (words.includes(name) ? Number(option(name)) : undefined);
    const there = resolveRun(preset.study, words.includes('--set') ? [option('--set')] : [], {
      steps: number('--steps'),
      batch: number('--batch'),
      seed: number('--seed'),
      learningRate: number('--learning-rate'),
    });
    expect(withoutVersions(config)).toEqual(withoutVersions(there));
  });

  test('its config.json means the same configuration', () => {
    const folder = mkdtempSync(join(tmpdir(), 'icl-request-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const path = join(folder, 'config.json');
    writeFileSync(path, JSON.stringify(config));
    expect(resolveRun(path, [], {})).toEqual(config);
  });
});

test('what a page cannot hold is refused before anything is allocated', () => {
  const request = requestOf({
    ...{ study: 'zhang2023', set: 'd=1000,N=1000', model: 'study', steps: 1, batch: 100, seed: 0, rate: '' },
    ...{ log: false, pause: 0 },
  });
  expect(() => resolveRequest(request)).toThrow(/at most 8000000 numbers.*smaller batch/);
  expect(() => resolveRequest({ ...request, settings: 'd=3,M0=1' })).toThrow(/M0/);
  expect(() => resolveRequest({ ...request, settings: 'd=3', learningRate: Number.NaN })).toThrow(/learningRate/);
});
