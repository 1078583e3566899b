/**
 * The chart of most experiments: series of measured points with error bars on their theoretical curves, on linear or
 * logarithmic axes, with guide lines and shaded ranges, in one panel or in several on a common key. Knows nothing about
 * any study: words, data and axes are given.
 */
import * as Plot from '@observablehq/plot';
import { type FigureContext, isNarrow, type SvgElement } from './document.ts';
import { type Axis, composePanels, drawPanel, type EndLabel, type TopLabel, textWidth } from './frame.ts';
import type { KeyEntry } from './key.ts';
import {
  errorBarWidth,
  level,
  type MeasuredPoint,
  measuredBand,
  measuredPoints,
  type Point,
  theoryLine,
} from './marks.ts';
import { color, type Mark, seriesAt } from './theme.ts';

export type LineStyle = 'line' | 'dash' | 'dot';

export interface BandPoint {
  readonly x: number;
  readonly low: number;
  readonly high: number;
}

export interface ChartSeries {
  readonly label: string;
  /** Points with bars of two standard errors; a standard error of 0 draws none. */
  readonly measured?: readonly MeasuredPoint[];
  /** A band of two standard errors instead of bars, for points that are read as a curve. */
  readonly isBand?: boolean;
  /** A curve that theory gives. */
  readonly theory?: readonly Point[];
  /** A second one: a bound, a limit, a first-order term. Dashed. */
  readonly reference?: readonly Point[];
  /** What was measured too densely for points with bars, such as a loss at every step: a thin line. */
  readonly trace?: readonly Point[];
  /** Between `low` and `high` at each x: an area behind the curves. On a logarithmic axis `low` is above 0. */
  readonly band?: readonly BandPoint[];
  readonly style?: LineStyle;
  /** Default: the next colour and mark of the theme. Panels that show the same thing should say the same. */
  readonly color?: string;
  readonly mark?: Mark;
}

/** A line across the whole panel, at a value of x (its label stands above) or of y (its label stands at the right). */
export interface Guide {
  readonly axis: 'x' | 'y';
  readonly at: number;
  readonly label?: string;
  readonly style?: LineStyle;
  readonly color?: string;
}

/** A shaded range of x, its label above. */
export interface ShadedRange {
  readonly from: number;
  readonly to: number;
  readonly label?: string;
}

export interface ChartAxis {
  readonly label: string;
  readonly type: 'linear' | 'log';
  /** Ends of the axis; absent: those of the data, widened a little. A point below `low` is shown on the edge. */
  readonly low?: number;
  readonly high?: number;
  readonly ticks?: readonly number[];
}

export interface ChartPanel {
  readonly title?: string;
  readonly x: ChartAxis;
  readonly y: ChartAxis;
  readonly series: readonly ChartSeries[];
  readonly guides?: readonly Guide[];
  readonly ranges?: readonly ShadedRange[];
}

/** What the kinds of line and point are called in the key; a kind without a word is left out. */
export interface ChartWords {
  readonly measured?: string;
  readonly theory?: string;
  readonly reference?: string;
  readonly trace?: string;
}

export interface LineChart {
  /** Says in words what is seen. */
  readonly description: string;
  readonly panels: readonly ChartPanel[];
  readonly words: ChartWords;
  /** Of a panel's inside. Default 330, or 200 with several panels. */
  readonly height?: number;
  /** Panels per row on a wide page; a telephone has one. Default 2. */
  readonly columns?: number;
  /** Where series are named. Default: at their right ends in a single panel where that leaves it wide enough. */
  readonly legend?: 'ends' | 'key';
}

const LEAST_SHARE = 0.62;

/** Draws a {@link LineChart}. */
export function drawLineChart(context: FigureContext, chart: LineChart): SvgElement {
  const { panels, description } = chart;
  const isSingle = panels.length === 1;
  if (isSingle) {
    const legend = chart.legend ?? (endsFit(context, panels[0]!) ? 'ends' : 'key');
    const key = keyOf(chart, legend);
    return panel(context, panels[0]!, { description, height: chart.height ?? 330, key, legend });
  }
  const columns = isNarrow(context) ? 1 : (chart.columns ?? 2);
  const cell = { ...context, width: (context.width - 18 * (columns - 1)) / columns };
  const legend = chart.legend ?? 'key';
  const drawn = panels.map((each) =>
    panel(cell, each, { description, height: chart.height ?? 200, key: [], legend, isSmall: true }),
  );
  return composePanels(context, drawn, columns, description, keyOf(chart, legend));
}

const labelsAtEnds = ({ series, guides }: ChartPanel): string[] => [
  ...series.map(({ label }) => label),
  ...(guides ?? []).flatMap(({ axis, label }) => (axis === 'y' && label !== undefined ? [label] : [])),
];

function endsFit({ width }: FigureContext, chartPanel: ChartPanel): boolean {
  const widest = Math.max(0, ...labelsAtEnds(chartPanel).map(textWidth));
  return width - 72 - widest >= LEAST_SHARE * width;
}

const styleOf = (each: ChartSeries, i: number) => ({
  stroke: each.color ?? seriesAt(i).color,
  mark: each.mark ?? seriesAt(i).mark,
});

const hasPoints = (points: readonly unknown[] | undefined) => points !== undefined && points.length > 0;

/** Series by name where the ends of curves do not say it, then the kinds of line and point. */
function keyOf({ panels, words }: LineChart, legend: 'ends' | 'key'): KeyEntry[] {
  const all = panels.flatMap(({ series }) => series.map((each, i) => ({ each, ...styleOf(each, i) })));
  const names = new Map<string, KeyEntry>();
  for (const { each, stroke, mark } of all) {
    if (legend === 'ends' || names.has(each.label)) continue;
    const isMarked = hasPoints(each.measured);
    const isLine = hasPoints(each.theory) || hasPoints(each.trace);
    const kind = isMarked ? (isLine ? 'series' : 'mark') : (each.style ?? 'line');
    names.set(each.label, { label: each.label, kind, color: stroke, mark });
  }
  const has = (name: 'measured' | 'theory' | 'reference' | 'trace') => all.some(({ each }) => hasPoints(each[name]));
  const kinds: KeyEntry[] = [];
  const add = (name: 'measured' | 'theory' | 'reference' | 'trace', kind: KeyEntry['kind']) => {
    const label = words[name];
    if (label !== undefined && has(name)) kinds.push({ label, kind, color: color.ink });
  };
  add('measured', 'mark');
  add('theory', 'line');
  add('reference', 'dash');
  add('trace', 'line');
  const isBelow = panels.some((each) =>
    each.series.some(({ measured }) => (measured ?? []).some(({ y }) => y < domainOf(each, 'y')[0])),
  );
  if (isBelow) kinds.push({ label: 'below the axis', kind: 'below', color: color.ink });
  return [...names.values(), ...kinds];
}

interface PanelOptions {
  readonly description: string;
  readonly height: number;
  readonly key: readonly KeyEntry[];
  readonly legend: 'ends' | 'key';
  readonly isSmall?: boolean;
}

function panel(context: FigureContext, spec: ChartPanel, options: PanelOptions): SvgElement {
  const { series, guides = [], ranges = [] } = spec;
  const { description, height, key, legend } = options;
  const [x, y] = [axisOf(spec, 'x'), axisOf(spec, 'y')];
  const endLabels: EndLabel[] = [
    ...(legend === 'ends' ? series.flatMap(endLabel) : []),
    ...guides.flatMap(({ axis, at, label, color: stroke }) =>
      axis === 'y' && label !== undefined ? [{ y: at, text: label, color: stroke ?? color.muted }] : [],
    ),
  ];
  const middle = ({ from, to }: ShadedRange) => {
    const [low, high] = [Math.max(from, x.domain[0]), Math.min(to, x.domain[1])];
    return x.type === 'log' ? Math.sqrt(low * high) : (low + high) / 2;
  };
  const topLabels: TopLabel[] = [
    ...ranges.flatMap((range) =>
      range.label === undefined ? [] : [{ x: middle(range), text: range.label, color: color.muted }],
    ),
    ...guides.flatMap(({ axis, at, label, color: stroke }) =>
      axis === 'x' && label !== undefined ? [{ x: at, text: label, color: stroke ?? color.muted }] : [],
    ),
  ];
  return drawPanel(context, {
    description,
    height,
    x,
    y,
    key,
    endLabels,
    topLabels,
    marks: [
      ...ranges.map(shade),
      ...series.flatMap((each, i) => drawBand(each, styleOf(each, i).stroke)),
      ...guides.map((guide) => drawGuide(guide)),
      ...series.flatMap((each, i) => lines(each, styleOf(each, i).stroke)),
      ...series.flatMap((each, i) => {
        const { stroke, mark } = styleOf(each, i);
        if (!hasPoints(each.measured)) return [];
        const draw = each.isBand ? measuredBand : measuredPoints;
        return draw(each.measured!, stroke, mark, y.domain[0]);
      }),
    ],
    ...(spec.title === undefined ? {} : { title: spec.title }),
    ...(options.isSmall && endLabels.length === 0 ? { marginRight: 14 } : {}),
  });
}

/** A series is named where its last curve ends, or its last point if it has none. */
function endLabel(each: ChartSeries, i: number): EndLabel[] {
  const ends = [each.theory, each.trace, each.measured, each.reference];
  const last = ends.find((points) => hasPoints(points))?.at(-1);
  return last === undefined ? [] : [{ y: last.y, text: each.label, color: styleOf(each, i).stroke }];
}

function lines({ theory = [], reference = [], trace = [], style }: ChartSeries, stroke: string): unknown[] {
  return [
    ...(trace.length > 0 ? [theoryLine(trace, stroke, style ?? 'line', 1.4)] : []),
    ...(reference.length > 0 ? [theoryLine(reference, stroke, 'dash', 1.6)] : []),
    ...(theory.length > 0 ? [theoryLine(theory, stroke, style ?? 'line')] : []),
  ];
}

const drawBand = ({ band = [] }: ChartSeries, fill: string): unknown[] =>
  band.length === 0
    ? []
    : [
        Plot.areaY([...band], {
          x: 'x',
          y1: 'low',
          y2: 'high',
          fill,
          fillOpacity: 0.18,
          clip: true,
        } as Plot.AreaYOptions),
      ];

const shade = ({ from, to }: ShadedRange, i: number): unknown =>
  Plot.rect([{ from, to }], {
    x1: 'from',
    x2: 'to',
    fill: color.muted,
    fillOpacity: i % 2 === 0 ? 0.09 : 0.17,
    clip: true,
  } as Plot.RectOptions);

function drawGuide({ axis, at, style = 'dash', color: stroke = color.muted }: Guide): unknown {
  if (axis === 'y') return level(at, stroke, style);
  const dash = { line: {}, dash: { strokeDasharray: '6,4' }, dot: { strokeDasharray: '1.5,3' } }[style];
  return Plot.ruleX([at], { stroke, strokeWidth: 1.6, ...dash });
}

function axisOf(spec: ChartPanel, name: 'x' | 'y'): Axis {
  const { label, type, ticks } = spec[name];
  return { label, type, domain: domainOf(spec, name), ...(ticks === undefined ? {} : { ticks }) };
}

/** The ends that were asked for, else those of the data (error bars included) and of guides, widened a little. */
function domainOf(spec: ChartPanel, name: 'x' | 'y'): [number, number] {
  const { type, low, high } = spec[name];
  const values = valuesOf(spec, name).filter((value) => Number.isFinite(value) && (type === 'linear' || value > 0));
  if (values.length === 0) return [low ?? 1, high ?? 10];
  const [least, most] = [Math.min(...values), Math.max(...values)];
  if (type === 'log') {
    const widen = (most / least) ** 0.03 * 1.04;
    return [low ?? least / widen, high ?? most * widen];
  }
  const margin = 0.05 * (most - least || Math.abs(most) || 1);
  const isFromZero = name === 'y' && least >= 0 && least < most / 3;
  return [low ?? (isFromZero ? 0 : least - margin), high ?? most + margin];
}

/** A bar may reach to 0, which a logarithmic axis cannot show: it counts down to this share of its point. */
const LEAST_BAR = 0.4;

function valuesOf({ series, guides = [], ...axes }: ChartPanel, name: 'x' | 'y'): number[] {
  const points = series.flatMap(({ measured = [], theory = [], reference = [], trace = [], band = [] }) => {
    const lines = [...measured, ...theory, ...reference, ...trace].map((point) => point[name]);
    const drawn = [...lines, ...band.flatMap(({ x, low, high }) => (name === 'x' ? [x] : [low, high]))];
    if (name === 'x') return drawn;
    const least = (y: number) => (axes.y.type === 'log' || y >= 0 ? LEAST_BAR * y : Number.NEGATIVE_INFINITY);
    const bars = measured.flatMap(({ y, standardError }) => [
      Math.max(least(y), y - errorBarWidth * standardError),
      y + errorBarWidth * standardError,
    ]);
    return [...drawn, ...bars];
  });
  return [...points, ...guides.flatMap(({ axis, at }) => (axis === name ? [at] : []))];
}
