import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { temporaryFolder, writeModel } from './fixtures.ts';
import { runIcl } from './run-icl.ts';

const good = '{"covariates":[[1,2],[3,4]],"responses":[1,2],"query":[1,1]}';

/** What is wrong, the file's content, what stderr must say. The model has two dimensions. */
const prompts: readonly (readonly [what: string, content: string | Uint8Array, message: RegExp])[] = [
  ['NaN', good.replace('[1,2],[3', '[NaN,2],[3'), /prompts\.jsonl.*line 1.*NaN/s],
  [
    'infinity',
    `${good}\n${good.replace('"responses":[1', '"responses":[1e999')}`,
    /prompts\.jsonl line 2: responses.*too large.*1e999/s,
  ],
  ['ragged rows', good.replace('[3,4]', '[3,4,5]'), /line 1.*covariates/s],
  ['a wrong dimension', '{"covariates":[[1,2,3]],"responses":[1],"query":[1,1,1]}', /line 1.*2.*3/s],
  ['an empty file', '', /prompts\.jsonl: expected .*empty/s],
  ['an empty context', '{"covariates":[],"responses":[],"query":[1,1]}', /line 1.*context/s],
  ['no JSON', `${good}\nhello`, /line 2.*JSON/s],
  ['a missing key', '{"covariates":[[1,2]],"query":[1,1]}', /line 1.*responses/s],
  ['an unknown key', good.replace('"query"', '"queries"'), /line 1.*quer/s],
  ['fewer responses than covariates', good.replace('[1,2],"query"', '[1],"query"'), /line 1.*responses/s],
  ['text for a number', good.replace('"responses":[1', '"responses":["1"'), /line 1.*responses/s],
  ['bytes that are not UTF-8', new Uint8Array([0x7b, 0xff, 0xfe, 0x0a]), /prompts\.jsonl/],
];

describe('infer refuses prompts, exits 1 and writes nothing', () => {
  test.each(prompts)('with %s', async (_what, content, message) => {
    const folder = temporaryFolder();
    const model = writeModel(folder, 2);
    writeFileSync(join(folder, 'prompts.jsonl'), content);
    const output = join(folder, 'predictions.jsonl');
    const { code, stderr } = await runIcl(['infer', model, '--prompts', join(folder, 'prompts.jsonl'), '-o', output]);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/\n {4}at /);
    expect(code).toBe(1);
    expect(readdirSync(folder).sort()).toEqual(['model.onnx', 'prompts.jsonl']);
  });
});

describe('files that are no frozen model exit 1', () => {
  const cases: readonly (readonly [what: string, make: (good: Uint8Array) => Uint8Array, message: RegExp])[] = [
    ['a truncated one', (bytes) => bytes.subarray(0, bytes.length - 100), /model\.onnx: expected/],
    ['an empty one', () => new Uint8Array(0), /model\.onnx: expected/],
    ['text', () => new TextEncoder().encode('hello\n'), /model\.onnx: expected/],
    ['another schema', (bytes) => replaceBytes(bytes, 'icl.schema\x12\x011', 'icl.schema\x12\x019'), /icl\.schema.*9/s],
  ];
  test.each(cases)('%s', async (_what, make, message) => {
    const model = writeModel(temporaryFolder(), 2);
    writeFileSync(model, make(readFileSync(model)));
    for (const command of ['inspect', 'verify', 'evaluate']) {
      const { code, stdout, stderr } = await runIcl([command, model]);
      expect(stderr).toMatch(message);
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    }
  });

  test('a missing one', async () => {
    const { code, stderr } = await runIcl(['inspect', '/nowhere/model.onnx']);
    expect(stderr).toContain('/nowhere/model.onnx: expected an ONNX file, got a missing file or folder');
    expect(code).toBe(1);
  });
});

function replaceBytes(bytes: Uint8Array, from: string, to: string): Uint8Array {
  const content = Buffer.from(bytes).toString('latin1');
  expect(content).toContain(from);
  return Buffer.from(content.replace(from, to), 'latin1');
}

describe('places that cannot be written exit 1', () => {
  test('a folder below a file', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'file'), '');
    const out = join(folder, 'file', 'run');
    const { code, stderr } = await runIcl(['train', 'zhang2023', '--steps', '2', '--out', out]);
    expect(stderr).toMatch(/expected a folder that can be created, got a (path through something|file where)/);
    expect(code).toBe(1);
  });

  test('a full disk', async ({ skip }) => {
    const folder = join(temporaryFolder(), 'small');
    mkdirSync(folder);
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=32k', 'tmpfs', folder], { stdio: 'ignore' });
    } catch {
      skip('a small file system can be mounted by root only');
    }
    onTestFinished(() => {
      execFileSync('umount', [folder]);
    });
    const model = writeModel(temporaryFolder(), 2);
    const output = join(folder, 'predictions.jsonl');
    const { code, stderr } = await runIcl(['infer', model, '--prompts', '-', '-o', output], {
      input: `${good}\n`.repeat(20_000),
    });
    expect(stderr).toContain('a full disk');
    expect(code).toBe(1);
    expect(readdirSync(folder)).toEqual([]);

    const run = join(folder, 'run');
    const trained = await runIcl(['train', 'zhang2023', '--set', 'd=60', '--steps', '2', '--batch', '2', '--out', run]);
    expect(trained.stderr).toContain('a full disk');
    expect(trained.code).toBe(1);
    expect(existsSync(run) ? readdirSync(run).filter((name) => name.endsWith('.tmp')) : []).toEqual([]);
  });
});

test('a provider that is not there exits 1 and names what installs it', async () => {
  const model = writeModel(temporaryFolder(), 2);
  const { stdout } = await runIcl(['doctor', '--json']);
  const { providers } = JSON.parse(stdout) as { providers: { name: string; available: boolean }[] };
  if (providers.find(({ name }) => name === 'cuda')!.available) return;
  for (const argv of [
    ['verify', model, '--provider', 'cuda'],
    ['evaluate', model, '--provider', 'cuda'],
  ]) {
    const { code, stderr } = await runIcl(argv);
    expect(stderr).toContain('npm run setup:cuda');
    expect(code).toBe(1);
  }
});
