/**
 * Adds the service worker to the built page: compiles `src/service-worker.ts` to a classic script beside the page and fills in
 * what it is to keep. Not in development.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'vite';

const source = fileURLToPath(new URL('../src/service-worker.ts', import.meta.url));

/** Beside the page, so that the whole page is in its scope. */
export const serviceWorkerFile = 'service-worker.js';

/** Where Vite puts what it names by content. */
const hashedFolder = 'assets/';

/** The runtime's build for WebGPU, script and binary, as its package and Vite name them. */
export const isForWebgpu = (name: string): boolean => /(^|\/)ort[^/]*(webgpu|asyncify|jspi)/.test(name);

/** Made from others, for hosts that compress. */
const isCompressed = (name: string) => /\.(br|gz)$/.test(name);

/** What the worker of a built folder keeps: see `src/service-worker.ts`. */
export function releaseOf(folder: string) {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .filter((name) => name !== serviceWorkerFile && !isCompressed(name))
    .toSorted();
  const isHashed = (name: string) => name.startsWith(hashedFolder);
  const named = names.filter((name) => !isHashed(name));
  const hash = createHash('sha256');
  for (const name of names) hash.update(`${name}\0`);
  for (const name of named) hash.update(readFileSync(join(folder, name)));
  return {
    version: hash.digest('hex').slice(0, 12),
    hashed: names.filter((name) => isHashed(name) && !isForWebgpu(name)),
    named,
    onDemand: names.filter((name) => isHashed(name) && isForWebgpu(name)),
  };
}

export function serviceWorkerPlugin(): Plugin {
  let folder = '';
  return {
    name: 'icl-service-worker',
    apply: 'build',
    configResolved({ root, build }) {
      folder = resolve(root, build.outDir);
    },
    buildStart() {
      this.emitFile({ type: 'chunk', id: source, fileName: serviceWorkerFile });
    },
    // Once all files are there, those of `public/` too.
    writeBundle() {
      const path = join(folder, serviceWorkerFile);
      const script = readFileSync(path, 'utf8');
      const filled = script.replace('__RELEASE__', () => JSON.stringify(releaseOf(folder)));
      if (filled === script) throw new Error(`${serviceWorkerFile} has no place for what it is to keep`);
      if (/^\s*(import|export)\b/m.test(script)) throw new Error(`${serviceWorkerFile} must be a classic script`);
      writeFileSync(path, filled);
    },
  };
}
