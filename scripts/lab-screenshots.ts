/**
 * Pictures of every panel of the lab, in both themes, into `docs/lab/`: builds the page, opens it in a real browser, waits
 * until each panel has answered.
 *
 *     node dist/scripts/lab-screenshots.js [folder] [panel ..]
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium } from 'playwright-core';
import { build, preview } from 'vite';

const root = fileURLToPath(new URL('../..', import.meta.url));
const configFile = join(root, 'web/vite.config.ts');

interface Shot {
  readonly panel: string;
  /** What the link says besides the panel. */
  readonly query?: string;
  /** A button to press first. */
  readonly press?: string;
  /** A file for what a visitor sees first, without scrolling. */
  readonly cover?: string;
  /** Milliseconds that it goes on after its first answer, for what grows. */
  readonly settle: number;
}

const shots: readonly Shot[] = [
  { panel: 'playground', cover: 'lab.png', settle: 2000 },
  { panel: 'markov', settle: 2000 },
  { panel: 'robustness', settle: 8000 },
  { panel: 'training', press: 'Train', settle: 12_000 },
  { panel: 'own-model', settle: 3000 },
];

const viewports = {
  wide: { width: 1200, height: 860 },
  telephone: { width: 360, height: 740 },
} as const;

async function shoot(browser: Browser, url: string, folder: string, wanted: readonly string[]): Promise<void> {
  for (const { panel, query = '', press, cover, settle } of shots) {
    if (wanted.length > 0 && !wanted.includes(panel)) continue;
    for (const colorScheme of ['light', 'dark'] as const) {
      for (const [name, viewport] of Object.entries(viewports)) {
        if (name === 'telephone' && colorScheme === 'dark') continue;
        const context = await browser.newContext({ viewport, colorScheme, deviceScaleFactor: 1 });
        const page = await context.newPage();
        await page.goto(`${url}#${panel}${query === '' ? '' : `?${query}`}`);
        await page.waitForSelector(`icl-${panel}[data-ready]`, { timeout: 60_000 });
        if (press !== undefined) await page.getByRole('button', { name: press, exact: true }).click();
        await page.waitForTimeout(settle);
        const file = join(folder, name === 'wide' ? `${panel}-${colorScheme}.png` : `${panel}-${name}.png`);
        if (cover !== undefined && name === 'wide' && colorScheme === 'light') {
          await page.screenshot({ path: join(folder, cover) });
        }
        await page.screenshot({ path: file, fullPage: true });
        console.log(file);
        await context.close();
      }
    }
  }
}

const [folder = join(root, 'docs/lab'), ...wanted] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });
const site = mkdtempSync(join(tmpdir(), 'icl-lab-'));
const quiet = { configFile, logLevel: 'error' } as const;
await build({ ...quiet, build: { outDir: site, emptyOutDir: true, reportCompressedSize: false } });
const server = await preview({ ...quiet, build: { outDir: site }, preview: { host: '127.0.0.1', port: 0 } });
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
try {
  await shoot(browser, server.resolvedUrls!.local[0]!, folder, wanted);
} finally {
  await browser.close();
  await server.close();
  rmSync(site, { recursive: true, force: true });
}
