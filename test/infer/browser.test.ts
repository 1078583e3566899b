/** The browser's entry of the package, bundled and run in a real Chromium: the numbers are those of Node. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { build, type PreviewServer, preview } from 'vite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exportModel } from '../../export/export-model.ts';
import { readModel } from '../../export/read-model.ts';
import { openSession } from '../../infer/session-node.ts';
import { linearAttention } from '../../models/attention/linear-attention.ts';
import { linearAttentionClassifier } from '../../models/attention/linear-attention-classifier.ts';
import type { BatchSizes } from '../../models/prompts.ts';
import { allocateBatch } from '../../models/prompts.ts';
import { createGenerator, streams } from '../../models/random.ts';
import { gaussianMixtureDefaults } from '../../models/tasks/gaussian-mixture.ts';
import { createSampler, type TaskSpec } from '../../models/tasks/index.ts';
import { readRun } from '../../train/run-folder.ts';
import { train } from '../../train/train.ts';
import { hasChromium, launchChromium, openPage } from '../chromium.ts';
import { expectClose } from '../tolerance.ts';
import { smallConfig, temporaryFolder } from '../train/fixtures.ts';

const task: TaskSpec = {
  name: 'linear-regression',
  dimension: 5,
  covariance: { kind: 'identity' },
  taskCovariance: { kind: 'identity' },
  noiseVariance: 0,
};
const sizes = { dimension: 5 };
const bytes = exportModel({
  architecture: linearAttention,
  sizes,
  parameters: linearAttention.initSchemes[1]!.initialise(
    sizes,
    { scale: 0.3 },
    createGenerator(1, streams.initialisation),
  ),
  study: 'zhang2023',
  task,
  config: {},
  training: {},
});

/** Small runs, as their `config.json` has them. */
const linearConfig = (steps: number) =>
  smallConfig({ engine: 'onnx', device: 'cpu', steps, logEvery: 5, schedule: { name: 'constant' } });
const transformerConfig = (steps: number) =>
  smallConfig({
    engine: 'onnx',
    device: 'cpu',
    steps,
    logEvery: 5,
    model: { name: 'transformer', dimension: 2, options: { layers: 2, width: 8, heads: 2, maxContext: 9 } },
    loss: { name: 'sequence-squared-error' },
    optimizer: { name: 'adam', learningRate: 0.003, beta1: 0.9, beta2: 0.999, epsilon: 1e-4 },
    trainingPrompts: 64,
  });

const mixture: TaskSpec = { ...gaussianMixtureDefaults, dimension: 5, classes: 3, labels: 'one-hot' };
const classifier = exportModel({
  architecture: linearAttentionClassifier,
  sizes: { dimension: 5, options: { classes: 3 } },
  parameters: { key_query: Float32Array.from({ length: 25 }, (_, i) => (i % 6 === 0 ? 1.5 : 0.1)) },
  study: 'shen2024',
  task: mixture,
  config: {},
  training: {},
});

function samplePrompts(shape: BatchSizes) {
  const sampler = createSampler(shape.classes === undefined ? task : mixture);
  const prompts = allocateBatch({ ...shape, ...sampler });
  sampler.fill(createGenerator(3, streams.verification), 0, prompts);
  const { covariates, responses, query } = prompts;
  return { ...shape, covariates, responses, query };
}

type WebProvider = 'wasm' | 'webgpu';

describe.runIf(hasChromium)('in Chromium', () => {
  const folder = mkdtempSync(join(tmpdir(), 'icl-page-'));
  let problems: string[];
  let server: PreviewServer;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    const entry = fileURLToPath(new URL('./browser-page.ts', import.meta.url));
    writeFileSync(
      join(folder, 'index.html'),
      `<!doctype html><link rel="icon" href="data:,"><script type="module" src="${entry}"></script>`,
    );
    await build({
      root: folder,
      configFile: false,
      logLevel: 'error',
      base: './',
      build: { target: 'es2022', outDir: 'dist', assetsInlineLimit: 0, chunkSizeWarningLimit: 4096 },
    });
    server = await preview({ root: folder, configFile: false, preview: { host: '127.0.0.1', port: 0 } });
    browser = await launchChromium();
    ({ page, problems } = await openPage(browser));
    await page.goto(server.resolvedUrls!.local[0]!);
    await page.waitForFunction('globalThis.icl !== undefined');
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    await server?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  // Small batches: SwiftShader computes shaders on the processor.
  test.each([
    ['wasm', { batch: 512, context: 20, queries: 1, dimension: 5 }],
    ['wasm', { batch: 7, context: 41, queries: 5, dimension: 5 }],
    ['webgpu', { batch: 7, context: 41, queries: 5, dimension: 5 }],
    ['wasm', { batch: 7, context: 41, queries: 5, dimension: 5, classes: 3 }],
    ['webgpu', { batch: 7, context: 41, queries: 5, dimension: 5, classes: 3 }],
  ] as [WebProvider, BatchSizes][])('%s answers as Node does on cpu', async (provider, shape) => {
    const file = shape.classes === undefined ? bytes : classifier;
    const prompts = samplePrompts(shape);
    const answer = await page.evaluate(
      async ({ provider, model, shape, covariates, responses, query }) => {
        const { icl } = globalThis as unknown as { icl: typeof import('../../index-browser.ts') };
        const session = await icl.openSession(icl.readModel('model', Uint8Array.from(model)), { provider });
        const { prediction } = await session.run({
          ...shape,
          covariates: Float32Array.from(covariates),
          responses: Float32Array.from(responses),
          query: Float32Array.from(query),
        });
        await session.close();
        return { prediction: [...prediction], report: session.report };
      },
      {
        provider,
        model: [...file],
        shape,
        covariates: [...prompts.covariates],
        responses: [...prompts.responses],
        query: [...prompts.query],
      },
    );
    const session = await openSession(readModel('model', file), { provider: 'cpu' });
    const { prediction } = await session.run(prompts);
    await session.close();
    // Both round in float32, in different orders: measured 4e-6 at predictions of up to 20.
    expectClose(answer.prediction, prediction, { relative: 1e-5, absolute: 1e-5 });
    expect(answer.report).toMatchObject({ provider, runtime: 'onnxruntime-web 1.30.0' });
    if (provider === 'webgpu') expect(answer.report.adapter).toContain('swiftshader');
    expect(problems).toEqual([]);
  });

  test('two sessions on webgpu, open side by side, take turns', { timeout: 60_000 }, async () => {
    const prompts = samplePrompts({ batch: 3, context: 11, queries: 1, dimension: 5 });
    const answers = await page.evaluate(
      async ({ model, shape, covariates, responses, query }) => {
        const { icl } = globalThis as unknown as { icl: typeof import('../../index-browser.ts') };
        const open = () => icl.openSession(icl.readModel('model', Uint8Array.from(model)), { provider: 'webgpu' });
        const sessions = await Promise.all([open(), open()]);
        const batch = {
          ...shape,
          covariates: Float32Array.from(covariates),
          responses: Float32Array.from(responses),
          query: Float32Array.from(query),
        };
        const runs = await Promise.all([...sessions, ...sessions].map((session) => session.run(batch)));
        await Promise.all(sessions.map((session) => session.close()));
        return runs.map(({ prediction }) => [...prediction]);
      },
      {
        model: [...bytes],
        shape: { batch: 3, context: 11, queries: 1, dimension: 5 },
        covariates: [...prompts.covariates],
        responses: [...prompts.responses],
        query: [...prompts.query],
      },
    );
    expect(answers).toHaveLength(4);
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    expect(problems).toEqual([]);
  });

  // Few steps on SwiftShader, after some seconds for its shaders.
  test.each([
    ['wasm', linearConfig, 200],
    ['wasm', transformerConfig, 20],
    ['webgpu', linearConfig, 10],
  ] as const)('trains on %s with the losses of Node', { timeout: 60_000 }, async (device, choose, steps) => {
    const config = choose(steps);
    const answer = await page.evaluate(
      async ({ config, device }) => {
        const { icl } = globalThis as unknown as { icl: typeof import('../../index-browser.ts') };
        let progress = 0;
        const onProgress = ({ step }: { step: number }) => {
          progress = step;
        };
        const { metrics, steps, runtime } = await icl.fit({ config, device, onProgress });
        return { metrics, steps, runtime, progress };
      },
      { config, device },
    );
    const folder = join(temporaryFolder(), 'run');
    await train({ folder, config });
    const { metrics } = readRun(folder);
    expect(answer).toMatchObject({ steps, progress: steps, runtime: 'onnxruntime-web 1.30.0' });
    expect(answer.metrics.map(({ step, count }) => [step, count])).toEqual(metrics.map((row) => [row.step, row.count]));
    // One step rounds to 1e-7 or so, and the next ones carry it on.
    const losses = (rows: readonly { readonly loss: number }[]) => rows.map(({ loss }) => loss);
    expectClose(losses(answer.metrics), losses(metrics), { relative: 1e-4, absolute: 1e-6 });
    expect(problems).toEqual([]);
  });

  test('a file that is no model is refused as in Node', async () => {
    const message = await page.evaluate(() => {
      const { icl } = globalThis as unknown as { icl: typeof import('../../index-browser.ts') };
      try {
        icl.readModel('dropped.onnx', new Uint8Array([1, 2, 3]));
        return 'nothing was thrown';
      } catch (error) {
        return String(error);
      }
    });
    expect(message).toMatch(/^DataError: dropped\.onnx: expected/);
  });
});
