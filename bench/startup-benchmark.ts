/** What a user waits for: `npm start` after installation, and the smallest command. Each round is a process of its own. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Benchmark } from './benchmark.ts';

const program = fileURLToPath(new URL('../cli/main.js', import.meta.url));

function commandBenchmark(
  name: string,
  description: string,
  words: readonly string[],
  tinyWords: readonly string[],
): Benchmark {
  return {
    name,
    description,
    rounds: 3,
    async open({ isTiny }) {
      const folder = mkdtempSync(join(tmpdir(), 'icl-bench-'));
      const chosen = isTiny ? tinyWords : words;
      return {
        ours: {
          label: 'icl-onnx',
          settings: {},
          async round() {
            const out = join(folder, 'run');
            rmSync(out, { recursive: true, force: true });
            const start = performance.now();
            const withFolder = chosen.map((word) => (word === 'OUT' ? out : word));
            await promisify(execFile)(process.execPath, [program, ...withFolder], { maxBuffer: 2 ** 26 });
            return performance.now() - start;
          },
          close: async () => rmSync(folder, { recursive: true, force: true }),
        },
        peers: [],
        missing: null,
        unit: 'ms',
        work: null,
        settings: { command: ['icl', ...chosen].join(' ') },
      };
    },
  };
}

export const startupBenchmarks: readonly Benchmark[] = [
  commandBenchmark(
    'startup',
    'npm start but for the compiler: a model is trained, verified, measured and drawn',
    ['reproduce', 'zhang2023', '--quick', '--out', 'OUT'],
    ['list'],
  ),
  commandBenchmark('command', 'icl list: what every command costs at least', ['list'], ['list']),
];
