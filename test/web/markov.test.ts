/** The panel of Markov chains: a kernel under one's hand, answers that are the models' own, links, files, long runs. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseHTML } from 'linkedom';
import type { Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readModel } from '../../export/index.ts';
import { openSession } from '../../infer/index.ts';
import { tolerances } from '../../infer/tolerances.ts';
import { createEstimator } from '../../models/estimators/index.ts';
import { allocateBatch } from '../../models/prompts.ts';
import { createGenerator, streams } from '../../models/random.ts';
import { createSampler } from '../../models/tasks/index.ts';
import type { MarkovChainSpec } from '../../models/tasks/markov-chain.ts';
import { hasChromium } from '../chromium.ts';
import { expectAccessible, expectNoSidewaysScroll, type LabSite, openLabSite } from './lab.ts';

const modelsFolder = fileURLToPath(new URL('../../web/models/', import.meta.url));
const cli = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const ready = 'icl-markov[data-ready]';
/** SwiftShader compiles shaders for seconds, on a busy machine for many. */
const patience = 240_000;

const modelNamed = (id: string) => readModel(id, readFileSync(join(modelsFolder, `${id}.onnx`)));

describe.runIf(hasChromium)('the panel of Markov chains', () => {
  let site: LabSite;
  let folder: string;
  beforeAll(async () => {
    site = await openLabSite();
    folder = mkdtempSync(join(tmpdir(), 'icl-markov-'));
  });
  afterAll(async () => {
    await site?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function open(query = '', options = {}) {
    const visitor = await site.visit(options);
    await visitor.page.goto(`${site.url}#markov${query === '' ? '' : `?${query}`}`);
    await visitor.page.waitForSelector(ready, { timeout: 60_000 });
    return visitor;
  }

  const frameOf = (page: Page, heading: string): Locator =>
    page.locator(`section[aria-labelledby="${heading}"] icl-figure-frame`);
  /** What a figure says to those who do not see it. */
  const spoken = (page: Page, heading: string) => frameOf(page, heading).locator('svg').getAttribute('aria-label');

  async function save(page: Page, name: string, click: () => Promise<void>): Promise<string> {
    const [download] = await Promise.all([page.waitForEvent('download'), click()]);
    expect(download.suggestedFilename()).toBe(name);
    const path = join(folder, name);
    await download.saveAs(path);
    return readFileSync(path, 'utf8');
  }

  const table = (csv: string) =>
    csv
      .trim()
      .split('\r\n')
      .map((line) => line.split(','));

  const chainsSlider = (page: Page) => page.locator('icl-markov .controls input[type=range]');
  const probability = (page: Page, from: number, to: number) => page.getByLabel(`Probability from ${from} to ${to}`);
  const rowOf = async (page: Page, from: number, states: number) =>
    Promise.all(
      Array.from({ length: states }, async (_, to) => Number(await probability(page, from, to).inputValue())),
    );
  /** Until the answers are to the prompt that the controls say. */
  const expectSpoken = (page: Page, heading: string, words: string | RegExp) =>
    expect.poll(() => spoken(page, heading), { timeout: 20_000 }).toMatch(words);

  /** The answers on the page to every query, against Node's CPU on the prompt that the page saves. */
  async function expectNodesAnswers(page: Page, ids: readonly string[], states: number, tolerance: number) {
    const prompt = JSON.parse(
      await save(page, 'markov-prompt.jsonl', () => page.getByRole('button', { name: 'Save the prompt' }).click()),
    ) as { covariates: number[][]; responses: number[] };
    const [, ...rows] = table(
      await save(page, 'markov-queries.csv', () =>
        frameOf(page, 'markov-queries').getByRole('button', { name: 'CSV' }).click(),
      ),
    );
    expect(rows.length).toBe(states ** 2);
    const queries = rows.map(([query]) => query!.split(' ').map(Number));
    for (const [i, id] of ids.entries()) {
      const session = await openSession(modelNamed(id), { provider: 'cpu', threads: 1 });
      const { prediction } = await session.run({
        ...{ batch: 1, context: prompt.covariates.length, queries: queries.length, dimension: 2 },
        covariates: Float32Array.from(prompt.covariates.flat()),
        responses: Float32Array.from(prompt.responses),
        query: Float32Array.from(queries.flat()),
      });
      await session.close();
      const scale = Math.sqrt(prediction.reduce((sum, value) => sum + value ** 2, 0) / prediction.length);
      for (const [q, row] of rows.entries()) {
        const bound = 2 * tolerance * Math.max(scale, Math.abs(prediction[q]!));
        expect(Math.abs(Number(row[2 + i]) - prediction[q]!)).toBeLessThanOrEqual(bound);
      }
    }
    return prompt;
  }

  test('answers are those of Node’s CPU, and the command under the figure gives the same number', async () => {
    const { page, problems } = await open('seed=5');
    await expectSpoken(page, 'markov-next', /four layers/);
    // Each of two float32 engines is within the provider's tolerance of the exact sum.
    const { wasm } = tolerances;
    await expectNodesAnswers(page, ['ding2025-one-layer', 'ding2025-four-layers'], 2, wasm.relative);

    await frameOf(page, 'markov-next').locator('summary').click();
    const command = (await frameOf(page, 'markov-next').locator('code').textContent())!.split(' ');
    await save(page, 'ding2025-one-layer.onnx', () => page.getByRole('button', { name: 'Save the model' }).click());
    expect(command[0]).toBe('icl');
    const printed = execFileSync('node', [cli, ...command.slice(1)], { cwd: folder, encoding: 'utf8' });
    const [, , model] = table(
      await save(page, 'markov-next-state.csv', () =>
        frameOf(page, 'markov-next').getByRole('button', { name: 'CSV' }).click(),
      ),
    );
    expect(model![0]).toBe('one layer');
    const [answer] = JSON.stringify(JSON.parse(printed)).match(/-?\d+\.\d+/)!;
    expect(Number(answer)).toBeCloseTo(Number(model![1]), 5);
    expect(problems).toEqual([]);
    await page.context().close();
  });

  test('on WebGPU too', { timeout: patience }, async () => {
    const { page, problems } = await open('n=8&compare=none');
    page.setDefaultTimeout(patience);
    await page.click('.provider summary');
    await page.click('input[name=provider][value=webgpu]');
    await page.waitForSelector('icl-markov :text("on WebGPU")');
    await expectNodesAnswers(page, ['ding2025-one-layer'], 2, tolerances.webgpu.relative);
    expect(problems).toEqual([]);
    await page.context().close();
  });

  test('a kernel is edited by hand, by keys and in numbers; its rows sum to 1, and the truth is another', async () => {
    const { page, problems } = await open('model=ding2025-three-states-one-layer&query=01');
    const truth = () => spoken(page, 'markov-next');
    expect(await truth()).toMatch(/true kernel: 0 with 0\.075, 1 with 0\.850, 2 with 0\.075;/);
    const sumsToOne = async () => {
      for (const from of [0, 1, 2]) {
        expect((await rowOf(page, from, 3)).reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 12);
      }
    };
    // A number: the others keep their ratio.
    await probability(page, 1, 0).fill('0.5');
    await probability(page, 1, 0).press('Enter');
    await expectSpoken(page, 'markov-next', /true kernel: 0 with 0\.500, 1 with 0\.459, 2 with 0\.041;/);
    await sumsToOne();
    // Keys on a handle: only its two neighbours change.
    const handle = page.getByRole('slider', { name: 'After 1: between 1 and 2' });
    await handle.focus();
    await handle.press('PageDown');
    await handle.press('ArrowLeft');
    expect(await rowOf(page, 1, 3)).toEqual([0.5, 0.35, 0.15]);
    await handle.press('Home');
    expect(await rowOf(page, 1, 3)).toEqual([0.5, 0, 0.5]);
    await handle.press('End');
    expect(await rowOf(page, 1, 3)).toEqual([0.5, 0.5, 0]);
    expect(await handle.getAttribute('aria-valuetext')).toBe('0.5 to 1, 0 to 2');
    // The mouse.
    const first = page.getByRole('slider', { name: 'After 1: between 0 and 1' });
    const bar = (await first.locator('..').boundingBox())!;
    const at = (await first.boundingBox())!;
    await page.mouse.move(at.x + at.width / 2, at.y + at.height / 2);
    await page.mouse.down();
    await page.mouse.move(bar.x + 0.35 * bar.width, at.y + 4, { steps: 4 });
    await page.mouse.move(bar.x + 0.2 * bar.width, at.y + 4, { steps: 4 });
    await page.mouse.up();
    expect(await rowOf(page, 1, 3)).toEqual([0.2, 0.8, 0]);
    await expectSpoken(page, 'markov-next', /true kernel: 0 with 0\.200, 1 with 0\.800, 2 with 0\.000;/);
    await sumsToOne();
    // What is no probability is refused.
    await probability(page, 0, 0).fill('1.5');
    await probability(page, 0, 0).press('Enter');
    expect(await rowOf(page, 1, 3)).toEqual([0.2, 0.8, 0]);
    expect(problems).toEqual([]);
    await page.context().close();
  });

  test('a link restores all of it; back undoes a choice; what a link asks for in vain is said', async () => {
    const { page, problems } = await open();
    const describeAll = () =>
      Promise.all(['prompt', 'next', 'queries', 'along'].map((name) => spoken(page, `markov-${name}`)));
    await page.getByRole('button', { name: 'Nearly a cycle' }).click();
    await page.getByRole('button', { name: 'Draw again' }).click();
    await page.getByRole('button', { name: /State 1 of the query/ }).click();
    await page.getByRole('slider', { name: 'After 0: between 0 and 1' }).press('ArrowRight');
    await chainsSlider(page).fill('40');
    await expectSpoken(page, 'markov-prompt', /^40 chains/);
    await page.waitForTimeout(600); // Links are written at most every 0.4 s.
    const before = await describeAll();
    await page.reload();
    await page.waitForSelector(ready, { timeout: 60_000 });
    await expect.poll(describeAll, { timeout: 20_000 }).toEqual(before);
    expect(await rowOf(page, 0, 2)).toEqual([0.04, 0.96]);

    await page.getByRole('button', { name: 'Sticky' }).click();
    await expectSpoken(page, 'markov-prompt', /^100 chains/);
    await page.goBack();
    await expectSpoken(page, 'markov-prompt', /^40 chains/);

    await page.goto(`${site.url}#markov?kernel=0.5,0.6_1,0&query=07&model=nowhere`);
    await page.waitForSelector('icl-markov [role=alert]');
    const alerts = (await page.locator('icl-markov [role=alert]').allTextContents()).join(' ');
    expect(alerts).toMatch(/rows of probabilities that sum to 1/);
    expect(alerts).toMatch(/"07" is not 2 states below 2/);
    expect(alerts).toMatch(/"nowhere", which is not here/);
    expect(problems).toEqual([]);
    await page.context().close();
  });

  test('a query of zeros is answered with 0, and every figure can be taken away', async () => {
    const { page, problems } = await open();
    await page.getByRole('button', { name: 'A query of zeros' }).click();
    await expectSpoken(
      page,
      'markov-next',
      /true kernel: 0 with 0\.000, 1 with 1\.000; one layer: 0 with 1\.000, 1 with 0\.000/,
    );
    for (const name of ['prompt', 'next', 'queries', 'along']) {
      const frame = frameOf(page, `markov-${name}`);
      const file = { prompt: 'prompt', next: 'next-state', queries: 'queries', along: 'chains-added' }[name]!;
      const svg = await save(page, `markov-${file}.svg`, () => frame.getByRole('button', { name: 'SVG' }).click());
      const { document } = parseHTML(svg);
      expect(document.querySelector('svg')?.getAttribute('aria-label')).toBe(await spoken(page, `markov-${name}`));
      expect(svg).not.toMatch(/var\(|NaN|undefined/);
    }
    const csv = await save(page, 'markov-prompt.csv', () =>
      frameOf(page, 'markov-prompt').getByRole('button', { name: 'CSV' }).click(),
    );
    expect(table(csv)).toHaveLength(102);
    expect(problems).toEqual([]);
    await page.context().close();
  });

  test('distances over fresh prompts are what Node finds; a slider moved during a run ends it', async () => {
    const { page, problems } = await open('prompts=200&law=training&n=20&seed=3');
    await page.getByRole('button', { name: 'Measure' }).click();
    await expectSpoken(page, 'markov-errors', /over 200 fresh prompts/);
    const [header, ...rows] = table(
      await save(page, 'markov-errors.csv', () =>
        frameOf(page, 'markov-errors').getByRole('button', { name: 'CSV' }).click(),
      ),
    );
    expect(header![2]).toBe('squared');
    const { task } = modelNamed('ding2025-one-layer').metadata;
    const sampler = createSampler(task);
    const prompts = allocateBatch({ batch: 200, context: 20, queries: 1, ...sampler });
    sampler.fill(createGenerator(3, streams.evaluation), 0, prompts);
    const truth = new Float64Array(200);
    createEstimator('known-kernel', { task: task as MarkovChainSpec }).predict(prompts, truth);
    const session = await openSession(modelNamed('ding2025-one-layer'), { provider: 'cpu', threads: 1 });
    const { prediction } = await session.run(prompts);
    await session.close();
    const mean = truth.reduce((sum, right, b) => sum + (prediction[b]! - right) ** 2, 0) / 200;
    const measured = rows.find(([who, length]) => who === 'one layer' && length === '20')!;
    expect(Number(measured[2])).toBeCloseTo(mean, 5);

    // Long enough to be met under way; nothing of it is left when the question is another.
    await page.getByLabel('Prompts', { exact: true }).fill('100000');
    await page.getByLabel('Prompts', { exact: true }).press('Enter');
    await page.getByRole('button', { name: 'Measure' }).click();
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByRole('button', { name: 'Go on' }).click();
    await expectSpoken(page, 'markov-errors', /over \d+ fresh prompts/);
    await chainsSlider(page).press('ArrowRight');
    await page.getByRole('button', { name: 'Measure' }).waitFor();
    expect(await frameOf(page, 'markov-errors').count()).toBe(0);
    expect(problems).toEqual([]);
    await page.context().close();
  });

  test.each(['light', 'dark'] as const)('everybody can use it, in %s and on a telephone', async (colorScheme) => {
    const { page, problems } = await open('model=ding2025-three-states-one-layer&prompts=200', { colorScheme });
    await page.getByRole('button', { name: 'Measure' }).click();
    await expectSpoken(page, 'markov-errors', /over 200 fresh prompts/);
    await expectAccessible(page);
    await page.setViewportSize({ width: 360, height: 740 });
    await page.waitForTimeout(300);
    await expectNoSidewaysScroll(page);
    expect(problems).toEqual([]);
    await page.context().close();
  });
});
