/** The compressed neighbours that the build writes. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { build } from 'vite';
import { afterAll, expect, test } from 'vitest';
import { compressFolder, precompressPlugin } from '../../web/build/precompress.ts';

const scratch = mkdtempSync(join(tmpdir(), 'icl-precompress-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const script = 'export const zeros = [0];\n'.repeat(200);

test('a small file, and one that does not shrink, are left as they are', async () => {
  const folder = mkdtempSync(join(scratch, 'folder-'));
  writeFileSync(join(folder, 'small.js'), 'x'.repeat(100));
  writeFileSync(join(folder, 'picture.png'), new Uint8Array(5000));
  writeFileSync(join(folder, 'random.wasm'), crypto.getRandomValues(new Uint8Array(5000)));
  writeFileSync(join(folder, 'large.js'), script);
  expect(await compressFolder(folder)).toEqual(['large.js.br', 'large.js.gz']);
  expect(brotliDecompressSync(readFileSync(join(folder, 'large.js.br'))).toString()).toBe(script);
  expect(gunzipSync(readFileSync(join(folder, 'large.js.gz'))).toString()).toBe(script);
});

test.each([true, false])(
  'a build that reports compressed sizes %s has neighbours likewise',
  async (reportCompressedSize) => {
    const root = mkdtempSync(join(scratch, 'site-'));
    mkdirSync(join(root, 'public'));
    writeFileSync(join(root, 'index.html'), '<!doctype html><title>page</title>');
    writeFileSync(join(root, 'public/large.json'), JSON.stringify(new Array(2000).fill(0)));
    await build({
      root,
      configFile: false,
      logLevel: 'error',
      build: { reportCompressedSize },
      plugins: [precompressPlugin()],
    });
    for (const suffix of ['br', 'gz'])
      expect(existsSync(join(root, `dist/large.json.${suffix}`))).toBe(reportCompressedSize);
  },
);
