/**
 * Compiles the SIMD kernels: `models/simd/*.as` to `models/simd/*-wasm.ts`.
 * Run from the repository's root after a change of a kernel: `npm run build && node dist/scripts/build-simd.js`, then
 * build again. A test compares the files with what the compiler makes.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { pathToFileURL } from 'node:url';
import asc from 'assemblyscript/asc';

/** Memory of a program that threads share: batches, and in front of them what the kernels need. */
const shared = '--importMemory --sharedMemory --initialMemory 2 --maximumMemory 65536 --enable threads';

/** Which kernels there are, and what memory each has. */
const memories = {
  // Constants, a table, and numbers in pieces that a core's own cache holds.
  generator: '--initialMemory 2 --maximumMemory 2',
  'generator-shared': shared,
  // As large as its problem.
  bilinear: '--initialMemory 1',
  // As large as the numbers it looks through.
  finite: '--initialMemory 1',
  // As large as a part of a batch.
  'inner-products': '--initialMemory 1',
  'inner-products-shared': shared,
  'least-squares': '--initialMemory 1',
  'bank-scores': '--initialMemory 1',
  'softmax-regression': '--initialMemory 1',
} as const;

export type KernelName = keyof typeof memories;
export const kernelNames = Object.keys(memories) as readonly KernelName[];

export const targetOf = (name: KernelName): string => `models/simd/${name}-wasm.ts`;

/** Browsers compile at most this many bytes at once on their main thread. */
const largestModule = 4096;

/** The text of a `-wasm.ts` file. @throws {Error} on a compile error or a module that has grown too large. */
export async function compileKernel(kernel: KernelName): Promise<string> {
  const source = `models/simd/${kernel.replace('-shared', '')}.as`;
  let wasm = new Uint8Array();
  const { error, stderr } = await asc.main(
    `-O3 --noAssert --converge --runtime stub --enable simd ${memories[kernel]}`
      .split(' ')
      .concat(['kernel.ts', '-o', 'kernel.wasm']),
    {
      // The compiler insists on its own extension.
      readFile: (name) => (name === 'kernel.ts' ? readFileSync(source, 'utf8') : null),
      writeFile: (_, contents) => {
        wasm = contents as Uint8Array<ArrayBuffer>;
      },
      listFiles: () => [],
    },
  );
  if (error !== null) throw new Error(`${source}: ${error.message}\n${stderr.toString()}`);
  if (wasm.length >= largestModule) {
    throw new Error(`${source}: expected less than ${largestModule} bytes of module, got ${wasm.length}.`);
  }
  return `/** Made from ${basename(source)} by scripts/build-simd.ts; not to be edited. ${wasm.length} bytes of WebAssembly. */
export const kernelBase64 =
  '${Buffer.from(wasm).toString('base64')}';
`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  for (const name of kernelNames) writeFileSync(targetOf(name), await compileKernel(name));
}
