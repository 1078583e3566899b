/** Risk against the test-time context length, one series per training length, with each series' floor. */
import type { FigureContext, SvgElement } from './document.ts';
import { drawPanel, type EndLabel } from './frame.ts';
import type { KeyEntry } from './key.ts';
import { level, logDomain, type MeasuredPoint, measuredPoints, type Point, theoryLine } from './marks.ts';
import { color, seriesAt } from './theme.ts';

export interface LengthSeries {
  readonly label: string;
  readonly theory: readonly Point[];
  readonly measured: readonly MeasuredPoint[];
  /** Risk as the test length goes to infinity. */
  readonly floor: number;
}

export interface LengthData {
  readonly series: readonly LengthSeries[];
  readonly leastSquares: readonly MeasuredPoint[];
  /** Risk of predicting 0. */
  readonly zeroRisk: number;
}

/** What lies more than this factor below every model is drawn on the lower edge. */
const DEPTH = 12;

export function drawLength(context: FigureContext, { series, leastSquares, zeroRisk }: LengthData): SvgElement {
  const risks = series.flatMap(({ theory, measured, floor }) =>
    [...theory, ...measured].map(({ y }) => y).concat(floor),
  );
  const lowest = Math.min(...risks);
  const [low, high] = logDomain([...risks, zeroRisk, ...leastSquares.map(({ y }) => y)], lowest / DEPTH);
  const bottom = leastSquares.some(({ y }) => y < low) ? lowest / 3 : low;
  const lengths = series.flatMap(({ theory, measured }) => [...theory, ...measured].map(({ x }) => x));
  const marks = [
    level(zeroRisk, color.muted, 'dot'),
    ...series.map(({ floor }, i) => level(floor, seriesAt(i).color, 'dash')),
    ...series.map(({ theory }, i) => theoryLine(theory, seriesAt(i).color)),
    ...measuredPoints(leastSquares, color.muted, 'times', bottom),
    ...series.flatMap(({ measured }, i) => measuredPoints(measured, seriesAt(i).color, seriesAt(i).mark, bottom)),
  ];
  const endLabels: EndLabel[] = [
    { y: zeroRisk, text: 'predict 0', color: color.muted },
    ...series.map(({ theory, label }, i) => ({ y: theory.at(-1)!.y, text: label, color: seriesAt(i).color })),
  ];
  const isBelow = leastSquares.some(({ y }) => y < bottom);
  const key: KeyEntry[] = [
    { label: 'measured', kind: 'mark', color: color.ink },
    { label: 'exact risk', kind: 'line', color: color.ink },
    { label: 'floor of order 1/N²', kind: 'dash', color: color.ink },
    { label: 'least squares', kind: 'mark', mark: 'times', color: color.muted },
    ...(isBelow ? [{ label: 'least squares below the axis', kind: 'below', color: color.muted } as const] : []),
  ];
  return drawPanel(context, {
    description:
      'Risk against test-time context length on logarithmic axes: measured points lie on the exact curves; each curve ' +
      `levels off at its floor (${series.map(({ label, floor }) => `${label}: ${floor.toPrecision(3)}`).join('; ')}).`,
    height: 360,
    x: { label: 'test context length M (pairs)', type: 'log', domain: logDomain(lengths, 0.5, 1.15) },
    y: { label: 'risk (squared error)', type: 'log', domain: [bottom, high] },
    marks,
    endLabels,
    key,
  });
}
