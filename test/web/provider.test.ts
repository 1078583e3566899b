/** Where models run: WebAssembly unless the person says otherwise, always said, never silent, and nothing fetched unasked. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chromiumPath, hasChromium, openPage } from '../chromium.ts';
import { expectAccessible, expectNoSidewaysScroll, type LabSite, openLabSite } from './lab.ts';

/** SwiftShader compiles shaders for seconds, on a busy machine for many. */
const patience = 240_000;

const isWebgpuRuntime = (url: string) => /asyncify|jspi|ort\.webgpu/.test(url);

describe.runIf(hasChromium)('the provider', () => {
  let site: LabSite;
  beforeAll(async () => {
    site = await openLabSite();
  });
  afterAll(() => site?.close());

  /** The page with the choice open, and what it fetched of WebGPU's runtime. */
  const visit = async (browser: Browser = site.browser) => {
    const visitor = await openPage(browser);
    const fetched: string[] = [];
    visitor.page.on('request', (request) => {
      if (isWebgpuRuntime(request.url())) fetched.push(request.url());
    });
    visitor.page.setDefaultTimeout(patience);
    await visitor.page.goto(site.url);
    await visitor.page.click('.provider summary');
    return { ...visitor, fetched };
  };
  const runsOn = (page: Page) => page.textContent('.provider summary');

  test('WebAssembly, with its reason, until the person chooses; then WebGPU, which says that it is software; and back', {
    timeout: patience,
  }, async () => {
    const { page, problems, fetched } = await visit();
    expect(await runsOn(page)).toBe('Runs on WebAssembly: the default, fastest for models this small');
    await page.waitForSelector('text=software, slow');
    const words = await page.textContent('.provider-choice');
    expect(words).toMatch(/fetches \d\.\d MB the first time/);
    await page.waitForTimeout(1500);
    expect(fetched).toEqual([]);

    await page.click('input[name=provider][value=webgpu]');
    await page.waitForSelector('.provider summary:has-text("Runs on WebGPU")');
    expect(await runsOn(page)).toMatch(/your choice, on google swiftshader.*: software, slow/);
    const [wasm] = fetched.filter((url) => url.endsWith('.wasm'));
    const megabytes = gzipSync(readFileSync(join(site.folder, new URL(wasm!).pathname))).length / 1e6;
    expect(Math.abs(Number(/(\d\.\d) MB/.exec(words!)![1]) - megabytes)).toBeLessThan(0.3);
    expect(await page.isChecked('input[name=provider][value=webgpu]')).toBe(true);

    await page.check('input[name=provider][value=wasm]');
    expect(await runsOn(page)).toBe('Runs on WebAssembly: your choice');
    expect(problems).toEqual([]);
    await page.context().close();
  });

  test('a measurement shows its numbers, takes the faster one and never software', { timeout: patience }, async () => {
    const { page, problems } = await visit();
    await page.click('text=Measure both');
    await page.waitForSelector('.timings');
    expect(await page.locator('.timings tbody tr').count()).toBe(4);
    expect(await runsOn(page)).toMatch(/^Runs on WebAssembly: measured here: \d+(\.\d)? times as fast as WebGPU$/);
    await expectAccessible(page);
    await page.setViewportSize({ width: 360, height: 740 });
    await expectNoSidewaysScroll(page);
    expect(problems).toEqual([]);
    await page.context().close();
  });

  test('WebGPU that does not start is told, and models stay where they were', { timeout: patience }, async () => {
    const { page } = await visit();
    await page.context().route(isWebgpuRuntimeUrl, (route) => route.abort());
    await page.click('input[name=provider][value=webgpu]');
    await page.waitForSelector('icl-provider [role=alert]');
    expect(await page.textContent('icl-provider [role=alert]')).toContain('models keep running on WebAssembly');
    expect(await runsOn(page)).toContain('Runs on WebAssembly');
    expect(await page.isChecked('input[name=provider][value=wasm]')).toBe(true);
    await page.context().close();
  });

  test('a browser without an adapter says so', async () => {
    const browser = await chromium.launch({ executablePath: chromiumPath, args: ['--no-sandbox', '--disable-gpu'] });
    try {
      const { page, problems } = await visit(browser);
      await page.waitForSelector('text=this browser has no WebGPU adapter');
      expect(await page.isDisabled('input[name=provider][value=webgpu]')).toBe(true);
      expect(problems).toEqual([]);
    } finally {
      await browser.close();
    }
  });
});

const isWebgpuRuntimeUrl = (url: URL) => isWebgpuRuntime(url.href);
