/** Risk relative to predicting 0 when all covariates are multiplied by c. */
import type { FigureContext, SvgElement } from './document.ts';
import { drawPanel, type EndLabel } from './frame.ts';
import type { KeyEntry } from './key.ts';
import { level, logDomain, type MeasuredPoint, measuredPoints, type Point, theoryLine } from './marks.ts';
import { color, seriesAt } from './theme.ts';

export interface CovariateScaleData {
  readonly label: string;
  /** Exact at this training and test length. */
  readonly theory: readonly Point[];
  readonly measured: readonly MeasuredPoint[];
  /** The limit of long contexts in training and test; (1 - c^2)^2 for one fixed covariance without noise. */
  readonly limit: readonly Point[];
  readonly limitLabel: string;
  readonly leastSquares: readonly MeasuredPoint[];
}

export function drawCovariateScale(context: FigureContext, data: CovariateScaleData): SvgElement {
  const { theory, measured, limit, leastSquares, label, limitLabel } = data;
  const risks = [...theory, ...measured].map(({ y }) => y);
  const bottom = Math.min(...risks) / 6;
  const [low, high] = logDomain([...risks, ...limit.map(({ y }) => y)], bottom);
  const floor = Math.min(low, bottom);
  const { color: stroke, mark } = seriesAt(0);
  const endLabels: EndLabel[] = [
    { y: 1, text: 'predict 0', color: color.muted },
    ...(limit.length > 0 ? [{ y: limit.at(-1)!.y, text: limitLabel, color: seriesAt(1).color }] : []),
    { y: theory.at(-1)!.y, text: label, color: stroke },
  ];
  const isBelow = leastSquares.some(({ y }) => y < floor);
  const key: KeyEntry[] = [
    { label: 'measured', kind: 'mark', mark, color: stroke },
    { label: 'exact', kind: 'line', color: stroke },
    ...(limit.length > 0 ? [{ label: 'limit of long contexts', kind: 'dash', color: seriesAt(1).color } as const] : []),
    { label: 'least squares', kind: 'mark', mark: 'times', color: color.muted },
    ...(isBelow ? [{ label: 'least squares below the axis', kind: 'below', color: color.muted } as const] : []),
  ];
  return drawPanel(context, {
    description:
      'Risk relative to predicting zero against the factor c on all covariates: lowest near c = 1, above 1 beyond ' +
      'about 1.4, following the exact curve; least squares does not change.',
    height: 340,
    x: {
      label: 'factor c on all covariates at test time',
      type: 'log',
      domain: logDomain(
        [...theory, ...measured].map(({ x }) => x),
        1e-9,
        1.08,
      ),
    },
    y: { label: 'risk / risk of predicting 0', type: 'log', domain: [floor, high] },
    marks: [
      level(1, color.muted, 'dot'),
      theoryLine(limit, seriesAt(1).color, 'dash'),
      theoryLine(theory, stroke),
      ...measuredPoints(leastSquares, color.muted, 'times', floor),
      ...measuredPoints(measured, stroke, mark, floor),
    ],
    endLabels,
    key,
  });
}
