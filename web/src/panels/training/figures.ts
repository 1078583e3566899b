/** The figures of a training: its loss, a matrix on its way to the limit, and what is followed besides. Draws, asks nobody. */
import type { Matrix } from '../../../../models/matrix.ts';
import { drawHeatMaps } from '../../../../studies/figures/heat-map.ts';
import { type ChartAxis, type ChartSeries, drawLineChart } from '../../../../studies/figures/line-chart.ts';
import type { Point } from '../../../../studies/figures/marks.ts';
import { color, seriesAt } from '../../../../studies/figures/theme.ts';
import { drawWeights } from '../../../../studies/figures/weights.ts';
import type { Figure, Provenance } from '../../components/figure-frame.ts';
import type { Preparation, Seen, TrainingFrame } from '../../worker/training/runs.ts';

/** What a figure is drawn of. */
export interface Seeing {
  readonly preparation: Preparation;
  readonly step: number;
  readonly losses: readonly number[];
  readonly looks: readonly Seen[];
  readonly matrix: Matrix | null;
  readonly engine: TrainingFrame['engine'] | undefined;
  /** Whether early steps have more room than late ones. */
  readonly isLog: boolean;
}

/** Points of a curve; more cannot be told apart. */
const MOST_POINTS = 240;

/** Means over neighbouring steps. */
function binned(losses: readonly number[]): Point[] {
  const width = Math.max(1, Math.ceil(losses.length / MOST_POINTS));
  return Array.from({ length: Math.ceil(losses.length / width) }, (_, i) => {
    const part = losses.slice(i * width, (i + 1) * width);
    return { x: i * width + (part.length + 1) / 2, y: part.reduce((sum, value) => sum + value, 0) / part.length };
  });
}

const thinned = <T>(points: readonly T[]): T[] => {
  const stride = Math.ceil(points.length / MOST_POINTS);
  return points.filter((_, i) => i % stride === 0 || i === points.length - 1);
};

function provenanceOf({ preparation, step, engine }: Seeing, source: string): Provenance {
  const { config, command } = preparation;
  const where =
    engine === undefined
      ? 'Not trained yet.'
      : `${step} of ${config.steps} steps on ${engine.runtime}, ${engine.device}.`;
  return {
    text: `${source} ${where} ${config.batch} fresh prompts per step from seed ${config.seed}; ${config.optimizer.name} at learning rate ${config.optimizer.learningRate}. The command takes the same prompts from the same start.`,
    command,
  };
}

const stepAxis = ({ isLog, preparation }: Seeing): ChartAxis => ({
  label: 'steps',
  type: isLog ? 'log' : 'linear',
  low: isLog ? 1 : 0,
  high: preparation.config.steps,
});

/** What the axis of steps can show. */
const shownOn = <Each extends Point>({ isLog }: Seeing, points: readonly Each[]): Each[] =>
  isLog ? points.filter(({ x }) => x >= 1) : [...points];

export function lossFigure(seeing: Seeing): Figure {
  const { preparation, losses, looks } = seeing;
  const { theory, config } = preparation;
  const { loss } = theory;
  const exact = thinned(
    looks.flatMap(({ step, exactLoss }) => (exactLoss === null ? [] : [{ x: step, y: exactLoss }])),
  );
  const minimum = loss?.minimum ?? null;
  const series: ChartSeries[] = [
    { label: 'batches', trace: shownOn(seeing, binned(losses)), color: color.muted },
    ...(exact.length > 0 ? [{ label: 'expected', theory: shownOn(seeing, exact), color: color.blue }] : []),
    ...(loss !== null && loss.curve.length > 0
      ? [{ label: 'exact descent', reference: shownOn(seeing, loss.curve), color: color.vermilion }]
      : []),
  ];
  const latest = losses.slice(-20);
  const mean = latest.reduce((sum, value) => sum + value, 0) / latest.length;
  return {
    name: `training-loss-${config.study}`,
    caption: [
      'Loss of each batch of fresh prompts (grey, means of neighbouring steps)',
      exact.length > 0 ? '; the expected loss of exactly these weights (blue)' : '',
      loss?.curve.length ? '; gradient descent on the expected loss, computed without training (dashed)' : '',
      minimum === null ? '.' : '. The dashed line across is the least loss that theory allows this model.',
    ].join(''),
    provenance: provenanceOf(seeing, loss?.source ?? theory.remark ?? ''),
    draw: (context) =>
      drawLineChart(context, {
        description:
          `Training loss against steps on a logarithmic axis` +
          (latest.length > 0 ? `, now ${mean.toPrecision(3)}` : '') +
          (minimum === null ? '.' : `; the theoretical minimum is ${minimum.toPrecision(3)}.`),
        height: 220,
        panels: [
          {
            x: stepAxis(seeing),
            y: { label: 'loss', type: 'log' },
            series,
            guides:
              minimum === null
                ? []
                : [
                    {
                      axis: 'y',
                      at: minimum,
                      label: `least ${minimum.toPrecision(3)}`,
                      color: color.green,
                      style: 'dash',
                    },
                  ],
          },
        ],
        words: {},
      }),
    table: () => ({
      columns: ['step', 'loss', 'expected loss'],
      rows: losses.map((value, i) => [i + 1, value, looks.find(({ step }) => step === i + 1)?.exactLoss ?? null]),
    }),
  };
}

export function matrixFigure(seeing: Seeing): Figure | undefined {
  const { preparation, matrix, step, looks } = seeing;
  const { theory, config } = preparation;
  if (theory.matrix === null) return undefined;
  const { name, limitName, limit, beside, scale, axes, source } = theory.matrix;
  const learned = matrix ?? limit.map((row) => row.map(() => 0));
  const distance = looks.at(-1)?.distance ?? null;
  const at = matrix === null ? 'not trained yet' : `step ${step}`;
  const isWide = limit[0]!.length > 2 * limit.length;
  const maps = [
    { title: name, subtitle: at, matrix: learned },
    { title: limitName, subtitle: 'theory', matrix: limit },
    ...(beside === null ? [] : [{ title: beside.name, subtitle: 'theory', matrix: beside.matrix }]),
  ];
  return {
    name: `training-weights-${config.study}`,
    caption:
      (scale === 'diverging'
        ? 'Vermilion above 0, blue below, one scale for all. '
        : 'The stronger, the more, from 0 to 1. ') +
      (axes === null ? '' : `${axes[0]!.toUpperCase()}${axes.slice(1)}.`),
    provenance: provenanceOf(seeing, source),
    draw: (context) =>
      scale === 'diverging' && !isWide && beside === null
        ? drawWeights(context, {
            rows: [{ label: at, learned, theory: limit, relativeDifference: distance ?? 1 }],
            learnedName: name,
            theoryName: limitName,
          })
        : drawHeatMaps(context, {
            maps,
            scale,
            isShared: true,
            valueName: '',
            columns: isWide ? 2 : 3,
            narrowColumns: isWide ? 1 : 2,
            description: `Heat maps: ${maps.map(({ title }) => title).join('; ')}.`,
          }),
    table: () => ({
      columns: ['row', 'column', 'trained', 'theory'],
      rows: learned.flatMap((row, i) => row.map((value, j) => [i + 1, j + 1, value, limit[i]![j]!])),
    }),
  };
}

/** The numbers that a study follows; where it follows none, the distance of the matrix to its limit. */
export function trackFigure(seeing: Seeing): Figure | undefined {
  const { preparation, looks } = seeing;
  const { theory, config } = preparation;
  if (theory.tracks !== null) {
    const { name, series, ranges, source } = theory.tracks;
    const seen = thinned(looks);
    return {
      name: `training-${name}-${config.study}`,
      caption:
        'Trained (solid) on exact descent at the same N and learning rate, computed without training (dashed).' +
        (ranges.length > 0 ? ' Shaded: the phases of the rare query, as exact descent has them.' : ''),
      provenance: provenanceOf(seeing, source),
      draw: (context) =>
        drawLineChart(context, {
          description: `${name} against steps: ${series.map(({ label }) => label).join('; ')}.`,
          height: 250,
          legend: 'key',
          panels: [
            {
              x: stepAxis(seeing),
              y: { label: name, type: 'linear', low: 0, high: 1 },
              series: series.map(({ label, theory: curve }, i) => ({
                label,
                color: seriesAt(i).color,
                reference: shownOn(seeing, curve),
                trace: shownOn(
                  seeing,
                  seen.map(({ step, tracks }) => ({ x: step, y: tracks[i]! })),
                ),
              })),
              ranges: ranges.map((range) => ({ ...range, from: Math.max(range.from, seeing.isLog ? 1 : 0) })),
            },
          ],
          words: {},
        }),
      table: () => ({
        columns: ['step', ...series.map(({ label }) => label)],
        rows: looks.map(({ step, tracks }) => [step, ...tracks]),
      }),
    };
  }
  if (theory.matrix === null) return undefined;
  const { name, limitName, source } = theory.matrix;
  const points = looks.flatMap(({ step, distance }) => (distance === null ? [] : [{ x: step, y: distance }]));
  return {
    name: `training-distance-${config.study}`,
    caption: `‖trained − theory‖ / ‖theory‖, Frobenius norm: how far the matrix is from ${limitName}.`,
    provenance: provenanceOf(seeing, source),
    draw: (context) =>
      drawLineChart(context, {
        description: `Relative distance of ${name} to ${limitName} against steps${points.length > 0 ? `, now ${points.at(-1)!.y.toPrecision(2)}` : ''}.`,
        height: 160,
        panels: [
          {
            x: stepAxis(seeing),
            y: { label: 'relative distance', type: 'log', ...(points.length === 0 ? { low: 0.01, high: 1 } : {}) },
            series: [{ label: '', theory: shownOn(seeing, thinned(points)), color: color.blue }],
          },
        ],
        words: {},
      }),
    table: () => ({ columns: ['step', 'relative distance'], rows: points.map(({ x, y }) => [x, y]) }),
  };
}
