/**
 * Prompts from a file or standard input, as batches a session can run. Which format, and the options all of them share;
 * the formats themselves are in `prompts-jsonl.ts`, `prompts-csv.ts` and `prompts-safetensors.ts`.
 */
import type { Readable } from 'node:stream';
import { didYouMean, UsageError } from '../models/errors.ts';
import { isStandardStream, openBytes } from './byte-source.ts';
import { type GroupLimits, groupPrompts, type PromptContract, type PromptFileBatch } from './prompt-records.ts';
import { readCsv } from './prompts-csv.ts';
import { readJsonLines } from './prompts-jsonl.ts';
import { readSafetensorsPrompts } from './prompts-safetensors.ts';

export type { PromptFileBatch } from './prompt-records.ts';

export const fileFormats = ['jsonl', 'csv', 'safetensors'] as const;

/** What prompts are read from and predictions are written to. */
export type FileFormat = (typeof fileFormats)[number];

const extensions: Readonly<Record<string, FileFormat>> = {
  jsonl: 'jsonl',
  ndjson: 'jsonl',
  csv: 'csv',
  safetensors: 'safetensors',
};

/**
 * The format of a path by its extension; JSON Lines for standard input and output, which have none.
 * @throws {UsageError} for another extension.
 */
export function formatOf(where: string, path: string): FileFormat {
  if (isStandardStream(path)) return 'jsonl';
  const extension = /\.([^./\\]+)$/.exec(path)?.[1]?.toLowerCase();
  const format = extension === undefined ? undefined : extensions[extension];
  if (format !== undefined) return format;
  const known = Object.keys(extensions);
  const near = extension === undefined ? undefined : didYouMean(extension, known);
  throw new UsageError({
    where,
    expected: `a file ending in ${known.map((name) => `.${name}`).join(', ')}, or its format named`,
    got: path,
    ...(near === undefined ? {} : { remedy: near }),
  });
}

export interface ReadOptions extends PromptContract, GroupLimits {
  /** The file; `-` for standard input. */
  readonly path: string;
  /** Null: by the extension. */
  readonly format: FileFormat | null;
  /** Largest prompt in JSON Lines (bytes of its line) and CSV (8 per number): bounds the memory and the longest pause. */
  readonly promptBytes: number;
  /** Largest safetensors file, in bytes. */
  readonly fileBytes: number;
  readonly stdin: Readable;
  /** Ends the reading with the signal's reason. Null: never. */
  readonly signal: AbortSignal | null;
}

export const readDefaults = {
  minimumContext: 1,
  classes: 0,
  output: 'value',
  batch: 1024,
  batchBytes: 1 << 24,
  format: null,
  promptBytes: 1 << 22,
  fileBytes: 1 << 30,
  signal: null,
} as const;

/**
 * Prompts in the order of the file, in batches of one shape (pairs and queries); a change of shape starts a new batch.
 * Every number is finite in float32.
 * @param options `path` and `dimension`, and whatever of {@link ReadOptions} is to differ from {@link readDefaults}.
 * @throws {DataError} naming file and line, row or tensor, when the iteration gets there.
 * @throws {UsageError} at once, if the extension names no format.
 */
export function readPrompts(
  options: Pick<ReadOptions, 'path' | 'dimension'> & Partial<ReadOptions>,
): AsyncGenerator<PromptFileBatch, void, undefined> {
  const resolved: ReadOptions = { ...readDefaults, stdin: process.stdin, ...options };
  const { path, promptBytes, fileBytes, stdin } = resolved;
  const format = resolved.format ?? formatOf('--prompts', path);
  const source = openBytes(path, stdin, resolved.signal ?? new AbortController().signal);
  const blocks =
    format === 'jsonl'
      ? readJsonLines(source, resolved, promptBytes)
      : format === 'csv'
        ? readCsv(source, resolved, promptBytes)
        : readSafetensorsPrompts(source, resolved, fileBytes);
  return groupPrompts(blocks, resolved, resolved);
}
