/** The whole way as a user goes it, through the compiled command line, on a model small enough to train in a second. */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder, writeModel } from './fixtures.ts';
import { mainFile, runIcl } from './run-icl.ts';

const small = ['--set', 'd=2,N=6', '--steps', '60', '--batch', '32', '--device', 'cpu'];

function jsonLines(stdout: string): Record<string, unknown>[] {
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

test('train, inspect, verify, infer, evaluate, export', async () => {
  const folder = temporaryFolder();
  const run = join(folder, 'run');
  const trained = await runIcl(['train', 'zhang2023', ...small, '--out', run, '--json']);
  expect(trained.stderr).not.toContain('error');
  expect(trained.code).toBe(0);
  const summary = jsonLines(trained.stdout).at(-1)!;
  expect(summary).toMatchObject({ run, model: join(run, 'model.onnx'), steps: 60, engine: 'onnx', device: 'cpu' });
  expect(summary['loss']).toBeGreaterThan(0);
  expect(summary['promptsPerSecond']).toBeGreaterThan(0);
  expect(readdirSync(run).sort()).toEqual(
    expect.arrayContaining(['checkpoint.safetensors', 'config.json', 'metrics.jsonl', 'model.onnx']),
  );

  const inspected = await runIcl(['inspect', run, '--json']);
  const description = JSON.parse(inspected.stdout) as { metadata: Record<string, unknown>; opset: number };
  expect(description.opset).toBe(17);
  expect(description.metadata).toMatchObject({ study: 'zhang2023', model: 'linear-attention' });
  expect(JSON.stringify(description.metadata['parity'])).toContain('cpu');

  const verified = await runIcl(['verify', run, '--provider', 'cpu,wasm', '--json']);
  expect(verified.code).toBe(0);
  expect(jsonLines(verified.stdout).map(({ provider, ok }) => [provider, ok])).toEqual([
    ['cpu', true],
    ['wasm', true],
  ]);

  const prompt = {
    covariates: [[1, 0]],
    responses: [2],
    query: [
      [1, 0],
      [0, 1],
    ],
  };
  const answered = await runIcl(['infer', run, '--prompts', '-'], { input: `${JSON.stringify(prompt)}\n` });
  expect(answered.code).toBe(0);
  expect(jsonLines(answered.stdout)[0]!['prediction']).toHaveLength(2);

  const evaluated = await runIcl([
    ...['evaluate', run, '--lengths', '3,12', '--prompts', '4000', '--json'],
    ...['--shift', 'covariate-scale=1,2'],
  ]);
  expect(evaluated.stderr).not.toContain('error');
  expect(evaluated.code).toBe(0);
  const rows = jsonLines(evaluated.stdout);
  const ofModel = rows.filter(({ estimator }) => estimator === 'model');
  expect(ofModel).toHaveLength(4);
  for (const { risk, theory, standardError } of ofModel as { risk: number; theory: number; standardError: number }[]) {
    expect(Math.abs(risk - theory) / standardError).toBeLessThan(4);
  }
  expect(new Set(rows.map(({ estimator }) => estimator))).toEqual(new Set(['model', 'zero', 'least-squares', 'ridge']));

  const curve = join(folder, 'curve.onnx');
  const exported = await runIcl(['export', run, '-o', curve, '--prefixes', '--opset', '21', '--json']);
  expect(JSON.parse(exported.stdout)).toMatchObject({ model: curve, opset: 21 });
  const step = await runIcl(['export', run, '--training-step', '--json']);
  expect(JSON.parse(step.stdout)).toMatchObject({ model: join(run, 'training-step.onnx'), opset: 17 });
  expect(existsSync(join(run, 'training-step.onnx'))).toBe(true);
  const both = await runIcl(['export', run, '--training-step', '--prefixes']);
  expect(both).toMatchObject({ code: 2, stdout: '' });
  const prefixes = await runIcl(['infer', curve, '--prefixes', '--prompts', '-'], { input: JSON.stringify(prompt) });
  expect(jsonLines(prefixes.stdout)[0]!['prefixPrediction']).toHaveLength(2);
});

test('a run can be trained again from its own config.json, to the same bits', async () => {
  const folder = temporaryFolder();
  const first = join(folder, 'first');
  const second = join(folder, 'second');
  await runIcl(['train', 'zhang2023', ...small, '--engine', 'tfjs', '--out', first]);
  const again = await runIcl(['train', join(first, 'config.json'), '--out', second]);
  expect(again.stderr).not.toContain('error');
  expect(again.code).toBe(0);
  expect(readFileSync(join(second, 'checkpoint.safetensors'))).toEqual(
    readFileSync(join(first, 'checkpoint.safetensors')),
  );
});

test('optimizer, momentum, schedule and clipping are chosen without a configuration file', async () => {
  const run = join(temporaryFolder(), 'run');
  const chosen = ['--optimizer', 'sgd', '--momentum', '0.9', '--schedule', 'constant', '--clip-norm', '2'];
  expect(await runIcl(['train', 'zhang2023', ...small, ...chosen, '--out', run])).toMatchObject({ code: 0 });
  const config = JSON.parse(readFileSync(join(run, 'config.json'), 'utf8')) as object;
  expect(config).toMatchObject({
    optimizer: { name: 'sgd', momentum: 0.9 },
    schedule: { name: 'constant' },
    clipNorm: 2,
  });
  // The study clips at 2 no more, and its folder holds a run that did.
  const other = await runIcl(['train', join(run, 'config.json'), '--clip-norm', 'none', '--out', run, '--resume']);
  expect(other.stderr).toContain('a run that differs in clipNorm (2 there, null here)');
});

test('what an exact fit makes no use of is named', async () => {
  const run = join(temporaryFolder(), 'run');
  const asked = ['--steps', '50', '--learning-rate', '0.1', '--verify', 'cpu'];
  const { stderr, stdout } = await runIcl(['train', 'lu2024', '--set', 'd=4', ...asked, '--out', run]);
  expect(stderr).toBe(
    'not used: --steps, --learning-rate. This model is solved for exactly; to train it: --engine onnx\n',
  );
  expect(stdout).toContain('solved exactly in');
});

test('a run that stopped before its first step is no model, and says so', async () => {
  const run = join(temporaryFolder(), 'run');
  const failed = await runIcl([
    'train',
    'zhang2023',
    ...small,
    '--optimizer',
    'sgd',
    '--learning-rate',
    '1e9',
    '--out',
    run,
  ]);
  expect(failed.stderr).toMatch(/^error: step \d+ of 60: expected a finite loss, got NaN at learning rate/);
  const { code, stderr } = await runIcl(['evaluate', run]);
  expect(stderr).toContain(`${run}: expected a run that has been exported, got a folder without model.onnx`);
  expect(code).toBe(2);
});

test('prompts that fit into no memory are refused by their size', async () => {
  const folder = temporaryFolder();
  const batch = ['train', 'zhang2023', '--batch', '1000000000', '--out', join(folder, 'run')];
  expect((await runIcl(batch)).stderr).toMatch(/^error: prompts: expected numbers that fit into memory, got \d+ GiB/);
  const model = writeModel(folder, 2);
  const queries = ['evaluate', model, '--queries', '1000000000', '--prompts', '1000'];
  expect((await runIcl(queries)).stderr).toMatch(/^error: prompts: expected numbers that fit into memory, got \S+ GiB/);
});

test('a folder that holds another run is left alone', async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'thesis.tex'), 'years of work');
  const { code, stderr } = await runIcl(['train', 'zhang2023', ...small, '--out', folder]);
  expect(stderr).toContain(folder);
  expect(code).not.toBe(0);
  expect(readdirSync(folder)).toEqual(['thesis.tex']);
});

test.each([
  ['Ctrl-C', 'SIGINT'],
  ['SIGTERM', 'SIGTERM'],
] as const)('%s saves a checkpoint, exits 130, and --resume ends where an undisturbed run ends', async (_, name) => {
  const folder = temporaryFolder();
  const argv = (out: string) => [
    ...['train', 'zhang2023', '--set', 'd=2,N=6', '--steps', '3000', '--batch', '64', '--device', 'cpu'],
    ...['--out', join(folder, out), '--checkpoint-every', '50'],
  ];
  const child = spawn(process.execPath, [mainFile, ...argv('stopped')], { stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  while (!existsSync(join(folder, 'stopped', 'checkpoint.safetensors'))) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  child.kill(name);
  const code = await new Promise((resolve) => child.on('close', resolve));
  expect(code).toBe(130);
  expect(stderr).toMatch(/interrupted at step \d+/);
  const step = Number(/interrupted at step (\d+)/.exec(stderr)![1]);
  expect(step).toBeLessThan(3000);

  const advice = /continue with: icl (.+)/.exec(stderr)![1]!;
  const resumed = await runIcl(advice.split(' '));
  expect(resumed.code).toBe(0);
  expect(resumed.stdout).toMatch(/after 3000 steps with onnx on cpu in .* s\nverified on cpu: worst relative error \d/);
  await runIcl(argv('whole'));
  expect(readFileSync(join(folder, 'stopped', 'checkpoint.safetensors'))).toEqual(
    readFileSync(join(folder, 'whole', 'checkpoint.safetensors')),
  );
});

test('Ctrl-C while the exported file is verified says how to go on', async () => {
  const run = join(temporaryFolder(), 'run');
  const argv = ['train', 'zhang2023', '--set', 'd=20,N=40', '--steps', '5', '--device', 'cpu', '--out', run];
  const child = spawn(process.execPath, [mainFile, ...argv], { stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  while (!existsSync(join(run, 'model.onnx'))) await new Promise((resolve) => setTimeout(resolve, 5));
  child.kill('SIGINT');
  const code = await new Promise((resolve) => child.on('close', resolve));
  expect({ code, stderr }).toEqual({
    code: 130,
    stderr: `interrupted; continue with: icl train ${run}/config.json --out ${run} --resume\n`,
  });
});

test('theory prints the numbers of the paper', async () => {
  const { code, stdout } = await runIcl(['theory', 'zhang2023', '--set', 'd=20,N=40,M=100', '--json']);
  expect(code).toBe(0);
  const report = JSON.parse(stdout) as Record<string, number>;
  expect(report['risk']).toBeCloseTo(4.176297, 6);
  expect(report['bayesRisk']).toBe(0);
  // 2 L_min = d (d + 1) / (N + d + 1)
  expect(report['lossMinimum']).toBeCloseTo((20 * 21) / (2 * 61), 10);
});

test('list and doctor are one JSON object each', async () => {
  const list = JSON.parse((await runIcl(['list', '--json'])).stdout) as { studies: { name: string }[] };
  expect(list.studies.map(({ name }) => name)).toContain('zhang2023');
  const doctor = JSON.parse((await runIcl(['doctor', '--json'])).stdout) as Record<
    'engines' | 'providers',
    { name: string; available: boolean; detail: string; install: string | null }[]
  >;
  expect(doctor.providers.map(({ name }) => name)).toEqual(['cpu', 'cuda', 'webgpu', 'wasm']);
  expect(doctor.engines.map(({ name }) => name)).toEqual([
    ...['onnx on cuda', 'onnx on webgpu', 'onnx on cpu'],
    ...['tfjs on tensorflow-gpu', 'tfjs on webgpu', 'tfjs on wasm', 'tfjs on cpu'],
  ]);
  for (const { available, install } of [...doctor.providers, ...doctor.engines]) {
    if (!available) expect(install).toBeTruthy();
  }
});

test('another architecture trains on the prompts of a study and is measured without its formulas', async () => {
  const folder = temporaryFolder();
  const first = join(folder, 'first');
  await runIcl(['train', 'zhang2023', ...small, '--out', first]);
  const config = JSON.parse(readFileSync(join(first, 'config.json'), 'utf8')) as Record<string, unknown>;
  const path = join(folder, 'softmax.json');
  const changes = {
    model: { name: 'softmax-attention', dimension: 2 },
    initialisation: { scheme: 'zero', options: {} },
  };
  writeFileSync(path, JSON.stringify({ ...config, ...changes }));
  const run = join(folder, 'softmax');
  const trained = await runIcl(['train', path, '--out', run]);
  expect(trained.stderr).not.toContain('error');
  expect(trained.code).toBe(0);
  const evaluated = await runIcl(['evaluate', run, '--lengths', '3,12', '--prompts', '500', '--json']);
  expect(evaluated.code).toBe(0);
  const ofModel = jsonLines(evaluated.stdout).filter(({ estimator }) => estimator === 'model');
  expect(ofModel.map(({ theory }) => theory)).toEqual([null, null]);
});
