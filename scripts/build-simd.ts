/**
 * Compiles the generator's SIMD kernel: `models/simd/generator.as` to `models/simd/generator-wasm.ts`.
 * Run from the repository's root after a change of the kernel: `npm run build && node dist/scripts/build-simd.js`, then
 * build again. A test compares the file with what the compiler makes.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import asc from 'assemblyscript/asc';

const source = 'models/simd/generator.as';
const target = 'models/simd/generator-wasm.ts';

/** Browsers compile at most this many bytes at once on their main thread. */
const largestModule = 4096;

/** The text of `generator-wasm.ts`. @throws {Error} on a compile error or a module that has grown too large. */
export async function compileKernel(): Promise<string> {
  let wasm = new Uint8Array();
  const { error, stderr } = await asc.main(
    // One page of memory: constants and 15,872 numbers, small enough for a core's own cache.
    '-O3 --noAssert --converge --runtime stub --enable simd --initialMemory 1 --maximumMemory 1'
      .split(' ')
      .concat(['generator.ts', '-o', 'generator.wasm']),
    {
      // The compiler insists on its own extension.
      readFile: (name) => (name === 'generator.ts' ? readFileSync(source, 'utf8') : null),
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
  return `/** Made from generator.as by scripts/build-simd.ts; not to be edited. ${wasm.length} bytes of WebAssembly. */
export const kernelBase64 =
  '${Buffer.from(wasm).toString('base64')}';
`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) writeFileSync(target, await compileKernel());
