/** `npm run bench`: what it prints. The numbers are nobody's business here: every setting is tiny, and no peer runs. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const program = join(import.meta.dirname, '../../dist/bench/main.js');
const bench = (...words: string[]) => promisify(execFile)(process.execPath, [program, ...words]);

const quick = [
  'lsa-train',
  'multilayer-train',
  'transformer-train',
  'lsa-infer',
  'lsa-infer-alone',
  'length-curve',
  'lsa-infer-queries',
  'transformer-infer',
  'sampler',
  'estimators',
  'estimators-minimum-norm',
  'estimators-ridge',
  'command',
];

test('every benchmark prints one object of the same shape', { timeout: 120_000 }, async () => {
  const { stdout } = await bench('--tiny', '--no-peers', '--json', ...quick);
  const lines = stdout.trim().split('\n');
  expect(lines).toHaveLength(quick.length);
  for (const [i, line] of lines.entries()) {
    const result: Record<string, unknown> = JSON.parse(line);
    expect(Object.keys(result)).toEqual(['name', 'ours', 'peer', 'ratio', 'unit', 'settings']);
    expect(result).toMatchObject({ name: quick[i], peer: null, ratio: null });
    expect(result['ours']).toBeGreaterThan(0);
    expect(result['settings']).toMatchObject({ environment: { processor: expect.any(String) } });
  }
});

test('growth prints curves over sizes that double', { timeout: 120_000 }, async () => {
  const { stdout } = await bench('--tiny', '--no-peers', '--json', 'growth');
  const { settings } = JSON.parse(stdout) as { settings: { curves: { sizes: number[]; exponent: number }[] } };
  expect(settings.curves).toHaveLength(3);
  for (const { sizes, exponent } of settings.curves) {
    expect(sizes[2]).toBe(4 * sizes[0]!);
    expect(exponent).toEqual(expect.any(Number));
  }
});

test('an unknown name is refused, and the nearest one suggested', async () => {
  const failure = await bench('lsa-trian').catch((error: { code: number; stderr: string }) => error);
  expect(failure).toMatchObject({ code: 2, stderr: expect.stringContaining('Did you mean lsa-train?') });
});

const gpuProgram = join(import.meta.dirname, '../../dist/bench/gpu/run.js');

test('the runner for a GPU explains itself, and says what is wrong with its arguments', async () => {
  const run = (...words: string[]) =>
    promisify(execFile)(process.execPath, [gpuProgram, ...words]).catch(
      (error: { code: number; stderr: string; stdout: string }) => error,
    );
  expect(await run('--help')).toMatchObject({ stdout: expect.stringContaining('--peer-device D'), stderr: '' });
  expect(await run('--tiney')).toMatchObject({ code: 2, stderr: expect.stringMatching(/^Unknown option '--tiney'/) });
  expect(await run('--peer-device', 'gpu')).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/^--peer-device: expected cpu or cuda, got "gpu"\./),
  });
});
