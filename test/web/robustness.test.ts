/** Robustness in a real browser: what is measured there is what `icl evaluate` measures, and a hand stops it at any time. */
import { readFileSync } from 'node:fs';
import { DOMParser } from 'linkedom';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { EvaluationRow } from '../../infer/evaluate.ts';
import { hasChromium } from '../chromium.ts';
import { runIcl } from '../cli/run-icl.ts';
import { expectAccessible, expectNoSidewaysScroll, type LabSite, openLabSite } from './lab.ts';
import { longestTask } from './main-thread.ts';

const patience = 60_000;

describe.runIf(hasChromium)('robustness', () => {
  let site: LabSite;
  beforeAll(async () => {
    site = await openLabSite();
  }, patience);
  afterAll(() => site?.close());

  const open = async (query: string, options?: Parameters<LabSite['visit']>[0]) => {
    const visit = await site.visit(options);
    visit.page.setDefaultTimeout(patience);
    await visit.page.goto(`${site.url}#robustness${query === '' ? '' : `?${query}`}`);
    return visit;
  };
  const words = (page: Page) => page.innerText('.run-words .progress >> nth=0');
  const hasWords = (page: Page, text: string) => page.locator('.run-words', { hasText: text }).waitFor();
  const done = (page: Page) => hasWords(page, 'Done.');
  const drawn = async (page: Page) => Number(/([\d,]+) of at most/.exec(await words(page))![1]!.replaceAll(',', ''));

  async function saved(page: Page, button: string): Promise<string> {
    const [download] = await Promise.all([page.waitForEvent('download'), page.click(`button:text-is("${button}")`)]);
    return readFileSync((await download.path())!, 'utf8');
  }
  const rowsOf = async (page: Page): Promise<EvaluationRow[]> =>
    (await saved(page, 'JSON Lines'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as EvaluationRow);

  /** The command under the figure, run in Node. */
  async function rowsInNode(page: Page): Promise<EvaluationRow[]> {
    const command = (await page.textContent('.provenance code'))!;
    const [icl, ...words] = command.split(' ');
    expect(icl).toBe('icl');
    const { code, stdout, stderr } = await runIcl([...words, '--provider', 'cpu', '--json']);
    expect(code, stderr).toBe(0);
    return stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as EvaluationRow);
  }

  function expectSameRows(page: readonly EvaluationRow[], node: readonly EvaluationRow[]): void {
    const known = ({ risk: _, standardError: __, provider: ___, ...rest }: EvaluationRow) => rest;
    expect(page.map(known)).toEqual(node.map(known));
    for (const [i, row] of page.entries()) {
      for (const key of ['risk', 'standardError'] as const) {
        // The same prompts; float32 products are summed in another order, a difference of two risks cancels, and least
        // squares without noise errs by rounding alone.
        const tolerance = 1e-4 * Math.abs(node[i]![key]) + 1e-5;
        expect(Math.abs(row[key] - node[i]![key]), `${JSON.stringify(row)}: ${key}`).toBeLessThanOrEqual(tolerance);
      }
    }
  }

  test('the default curve finishes and has the rows of its command', async () => {
    const { page, problems } = await open('precision=0.1');
    await done(page);
    const rows = await rowsOf(page);
    expect(new Set(rows.map(({ provider }) => provider))).toEqual(new Set(['wasm']));
    for (const { risk, theory, standardError, estimator } of rows) {
      if (estimator === 'model') expect(Math.abs(risk - theory!) / standardError).toBeLessThan(5);
    }
    expectSameRows(rows, await rowsInNode(page));

    const csv = (await saved(page, 'CSV')).trimEnd().split('\r\n');
    expect(csv[0]).toBe(Object.keys(rows[0]!).join(','));
    expect(csv.slice(1)).toEqual(rows.map((row) => Object.values(row).join(',')));
    const svg = await saved(page, 'SVG');
    const { documentElement } = new DOMParser().parseFromString(svg, 'image/svg+xml');
    expect(documentElement.tagName).toBe('svg');
    // The exact curve, a band for each of four answerers, lines of the three estimators.
    expect(documentElement.querySelectorAll('path').length).toBeGreaterThan(8);
    expect(problems).toEqual([]);
    await page.context().close();
  });

  test('lengths in one run, a stopped run too, are what the command says', async () => {
    const { page, problems } = await open('vary=length&precision=0.005&prompts=1000000&beside=zero');
    await page.waitForSelector('.rows tbody tr');
    await page.click('button:text-is("Stop")');
    await hasWords(page, 'Stopped.');
    const rows = await rowsOf(page);
    expect(new Set(rows.map(({ contextLength }) => contextLength)).size).toBe(7);
    expectSameRows(rows, await rowsInNode(page));
    expect(problems).toEqual([]);
    await page.context().close();
  });

  test('a pause holds the count, and it goes on after', async () => {
    const { page, problems } = await open('precision=0.005&prompts=1000000&beside=zero');
    await page.click('button:text-is("Pause")');
    await hasWords(page, 'Paused.');
    await page.waitForTimeout(700); // A block that was under way.
    const held = await drawn(page);
    await page.waitForTimeout(1000);
    expect(await drawn(page)).toBe(held);
    await page.click('button:text-is("Resume")');
    await expect.poll(() => drawn(page), { timeout: patience }).toBeGreaterThan(held);
    expect(problems).toEqual([]);
    await page.context().close();
  });

  test('what is being typed stays while numbers arrive', async () => {
    const { page, problems } = await open('precision=0.005&prompts=1000000&beside=zero');
    await hasWords(page, 'of at most');
    const seed = page.getByLabel('Seed');
    await seed.focus();
    await page.keyboard.press('Control+A');
    await page.keyboard.type('47');
    const before = await drawn(page);
    await expect.poll(() => drawn(page), { timeout: patience }).toBeGreaterThan(before);
    expect(await seed.inputValue()).toBe('47');
    await page.keyboard.press('Enter');
    await expect.poll(() => page.url()).toContain('seed=47');
    expect(problems).toEqual([]);
    await page.context().close();
  });

  test('a slider moved during a run cancels it, and nothing of it comes after', async () => {
    const { page, problems } = await open('precision=0.005&prompts=1000000&beside=zero');
    await page.waitForSelector('icl-robustness[data-ready]');
    const lengths = () =>
      page.evaluate(() =>
        Array.from(document.querySelectorAll('.rows tbody tr td:nth-child(3)'), ({ textContent }) => textContent),
      );
    expect(new Set(await lengths())).toEqual(new Set(['20']));
    await page.fill('input[type=range]', '40');
    const seen = new Set<string | null>();
    await expect
      .poll(
        async () => {
          for (const length of await lengths()) seen.add(length);
          return seen.size;
        },
        { timeout: patience, interval: 20 },
      )
      .toBeGreaterThan(0);
    await page.waitForTimeout(1000);
    for (const length of await lengths()) seen.add(length);
    expect(seen).toEqual(new Set(['40']));
    await expect.poll(() => page.url()).toContain('length=40');
    expect(problems).toEqual([]);
    await page.context().close();
  });

  test('two models answer the same prompts', async () => {
    const { page, problems } = await open(
      'compare=zhang2023-5d-two-layers&from=0.5&to=1.5&points=3&prompts=1500&beside=zero',
    );
    await done(page);
    const rows = await rowsOf(page);
    expect(rows.map(({ estimator }) => estimator)).toEqual(
      Array.from({ length: 3 }, () => ['model', 'compared-model', 'difference', 'zero']).flat(),
    );
    expectSameRows(rows, await rowsInNode(page));
    const offered = await page.locator('label:has-text("Compared with") option').allInnerTexts();
    expect(offered).toEqual(['no other model', 'Two layers of linear attention in 5 dimensions']);
    expect(problems).toEqual([]);
    await page.context().close();
  });

  test('WebGPU gives the same rows', async () => {
    const { page, problems } = await open('model=zhang2023-2d&from=0.5&to=2&points=2&prompts=48&beside=zero&length=10');
    await done(page);
    const onWasm = await rowsOf(page);
    await page.click('icl-provider summary');
    await page.click('input[name=provider][value=webgpu]');
    await page.locator('.run-words', { hasText: 'on webgpu' }).waitFor();
    await done(page);
    const rows = await rowsOf(page);
    expect(new Set(rows.map(({ provider }) => provider))).toEqual(new Set(['webgpu']));
    expectSameRows(rows, onWasm);
    expect(problems.filter((problem) => !/powerPreference|SwiftShader|adapter/i.test(problem))).toEqual([]);
    await page.context().close();
  }, 120_000);

  test('a link is what is seen, and says what it cannot be', async () => {
    const query =
      'model=shen2024-2d&vary=mean-norm&measure=error-rate&beside=posterior&prompts=1024&seed=7&axis=linear';
    const { page, problems } = await open(query);
    await done(page);
    const before = await rowsOf(page);
    await page.reload();
    await done(page);
    expect(await rowsOf(page)).toEqual(before);
    expect(before[0]).toMatchObject({ shift: 'mean-norm', seed: 7, prompts: 1024 });
    await page.goto(`${site.url}#robustness?vary=covariate-scal&prompts=1024`);
    const notice = await page.innerText('icl-robustness [role=alert]');
    expect(notice).toContain('Did you mean covariate-scale?');
    expect(problems).toEqual([]);
    await page.context().close();
  });

  test.each([
    ['light', 1280],
    ['dark', 360],
  ] as const)('everybody can use it while it runs: %s, %i pixels', async (colorScheme, width) => {
    const { page, problems } = await open('precision=0.005&prompts=1000000', {
      colorScheme,
      viewport: { width, height: 800 },
    });
    await page.waitForSelector('icl-robustness[data-ready]');
    await expectAccessible(page);
    await expectNoSidewaysScroll(page);
    expect(problems).toEqual([]);
    await page.context().close();
  });

  test('the page stays free while it runs', async () => {
    const { page, problems } = await open('precision=0.005&prompts=1000000');
    await page.waitForSelector('icl-robustness[data-ready]');
    expect(await longestTask(site.browser, page, 3000)).toBeLessThan(100);
    expect(problems).toEqual([]);
    await page.context().close();
  });
});
