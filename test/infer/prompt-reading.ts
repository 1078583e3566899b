/** Prompt files for their tests: texts as standard input, and a folder that goes away. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll } from 'vitest';
import { type PromptFileBatch, type ReadOptions, readPrompts } from '../../infer/prompt-files.ts';

export const dimension = 2;
export const folder = mkdtempSync(join(tmpdir(), 'prompts-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

export async function collect(batches: AsyncIterable<PromptFileBatch>): Promise<PromptFileBatch[]> {
  const all: PromptFileBatch[] = [];
  for await (const batch of batches) all.push(batch);
  return all;
}

/** Reads a text from standard input, in chunks of `size` bytes. */
export function readText(
  text: string | Uint8Array,
  options: Partial<ReadOptions> = {},
  size = 7,
): Promise<PromptFileBatch[]> {
  const bytes = Buffer.from(text as Uint8Array);
  const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
    bytes.subarray(i * size, (i + 1) * size),
  );
  return collect(readPrompts({ path: '-', dimension, stdin: Readable.from(chunks), ...options }));
}

export const good = '{"covariates":[[1,2],[3,4]],"responses":[5,6],"query":[7,8]}';
export const listed = '{"covariates":[[1,2],[3,4]],"responses":[5,6],"query":[[7,8]]}';
export const longer = '{"covariates":[[1,2],[3,4],[9,9]],"responses":[5,6,9],"query":[7,8]}';
