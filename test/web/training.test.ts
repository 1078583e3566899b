/** Training in the page: it finds what theory says, as Node does; it pauses, stops and fails in words; its model goes on. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DOMParser } from 'linkedom';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { MetricsRow } from '../../train/metrics.ts';
import { hasChromium } from '../chromium.ts';
import { expectClose } from '../tolerance.ts';
import { expectAccessible, expectNoSidewaysScroll, type LabSite, openLabSite } from './lab.ts';

/** Enough on a machine that many tests share. */
const patience = 120_000;
const panel = 'icl-training';
const cli = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const icl = (...words: string[]) => execFileSync(process.execPath, [cli, ...words], { encoding: 'utf8' });

/** A layer in the plane that is nearly done after 150 steps. */
const small = 'set=d%3D2,N%3D10&steps=150&batch=64&rate=0.05&seed=3';

const parseRows = (text: string) =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as MetricsRow);
const lossesOf = (rows: readonly MetricsRow[]) => rows.map(({ loss }) => loss);

interface TraceEvent {
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  /** Processor time in microseconds: what a task takes on a machine that it has for itself. */
  readonly tdur?: number;
  readonly args?: { readonly name?: string };
}

/** Milliseconds of processor time of each task of a page's own thread. */
function mainThreadTasks({ traceEvents }: { readonly traceEvents: readonly TraceEvent[] }): number[] {
  const pages = traceEvents.filter(({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain');
  return traceEvents
    .filter(({ pid, tid, tdur }) => tdur !== undefined && pages.some((page) => page.pid === pid && page.tid === tid))
    .map(({ tdur }) => tdur! / 1000);
}

describe.runIf(hasChromium)('training', () => {
  let site: LabSite;
  const folder = mkdtempSync(join(tmpdir(), 'icl-web-training-'));
  beforeAll(async () => {
    site = await openLabSite();
  });
  afterAll(async () => {
    await site?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const visit = async (query = '', options: BrowserContextOptions = {}) => {
    const visitor = await site.visit(options);
    visitor.page.setDefaultTimeout(patience);
    await visitor.page.goto(`${site.url}#training?${query}`);
    await visitor.page.waitForSelector(`${panel}[data-ready]`);
    return visitor;
  };
  const press = (page: Page, name: string) => page.getByRole('button', { name, exact: true }).click();
  const reach = (page: Page, phase: string) => page.waitForSelector(`${panel}[data-ready=${phase}]`);
  const numberAt = async (page: Page, term: string) => {
    const item = page.locator(`${panel} .numbers div`, { has: page.locator(`dt:text-is("${term}")`) });
    return Number.parseFloat(await item.locator('dd').innerText());
  };
  const takeFile = async (page: Page, name: string): Promise<string> => {
    const [file] = await Promise.all([page.waitForEvent('download'), press(page, name)]);
    const path = join(folder, file.suggestedFilename());
    await file.saveAs(path);
    return path;
  };
  const metricsOf = async (page: Page) => parseRows(readFileSync(await takeFile(page, 'metrics.jsonl'), 'utf8'));

  test('finds the least loss and the losses of the command it names; its model is one of ours', {
    timeout: patience,
  }, async () => {
    const { page, problems } = await visit(small);
    await press(page, 'Train');
    await reach(page, 'done');
    expect(await numberAt(page, 'step')).toBe(150);
    // Exact numbers of the trained weights: within a few percent of the optimum.
    const [expected, least] = [await numberAt(page, 'expected loss'), await numberAt(page, 'least, by theory')];
    expect(least).toBeCloseTo((2 * 3) / (10 + 2 + 1) / 2, 3); // D (D+1) / (N+D+1), halved
    expect(expected / least).toBeGreaterThan(0.999);
    expect(expected / least).toBeLessThan(1.05);
    expect(await numberAt(page, 'distance to theory')).toBeLessThan(20);

    const command = await page.locator(`${panel} icl-figure-frame.loss pre code`).textContent();
    expect(command).toBe(
      'icl train zhang2023 --set d=2,N=10 --steps 150 --batch 64 --seed 3 --learning-rate 0.05 --out runs/zhang2023',
    );
    const run = join(folder, 'run');
    icl(...command!.split(' ').slice(1, -1), run, '--verify', 'cpu');
    const [here, there] = [await metricsOf(page), parseRows(readFileSync(join(run, 'metrics.jsonl'), 'utf8'))];
    expect(here.map(({ step, count }) => [step, count])).toEqual(there.map(({ step, count }) => [step, count]));
    // One step rounds to 1e-7 or so, and the next ones carry it on.
    expectClose(lossesOf(here), lossesOf(there), { relative: 1e-4, absolute: 1e-6 });

    const model = await takeFile(page, 'model.onnx');
    expect(icl('inspect', model)).toMatch(/zhang2023[\s\S]*linear-attention/);
    expect(icl('verify', model, '--provider', 'cpu')).not.toContain('FAILED');
    expect(problems).toEqual([]);
    await page.context().close();
  });

  test('waits where it is told, takes one step, goes on with the numbers of a run that never waited', {
    timeout: patience,
  }, async () => {
    const query = 'set=d%3D2,N%3D10&steps=60&batch=16&seed=5&rate=';
    const straight = await visit(query);
    await press(straight.page, 'Train');
    await reach(straight.page, 'done');
    const whole = await metricsOf(straight.page);
    await straight.page.context().close();

    const { page, problems } = await visit(`${query}&pause=25`);
    await press(page, 'Train');
    await reach(page, 'paused');
    expect(await numberAt(page, 'step')).toBe(25);
    await page.waitForTimeout(300);
    expect(await numberAt(page, 'step')).toBe(25);
    await press(page, 'One step');
    await page.waitForSelector(`${panel} dd:text-is("26 of 60")`);
    await press(page, 'Resume');
    await reach(page, 'done');
    expect(lossesOf(await metricsOf(page))).toEqual(lossesOf(whole));
    expect(problems).toEqual([]);
    await page.context().close();
  });

  test('stops where it is, with what it has', { timeout: patience }, async () => {
    const { page, problems } = await visit('set=d%3D2,N%3D10&steps=100000&batch=16&rate=&pause=30');
    await press(page, 'Train');
    await reach(page, 'paused');
    await press(page, 'Stop');
    await reach(page, 'done');
    expect(await metricsOf(page)).toHaveLength(3);
    expect(problems).toEqual([]);
    await page.context().close();
  });

  test('a trained model is offered to the other panels', { timeout: patience }, async () => {
    const { page, problems } = await visit(small);
    await press(page, 'Train');
    await reach(page, 'done');
    await press(page, 'Use this model');
    await page.locator(`${panel} .kept`).getByRole('link', { name: 'Playground' }).click();
    await page.waitForSelector('icl-playground[data-ready]');
    expect(page.url()).toContain('#playground?model=own-1');
    expect(await page.locator('icl-playground').innerText()).toContain('Trained here');
    // The panel keeps what it did.
    await page.getByRole('link', { name: 'Training', exact: true }).click();
    expect(await numberAt(page, 'step')).toBe(150);
    expect(problems).toEqual([]);
    await page.context().close();
  });

  test('what cannot be trained is refused in the words of the study', { timeout: patience }, async () => {
    const { page, problems } = await visit('set=d%3D0&study=zhang2023');
    const alert = () => page.textContent(`${panel} [role=alert]`);
    expect(await alert()).toBe('--set d: expected a whole number, 1 or more, got "0".');
    expect(await page.getByRole('button', { name: 'Train', exact: true }).isDisabled()).toBe(true);
    await page.getByLabel('dimension of the covariates').fill('3');
    await page.keyboard.press('Enter');
    await reach(page, 'ready');
    expect(await page.locator(`${panel} [role=alert]`).count()).toBe(0);
    expect(page.url()).toContain('d%3D3');
    expect(problems).toEqual([]);
    await page.context().close();
  });

  test('a loss that diverges ends in words, and what was before is kept', { timeout: patience }, async () => {
    const { page, problems } = await visit('set=d%3D2,N%3D10&steps=200&batch=16&rate=30');
    await press(page, 'Train');
    await reach(page, 'failed');
    expect(await page.textContent(`${panel} [role=alert]`)).toMatch(
      /^step \d+ of 200: expected a .*loss.* Lower the learning rate/,
    );
    expect(await page.getByRole('button', { name: 'Use this model' }).isEnabled()).toBe(true);
    expect(problems).toEqual([]);
    await page.context().close();
  });

  test('a link holds the settings; going back undoes a choice', { timeout: patience }, async () => {
    const { page, problems } = await visit('log=yes');
    await page.getByLabel('What to see').selectOption({ label: 'A rare feature is learned late' });
    await page.getByLabel('Seed').fill('11');
    await page.keyboard.press('Enter');
    await reach(page, 'ready');
    await page.reload();
    await reach(page, 'ready');
    expect(await page.getByLabel('What to see').inputValue()).toBe('imbalanced');
    expect(await page.getByLabel('Seed').inputValue()).toBe('11');
    expect(await page.getByLabel('More room for early steps').isChecked()).toBe(true);
    await page.goBack();
    await expect.poll(() => page.getByLabel('Seed').inputValue()).toBe('1');
    expect(page.url()).not.toContain('seed=11');
    expect(problems).toEqual([]);
    await page.context().close();
  });

  test('a figure is taken away as SVG', { timeout: patience }, async () => {
    const { page, problems } = await visit();
    const [file] = await Promise.all([
      page.waitForEvent('download'),
      page.locator(`${panel} icl-figure-frame.matrix`).getByRole('button', { name: 'SVG' }).click(),
    ]);
    expect(file.suggestedFilename()).toBe('training-weights-zhang2023.svg');
    const { documentElement } = new DOMParser().parseFromString(
      readFileSync(await file.path(), 'utf8'),
      'image/svg+xml',
    );
    expect(documentElement.querySelectorAll('text').length).toBeGreaterThan(32); // The numbers of three 4 x 4 maps.
    expect(problems).toEqual([]);
    await page.context().close();
  });

  test.each(['light', 'dark'] as const)(
    'can be used by everybody in %s, also on a telephone',
    { timeout: patience },
    async (colorScheme) => {
      const { page, problems } = await visit('study=huang2023&set=K%3D4,N%3D20&steps=40&batch=16&rate=', {
        colorScheme,
      });
      await press(page, 'Train');
      await reach(page, 'done');
      await press(page, 'Use this model');
      await page.waitForSelector(`${panel} .kept`);
      await expectAccessible(page);
      await page.setViewportSize({ width: 360, height: 740 });
      await page.waitForTimeout(300);
      await expectNoSidewaysScroll(page);
      expect(problems).toEqual([]);
      await page.context().close();
    },
  );

  test('the page stays responsive while it trains', { timeout: patience }, async () => {
    const { page, problems } = await visit('steps=400');
    await page.waitForTimeout(1000);
    await site.browser.startTracing(page, { categories: ['toplevel', '__metadata'] });
    await press(page, 'Train');
    await reach(page, 'done');
    const tasks = mainThreadTasks(JSON.parse((await site.browser.stopTracing()).toString()));
    expect(tasks.length).toBeGreaterThan(100);
    expect(tasks.filter((milliseconds) => milliseconds > 100)).toEqual([]);
    expect(problems).toEqual([]);
    await page.context().close();
  });

  // Few steps of few prompts: SwiftShader computes shaders on the processor, and compiles them first.
  test('webgpu trains with the losses of wasm', { timeout: 2 * patience }, async () => {
    const { page, problems } = await visit('set=d%3D2,N%3D8&steps=20&batch=16&rate=');
    page.setDefaultTimeout(2 * patience);
    const losses = async () => {
      await page.getByRole('button', { name: /^Train/ }).click();
      await page.waitForSelector(`${panel}[data-ready=done]`);
      return lossesOf(await metricsOf(page));
    };
    const wasm = await losses();
    await page.click('.provider summary');
    await page.click('input[name=provider][value=webgpu]');
    await page.waitForSelector('.provider summary:has-text("Runs on WebGPU")');
    await page.getByRole('button', { name: 'Train again' }).click();
    await page.waitForSelector(`${panel} dd:has-text("swiftshader")`);
    await page.waitForSelector(`${panel}[data-ready=done]`);
    expectClose(lossesOf(await metricsOf(page)), wasm, { relative: 1e-4, absolute: 1e-6 });
    expect(problems).toEqual([]);
    await page.context().close();
  });
});
