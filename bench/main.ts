/**
 * `npm run bench -- [name ..] [--json] [--no-peers] [--tiny]`: how fast this library is beside what a user would run instead.
 * Prints a line, or with --json an object, per name as soon as it is measured. Nothing is gated on it.
 */
import { parseArgs } from 'node:util';
import { IclError, UsageError } from '../models/errors.ts';
import { type Benchmark, type BenchmarkOptions, play, type Result } from './benchmark.ts';
import { benchmarks, benchmarksNamed } from './catalogue.ts';
import { openCeilings } from './ceilings.ts';
import { environmentHere, loadHere } from './environment.ts';
import { installCommand, missingPyTorch } from './peer.ts';

const usage = `Usage: npm run bench -- [name ..] [--json] [--no-peers] [--tiny]

${benchmarks.map(({ name, description }) => `  ${name.padEnd(24)}${description}`).join('\n')}

  --json       one JSON object per name
  --no-peers   only our own times
  --tiny       the smallest sizes: shows that it runs
`;

async function measure(benchmark: Benchmark, options: BenchmarkOptions): Promise<Result> {
  const loadBefore = loadHere();
  const ceilings = await openCeilings(options.isTiny);
  try {
    const result =
      'open' in benchmark
        ? await play(benchmark, await benchmark.open(options), options, () => ceilings.measure())
        : await benchmark.measure(options);
    const load = { before: loadBefore, after: loadHere() };
    return { ...result, settings: { ...result.settings, environment: environmentHere(), load } };
  } finally {
    await ceilings.close();
  }
}

interface Shown {
  readonly ours?: { readonly least: number };
  readonly peers?: readonly { readonly label: string; readonly median: number; readonly least: number }[];
  readonly ceiling?: { readonly shareOfCopy: number; readonly shareOfProducts: number };
}

const percent = (share: number): string => `${(100 * share).toPrecision(2)} %`;

function show({ name, ours, ratio, unit, settings }: Result): string {
  const { ours: detail, peers = [], ceiling } = settings as Shown;
  const least = detail === undefined ? '' : ` (least ${detail.least})`;
  const lines = [`${name}: ${ours} ${unit}${least}${ratio === null ? '' : `, ${ratio} times as fast as its peer`}`];
  for (const { label, median, least: fewest } of peers) lines.push(`  ${label}: ${median} (least ${fewest})`);
  if (ceiling !== undefined) {
    const { shareOfCopy, shareOfProducts } = ceiling;
    lines.push(
      `  ${percent(shareOfCopy)} of the copying rate, ${percent(shareOfProducts)} of the matrix product's rate`,
    );
  }
  return lines.join('\n');
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      peers: { type: 'boolean', default: true },
      tiny: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
    allowNegative: true,
  });
  if (values.help) {
    process.stdout.write(usage);
    return;
  }
  const options: BenchmarkOptions = { isTiny: values.tiny, withPeers: values.peers };
  const chosen = benchmarksNamed(positionals);
  const note = (text: string) => process.stderr.write(`${text}\n`);
  const { processor, cores, node } = environmentHere();
  note(`${processor}, ${cores} cores, Node ${node}, load ${loadHere()}`);
  if (options.withPeers) {
    const missing = await missingPyTorch();
    note(
      missing ??
        `PyTorch as Debian builds it, on OpenBLAS (${installCommand}): a build on MKL may be faster. Its best setting counts.`,
    );
  }
  for (const benchmark of chosen) {
    const result = await measure(benchmark, options);
    process.stdout.write(`${values.json ? JSON.stringify(result) : show(result)}\n`);
  }
}

try {
  await main();
} catch (error) {
  const isUsage = error instanceof UsageError || (error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS');
  const text =
    error instanceof IclError || isUsage ? (error as Error).message : ((error as Error).stack ?? String(error));
  process.stderr.write(`${text}\n`);
  // Programs of a match that failed to open may still wait for work.
  process.exit(isUsage ? 2 : 1);
}
