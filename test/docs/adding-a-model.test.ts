/** The examples of docs/adding-a-model.md, in a copy of the checkout: compiled, trained, exported, verified, reproduced. */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const document = readFileSync(join(root, 'docs', 'adding-a-model.md'), 'utf8');

/** Code blocks that name a file. */
const blocks = [...document.matchAll(/^```(ts|diff) file=(\S+)\n(.*?)^```$/gms)].map(([, kind, file, text]) => ({
  kind: kind!,
  file: file!,
  text: text!,
}));

/** Inserts each line marked + behind the text of the unmarked line before it. */
function insertLines(source: string, block: string): string {
  let result = source;
  let at = 0;
  for (const line of block.split('\n').filter((text) => text !== '')) {
    const text = line.slice(1);
    if (line.startsWith('+')) {
      result = `${result.slice(0, at)}\n${text}${result.slice(at)}`;
      at += text.length + 1;
    } else {
      expect(result.split(text), `one place for "${text}"`).toHaveLength(2);
      at = result.indexOf(text) + text.length;
    }
  }
  return result;
}

let copy: string;
const run = (...command: readonly string[]): string => {
  const [program, ...args] = command;
  return execFileSync(program!, args, { cwd: copy, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
};
const icl = (...args: readonly string[]): string => run(process.execPath, join('dist', 'cli', 'main.js'), ...args);
const lines = (text: string) =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), 'icl-docs-'));
  const parts = ['models', 'export', 'infer', 'train', 'studies', 'web', 'cli', 'scripts', 'bench'];
  // `dist` too: with its record of what was compiled, only what differs is compiled again.
  const files = ['dist', 'index.ts', 'index-browser.ts', 'package.json', 'tsconfig.json'];
  for (const name of [...parts, ...files]) {
    if (existsSync(join(root, name))) cpSync(join(root, name), join(copy, name), { recursive: true });
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  for (const { kind, file, text } of blocks) {
    const path = join(copy, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, kind === 'ts' ? text : insertLines(readFileSync(path, 'utf8'), text));
  }
}, 60_000);
afterAll(() => rmSync(copy, { recursive: true, force: true }));

test('each of the three is one file and lines in an index', () => {
  expect(blocks.map(({ kind, file }) => `${kind} ${file}`)).toEqual([
    'ts models/attention/unrolled-descent.ts',
    'diff models/attention/index.ts',
    'ts models/tasks/sparse-regression.ts',
    'diff models/tasks/index.ts',
    'ts studies/descent.ts',
    'diff studies/index.ts',
  ]);
});

describe('in a checkout that has them', () => {
  beforeAll(() => {
    try {
      run(process.execPath, join('node_modules', 'typescript', 'bin', 'tsc'), '-p', '.');
    } catch (error) {
      throw new Error(`the examples do not compile:\n${(error as { stdout?: string }).stdout}`, { cause: error });
    }
  }, 240_000);

  test('imports flow one way', () => {
    expect(run(process.execPath, join('dist', 'scripts', 'check-imports.js'))).toContain('one way');
  });

  test('they are listed', () => {
    const catalogue = JSON.parse(icl('list', '--json')) as Record<string, { name: string }[]>;
    const names = (kind: string) => catalogue[kind]!.map(({ name }) => name);
    expect(names('models')).toContain('unrolled-descent');
    expect(names('tasks')).toContain('sparse-regression');
    expect(names('studies')).toContain('descent');
  });

  test('the closed form is the one of linear attention with a multiple of the identity', () => {
    // d = k: the task is dense, and x_q^T (r I) (1/N) sum y_i x_i at the best r loses d (d+1) / (N+d+1) without noise.
    const theory = JSON.parse(icl('theory', 'descent', '--set', 'd=3,k=3,N=10,noiseVariance=0', '--json'));
    expect(theory.risk).toBeCloseTo((3 * 4) / 14, 12);
  });

  test('a model is trained, exported, verified and evaluated', { timeout: 60_000 }, () => {
    const out = join(copy, 'run');
    const trained = icl(
      ...['train', 'descent', '--set', 'T=2', '--steps', '30', '--out', out, '--device', 'cpu', '--json'],
    );
    expect(lines(trained).at(-1)).toMatchObject({ steps: 30, engine: 'onnx' });
    for (const line of lines(icl('verify', out, '--provider', 'cpu,wasm', '--json'))) {
      expect(line).toMatchObject({ ok: true });
    }
    const rows = lines(icl('evaluate', out, '--lengths', '5,20', '--prompts', '2000', '--json'));
    expect(rows.map(({ estimator }) => estimator)).toEqual(expect.arrayContaining(['model', 'zero', 'least-squares']));
    // w has k = 2 coordinates of variance 1; the noise has variance .25.
    const zero = rows.find(({ estimator }) => estimator === 'zero') as { risk: number; standardError: number };
    expect(Math.abs(zero.risk - 2.25) / zero.standardError).toBeLessThan(4);
  });

  test('the study is reproduced, and its claims hold', { timeout: 60_000 }, () => {
    const out = join(copy, 'reproduced');
    const said = icl('reproduce', 'descent', '--quick', '--out', out, '--device', 'cpu');
    expect(said).toMatch(/all \d claims hold/);
    expect(existsSync(join(out, 'figures', 'length.svg'))).toBe(true);
  });
});
