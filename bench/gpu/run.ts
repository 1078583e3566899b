/**
 * What one runs on a machine with a GPU: parity of every provider, training and inference on each, and PyTorch's times on the
 * same GPU. Writes `results.json` and `results.md`. What fails is written down, and the rest goes on.
 *
 * `run.sh [--out FOLDER] [--tiny] [--peer-device cpu|cuda]`: see README.md. `--tiny` shows that it runs.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type ProviderName, type ProviderProbe, probeProviders } from '../../infer/providers.ts';
import { verifyModel } from '../../infer/verify.ts';
import { probeEngines } from '../../train/engines.ts';
import { type Contestant, median, round } from '../benchmark.ts';
import { environmentHere } from '../environment.ts';
import { frozenModel, type InferenceWork, inferenceContestant, lsa, transformer } from '../infer-benchmarks.ts';
import { missingPyTorch, startPeer } from '../peer.ts';
import { configOf, type TrainingWork, trainingContestant, trainingWorks } from '../train-benchmarks.ts';

interface Row {
  readonly work: string;
  readonly program: string;
  /** Median milliseconds per step or batch; null if it failed. */
  readonly milliseconds: number | null;
  /** What it ran on, or why it failed. */
  readonly detail: string;
}

const training: readonly { readonly name: string; readonly work: TrainingWork; readonly peer: string }[] = [
  { name: 'lsa-train', work: { ...trainingWorks['lsa-train'], steps: 1000 }, peer: 'linear_attention' },
  {
    name: 'lsa-train, B=8192',
    work: { ...trainingWorks['lsa-train'], batch: 8192, steps: 50 },
    peer: 'linear_attention',
  },
  {
    name: 'multilayer-train',
    work: { ...trainingWorks['multilayer-train'], steps: 200 },
    peer: 'multilayer_linear_attention',
  },
  { name: 'transformer-train', work: { ...trainingWorks['transformer-train'], steps: 50 }, peer: 'transformer' },
  {
    name: 'transformer-train, width 256, 12 layers, B=256',
    work: {
      ...trainingWorks['transformer-train'],
      options: { layers: 12, width: 256, heads: 8 },
      batch: 256,
      steps: 20,
    },
    peer: 'transformer',
  },
];

const inference: readonly { readonly name: string; readonly work: InferenceWork; readonly peer: string }[] = [
  { name: 'lsa-infer', work: lsa, peer: 'linear_attention' },
  { name: 'lsa-infer, B=65536', work: { ...lsa, batch: 65_536, count: 5 }, peer: 'linear_attention' },
  { name: 'transformer-infer', work: { ...transformer, batch: 1024, count: 5 }, peer: 'transformer' },
];

const tinySizes = { batch: 2, context: 3, dimension: 2 };

const usage = `Usage: run.sh [--out FOLDER] [--tiny] [--peer-device cpu|cuda]

  --out FOLDER       where results.json and results.md go (default: gpu-results)
  --tiny             the smallest sizes: shows that it runs
  --peer-device D    run PyTorch on cpu or cuda (default: cuda)
  --help             this text
`;

/** One line, of which the beginning says what failed and the end, in Python, why. */
function messageOf(error: unknown): string {
  const line = (error as Error).message.replace(/\s+/g, ' ').trim();
  return line.length <= 400 ? line : `${line.slice(0, 120)} .. ${line.slice(-270)}`;
}

/** The same model, as small as it can be. */
function tinyOptions(options: Readonly<Record<string, number>> = {}): Record<string, number> {
  const least: Readonly<Record<string, number>> = { layers: 1, width: 8, heads: 2 };
  return Object.fromEntries(Object.entries(options).map(([name, value]) => [name, least[name] ?? value]));
}

/** Why no GPU can be used here; null if one can. */
function missingGpu(providers: readonly ProviderProbe[]): string | null {
  const gpus = providers.filter(({ name }) => name === 'cuda' || name === 'webgpu');
  if (gpus.some(({ available, isSoftware }) => available && !isSoftware)) return null;
  const reasons = gpus.map(({ name, isSoftware, detail }) => `${name}: ${isSoftware ? 'in software, ' : ''}${detail}`);
  return `No GPU works here. ${reasons.join('; ')}. What is measured is the processor.`;
}

async function time(
  work: string,
  program: string,
  rounds: number,
  open: () => Promise<Contestant> | Contestant,
): Promise<Row> {
  process.stderr.write(`${work}: ${program}\n`);
  let contestant: Contestant | undefined;
  try {
    contestant = await open();
    await contestant.round();
    const times: number[] = [];
    for (let i = 0; i < rounds; i++) times.push(await contestant.round());
    const { adapter, runtime, framework, device, blas } = contestant.settings;
    const detail = [adapter, runtime, framework, device, blas].filter((word) => word !== undefined && word !== null);
    return { work, program, milliseconds: round(median(times)), detail: detail.join(', ') };
  } catch (error) {
    return { work, program, milliseconds: null, detail: messageOf(error) };
  } finally {
    await contestant?.close().catch(() => {});
  }
}

/** PyTorch as it is, and compiled where that works, on the GPU if it sees one and on the processor. */
function peerSettings(device: string): readonly { readonly label: string; readonly flags: readonly string[] }[] {
  return [
    { label: `PyTorch eager, ${device}`, flags: [] },
    { label: `PyTorch compiled, ${device}`, flags: ['--compile'] },
  ];
}

/** @returns undefined where nothing is to be run: help was asked for, or the arguments are wrong. */
function readArguments() {
  try {
    const { values } = parseArgs({
      options: {
        out: { type: 'string', default: 'gpu-results' },
        tiny: { type: 'boolean', default: false },
        'peer-device': { type: 'string', default: 'cuda' },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) process.stdout.write(usage);
    const device = values['peer-device'];
    if (device !== 'cpu' && device !== 'cuda') throw new Error(`--peer-device: expected cpu or cuda, got "${device}".`);
    return values.help ? undefined : values;
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${usage}`);
    process.exitCode = 2;
    return undefined;
  }
}

async function main(): Promise<void> {
  const values = readArguments();
  if (values === undefined) return;
  const { tiny: isTiny, 'peer-device': device } = values;
  const rounds = isTiny ? 1 : 5;
  mkdirSync(values.out, { recursive: true });

  const providers = await probeProviders();
  const working = providers.filter(({ available }) => available).map(({ name }) => name);
  const engines = await probeEngines();
  process.stderr.write(`providers: ${working.join(', ')}\n`);
  const noGpu = missingGpu(providers);
  if (noGpu !== null) process.stderr.write(`${noGpu}\n`);

  const parity: {
    model: string;
    provider: ProviderName;
    ok: boolean | null;
    maxRelative: number | null;
    detail: string;
  }[] = [];
  for (const [name, work] of [
    ['linear-attention', lsa],
    ['transformer', transformer],
  ] as const) {
    const model = frozenModel(isTiny ? { ...work, dimension: 2 } : work);
    for (const provider of working) {
      process.stderr.write(`parity: ${name} on ${provider}\n`);
      try {
        const sizes = isTiny
          ? { batches: [1, 3], contexts: [2], queries: [1] }
          : { batches: [1, 7, 65], contexts: [1, 40] };
        const { ok, maxRelative, adapter } = await verifyModel(model, provider, sizes);
        parity.push({ model: name, provider, ok, maxRelative, detail: adapter ?? '' });
      } catch (error) {
        parity.push({ model: name, provider, ok: null, maxRelative: null, detail: messageOf(error) });
      }
    }
  }

  const missing = await missingPyTorch();
  const rows: Row[] = [];
  const onnxDevices = (['cpu', 'webgpu', 'cuda'] as const).filter((name) => working.includes(name));
  for (const { name, work: whole, peer } of training) {
    const work = isTiny ? { ...whole, ...tinySizes, options: tinyOptions(whole.options), steps: 2 } : whole;
    for (const device of onnxDevices) {
      const open = () => trainingContestant(configOf(work, { engine: 'onnx', device }));
      rows.push(await time(name, `icl-onnx, ${device}`, rounds, open));
    }
    rows.push(...(await peerRows(name, peer, 'step', work, work.steps)));
  }
  for (const { name, work: whole, peer } of inference) {
    const work = isTiny ? { ...whole, ...tinySizes, options: tinyOptions(whole.options), count: 1 } : whole;
    for (const provider of working.filter((each) => each !== 'wasm')) {
      rows.push(await time(name, `icl-onnx, ${provider}`, rounds, () => inferenceContestant(work, provider)));
    }
    rows.push(...(await peerRows(name, peer, 'infer', work, work.count)));
  }

  const results = { environment: environmentHere(), isTiny, noGpu, providers, engines, parity, missing, rows };
  writeFileSync(join(values.out, 'results.json'), `${JSON.stringify(results, null, 2)}\n`);
  writeFileSync(join(values.out, 'results.md'), markdown(results));
  process.stdout.write(`${join(values.out, 'results.md')}\n`);

  async function peerRows(
    name: string,
    program: string,
    work: string,
    { dimension, context, batch, options }: Pick<TrainingWork, 'dimension' | 'context' | 'batch' | 'options'>,
    count: number,
  ): Promise<Row[]> {
    if (missing !== null) return [{ work: name, program: 'PyTorch', milliseconds: null, detail: missing }];
    const sizes = { dimension, context, batch, ...options, device };
    const all: Row[] = [];
    for (const { label, flags } of peerSettings(device)) {
      const open = () => startPeer({ program, sizes, work, count, blasThreads: null, flags });
      all.push(await time(name, label, rounds, open));
    }
    return all;
  }
}

interface Results {
  readonly environment: ReturnType<typeof environmentHere>;
  readonly isTiny: boolean;
  readonly noGpu: string | null;
  readonly providers: readonly { name: string; available: boolean; detail: string }[];
  readonly parity: readonly {
    model: string;
    provider: string;
    ok: boolean | null;
    maxRelative: number | null;
    detail: string;
  }[];
  readonly rows: readonly Row[];
}

function markdown({ environment, isTiny, noGpu, providers, parity, rows }: Results): string {
  const line = (cells: readonly unknown[]) =>
    `| ${cells.map((cell) => String(cell).replaceAll('|', '/')).join(' | ')} |`;
  const rule = (count: number) => line(Array.from({ length: count }, () => '---'));
  return [
    '# icl-onnx on this machine',
    `${environment.processor}, ${environment.cores} cores, ${environment.system}, Node ${environment.node}, ${environment.date}.`,
    ...(noGpu === null ? [] : [`**${noGpu}**`]),
    ...(isTiny ? ['**Tiny sizes: these times mean nothing.**'] : []),
    '## Providers',
    [
      line(['provider', 'works', 'detail']),
      rule(3),
      ...providers.map(({ name, available, detail }) => line([name, available ? 'yes' : 'no', detail])),
    ].join('\n'),
    '## Parity with the float64 reference',
    [
      line(['model', 'provider', 'within tolerance', 'largest relative error', 'detail']),
      rule(5),
      ...parity.map(({ model, provider, ok, maxRelative, detail }) =>
        line([model, provider, ok ?? 'failed', maxRelative?.toExponential(1) ?? '', detail]),
      ),
    ].join('\n'),
    '## Times',
    [
      line(['work', 'program', 'ms per step or batch', 'detail']),
      rule(4),
      ...rows.map(({ work, program, milliseconds, detail }) => line([work, program, milliseconds ?? 'failed', detail])),
    ].join('\n\n'.slice(1)),
    '',
  ].join('\n\n');
}

await main();
// A driver may hold the process open.
process.exit(process.exitCode);
