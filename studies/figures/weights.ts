/** Heat maps of a learned matrix beside the one theory predicts and their difference, on one colour scale. */
import { type FigureContext, isNarrow, type SvgElement } from './document.ts';
import { drawHeatMaps, largestOf, type Matrix } from './heat-map.ts';

export interface WeightsRow {
  /** Which model: `identity covariance, N = 20`. */
  readonly label: string;
  readonly learned: Matrix;
  readonly theory: Matrix;
  /** ||learned - theory|| / ||theory||, Frobenius. */
  readonly relativeDifference: number;
}

export interface WeightsData {
  readonly rows: readonly WeightsRow[];
  readonly learnedName: string;
  readonly theoryName: string;
}

export function drawWeights(context: FigureContext, { rows, learnedName, theoryName }: WeightsData): SvgElement {
  // A telephone has room for two: the caption and the table give the difference there.
  const isWide = !isNarrow(context);
  const percent = (value: number) => `${Number((100 * value).toPrecision(2))} %`;
  const maps = rows.flatMap(({ label, learned, theory, relativeDifference }) => {
    const largest = largestOf(learned, theory);
    const difference = learned.map((row, i) => row.map((value, j) => value - theory[i]![j]!));
    const titled = (title: string, subtitle: string, matrix: Matrix) => ({
      title,
      subtitle: isWide ? subtitle : '',
      matrix,
      largest,
    });
    return [
      titled(learnedName, label, learned),
      titled(theoryName, 'theory', theory),
      ...(isWide ? [titled('difference', `${percent(relativeDifference)} of the theory`, difference)] : []),
    ];
  });
  return drawHeatMaps(context, {
    maps,
    scale: 'diverging',
    isShared: false,
    valueName: '',
    columns: 3,
    narrowColumns: 2,
    description:
      `Heat maps of ${learnedName} beside ${theoryName}: ` +
      rows.map((row) => `${row.label}, relative difference ${percent(row.relativeDifference)}`).join('; '),
  });
}
