/** The study ding2025: its parts against what is computed otherwise, and its experiments at a tiny size. */
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { FrozenModel } from '../../export/read-model.ts';
import { measuresFor } from '../../infer/measures.ts';
import { multilayerLinearAttention } from '../../models/attention/multilayer-linear-attention.ts';
import { pairedTransformer } from '../../models/attention/paired-transformer.ts';
import { sparseLinearAttention } from '../../models/attention/sparse-linear-attention.ts';
import { createEstimator, type Estimator } from '../../models/estimators/index.ts';
import { allocateBatch, type LabelledBatch } from '../../models/prompts.ts';
import { createGenerator } from '../../models/random.ts';
import { fromFlat, referencePrediction } from '../../models/reference-ops.ts';
import { createSampler, type TaskSpec } from '../../models/tasks/index.ts';
import { minimise, populationRisk, promptFeatures, riskAt } from '../../models/theory/ding2025.ts';
import { attentionMaps, meanMap, ownShare, similarityMap } from '../../studies/ding2025/attention-maps.ts';
import type { Size } from '../../studies/ding2025/experiment.ts';
import { baseSettings } from '../../studies/ding2025/experiment.ts';
import { reproduce } from '../../studies/ding2025/experiments.ts';
import { batchFeatures, featureEstimator, fitFeatures } from '../../studies/ding2025/features.ts';
import { modelOf, modelTheory, taskOf } from '../../studies/ding2025/law.ts';
import { ding2025 } from '../../studies/ding2025.ts';
import { parseSettings } from '../../studies/settings.ts';
import { normals } from '../models/theory/ding2025/fixtures.ts';
import { expectClose, float64 } from '../tolerance.ts';

function draw(task: TaskSpec, batch: number, context: number, seed = 3): LabelledBatch {
  const sampler = createSampler(task);
  const prompts = allocateBatch({ batch, context, queries: 1, ...sampler });
  sampler.fill(createGenerator(seed, 1), 0, prompts);
  return prompts;
}

const binary = (d: number) => taskOf({ ...baseSettings, d });

test('closed forms by settings: those of the report, and refusals that say why', () => {
  const theory = (text: string) => ding2025.theory(parseSettings(ding2025, [text]));
  expect(theory('d=2,p=.5,n=100')['riskMinimum']).toBeCloseTo(0.233093, 6);
  expect(theory('d=2,p=.5,n=100')['bestLinearAttentionRisk']).toBeCloseTo(0.234724, 6);
  expect(theory('d=1,p=.3,n=inf')['riskMinimum']).toBeCloseTo(0.4, 12);
  expect(theory('d=1,S=3')['uniformRowAccuracy']).toBeCloseTo(11 / 18, 12);
  expect(() => theory('alpha=.5')).toThrow(/expected alpha=1 and groups=1/);
  expect(() => theory('d=2,start=squared-distance')).toThrow(/^d: expected 1 for starts that follow/);
  expect(() => theory('start=uniform')).toThrow(/--set start: expected one of independent/);
  expect(() => parseSettings(ding2025, ['p=1'])).toThrow(/--set p: expected a probability/);
  expect(() => modelOf({ ...baseSettings, n: 'inf' })).toThrow(/--set n: expected a finite context/);
  expect(() => modelOf({ ...baseSettings, form: 'spare' })).toThrow(/Did you mean sparse/);
});

test('the exact risk of a model’s own numbers is that of what it predicts, dense or sparse, with either sign', () => {
  const d = 2;
  const n = 15;
  const prompts = draw(binary(d), 8000, n);
  for (const [architecture, outputSign] of [[sparseLinearAttention, 1], [multilayerLinearAttention, -1]] as const) {
    const sizes = { dimension: d, options: { layers: 1, outputSign } };
    const shapes = Object.entries(architecture.parameterShapes(sizes));
    const parameters = Object.fromEntries(
      shapes.map(([name, [rows, columns]], i) => [name, Float32Array.from(normals(90 + i, rows! * columns!))]),
    );
    const theory = modelTheory({ architecture, sizes, parameters } as unknown as FrozenModel);
    const exact = theory(binary(d), n, 'squared-error')!;
    const answers = referencePrediction(architecture, parameters, sizes, prompts);
    const errors = Array.from(answers, (value, b) => (value - prompts.targets[b]!) ** 2);
    const mean = errors.reduce((sum, value) => sum + value, 0) / errors.length;
    const variance = errors.reduce((sum, value) => sum + (value - mean) ** 2, 0) / errors.length;
    expect(Math.abs(mean - exact) / Math.sqrt(variance / errors.length)).toBeLessThan(4);
    expect(theory(binary(d), n, 'rounding-error-rate')).toBeNull();
    expect(theory(taskOf({ ...baseSettings, d, alpha: 2 }), n, 'squared-error')).toBeNull();
  }
}); // biome-ignore format: a table

test('features of a batch are those of each prompt, and least squares on them solves its normal equations', () => {
  const d = 3;
  const prompts = draw(binary(d), 400, 12);
  const features = batchFeatures(prompts);
  const size = features.length / 400;
  for (const b of [0, 17, 399]) {
    const rows = Array.from({ length: 12 }, (_, i) => {
      const at = (b * 12 + i) * d;
      return [...prompts.covariates.subarray(at, at + d), prompts.responses[b * 12 + i]!];
    });
    const expected = promptFeatures(rows, [...prompts.query.subarray(b * d, (b + 1) * d)]);
    expectClose(features.subarray(b * size, (b + 1) * size), expected, float64);
  }
  const estimator = featureEstimator('test', fitFeatures(prompts));
  const out = new Float64Array(400);
  estimator.predict(prompts, out);
  for (let i = 0; i < size; i++) {
    let product = 0;
    for (let b = 0; b < 400; b++) product += features[b * size + i]! * (out[b]! - prompts.targets[b]!);
    expect(Math.abs(product)).toBeLessThan(1e-8); // 400 terms, condition number of some 10^5
  }
});

test('least squares on many prompts costs little more than X*', () => {
  const X = fitFeatures(draw(binary(2), 20_000, 20));
  const risk = populationRisk({ d: 2, p: 0.5 }, 20);
  const excess = riskAt(risk, X) - minimise(risk).risk;
  // 12 parameters on 20,000 prompts: about 12 / 20,000 of the risk.
  expect(excess).toBeGreaterThan(0);
  expect(excess).toBeLessThan(1e-3);
});

test('X* rounded, and counting, are right as often as simulated elsewhere', () => {
  // d, accuracy of X*, and of pooled counts with add-one smoothing: n = 100, p = .5.
  for (const [d, optimum, counting] of [[1, 0.62, 0.745], [2, 0.694, 0.749], [3, 0.713, 0.757]] as const) {
    const prompts = draw(binary(d), 4000, 100);
    const share = (estimator: Estimator) => {
      const out = new Float64Array(4000);
      estimator.predict(prompts, out);
      return out.reduce((sum, value, b) => sum + +(Math.round(value) === prompts.targets[b]), 0) / 4000;
    };
    const { X } = minimise(populationRisk({ d, p: 0.5 }, 100));
    // Both sides were counted on thousands of prompts: 4 standard errors of .0076 and of about .004.
    expect(Math.abs(share(featureEstimator('X*', X)) - optimum)).toBeLessThan(0.035);
    expect(Math.abs(share(createEstimator('pooled-counts', { task: binary(d) })) - counting)).toBeLessThan(0.035);
  }
}); // biome-ignore format: a table

test('rounded answers miss by their own count, and nothing rounds out of range', () => {
  const { measures } = measuresFor(taskOf({ ...baseSettings, S: 3 }));
  expect(measures.map(({ name }) => name)).toEqual(['squared-error', 'rounding-error-rate']);
  const of = (value: number, target: number) =>
    measures[1]!.of({
      width: 1,
      values: [value],
      at: 0,
      targets: Float32Array.of(target),
      posterior: new Float64Array(0),
      target: 0,
    });
  expect([of(0.4, 0), of(0.6, 0), of(2.7, 2), of(-3, 0), of(1.4, 1)]).toEqual([0, 1, 0, 0, 0]);
  expect(of(Number.NaN, 0)).toBeNaN();
});

test('attention maps: every row is a law, groups show only where attention knows them', () => {
  const sizes = { dimension: 2, options: { layers: 3, width: 8, heads: 2 } };
  const shapes = Object.entries(pairedTransformer.parameterShapes(sizes));
  const parameters = Object.fromEntries(
    shapes.map(([name, shape], i) => [
      name,
      Float32Array.from(
        normals(
          200 + i,
          shape.reduce((a, b) => a * b, 1),
        ),
      ),
    ]),
  );
  const prompts = draw({ ...binary(2), groups: 2 }, 3, 6);
  const maps = attentionMaps({ architecture: pairedTransformer, sizes, parameters } as unknown as FrozenModel, prompts);
  expect(maps.map(({ shape }) => [...shape])).toEqual(new Array(4).fill([3, 6, 6]));
  for (const row of meanMap(maps.slice(0, 2))) expect(row.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 12);
  const even = fromFlat([1, 4, 4], new Array(16).fill(1 / 4));
  expect(ownShare([even], 2)).toEqual([1 / 2]);
  const blocks = fromFlat([1, 4, 4], [1, 3, 1, 1, 3, 1, 1, 1, 1, 1, 1, 3, 1, 1, 3, 1]);
  expect(ownShare([blocks], 2)).toEqual([3 / 4]);
  const pair = { ...draw(binary(2), 1, 2), covariates: Float32Array.of(0, 1, 0, 0), responses: Float32Array.of(1, 1) };
  expectClose(similarityMap(pair).flat(), [1, 2 / 3, 2 / 3, 1], float64);
});

const tiny: Size = {
  seeds: 1,
  prompts: 400,
  verification: { batches: [1], contexts: [3], queries: [1] },
  forms: { steps: 40 },
  gap: { dimensions: [1, 2], steps: 30, prompts: 60 },
  depth: { states: [2], steps: 20, freshSteps: 20 },
  objectives: { steps: 5, contextLength: 8, prompts: 4 },
  attention: { steps: 3, contextLength: 4, groups: [2] },
  largestSearch: 2,
};

test('every experiment runs, at a size at which nothing is learnt, and none is above the ceiling', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'icl-ding-'));
  const settings = parseSettings(ding2025, []);
  const result = await reproduce(
    ding2025,
    { settings, figure: 'all', isQuick: true, seed: 0, folder, device: 'cpu', verifyProviders: ['cpu'] },
    tiny,
  );
  expect(result.figures.map(({ name }) => name)).toEqual(ding2025.figures.map(({ name }) => name));
  for (const { path } of result.figures) expect(existsSync(path)).toBe(true);
  const inSample = result.rows.filter((row) => 'stream' in row && row.stream === 'training');
  expect(inSample.every(({ theory }) => theory === null)).toBe(true);
  expect(new Set(inSample.map(({ prompts }) => prompts))).toEqual(new Set([60, 100]));
  const statistical = result.claims.filter(({ z }) => z !== null);
  expect(statistical.length).toBeGreaterThan(3);
  for (const { z, statement } of statistical) expect(Math.abs(z!), statement).toBeLessThan(4);
  expect(readFileSync(result.report, 'utf8')).not.toContain('above the ceiling');
});
