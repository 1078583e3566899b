/** The page without a network: what it keeps, what it fetches before it answers, and that a sub-path is as good as a root. */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Page } from 'playwright-core';
import sirv from 'sirv';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { isForWebgpu, releaseOf } from '../../web/build/service-worker.ts';
import { isolationHeaders } from '../../web/content-security-policy.ts';
import { hasChromium, launchProfile } from '../chromium.ts';
import { type LabSite, openLabSite } from './lab.ts';

/** A plain static host that writes down what it was asked for. */
async function startHost(folder: string) {
  const asked: string[] = [];
  const files = sirv(folder, { dev: true, etag: true });
  const server: Server = createServer((request, response) => {
    asked.push(new URL(request.url!, 'http://host').pathname);
    for (const [name, value] of Object.entries(isolationHeaders)) response.setHeader(name, value);
    files(request, response, () => {
      response.writeHead(404).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    asked,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Until all files are kept and this page is served from them. */
const becomesKept = (page: Page) => page.waitForSelector('footer:has-text("works offline")', { timeout: 30_000 });

const isIsolated = (page: Page) => page.evaluate('crossOriginIsolated && navigator.serviceWorker.controller !== null');

describe.runIf(hasChromium)('without a network', () => {
  let site: LabSite;
  const closing: (() => Promise<void> | void)[] = [];
  beforeAll(async () => {
    site = await openLabSite();
  });
  afterAll(() => site?.close());
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
  });

  async function host(folder: string) {
    const started = await startHost(folder);
    closing.push(started.close);
    return started;
  }

  /** A copy of the built page in a sub-path. */
  function subPath(): { folder: string; path: string } {
    const folder = mkdtempSync(join(tmpdir(), 'icl-sub-'));
    closing.push(() => rmSync(folder, { recursive: true, force: true }));
    const path = join(folder, 'some', 'where');
    mkdirSync(path, { recursive: true });
    cpSync(site.folder, path, { recursive: true });
    return { folder, path };
  }

  test('a second visit answers, at a sub-path of a host that is gone', async () => {
    const { asked, url, close } = await host(subPath().folder);
    const { page, problems } = await site.visit({ serviceWorkers: 'allow' });
    await page.goto(`${url}some/where/#markov`);
    await page.waitForSelector('icl-markov[data-ready]', { timeout: 30_000 });
    await becomesKept(page);
    expect(await isIsolated(page)).toBe(true);
    expect(asked.filter((path) => !path.startsWith('/some/where/'))).toEqual([]);

    await close();
    await page.context().setOffline(true);
    await page.reload();
    await page.waitForSelector('icl-markov[data-ready]', { timeout: 30_000 });
    expect(await isIsolated(page)).toBe(true);
    // Another panel, and the page by its file's name.
    await page.goto(`${url}some/where/index.html#playground`);
    await page.waitForSelector('icl-playground[data-ready]', { timeout: 30_000 });
    expect(problems).toEqual([]);
    await page.context().close();
  });

  test('a new version is fetched whole, and takes over once no page of the old one is open', async () => {
    const { folder, path } = subPath();
    const { asked, url } = await host(folder);
    const { page } = await site.visit({ serviceWorkers: 'allow' });
    const context = page.context();
    const caches = () => page.evaluate('caches.keys()') as Promise<string[]>;
    const where = `${url}some/where/`;
    await page.goto(`${where}#markov`);
    await becomesKept(page);
    expect(await caches()).toEqual([`icl-lab ${where} ${releaseOf(path).version}`]);

    const title = 'The next version';
    const html = readFileSync(join(path, 'index.html'), 'utf8');
    const before = releaseOf(path);
    writeFileSync(join(path, 'index.html'), html.replace(/<title>.*<\/title>/, `<title>${title}</title>`));
    const after = releaseOf(path);
    const script = join(path, 'service-worker.js');
    writeFileSync(script, readFileSync(script, 'utf8').replace(before.version, after.version));
    expect(after.version).not.toBe(before.version);
    asked.length = 0;
    await page.reload();
    expect(await page.content()).not.toContain(title);
    await expect.poll(async () => (await caches()).length, { timeout: 10_000 }).toBe(2);
    await page.evaluate(
      'navigator.serviceWorker.getRegistration().then(async (r) => { while (!r.waiting) await new Promise((go) => setTimeout(go, 50)); })',
    );
    // What did not change is taken from the version before.
    expect(asked.filter((path_) => path_.includes('/assets/'))).toEqual([]);

    await page.goto('about:blank');
    await page.waitForTimeout(300);
    await page.goto(`${where}#markov`);
    await expect.poll(caches, { timeout: 10_000 }).toEqual([`icl-lab ${where} ${after.version}`]);
    await page.reload();
    expect(await (await page.request.get(where)).text()).toContain(title);
    expect(await page.evaluate('fetch("./").then((response) => response.text())')).toContain(title);
    await context.close();
  });

  test('where a file is missing the page works all the same and says so', async () => {
    const { folder, path } = subPath();
    const [model] = readdirSync(join(path, 'assets')).filter((name) => name.startsWith('shen2024'));
    rmSync(join(path, 'assets', model!));
    const { url } = await host(folder);
    const { page } = await site.visit({ serviceWorkers: 'allow' });
    await page.goto(`${url}some/where/#markov`);
    await page.waitForSelector('icl-markov[data-ready]', { timeout: 30_000 });
    await page.waitForSelector('footer:has-text("Not kept")', { timeout: 30_000 });
    expect(await page.evaluate('caches.keys()')).toEqual([]);
    await page.context().close();
  });

  test.each(['playground', 'markov'])(
    'less than 4 MiB are fetched before %s answers, nothing twice, and nothing of WebGPU',
    async (panel) => {
      const { asked, url } = await host(site.folder);
      const profile = mkdtempSync(join(tmpdir(), 'icl-profile-'));
      const context = await launchProfile(profile);
      closing.push(() => rmSync(profile, { recursive: true, force: true }));
      const page = await context.newPage();
      await page.goto(`${url}#${panel}`);
      await page.waitForSelector(`icl-${panel}[data-ready]`, { timeout: 30_000 });
      const first = [...asked];
      const sizeOf = (path: string) =>
        gzipSync(readFileSync(join(site.folder, path === '/' ? 'index.html' : path))).length;
      expect(first.some((path) => path.endsWith('.wasm'))).toBe(true);
      expect(first.reduce((sum, path) => sum + sizeOf(path), 0)).toBeLessThan(4 * 2 ** 20);

      await becomesKept(page);
      expect(asked.filter(isForWebgpu)).toEqual([]);
      // They are there under the names by which they are known: two builds, for browsers that suspend WebAssembly and others.
      const { onDemand, hashed } = releaseOf(site.folder);
      expect(onDemand.map((name) => name.slice(name.lastIndexOf('.'))).toSorted()).toEqual([
        '.js',
        '.js',
        '.wasm',
        '.wasm',
      ]);
      expect(onDemand.concat(hashed).filter((name) => asked.filter((path) => path === `/${name}`).length > 1)).toEqual(
        [],
      );
      await context.close();
    },
  );
});
