/**
 * Where the compiled form of a file of this folder is. Workers and child processes start from JavaScript: beside this file
 * when it is compiled itself, under `dist/` when it runs from its TypeScript source.
 */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ProviderError } from '../models/errors.ts';

/**
 * @param name File name in `infer/` without its extension.
 * @throws {ProviderError} if the sources have not been compiled.
 */
export function compiledFile(name: string): string {
  const isSource = import.meta.url.endsWith('.ts');
  const path = fileURLToPath(new URL(isSource ? `../dist/infer/${name}.js` : `./${name}.js`, import.meta.url));
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
