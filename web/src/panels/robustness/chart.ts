/** The curve that grows: measured points with their bands on the exact curves, estimators beside them. Knows Plot by the chart. */
import { answererNames, type EvaluationRow } from '../../../../infer/evaluate.ts';
import type { MeasureName } from '../../../../infer/measures.ts';
import type { FigureContext, SvgElement } from '../../../../studies/figures/document.ts';
import { textWidth } from '../../../../studies/figures/frame.ts';
import { type ChartSeries, drawLineChart } from '../../../../studies/figures/line-chart.ts';
import { seriesAt } from '../../../../studies/figures/theme.ts';
import type { Curves } from '../../worker/methods/robustness.ts';
import type { Experiment } from './experiment.ts';

export interface ChartData {
  readonly experiment: Experiment;
  readonly rows: readonly EvaluationRow[];
  readonly curves: Curves;
  /** The models' ids and titles, the compared one last. */
  readonly models: readonly { readonly id: string; readonly title: string }[];
  readonly yScale: 'linear' | 'log';
  readonly isBand: boolean;
}

const measureLabels: Readonly<Record<MeasureName, string>> = {
  'squared-error': 'risk (squared error)',
  'rounding-error-rate': 'error rate after rounding',
  'cross-entropy': 'cross-entropy (nats)',
  'error-rate': 'error rate',
  'total-variation': 'total variation',
};

/** Estimators this far below every model stand on the axis' edge: they would flatten the curves that are looked at. */
const depth = 12;

/** Pixels beside a panel that an axis label cannot have. */
const margins = 80;

export function drawRobustness(context: FigureContext, data: ChartData): SvgElement {
  const { experiment, rows, curves, models, yScale, isBand } = data;
  const { shift, measure, levels, scale, trainingLength } = experiment;
  const shown = rows.filter((row) => row.measure === measure.name);
  const placeOf = ({ level, contextLength }: EvaluationRow) => (shift === null ? contextLength : level!);
  const pointsOf = (name: string) =>
    shown
      .filter(({ estimator }) => estimator === name)
      .map((row) => ({ x: placeOf(row), y: row.risk, standardError: row.standardError }))
      .sort((a, b) => a.x - b.x);

  const ofModels = models.map(({ id, title }, i): ChartSeries => {
    const measured = pointsOf(i === 0 ? answererNames.model : answererNames.compared);
    const theory = curves.points
      .filter((point) => point.model === id && point.measure === measure.name)
      .map(({ at, risk }) => ({ x: at, y: risk }))
      .sort((a, b) => a.x - b.x);
    const line = theory.length > 0 ? { theory } : { trace: measured };
    return { label: title, measured, isBand, ...line, ...seriesAt(i) };
  });
  const ofEstimators = experiment.estimators.map((name, i): ChartSeries => {
    const measured = pointsOf(name);
    return { label: name, measured, isBand, trace: measured, ...seriesAt(i + models.length) };
  });
  const ofInterest = ofModels.flatMap(({ measured = [], theory = [] }) => [...measured, ...theory].map(({ y }) => y));
  const least = Math.min(...ofInterest.filter((y) => y > 0));
  const lowest = Math.min(...ofEstimators.flatMap(({ measured = [] }) => measured.map(({ y }) => y)));
  const isFarBelow = yScale === 'log' && Number.isFinite(least) && lowest < least / depth;
  const training = shift === null ? trainingLength : shift.neutral;
  const isInside = training !== undefined && training >= levels[0]! && training <= levels.at(-1)!;
  return drawLineChart(context, {
    description: describe(data),
    panels: [
      {
        x: { label: levelLabel(experiment, context.width - margins), type: scale, ...endsOf(levels, scale) },
        y: { label: measureLabels[measure.name], type: yScale, ...(isFarBelow ? { low: least / depth } : {}) },
        series: [...ofModels, ...ofEstimators],
        guides: isInside ? [{ axis: 'x', at: training, label: 'training', style: 'dot' }] : [],
      },
    ],
    words: {
      measured: isBand ? 'measured, ± 2 standard errors' : 'measured, bars of 2 standard errors',
      theory: 'exact',
    },
    height: context.width < 560 ? 280 : 360,
    legend: 'key',
  });
}

/** Room for the outermost points; they must not move while a curve grows. */
function endsOf(levels: readonly number[], scale: 'linear' | 'log'): { low?: number; high?: number } {
  const [low, high] = [levels[0], levels.at(-1)];
  if (low === undefined || high === undefined || low === high) return {};
  const margin = 0.03;
  if (scale === 'log') {
    const factor = (high / low) ** margin;
    return { low: low / factor, high: high * factor };
  }
  return { low: low - margin * (high - low), high: high + margin * (high - low) };
}

function levelLabel({ shift }: Experiment, room: number): string {
  if (shift === null) return 'pairs in the test prompt';
  if (textWidth(shift.level) <= room) return shift.level;
  const [symbol] = shift.level.split(':');
  return symbol!.length <= 3 ? `${symbol}, ${shift.name}` : shift.name;
}

function describe({ experiment: { shift, levels, measure }, models }: ChartData): string {
  const names = models.map(({ title }) => title).join(' and ');
  const over = shift === null ? 'the test length' : `the shift ${shift.name}`;
  return `${measure.name} of ${names} over ${over}, from ${levels[0]} to ${levels.at(-1)}: measured points with their intervals, exact curves where there are any, and estimators on the same prompts.`;
}
