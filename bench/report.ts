/**
 * `node dist/bench/report.js RESULTS.jsonl`: writes `docs/performance.md` and its figures from what
 * `npm run bench -- --json` printed. The numbers stand in the file, the words of each row in `report-rows.ts`; nothing is measured.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomic } from '../export/files.ts';
import { drawLineChart } from '../studies/figures/line-chart.ts';
import { renderFigure } from '../studies/figures/render.ts';
import { color } from '../studies/figures/theme.ts';
import type { Result, Timing } from './benchmark.ts';
import type { Environment } from './environment.ts';
import { dearestOf, type GrowthCurve } from './growth-benchmark.ts';
import { rows } from './report-rows.ts';
import { trainingWorks } from './train-benchmarks.ts';

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
  readonly rounds?: number;
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
    return isDrawn && !rows[result.name]!.isVariant ? [{ result, ceiling }] : [];
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
  const body = curves.map(({ work, axis, sizes, milliseconds, doublings, exponent, bound }) => {
    const { median, least, greatest } = dearestOf(doublings);
    return line([
      `\`${work}\``,
      axis,
      sizes.join(', '),
      milliseconds.map(number).join(', '),
      number(exponent),
      `${number(median)} (${number(least)} to ${number(greatest)})`,
      number(bound),
    ]);
  });
  const head = ['work', 'what grows', 'sizes', 'ms per step', 'exponent', 'dearest doubling', 'at most'];
  return [line(head), line(['---', '---', '---', '---', '---:', '---:', '---:']), ...body].join('\n');
}

function environmentLines(results: readonly Result[]): string {
  const { environment } = settingsOf(results[0]!);
  const { processor, cores, node, system, date } = environment;
  // A row has up to three busy threads: one that computes and two that draw.
  const isBusy = (load: number): boolean => load > Math.max(3, cores);
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

const growthSection = (curves: readonly GrowthCurve[], rounds: number): string => `## Growth

Milliseconds per training step while one size is doubled, twice: medians over ${rounds} rounds. In a round three trainings, one of each
size, take turns of equally many steps, forwards and backwards in turn; the first steps of a turn do not count. A doubling costs the
median over the rounds of the ratio of two neighbours in the same round, so that a machine which is slower for a while makes no doubling
dearer; the dearest stands in the table, with the least and the greatest of its ratios in brackets. The exponent is the slope of a
straight line through the logarithms of the medians.
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
session included:
${runLengths()}.
The ratio is the peer’s time over ours: 2 means twice as fast. The last columns are shares of what the same machine could do in the same minute: bytes copied by one
thread, and float32 operations in a large matrix product on all cores.

${table(matches)}

![Operations per second against operations per byte, under the machine's ceilings](roofline.svg)

What is counted: the operations of our own graph, node by node, for both programs; and the bytes of its inputs and outputs. A
program that stays far below the slanted line is not held up by memory, one that stays far below the flat line not by arithmetic:
what remains is the cost of calling many small operations.

## What limits each row

${matches.map(({ name }) => `- \`${name}\`: ${rows[name]!.limit}`).join('\n')}

${curves.length === 0 ? '' : growthSection(curves, settingsOf(growth!).rounds!)}## Waiting

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
