import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // Two workers on the two cores that CI has; native runtimes are not shared between test files.
    pool: 'forks',
    maxWorkers: 2,
  },
});
