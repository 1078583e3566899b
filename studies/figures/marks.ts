/**
 * The three kinds of mark that all figures share: theory is a line, a measurement is a point with its error bar, and a
 * point that a logarithmic axis cannot show is a triangle on the axis' edge, never a silent gap.
 */
import * as Plot from '@observablehq/plot';
import { color, type Mark } from './theme.ts';

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface MeasuredPoint extends Point {
  readonly standardError: number;
}

/** Error bars span this many standard errors to either side. */
export const errorBarWidth = 2;

export function theoryLine(
  points: readonly Point[],
  stroke: string,
  style: 'line' | 'dash' | 'dot' = 'line',
  strokeWidth = 2,
): unknown {
  const dash = { line: {}, dash: { strokeDasharray: '6,4' }, dot: { strokeDasharray: '1.5,3' } }[style];
  const options = { x: 'x', y: 'y', stroke, strokeWidth, strokeLinejoin: 'round', clip: true, ...dash } as const;
  return Plot.line([...points], options);
}

/** A horizontal line over the whole panel. */
export function level(y: number, stroke: string, style: 'line' | 'dash' | 'dot' = 'dash'): unknown {
  const dash = { line: {}, dash: { strokeDasharray: '6,4' }, dot: { strokeDasharray: '1.5,3' } }[style];
  return Plot.ruleY([y], { stroke, strokeWidth: 1.6, ...dash });
}

/**
 * Points with error bars. What lies below `floor`, the lower end of the axis, is clamped to it: an error bar ends there,
 * a point becomes a filled triangle that points down.
 */
export function measuredPoints(
  points: readonly MeasuredPoint[],
  stroke: string,
  mark: Mark,
  floor = Number.NEGATIVE_INFINITY,
  radius = 3.6,
): unknown[] {
  const shown = points.filter(({ y }) => y >= floor);
  const below = points.filter(({ y }) => !(y >= floor));
  const bars = shown.map(({ x, y, standardError }) => ({
    x,
    low: Math.max(floor, y - errorBarWidth * standardError),
    high: y + errorBarWidth * standardError,
  }));
  const dots = { x: 'x', y: 'y', r: radius, symbol: mark } as const;
  return [
    Plot.ruleX(bars, { x: 'x', y1: 'low', y2: 'high', stroke, strokeWidth: 1.6 }),
    Plot.dot(shown, { ...dots, fill: color.paper, stroke, strokeWidth: 1.6 }),
    Plot.dot(
      below.map(({ x }) => ({ x, y: floor })),
      { x: 'x', y: 'y', r: 4, symbol: 'triangle', rotate: 180, fill: stroke, dy: -3 },
    ),
  ];
}

/**
 * A band of two standard errors to either side of points, and the points without bars. Below `floor` as in
 * {@link measuredPoints}: a band ends there.
 */
export function measuredBand(
  points: readonly MeasuredPoint[],
  stroke: string,
  mark: Mark,
  floor = Number.NEGATIVE_INFINITY,
): unknown[] {
  const band = points.map(({ x, y, standardError }) => ({
    x,
    low: Math.max(floor, y - errorBarWidth * standardError),
    high: Math.max(floor, y + errorBarWidth * standardError),
  }));
  const bare = points.map((point) => ({ ...point, standardError: 0 }));
  return [
    Plot.areaY(band, {
      x: 'x',
      y1: 'low',
      y2: 'high',
      fill: stroke,
      fillOpacity: 0.16,
      clip: true,
    } as Plot.AreaYOptions),
    ...measuredPoints(bare, stroke, mark, floor, 3.2),
  ];
}

/** The largest and smallest of all finite values above `least`, widened by a factor: the domain of a logarithmic axis. */
export function logDomain(values: readonly number[], least: number, widen = 1.25): [number, number] {
  const good = values.filter((value) => Number.isFinite(value) && value >= least);
  if (good.length === 0) return [least, 10 * least];
  return [Math.min(...good) / widen, Math.max(...good) * widen];
}
