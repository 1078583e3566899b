import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readModel } from '../../export/read-model.ts';
import { DataError, UsageError } from '../../models/errors.ts';
import { shiftNamed } from '../../models/shifts/index.ts';
import { requireTask } from '../../models/tasks/index.ts';
import { exactTaskRisk } from '../../models/theory/zhang2023.ts';
import { studyNamed } from '../../studies/index.ts';
import { exportRun, resolveRun, trainAndExport } from '../../studies/run-study.ts';
import { parseSettings } from '../../studies/settings.ts';
import type { ReproduceProgress, ReproduceResult } from '../../studies/study.ts';
import { formatSummary } from '../../studies/summary.ts';
import { reproduce, type Sizes } from '../../studies/zhang2023/experiments.ts';
import { limitRisk, limitsOf, taskOf, zeroRisk } from '../../studies/zhang2023/law.ts';
import type { Size } from '../../studies/zhang2023/layer.ts';
import { zhang2023 } from '../../studies/zhang2023.ts';
import { expectClose, float64, printed } from '../tolerance.ts';

const settingsOf = (...texts: string[]) => parseSettings(zhang2023, texts);
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'icl-study-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('settings', () => {
  it('has the paper’s symbols, M following N', () => {
    expect(settingsOf('N=40')).toEqual({ d: 5, N: 40, M: 40, covariance: 'identity', noiseVariance: 0, gpt: 'small' });
  });

  it.each([
    ['n=5', /one of d, N, M, covariance, noiseVariance/],
    ['covariance=[1,2]', /expected 5 dimensions, got 2/],
    ['covariance=idenity', /identity, \[v1/],
    ['d=2,covariance=[[1,2],[2,1]]', /positive definite/],
  ])('refuses %s', (text, message) => {
    expect(() => settingsOf(text)).toThrow(message);
  });

  it('is found by name, with the nearest suggested', () => {
    expect(studyNamed('zhang2023')).toMatchObject({ name: 'zhang2023', theory: zhang2023.theory });
    expect(() => studyNamed('zang2023')).toThrow(/Did you mean zhang2023\?/);
  });
});

describe('theory', () => {
  it('gives the table of the paper’s risk', () => {
    const { risk, lossMinimum, bayesRisk } = zhang2023.theory(settingsOf('d=20,N=40,M=100')) as Record<string, number>;
    expectClose([risk!, lossMinimum!, bayesRisk!], [4.176297, 6.885246 / 2, 0], printed);
  });

  it('has the same risk at the limits, for any test length and shift', () => {
    const task = taskOf(settingsOf('covariance=[2,1.5,1,.5,.25]'));
    const risk = limitRisk(task, 20);
    expectClose(
      [risk(task, 20), risk(task, 100), risk(task, Number.POSITIVE_INFINITY)],
      [1.133976, 0.458488, 0.289616],
      printed,
    );
    const shifted = shiftNamed('covariate-scale').apply(task, 2);
    expectClose([risk(shifted, 40), zeroRisk(shifted)], [125.693, 21], { relative: 1e-5, absolute: 0 });
  });

  it('knows random covariances too', () => {
    const task = taskOf(settingsOf('d=20,covariance=exponential'));
    expectClose([limitsOf(task, 40).product[0]![0]!], [0.275862], printed);
    expectClose([limitRisk(task, 40)(task, 40) / 20], [0.448276], printed);
  });
});

describe('configurations', () => {
  it('take the study’s choices, and the caller’s over them', () => {
    const config = resolveRun('zhang2023', ['d=3,N=7'], {
      steps: 11,
      optimizer: 'sgd',
      learningRate: 0.01,
      init: 'generic',
    });
    expect(config).toMatchObject({
      study: 'zhang2023',
      settings: { d: 3, N: 7, M: 7 },
      model: { name: 'linear-attention', dimension: 3 },
      contextLength: 7,
      steps: 11,
      optimizer: { name: 'sgd', learningRate: 0.01, momentum: 0 },
      initialisation: { scheme: 'generic', options: { scale: 0.05 } },
      seed: 0,
      device: 'auto',
    });
    expect(config.versions['node']).toBe(process.versions.node);
  });

  it('can be read from a file, whose settings stay as they are', () => {
    const path = join(folder, 'config.json');
    const config = resolveRun('zhang2023', ['d=3'], {});
    writeFileSync(path, JSON.stringify(config));
    expect(resolveRun(path, [], {})).toEqual(config);
    expect(resolveRun(path, [], { steps: 3 })).toEqual({ ...config, steps: 3 });
    expect(() => resolveRun(path, ['d=4'], {})).toThrow(UsageError);
    writeFileSync(path, '');
    expect(() => resolveRun(path, [], {})).toThrow(DataError);
    expect(() => resolveRun(join(folder, 'missing.json'), [], {})).toThrow(/missing\.json: expected a configuration/);
  });

  it.each([
    [{ optimizer: 'adm' }, /Did you mean adam\?/],
    [{ init: 'papr' }, /Did you mean paper\?/],
    [{ device: 'gpu' }, /device/],
    [{ engine: 'torch' }, /engine/],
  ])('refuses %j', (overrides, message) => {
    expect(() => resolveRun('zhang2023', [], overrides)).toThrow(message);
  });
});

describe('a run', () => {
  it('is trained, exported, verified and says so in its metadata', async () => {
    const config = resolveRun('zhang2023', ['d=2,N=3'], { steps: 5, batch: 8, device: 'cpu' });
    const request = { config, folder: join(folder, 'run'), resume: false, verifyProviders: ['cpu'] } as const;
    const run = await trainAndExport({ ...request, verification: { batches: [3], contexts: [1, 2] } });
    if (run.interrupted) throw new Error('interrupted');
    const model = readModel(run.model, readFileSync(run.model));
    expect(model.metadata.parity).toMatchObject([{ provider: 'cpu', ok: true }]);
    expect(model.metadata.training).toMatchObject({ steps: 5, engine: 'onnx', device: 'cpu' });
    expect(run.frozen.parameters).toEqual(model.parameters);
    for (const file of run.files) expect(existsSync(file), file).toBe(true);

    const again = exportRun(join(folder, 'run'), { prefixes: true, opset: 21 }, join(folder, 'curve.onnx'));
    expect([again.hasPrefixes, again.opset]).toEqual([true, 21]);

    const task = shiftNamed('label-noise').apply(requireTask('test', config.task, 'linear-regression'), 0.5);
    const matrices = {
      projectionValue: model.parameters['projection_value']!,
      keyQuery: model.parameters['key_query']!,
    };
    expectClose([zhang2023.modelTheory(model)(task, 9, 'squared-error')!], [exactTaskRisk(matrices, task, 9)], float64);
  });

  it('that is interrupted has no model', async () => {
    const config = resolveRun('zhang2023', ['d=2,N=3'], { steps: 50, batch: 8, device: 'cpu' });
    const signal = AbortSignal.abort();
    const own = join(folder, 'stopped');
    const run = await trainAndExport({ config, folder: own, resume: false, verifyProviders: [], signal });
    expect(run).toEqual({ interrupted: true, folder: own, steps: 0 });
    expect(() => exportRun(own, {}, join(own, 'model.onnx'))).toThrow(/one that has done no step/);
    expect(existsSync(join(own, 'model.onnx'))).toBe(false);
  });
});

describe('a reproduction of toy size', () => {
  const layer: Size = {
    lengthFactors: [0.5, 1],
    seeds: 1,
    steps: 40,
    lengths: [2, 6],
    prompts: 400,
    verification: { batches: [2], contexts: [1, 3], queries: [1] },
  };
  const sizes: Sizes = {
    layer,
    random: { steps: 40, lengths: [2, 6], prompts: 400, verification: layer.verification },
    gpt: {
      ...{ d: 2, lengths: [3], layers: 1, width: 8, heads: 2, steps: 20, batch: 8, learningRate: 0.01 },
      ...{ prompts: 200, withoutPositions: ['identity'], verification: layer.verification },
    },
  };
  const main = zhang2023.figures.filter(({ isExtra }) => isExtra !== true);
  const progress: ReproduceProgress[] = [];
  let result: ReproduceResult;
  const options = () => ({
    settings: settingsOf('d=2,N=4'),
    figure: undefined,
    isQuick: true,
    seed: 3,
    folder: join(folder, 'reproduction'),
    device: 'cpu',
    verifyProviders: ['cpu', 'wasm'] as const,
    onProgress: (step: ReproduceProgress) => progress.push(step),
  });

  beforeAll(async () => {
    result = await reproduce(zhang2023, options(), sizes);
  });

  it('writes data, figures and a report, and names every file', () => {
    for (const file of result.files) expect(existsSync(file), file).toBe(true);
    const names = result.files.map((file) => file.slice(folder.length + '/reproduction/'.length));
    for (const { name } of main) expect(names).toContain(`figures/${name}.svg`);
    expect(names.at(-1)).toBe('report.html');
    const page = readFileSync(result.report, 'utf8');
    for (const { name, title } of main) {
      expect(page).toContain(`id="${name}"`);
      expect(page).toContain(title);
      expect(page).toContain(`</span> <span class="word">${name}</span>`);
    }
    expect(page).not.toMatch(/NaN|undefined|\[object/);
  });

  it('leaves the figures that take long out, and says so', () => {
    expect(result.omitted.map(({ name }) => name)).toEqual(['random-covariance', 'figure1']);
    const said = formatSummary(result).join('\n');
    expect(said).toContain('icl reproduce zhang2023 figure1 --quick');
    expect(readFileSync(result.report, 'utf8')).toContain('Left out, since it takes long');
  });

  it.each([
    ['random-covariance', ['fixed', 'random']],
    ['figure1', ['gpt-fixed-N3', 'gpt-fixed-N3-no-positions', 'gpt-random-N3']],
  ])('draws %s when it is asked for, and trains nothing else', { timeout: 120_000 }, async (figure, runs) => {
    const own = { ...options(), figure, folder: join(folder, figure), onProgress: () => {} };
    const { figures, rows, claims, files, omitted } = await reproduce(zhang2023, own, sizes);
    expect(figures.map(({ name }) => name)).toEqual([figure]);
    expect(omitted).toEqual([]);
    const models = files.filter((file) => file.endsWith('model.onnx'));
    expect(models).toEqual(runs.map((run) => join(own.folder, 'models', run, 'model.onnx')));
    expect(claims.every(({ measured }) => Number.isFinite(measured))).toBe(true);
    const shifts = [...new Set(rows.map(({ shift, level }) => `${shift} ${level}`))];
    expect(shifts).toEqual(['covariate-isotropic 1', ...[1, 4, 9].map((c) => `covariate-exponential ${c}`)]);
    expect(readFileSync(figures[0]!.path, 'utf8')).not.toMatch(/NaN|undefined/);
  });

  it('refuses a size of the transformer that it does not have', () => {
    expect(() => settingsOf('gpt=papers')).toThrow(/--set gpt: expected small or paper, got "papers"/);
  });

  it('has rows with the exact risk of each model, as JSON Lines', () => {
    const lines = readFileSync(join(folder, 'reproduction', 'evaluation.jsonl'), 'utf8')
      .trimEnd()
      .split('\n');
    expect(lines.map((line) => JSON.parse(line))).toEqual(result.rows);
    const models = result.rows.filter(({ estimator }) => estimator === 'model');
    expect(models.length).toBeGreaterThan(40);
    for (const { risk, theory, standardError } of models) {
      expect(Math.abs(risk - theory!) / standardError).toBeLessThan(6);
    }
  });

  it('ends in a summary with every claim', () => {
    const lines = formatSummary(result);
    for (const { statement } of result.claims) expect(lines.some((line) => line.startsWith(statement))).toBe(true);
    expect(lines.at(-1)).toMatch(/^report: .*report\.html$/);
    // Forty steps are not enough to learn: that is found, and said.
    expect(lines.join('\n')).toContain('FLAGGED');
    expect(lines.at(-2)).toContain('claims flagged');
  });

  it('tells its progress from 0 to 1', () => {
    const fractions = progress.map(({ fraction }) => fraction);
    expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
    expect(fractions.at(-1)).toBeGreaterThan(0.9);
  });

  it('keeps its models when it is repeated, and gives the same rows', async () => {
    const checkpoint = readFileSync(join(folder, 'reproduction', 'models', 'N4', 'metrics.jsonl'), 'utf8');
    const again = await reproduce(zhang2023, options(), sizes);
    expect(again.rows).toEqual(result.rows);
    expect(readFileSync(join(folder, 'reproduction', 'models', 'N4', 'metrics.jsonl'), 'utf8')).toBe(checkpoint);
  });

  it('knows its figures', async () => {
    const wrong = reproduce(zhang2023, { ...options(), figure: 'lenght' }, sizes);
    await expect(wrong).rejects.toThrow(/expected one of loss, .* Did you mean length\?/);
  });

  it('stops when it is told to', async () => {
    const signal = AbortSignal.abort(new Error('enough'));
    const own = { ...options(), folder: join(folder, 'stopped-reproduction'), signal };
    await expect(reproduce(zhang2023, own, sizes)).rejects.toThrow('enough');
    expect(existsSync(join(folder, 'stopped-reproduction', 'report.html'))).toBe(false);
  });
});
