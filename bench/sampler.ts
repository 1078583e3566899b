/**
 * How fast prompts are drawn: nanoseconds per normal of the plain and the SIMD generator, alone and in rows as prompts need
 * them, and prompts per second of the sampler. Run: `npm run build && node dist/bench/sampler.js`.
 *
 * Processor time, in medians of interleaved rounds with the least beside them, so that a busy machine disturbs little and
 * all alike. Nothing is gated on it.
 */
import { cpus } from 'node:os';
import { allocateBatch } from '../models/prompts.ts';
import {
  createGenerator,
  fillExponentialsForPrompts,
  fillNormals,
  fillNormalsForPrompts,
  type GeneratorImplementation,
  generatorImplementation,
  useGeneratorImplementation,
} from '../models/random.ts';
import { createSampler } from '../models/tasks/index.ts';

const rounds = 25;
const implementations: readonly GeneratorImplementation[] =
  generatorImplementation() === 'simd' ? ['plain', 'simd'] : ['plain'];

interface Measurement {
  readonly name: string;
  /** What is counted, per call of `run`. */
  readonly units: number;
  run(): void;
}

interface Timing {
  readonly median: number;
  readonly least: number;
}

/** Nanoseconds of processor time per call: every round runs everything once, for at least two milliseconds. */
function measure(measurements: readonly Measurement[]): Map<string, Timing> {
  const times = new Map<string, number[]>();
  for (let round = -2; round < rounds; round++) {
    for (const { name, units, run } of measurements) {
      // Asking for the time costs as much as a short call.
      const callsBetween = Math.ceil(2000 / units);
      for (const implementation of implementations) {
        useGeneratorImplementation(implementation);
        run();
        const start = process.cpuUsage();
        let elapsed = 0;
        let calls = 0;
        for (; elapsed < 2e6; calls += callsBetween) {
          for (let i = 0; i < callsBetween; i++) run();
          const { user, system } = process.cpuUsage(start);
          elapsed = 1000 * (user + system);
        }
        // The first rounds are for the compilers.
        if (round < 0) continue;
        const key = `${name} ${implementation}`;
        times.set(key, [...(times.get(key) ?? []), elapsed / calls]);
      }
    }
  }
  return new Map(
    [...times].map(([key, values]) => {
      const sorted = values.sort((a, b) => a - b);
      return [key, { median: sorted[sorted.length >> 1]!, least: sorted[0]! }];
    }),
  );
}

const generator = createGenerator(1, 0);
const position = { prompt: 0, purpose: 1 };
const large = new Float32Array(215_040);

/** Normals for as many prompts as make up the large array. */
function rows(count: number): Measurement {
  const prompts = Math.floor(large.length / count);
  return {
    name: `normals, rows of ${count}`,
    units: prompts * count,
    run: () => fillNormalsForPrompts(generator, position, prompts, large, count),
  };
}

const draws: readonly Measurement[] = [
  {
    name: 'normals, 215,040 in a row',
    units: large.length,
    run: () => fillNormals(generator, position, large, 0, large.length),
  },
  rows(800),
  rows(105),
  rows(20),
  rows(5),
  { name: 'normals, 5 in one call', units: 5, run: () => fillNormals(generator, position, large, 0, 5) },
  { name: 'normals, 105 in one call', units: 105, run: () => fillNormals(generator, position, large, 0, 105) },
  {
    name: 'exponentials, rows of 20',
    units: large.length,
    run: () => fillExponentialsForPrompts(generator, position, large.length / 20, large, 20),
  },
];

function batches(dimension: number, context: number): Measurement {
  const batch = allocateBatch({ batch: 256, context, queries: 1, dimension });
  const sampler = createSampler({
    name: 'linear-regression',
    dimension,
    covariance: { kind: 'identity' },
    taskCovariance: { kind: 'identity' },
    noiseVariance: 0,
  });
  return {
    name: `256 prompts, d=${dimension} N=${context}`,
    units: 256,
    run: () => sampler.fill(generator, 0, batch),
  };
}

const prompts: readonly Measurement[] = [batches(5, 20), batches(20, 40)];

function print(line: readonly string[]): void {
  process.stdout.write(
    `${line[0]!.padEnd(28)}${line
      .slice(1)
      .map((cell) => cell.padStart(16))
      .join('')}\n`,
  );
}

process.stdout.write(`${cpus()[0]?.model ?? 'unknown processor'}, Node ${process.versions.node}\n`);
process.stdout.write(`Processor time: medians of ${rounds} rounds, the least in brackets.\n\n`);
const timings = measure([...draws, ...prompts]);
const cells = (name: string, show: (nanoseconds: number) => string) =>
  implementations.map((implementation) => {
    const { median, least } = timings.get(`${name} ${implementation}`)!;
    return `${show(median)} (${show(least)})`;
  });
print(['ns per number', ...implementations]);
for (const { name, units } of draws) print([name, ...cells(name, (ns) => (ns / units).toFixed(1))]);
print(['\nms per batch', ...implementations]);
for (const { name } of prompts) print([name, ...cells(name, (ns) => (ns / 1e6).toFixed(2))]);
print(['\nthousand prompts per second', ...implementations]);
for (const { name, units } of prompts) print([name, ...cells(name, (ns) => ((units / ns) * 1e6).toFixed(0))]);
