/** Options and file helpers that several commands share. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileError } from '../export/files.ts';
import { type FrozenModel, type RunnableModel, readModel, readRunnable } from '../export/read-model.ts';
import { type ProviderName, providerNames } from '../infer/providers.ts';
import { UsageError, unknownName } from '../models/errors.ts';
import { commaList, type Option, option, text, wholeNumber } from './command.ts';

/** @returns a parser for the name of a provider, or `auto`. */
export function providerName(where: string): (value: string) => ProviderName | 'auto' {
  return oneOf(where, [...providerNames, 'auto']);
}

/** @returns a parser for one of these words. */
export function oneOf<Name extends string>(where: string, known: readonly Name[]): (value: string) => Name {
  return (value) => {
    const found = known.find((name) => name === value);
    if (found === undefined) throw unknownName(where, value, known);
    return found;
  };
}

export const providerOption: Option<ProviderName | 'auto'> = option(
  '--provider <name>',
  `execution provider: ${providerNames.join(', ')} or auto`,
  providerName('--provider'),
  'auto',
);

export const verifyOption: Option<readonly (ProviderName | 'auto')[]> = option(
  '--verify <p,...>',
  'providers to verify every exported file on',
  commaList('--verify', providerName('--verify')),
  ['cpu', 'wasm'],
  'cpu,wasm',
);

export const threadsOption: Option<number | undefined> = option(
  '--threads <n>',
  'threads of the cpu provider (default: all cores)',
  wholeNumber('--threads', 1),
);

export const seedOption = (initial: number): Option<number> =>
  option('--seed <n>', 'seed of everything that is drawn', wholeNumber('--seed', 0), initial);

export const setOption: Option<readonly string[]> = {
  flags: '--set <k=v,...>',
  description: "the study's settings, such as d=5,N=20 (see: icl list)",
  parse: text,
  initial: [],
  isRepeatable: true,
};

/** The ONNX file that a path means: itself, or `model.onnx` of a run folder. */
export function modelFile(path: string): string {
  return existsSync(path) && statSync(path).isDirectory() ? join(path, 'model.onnx') : path;
}

/** The bytes of a model's file, or of the one that a run folder holds; and the file's name, for errors. */
export function readBytes(path: string): { readonly file: string; readonly bytes: Uint8Array } {
  const file = modelFile(path);
  try {
    return { file, bytes: readFileSync(file) };
  } catch (cause) {
    if (file !== path && !existsSync(file)) {
      throw new UsageError({
        where: path,
        expected: 'a run that has been exported',
        got: 'a folder without model.onnx',
        remedy: `Once it is trained: icl export ${path}.`,
        cause,
      });
    }
    throw fileError(file, 'an ONNX file', cause);
  }
}

/** Reads a frozen model from a file, or from the run folder that holds one. */
export function readModelFile(path: string): FrozenModel {
  const { file, bytes } = readBytes(path);
  return readModel(file, bytes);
}

/** As {@link readModelFile}, and also a model that was made elsewhere and stands behind an adapter. */
export function readRunnableFile(path: string): RunnableModel {
  const { file, bytes } = readBytes(path);
  return readRunnable(file, bytes);
}
