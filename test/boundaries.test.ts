import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { checkImports } from '../scripts/check-imports.ts';

test('imports flow one way through the house', () => {
  expect(checkImports(fileURLToPath(new URL('..', import.meta.url)))).toEqual([]);
});
