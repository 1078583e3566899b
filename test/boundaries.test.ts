import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { checkBrowserEntry, checkImports } from '../scripts/check-imports.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

test('imports flow one way through the house', () => {
  expect(checkImports(root)).toEqual([]);
});

test("the browser's entry reaches nothing that only Node has", () => {
  expect(checkBrowserEntry(root)).toEqual([]);
});
