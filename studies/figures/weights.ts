/** Heat maps of a learned matrix beside the one theory predicts and their difference, on one colour scale. */
import * as Plot from '@observablehq/plot';
import { createSvg, type FigureContext, isNarrow, type SvgElement } from './document.ts';
import { composePanels, finish, fontFamily, fontSize } from './frame.ts';
import { color } from './theme.ts';

export interface WeightsRow {
  /** Which model: `identity covariance, N = 20`. */
  readonly label: string;
  readonly learned: readonly (readonly number[])[];
  readonly theory: readonly (readonly number[])[];
  /** ||learned - theory|| / ||theory||, Frobenius. */
  readonly relativeDifference: number;
}

export interface WeightsData {
  readonly rows: readonly WeightsRow[];
  readonly learnedName: string;
  readonly theoryName: string;
}

type Matrix = readonly (readonly number[])[];

/** Entries are written into the cells up to this dimension. */
const MOST_NUMBERED = 8;

function cells(matrix: Matrix) {
  return matrix.flatMap((row, i) => row.map((value, j) => ({ row: i + 1, column: j + 1, value })));
}

/** Opacity of the largest entry: below 1, so that ink stays legible on it in light and in dark. */
const STRONGEST = 0.55;

/** 0.77, −0.08; in a small cell .77, −.08. What rounds to 0 is shown as 0. */
function shortNumber(value: number, isSmall: boolean): string {
  const text = value.toFixed(2);
  if (Number(text) === 0) return '0';
  return (isSmall ? text.replace(/^(-?)0\./, '$1.') : text).replace('-', '−');
}

function heatMap(context: FigureContext, title: string, subtitle: string, matrix: Matrix, largest: number): SvgElement {
  const { document, width } = context;
  const size = matrix.length;
  const top = subtitle === '' ? 26 : 42;
  const side = width - 22;
  const data = cells(matrix);
  const indices = Array.from({ length: size }, (_, i) => i + 1);
  const ticks = size <= 12 ? indices : indices.filter((i) => i === 1 || i % 5 === 0);
  const place = { x: 'column', y: 'row', inset: 0.5 } as const;
  const strength = (d: { value: number }) => (STRONGEST * Math.abs(d.value)) / largest;
  const axis = { color: color.muted, tickSize: 0, label: null, ticks } as const;
  const plot = Plot.plot({
    document,
    className: 'icl-plot',
    width,
    height: side + top + 6,
    marginTop: top + 16,
    marginLeft: 20,
    marginRight: 2,
    marginBottom: 4,
    style: { background: 'transparent', fontSize: `${fontSize - 1}px`, fontFamily },
    x: { domain: indices, axis: null, padding: 0 },
    y: { domain: indices, axis: null, padding: 0 },
    opacity: { type: 'identity' },
    marks: [
      Plot.axisX({ ...axis, anchor: 'top' }),
      Plot.axisY({ ...axis }),
      Plot.cell(data, { x: 'column', y: 'row', fill: 'none', stroke: color.grid, inset: 0.5 }),
      Plot.cell(
        data.filter(({ value }) => value > 0),
        { ...place, fill: color.vermilion, fillOpacity: strength },
      ),
      Plot.cell(
        data.filter(({ value }) => value < 0),
        { ...place, fill: color.blue, fillOpacity: strength },
      ),
      ...(size <= MOST_NUMBERED
        ? [
            Plot.text(data, {
              x: 'column',
              y: 'row',
              text: (d: { value: number }) => shortNumber(d.value, side / size < 36),
              fill: color.ink,
              fontSize: Math.min(fontSize, side / size / 3.2),
            }),
          ]
        : []),
    ],
  } as unknown as Plot.PlotOptions) as unknown as SvgElement;
  plot.appendChild(createSvg(document, 'text', { x: 20, y: 13, fill: color.ink, 'font-weight': 600 }, title));
  if (subtitle !== '') plot.appendChild(createSvg(document, 'text', { x: 20, y: 30, fill: color.muted }, subtitle));
  return plot;
}

export function drawWeights(context: FigureContext, { rows, learnedName, theoryName }: WeightsData): SvgElement {
  const columns = isNarrow(context) ? 2 : 3;
  const width = (context.width - 18 * (columns - 1)) / columns;
  const cell = { ...context, width };
  const panels = rows.flatMap(({ label, learned, theory, relativeDifference }) => {
    const largest = Math.max(...[...learned, ...theory].flat().map(Math.abs));
    const difference = learned.map((row, i) => row.map((value, j) => value - theory[i]![j]!));
    const maps = [
      heatMap(cell, learnedName, isNarrow(context) ? '' : label, learned, largest),
      heatMap(cell, theoryName, isNarrow(context) ? '' : 'theory', theory, largest),
    ];
    const percent = `${(100 * relativeDifference).toPrecision(2)} % of the theory`;
    // A telephone has room for two: the caption and the table give the difference there.
    return columns === 2 ? maps : [...maps, heatMap(cell, 'difference', percent, difference, largest)];
  });
  const description =
    `Heat maps of ${learnedName} beside ${theoryName}: ` +
    rows
      .map((row) => `${row.label}, relative difference ${(100 * row.relativeDifference).toPrecision(2)} %`)
      .join('; ');
  return finish(composePanels(context, panels, columns, description), description);
}
