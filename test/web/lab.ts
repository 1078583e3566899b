/** The built page on a local server, for its tests: what `npm run build:web` makes, with the policy and the headers it has. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { build, preview } from 'vite';
import { expect } from 'vitest';
import { launchChromium, openPage } from '../chromium.ts';

const configFile = fileURLToPath(new URL('../../web/vite.config.ts', import.meta.url));

export interface LabSite {
  /** Where the page is, ending in `/`. */
  readonly url: string;
  /** The built folder. */
  readonly folder: string;
  readonly browser: Browser;
  /** A fresh visitor. `problems` collects every error on the console; the page is not opened yet. */
  visit(options?: BrowserContextOptions): Promise<{ page: Page; problems: string[] }>;
  close(): Promise<void>;
}

/** Builds the page into a folder of its own, serves it and starts a browser: some five seconds. */
export async function openLabSite(): Promise<LabSite> {
  const folder = mkdtempSync(join(tmpdir(), 'icl-lab-'));
  const quiet = { configFile, logLevel: 'error' } as const;
  await build({ ...quiet, build: { outDir: folder, reportCompressedSize: false } });
  const server = await preview({ ...quiet, build: { outDir: folder }, preview: { host: '127.0.0.1', port: 0 } });
  const browser = await launchChromium();
  return {
    url: server.resolvedUrls!.local[0]!,
    folder,
    browser,
    visit: (options) => openPage(browser, options),
    async close() {
      await browser.close();
      await server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface AxeResult {
  readonly violations: readonly { readonly id: string; readonly nodes: readonly { readonly html: string }[] }[];
}

/** Fails naming each violation of WCAG 2.2 A and AA that axe finds on the page as it is. */
export async function expectAccessible(page: Page): Promise<void> {
  await page.evaluate(axe); // As a script tag the page's policy would refuse it.
  const { violations } = (await page.evaluate(
    "axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })",
  )) as AxeResult;
  expect(
    violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(' | ')}`),
  ).toEqual([]);
}

/** Fails if anything is wider than the page. */
export async function expectNoSidewaysScroll(page: Page): Promise<void> {
  const [inner, scroll] = (await page.evaluate(
    '[document.documentElement.clientWidth, document.documentElement.scrollWidth]',
  )) as [number, number];
  expect(scroll).toBeLessThanOrEqual(inner);
}
