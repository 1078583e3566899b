/** A real Chromium with WebGPU on SwiftShader, which collects what a page complains about. */
import { existsSync } from 'node:fs';
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { requireOrSkip } from './require.ts';

export const chromiumPath = '/usr/bin/chromium';

/** Whether to run the tests that need a browser. */
export const hasChromium = requireOrSkip('chromium', existsSync(chromiumPath), `no ${chromiumPath}`);

const launchOptions = {
  executablePath: chromiumPath,
  args: [
    ...['--no-sandbox', '--disable-background-networking', '--disable-component-update', '--no-first-run'],
    ...['--enable-unsafe-webgpu', '--enable-features=Vulkan', '--use-vulkan=swiftshader'],
    '--use-webgpu-adapter=swiftshader',
  ],
};

export function launchChromium(): Promise<Browser> {
  return chromium.launch(launchOptions);
}

/** A visitor whose browser keeps its cache in a folder, as people's do; one without keeps no large files. */
export function launchProfile(folder: string): Promise<BrowserContext> {
  return chromium.launchPersistentContext(folder, launchOptions);
}

/**
 * A page, and everything it reported as an error since: console, exceptions, refused by the security policy. Nothing is kept for
 * use offline unless the options allow service workers.
 */
export async function openPage(
  browser: Browser,
  options: BrowserContextOptions = {},
): Promise<{ page: Page; problems: string[] }> {
  const context = await browser.newContext({ serviceWorkers: 'block', ...options });
  const page = await context.newPage();
  const problems: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(message.text());
  });
  page.on('pageerror', (error) => problems.push(String(error)));
  return { page, problems };
}
