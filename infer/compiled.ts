/**
 * Where the compiled form of a file is. Workers and child processes start from JavaScript: beside the
 * file that asks when that is compiled itself, under `dist/` when it runs from its TypeScript source.
 */
import { existsSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ProviderError } from '../models/errors.ts';

/**
 * @param from `import.meta.url` of the file that asks.
 * @param name Name of a file in the same folder, without its extension.
 * @throws {ProviderError} if the sources have not been compiled.
 */
export function compiledFile(from: string, name: string): string {
  const folder = basename(dirname(fileURLToPath(from)));
  const path = fileURLToPath(new URL(from.endsWith('.ts') ? `../dist/${folder}/${name}.js` : `./${name}.js`, from));
  if (!existsSync(path)) {
    throw new ProviderError({
      where: path,
      expected: 'the compiled file',
      got: 'none',
      remedy: 'Compile the sources first: npm run build.',
    });
  }
  return path;
}
