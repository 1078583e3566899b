/** All benchmarks, by name. */
import { unknownName } from '../models/errors.ts';
import type { Benchmark } from './benchmark.ts';
import { growthBenchmark } from './growth-benchmark.ts';
import { inferBenchmarks } from './infer-benchmarks.ts';
import { samplerBenchmarks } from './sampler-benchmarks.ts';
import { startupBenchmarks } from './startup-benchmark.ts';
import { trainBenchmarks } from './train-benchmarks.ts';

export const benchmarks: readonly Benchmark[] = [
  ...trainBenchmarks,
  ...inferBenchmarks,
  ...samplerBenchmarks,
  growthBenchmark,
  ...startupBenchmarks,
];

/** Those that are named, in that order; all without a name. @throws {UsageError} with the nearest name. */
export function benchmarksNamed(names: readonly string[]): readonly Benchmark[] {
  const known = benchmarks.map(({ name }) => name);
  if (names.length === 0) return benchmarks;
  return names.map((name) => {
    const found = benchmarks.find((benchmark) => benchmark.name === name);
    if (found === undefined) throw unknownName('bench', name, known);
    return found;
  });
}
