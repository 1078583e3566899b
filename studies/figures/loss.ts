/** Training loss against gradient-flow time, on the theoretical curve and its minimum, one series per training length. */
import type { FigureContext, SvgElement } from './document.ts';
import { drawPanel, type EndLabel } from './frame.ts';
import type { KeyEntry } from './key.ts';
import { errorBarWidth, level, type MeasuredPoint, measuredPoints, type Point, theoryLine } from './marks.ts';
import { color, seriesAt } from './theme.ts';

export interface LossSeries {
  readonly label: string;
  /** Mean training loss in windows of steps; x = sum of the learning rates so far. */
  readonly measured: readonly MeasuredPoint[];
  /** Gradient flow from the same start; absent where no theorem gives one. */
  readonly flow: readonly Point[];
  readonly minimum: number;
}

export interface LossData {
  readonly series: readonly LossSeries[];
  /** Loss of predicting 0. */
  readonly zeroLoss: number;
}

export function drawLoss(context: FigureContext, { series, zeroLoss }: LossData): SvgElement {
  const times = series.flatMap(({ measured }) => measured.map(({ x }) => x));
  const tops = series.flatMap(({ measured }) =>
    measured.map(({ y, standardError }) => y + errorBarWidth * standardError),
  );
  const highest = Math.max(zeroLoss, ...tops);
  const marks = series.flatMap(({ measured, flow, minimum }, i) => {
    const { color: stroke, mark } = seriesAt(i);
    return [level(minimum, stroke, 'dash'), theoryLine(flow, stroke), ...measuredPoints(measured, stroke, mark, 0)];
  });
  const endLabels: EndLabel[] = series.map(({ label, minimum }, i) => ({
    y: minimum,
    text: label,
    color: seriesAt(i).color,
  }));
  const key: KeyEntry[] = [
    { label: 'SGD, mean of a window of steps', kind: 'mark', color: color.ink },
    ...(series.some(({ flow }) => flow.length > 0)
      ? [{ label: 'gradient flow', kind: 'line', color: color.ink } as const]
      : []),
    { label: 'minimum', kind: 'dash', color: color.ink },
  ];
  return drawPanel(context, {
    description:
      'Training loss against gradient-flow time: ' +
      `measured means fall from ${zeroLoss.toPrecision(3)} to the theoretical minimum of each training length ` +
      `(${series.map(({ label, minimum }) => `${label}: ${minimum.toPrecision(3)}`).join('; ')}).`,
    height: 330,
    x: {
      label: 'gradient-flow time t = Σ learning rates',
      type: 'log',
      domain: [Math.min(...times) / 1.2, Math.max(...times) * 1.2],
    },
    y: {
      label: 'loss (half squared error)',
      type: 'linear',
      domain: [0, highest * 1.04],
    },
    marks,
    endLabels,
    key,
  });
}
