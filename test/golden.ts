/**
 * Texts that a person has read once and that must not change by themselves, in `test/golden/`. To change them on purpose:
 *
 *     UPDATE_GOLDEN=1 npx vitest run --config test/vitest.config.ts && git diff test/golden
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';

/** Compares a text with the file of that name; with `UPDATE_GOLDEN=1` writes the file instead. */
export function expectGolden(name: string, text: string): void {
  const path = fileURLToPath(new URL(`golden/${name}`, import.meta.url));
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(path, text);
  if (!existsSync(path)) expect.fail(`test/golden/${name} is missing: write it with UPDATE_GOLDEN=1 and read it.`);
  expect(text, `test/golden/${name} (UPDATE_GOLDEN=1 rewrites it)`).toBe(readFileSync(path, 'utf8'));
}
