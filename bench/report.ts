/**
 * `node dist/bench/report.js RESULTS.jsonl`: writes `docs/performance.md` and its figures from what
 * `npm run bench -- --json` printed. The words stand here, the numbers in the file; nothing is measured.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomic } from '../export/files.ts';
import { drawLineChart } from '../studies/figures/line-chart.ts';
import { renderFigure } from '../studies/figures/render.ts';
import { color } from '../studies/figures/theme.ts';
import type { Result, Timing } from './benchmark.ts';
import type { Environment } from './environment.ts';
import type { GrowthCurve } from './growth-benchmark.ts';
import { trainingWorks } from './train-benchmarks.ts';

/** What the table says of a row beside its numbers. */
interface RowWords {
  readonly work: string;
  readonly peer: string;
  /** The ratio that is aimed at. */
  readonly aim: string;
  readonly limit: string;
}

const pytorch = 'PyTorch, the same model';

const rows: Readonly<Record<string, RowWords>> = {
  'lsa-train': {
    work: 'training step of linear self-attention with fresh prompts, d=20 N=40 B=256, Adam',
    peer: pytorch,
    aim: '4',
    limit:
      'Drawing the prompts in two threads, and the step beside them in a third, on two cores: short pieces of work that wait for one another. Half of the processor time goes into drawing. A step copies its prompts once, since ONNX Runtime takes no memory that threads share, reads them four times and computes little; its ninety small nodes cost nearly as much as its four large ones.',
  },
  'multilayer-train': {
    work: 'training step of 3-layer linear self-attention, d=5 N=20 B=256, Adam',
    peer: pytorch,
    aim: '4',
    limit: 'Products of 6 x 6 matrices, one per prompt: the cost is of calling the product, not of computing it.',
  },
  'transformer-train': {
    work: 'training step of a GPT-style transformer, d=5 N=20 B=64, 3 layers, width 64, 2 heads, loss at every position',
    peer: pytorch,
    aim: '1.7',
    limit:
      'Matrix products on all cores, which both programs leave to a library; then the element-wise nodes of GELU and layer norm, forward and backward.',
  },
  'tfjs-train': {
    work: 'training step of linear self-attention, our engine `onnx`',
    peer: 'our engine `tfjs` on WebAssembly',
    aim: 'reported',
    limit: 'TensorFlow.js on WebAssembly runs in one thread and draws its prompts in the same one.',
  },
  'tfjs-multilayer-train': {
    work: 'training step of 3-layer linear self-attention, our engine `onnx`',
    peer: 'our engine `tfjs` on WebAssembly',
    aim: 'reported',
    limit: 'As above.',
  },
  'tfjs-transformer-train': {
    work: 'training step of the transformer, our engine `onnx`',
    peer: 'our engine `tfjs` on WebAssembly',
    aim: 'reported',
    limit: 'As above.',
  },
  'lsa-infer': {
    work: 'inference of linear self-attention, d=20 N=40 B=4096, prompts in shared memory',
    peer: 'PyTorch, bare forward pass',
    aim: '7',
    limit:
      'Reading the prompts: once into a cache, since ONNX Runtime takes no memory that threads share, and twice from there, in one product with a vector and a small product per prompt. Two threads take pieces of the batch until none is left. NaN in a prompt shows in its answer, which alone is looked at; the peer looks at nothing.',
  },
  'lsa-infer-copied': {
    work: 'the same, prompts in an ordinary array',
    peer: 'PyTorch, bare forward pass',
    aim: 'reported',
    limit: 'One more copy, in the caller’s own thread, which hands out the pieces one by one.',
  },
  'length-curve': {
    work: 'its predictions at all lengths 1..40',
    peer: 'PyTorch, a loop over the lengths',
    aim: '100',
    limit:
      'The same reading; then a dozen small operations on 40 numbers per prompt, of which the running sum is the dearest. The gain is one of method: one pass instead of forty.',
  },
  'lsa-infer-queries': {
    work: 'inference of linear self-attention, d=20 N=40 B=1024, 100 queries per prompt',
    peer: 'none',
    aim: 'reported',
    limit:
      'A prompt is summed once into D + 1 numbers; each query costs a product with a D x D matrix and a short one with them.',
  },
  'transformer-infer': {
    work: 'inference of the transformer, d=5 N=20 B=64, at the query',
    peer: 'PyTorch, predictions at every position',
    aim: 'reported',
    limit:
      'Matrix products, and a hundred element-wise nodes a layer, which cost as much; each thread takes a dozen prompts at a time, which its core’s cache holds.',
  },
  sampler: {
    work: 'drawing the prompts of a training step, d=20 N=40 B=256',
    peer: 'PyTorch, torch.randn and a product',
    aim: 'reported',
    limit:
      'Philox and Box-Muller in 128-bit SIMD, one thread: some twenty instructions a number, half of them the counter-based generator’s, of which the processor does three at once.',
  },
  estimators: {
    work: 'least squares on 20,000 prompts, d=20 N=40, float64',
    peer: 'PyTorch, batched LAPACK (gelsy)',
    aim: 'reported',
    limit:
      'Householder reflections of two prompts at a time in 128-bit SIMD, one thread: each reads its columns twice from the nearest cache. The peer pivots columns; prompts that are not certainly well conditioned are solved so here too.',
  },
};

/** Rows of the table. */
const isMatch = (name: string): boolean => Object.hasOwn(rows, name);

function readResults(path: string): Result[] {
  const lines = readFileSync(path, 'utf8').split('\n');
  return lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as Result);
}

interface Ceiling {
  readonly flops: number;
  readonly bytes: number;
  readonly gigaflops: number;
  readonly copyGigabytes: number;
  readonly productGigaflops: number;
  readonly shareOfCopy: number;
  readonly shareOfProducts: number;
}

interface Settings {
  readonly ours?: Timing & Readonly<Record<string, unknown>>;
  readonly peers?: readonly (Timing & Readonly<Record<string, unknown>>)[];
  readonly ceiling?: Ceiling;
  readonly curves?: readonly GrowthCurve[];
  readonly environment: Environment;
  readonly load: { readonly before: number; readonly after: number };
}

const settingsOf = (result: Result): Settings => result.settings as unknown as Settings;

const number = (value: number): string => String(Number(value.toPrecision(3)));
const percent = (share: number): string => `${number(100 * share)} %`;
const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

function table(results: readonly Result[]): string {
  const body = results.map((result) => {
    const { name, ours, peer, ratio } = result;
    const words = rows[name]!;
    const { ours: least, peers = [], ceiling } = settingsOf(result);
    const best = peers.reduce<Timing | null>((a, b) => (a === null || b.median < a.median ? b : a), null);
    const time = (median: number | null, timing: Timing | null | undefined) =>
      median === null ? '–' : `${number(median)} (${number(timing?.least ?? median)})`;
    return line([
      `\`${name}\``,
      words.work,
      words.peer,
      time(ours, least),
      time(peer, best),
      ratio === null ? '–' : `**${number(ratio)}**`,
      words.aim,
      ceiling === undefined ? '–' : percent(ceiling.shareOfCopy),
      ceiling === undefined || ceiling.flops === 0 ? '–' : percent(ceiling.shareOfProducts),
    ]);
  });
  return [
    line(['name', 'work', 'peer', 'ours, ms', 'peer, ms', 'ratio', 'aim', 'of copying', 'of products']),
    line(['---', '---', '---', '---:', '---:', '---:', '---:', '---:', '---:']),
    ...body,
  ].join('\n');
}

/** Work per byte against speed, under the two ceilings. */
function drawRoofline(results: readonly Result[]) {
  const counted = results.flatMap((result) => {
    const { ceiling } = settingsOf(result);
    const isDrawn = ceiling !== undefined && ceiling.flops > 0 && result.peer !== null;
    return isDrawn && result.name !== 'lsa-infer-copied' ? [{ result, ceiling }] : [];
  });
  const roofs = counted.map(({ ceiling }) => ceiling);
  const copy = Math.max(...roofs.map(({ copyGigabytes }) => copyGigabytes));
  const products = Math.max(...roofs.map(({ productGigaflops }) => productGigaflops));
  const intensity = ({ flops, bytes }: Ceiling) => flops / bytes;
  const point = (ceiling: Ceiling, milliseconds: number) => ({
    x: intensity(ceiling),
    y: ceiling.flops / milliseconds / 1e6,
    standardError: 0,
  });
  const ours = counted.map(({ result, ceiling }) => point(ceiling, result.ours));
  const peers = counted.map(({ result, ceiling }) => point(ceiling, result.peer!));
  const [low, high] = [
    Math.min(...ours.map(({ x }) => x), products / copy) / 2,
    Math.max(...ours.map(({ x }) => x), products / copy) * 2,
  ];
  const bend = products / copy;
  const roof = [
    { x: low, y: low * copy },
    { x: bend, y: products },
    { x: high, y: products },
  ];
  return renderFigure((context) =>
    drawLineChart(context, {
      description:
        'Speed in operations per second against operations per byte of prompts, for this library and for PyTorch, under the ceilings of copying and of matrix products.',
      legend: 'key',
      words: {},
      height: 380,
      panels: [
        {
          x: { label: 'operations per byte that must be read or written', type: 'log', low, high },
          y: { label: '10⁹ operations per second', type: 'log', high: 1.6 * products },
          series: [
            { label: 'what the machine can do: copying, then matrix products', theory: roof, color: color.slate },
            { label: 'icl-onnx', measured: ours, color: color.blue, mark: 'circle' },
            { label: 'PyTorch', measured: peers, color: color.vermilion, mark: 'square' },
          ],
          guides: counted.map(({ result, ceiling }) => ({
            axis: 'x' as const,
            at: intensity(ceiling),
            label: result.name,
            style: 'dot' as const,
          })),
        },
      ],
    }),
  ).standalone;
}

const axisWords = {
  batch: 'prompts per batch B',
  context: 'context length N',
  dimension: 'covariate dimension d',
  layers: 'layers',
} as const;

function drawGrowth(curves: readonly GrowthCurve[]) {
  const works = [...new Set(curves.map(({ work }) => work))];
  const colors = [color.blue, color.vermilion, color.green];
  const marks = ['circle', 'square', 'triangle'] as const;
  const panels = (Object.keys(axisWords) as (keyof typeof axisWords)[]).flatMap((axis) => {
    const shown = curves.filter((curve) => curve.axis === axis);
    if (shown.length === 0) return [];
    const series = shown.map(({ work, sizes, milliseconds, exponent }) => {
      const middle = milliseconds.reduce((product, time) => product * time, 1) ** (1 / milliseconds.length);
      const centre = sizes.reduce((product, size) => product * size, 1) ** (1 / sizes.length);
      return {
        label: work,
        measured: sizes.map((x, i) => ({ x, y: milliseconds[i]!, standardError: 0 })),
        theory: sizes.map((x) => ({ x, y: middle * (x / centre) ** exponent })),
        color: colors[works.indexOf(work) % colors.length]!,
        mark: marks[works.indexOf(work) % marks.length]!,
      };
    });
    return [
      {
        x: { label: axisWords[axis], type: 'log' as const },
        y: { label: 'ms per step', type: 'log' as const },
        series,
      },
    ];
  });
  return renderFigure((context) =>
    drawLineChart(context, {
      description:
        'Milliseconds per training step against batch, context, dimension and depth, with fitted power laws.',
      words: { theory: 'fitted power law' },
      panels,
    }),
  ).standalone;
}

function growthTable(curves: readonly GrowthCurve[]): string {
  const body = curves.map(({ work, axis, sizes, milliseconds, doubling, exponent, bound }) =>
    line([
      `\`${work}\``,
      axis,
      sizes.join(', '),
      milliseconds.map(number).join(', '),
      number(exponent),
      number(doubling),
      number(bound),
    ]),
  );
  const head = ['work', 'what grows', 'sizes', 'ms per step', 'exponent', 'dearest doubling', 'at most'];
  return [line(head), line(['---', '---', '---', '---', '---:', '---:', '---:']), ...body].join('\n');
}

function environmentLines(results: readonly Result[]): string {
  const { environment } = settingsOf(results[0]!);
  const { processor, cores, node, system, date } = environment;
  const isBusy = (load: number): boolean => load > cores;
  const peer = results.flatMap((result) => settingsOf(result).peers ?? []).find((each) => 'framework' in each);
  const loads = results.map((result) => settingsOf(result).load.before);
  const runtime = results.map((result) => settingsOf(result).ours?.['runtime']).find((name) => name !== undefined);
  return [
    `- ${processor}, ${cores} cores, ${system}, Node ${node}, ${String(runtime)}, ${date}.`,
    `- Load average before the rows: ${number(Math.min(...loads))} to ${number(Math.max(...loads))}${loads.some(isBusy) ? ' (more than there are cores: other programs ran, and absolute times are too long)' : ', of which most is the row before'}.`,
    peer === undefined
      ? '- No PyTorch was there.'
      : `- ${String(peer['framework'])} as Debian builds it, with \`--threads 1\`, on ${String(peer['blas'])} (OpenBLAS), once with OpenBLAS’s own number of threads and once with \`OPENBLAS_NUM_THREADS=1\`; the faster counts. A PyTorch built on MKL may be faster.`,
  ].join('\n');
}

const runLengths = (): string =>
  Object.entries(trainingWorks)
    .map(([name, { steps }]) => `${steps} steps of \`${name}\``)
    .join(', ');

const growthSection = (curves: readonly GrowthCurve[]): string => `## Growth

Milliseconds per training step while one size is doubled, twice, in runs of equally many steps whose first quarter does not count; the
exponent is the slope of a straight line through the logarithms.
Products of d x d matrices are inherent in deep linear attention, and T x T scores in a transformer.

${growthTable(curves)}

![Milliseconds per training step against batch, context, dimension and depth](growth.svg)

`;

/** The page as Markdown. */
export function performancePage(results: readonly Result[]): string {
  const matches = results.filter(({ name }) => isMatch(name));
  const growth = results.find(({ name }) => name === 'growth');
  const curves = growth === undefined ? [] : settingsOf(growth).curves!;
  const startups = results.filter(({ name }) => name === 'startup' || name === 'command');
  return `# Performance

How fast this library is beside what one would run instead. Made by \`bench/report.ts\` from measured results; to repeat it, on a
machine that does nothing else:

\`\`\`sh
apt-get install -y --no-install-recommends python3-torch python3-numpy libopenblas0-pthread
npm run -s bench -- --json > results.jsonl
node dist/bench/report.js results.jsonl
\`\`\`

A single row: \`npm run bench -- lsa-train\`. \`npm run bench -- --help\` lists the names.

## Where

${environmentLines(matches)}

## Beside the peers

Times are medians over rounds in which all programs work in turn, the least in brackets. Before anything counts each has worked for
a second and a half, since code that is compiled while it runs is slow at first. Training is a new run in every round, threads and
session included: ${runLengths()}. The ratio is the peer’s time over ours: 2 means twice as fast. The last columns are shares of what the same machine could do in the same minute: bytes copied by one
thread, and float32 operations in a large matrix product on all cores.

${table(matches)}

![Operations per second against operations per byte, under the machine's ceilings](roofline.svg)

What is counted: the operations of our own graph, node by node, for both programs; and the bytes of its inputs and outputs. A
program that stays far below the slanted line is not held up by memory, one that stays far below the flat line not by arithmetic:
what remains is the cost of calling many small operations.

## What limits each row

${matches.map(({ name }) => `- \`${name}\`: ${rows[name]!.limit}`).join('\n')}

${curves.length === 0 ? '' : growthSection(curves)}## Waiting

${startups.map(({ ours, settings }) => `- \`${String(settings['command'])}\`: ${number(ours / 1000)} s.`).join('\n')}

## GPUs

Nothing on this page was measured on a GPU. \`bench/gpu/\` holds a runner for a Linux machine with one: see its README.
`;
}

function main(): void {
  const path = process.argv[2];
  if (path === undefined) {
    process.stderr.write('Usage: node dist/bench/report.js RESULTS.jsonl [folder]\n');
    process.exitCode = 2;
    return;
  }
  const folder = process.argv[3] ?? 'docs';
  const results = readResults(path);
  writeFileAtomic(join(folder, 'performance.md'), performancePage(results));
  writeFileAtomic(join(folder, 'roofline.svg'), drawRoofline(results.filter(({ name }) => isMatch(name))));
  const growth = results.find(({ name }) => name === 'growth');
  if (growth !== undefined) writeFileAtomic(join(folder, 'growth.svg'), drawGrowth(settingsOf(growth).curves!));
}

main();
