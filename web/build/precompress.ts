/**
 * Writes `x.br` and `x.gz` beside every file x of the built page that gets smaller by it, for hosts that send such neighbours,
 * as `icl serve` does: the runtime's WebAssembly shrinks to a fifth. Not in development, and not where the build asks for no
 * compressed sizes either, as tests do.
 */
import { readdirSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { extname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, gzip, constants as zlib } from 'node:zlib';
import type { Plugin } from 'vite';

/** What is not compressed already. */
const compressible = new Set(['.wasm', '.js', '.css', '.html', '.svg', '.json', '.onnx', '.webmanifest']);

/** Smaller files fit into one packet anyway. */
const leastBytes = 1024;

/** 9 of 11: the last two steps take ten times as long for a few percent. */
const brotliQuality = 9;

const encodings = {
  br: (content: Buffer) =>
    promisify(brotliCompress)(content, {
      params: {
        [zlib.BROTLI_PARAM_QUALITY]: brotliQuality,
        [zlib.BROTLI_PARAM_SIZE_HINT]: content.length,
      },
    }),
  gz: (content: Buffer) => promisify(gzip)(content, { level: 9 }),
} as const;

/** Compresses the files of a folder, one after the other, each in both ways at once. @returns the neighbours it wrote. */
export async function compressFolder(folder: string): Promise<string[]> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    compressible.has(extname(name)),
  );
  const written: string[] = [];
  for (const name of names) {
    const path = join(folder, name);
    const content = await readFile(path);
    if (content.length < leastBytes) continue;
    for (const neighbour of await Promise.all(
      Object.entries(encodings).map(async ([suffix, encode]) => ({ suffix, bytes: await encode(content) })),
    )) {
      if (neighbour.bytes.length >= content.length) continue;
      await writeFile(`${path}.${neighbour.suffix}`, neighbour.bytes);
      written.push(`${name}.${neighbour.suffix}`);
    }
  }
  return written;
}

export function precompressPlugin(): Plugin {
  let folder: string | undefined;
  return {
    name: 'icl-precompress',
    apply: 'build',
    configResolved({ root, build }) {
      folder = build.reportCompressedSize ? resolve(root, build.outDir) : undefined;
    },
    // Behind everything that still writes into the folder.
    closeBundle: {
      order: 'post',
      sequential: true,
      async handler() {
        if (folder !== undefined) await compressFolder(folder);
      },
    },
  };
}
