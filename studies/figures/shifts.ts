/** Small panels, one per shift: measured points on the exact curve, with what predicting 0 would cost. */
import { type FigureContext, isNarrow, type SvgElement } from './document.ts';
import { composePanels, drawPanel } from './frame.ts';
import type { KeyEntry } from './key.ts';
import { type MeasuredPoint, measuredPoints, type Point, theoryLine } from './marks.ts';
import { color, seriesAt } from './theme.ts';

export interface ShiftPanel {
  readonly title: string;
  readonly levelLabel: string;
  readonly theory: readonly Point[];
  readonly measured: readonly MeasuredPoint[];
  /** Risk of predicting 0, exact. */
  readonly zero: readonly Point[];
}

export function drawShifts(context: FigureContext, panels: readonly ShiftPanel[]): SvgElement {
  const columns = isNarrow(context) ? 1 : 2;
  const width = (context.width - 18 * (columns - 1)) / columns;
  const { color: stroke, mark } = seriesAt(0);
  const key: KeyEntry[] = [
    { label: 'measured', kind: 'mark', mark, color: stroke },
    { label: 'exact', kind: 'line', color: stroke },
    { label: 'predict 0', kind: 'dot', color: color.muted },
  ];
  const drawn = panels.map(({ title, levelLabel, theory, measured, zero }) => {
    const risks = [...theory, ...measured].map(({ y }) => y);
    const levels = [...theory, ...measured].map(({ x }) => x);
    // Predicting 0 gives the scale where it is near; where it is far, its line leaves the panel.
    const highestZero = Math.max(...zero.map(({ y }) => y));
    const highest = Math.max(...risks);
    const high = 1.08 * Math.max(highest, highestZero <= 4 * highest ? highestZero : 2 * highest);
    return drawPanel(
      { ...context, width },
      {
        description: title,
        title,
        height: 190,
        x: { label: levelLabel, type: 'linear', domain: padded(levels) },
        y: { label: 'risk', type: 'linear', domain: [0, high] },
        marks: [
          theoryLine(zero, color.muted, 'dot', 1.6),
          theoryLine(theory, stroke),
          ...measuredPoints(measured, stroke, mark, 0),
        ],
        marginRight: 14,
      },
    );
  });
  return composePanels(
    context,
    drawn,
    columns,
    `Risk under ${panels.map(({ title }) => title).join('; ')}: measured points lie on the exact curves.`,
    key,
  );
}

function padded(values: readonly number[]): [number, number] {
  const low = Math.min(...values);
  const high = Math.max(...values);
  const margin = 0.04 * (high - low || 1);
  return [low - margin, high + margin];
}
