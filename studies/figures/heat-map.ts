/**
 * Matrices as heat maps side by side: diverging (both signs) or sequential (from 0), on one scale for all or each on its
 * own. Knows how a matrix looks; knows nothing about what it means.
 */
import * as Plot from '@observablehq/plot';
import { createSvg, type FigureContext, type FigureDocument, isNarrow, type SvgElement } from './document.ts';
import { composePanels, finish, fontFamily, fontSize } from './frame.ts';
import { color } from './theme.ts';

export type Matrix = readonly (readonly number[])[];

/** Diverging: vermilion above 0, blue below. Sequential: from 0 up, in one colour. */
export type HeatScale = 'diverging' | 'sequential';

export interface HeatMap {
  readonly title: string;
  /** A second, muted line. */
  readonly subtitle?: string;
  /** `[rows, columns]`, the first row on top. */
  readonly matrix: Matrix;
  /** Default: the figure's. */
  readonly scale?: HeatScale;
  /** Absolute value of the strongest colour. Default: the largest in the figure on this scale, or in this matrix. */
  readonly largest?: number;
}

export interface HeatMapsData {
  readonly maps: readonly HeatMap[];
  readonly scale: HeatScale;
  /** One scale for all maps, shown above them; otherwise each map has its own. */
  readonly isShared: boolean;
  /** What an entry is, for the scale's legend: `attention`. */
  readonly valueName: string;
  readonly rowName?: string;
  readonly columnName?: string;
  /** Maps per row where there is room, and on a telephone. */
  readonly columns: number;
  readonly narrowColumns: number;
  readonly description: string;
}

/** Entries are written into the cells up to this size. */
const MOST_NUMBERED = 8;
/** Cells have outlines up to this size. */
const MOST_OUTLINED = 14;
/** Opacity of the largest entry: below 1 where a number stands on it, so that ink stays legible in light and in dark. */
const STRONGEST = { numbered: 0.55, plain: 0.95 } as const;
const LEGEND_HEIGHT = 34;

/** 0.77, −0.08; in a small cell .77, −.08. What rounds to 0 is shown as 0. */
function shortNumber(value: number, isSmall: boolean): string {
  const text = value.toFixed(2);
  if (Number(text) === 0) return '0';
  return (isSmall ? text.replace(/^(-?)0\./, '$1.') : text).replace('-', '−');
}

/** 1, 2, .. for few; else the first and every fifth, tenth, .. of many. */
export function indexTicks(size: number): number[] {
  const stride = [1, 5, 10, 20, 50, 100].find((step) => size / step <= (step === 1 ? 12 : 6)) ?? 200;
  return Array.from({ length: size }, (_, i) => i + 1).filter((i) => stride === 1 || i === 1 || i % stride === 0);
}

export const largestOf = (...matrices: readonly Matrix[]): number =>
  Math.max(Number.MIN_VALUE, ...matrices.flat(2).map(Math.abs));

/** One map as an SVG element of its own, as wide as the context says. */
export function drawHeatMap(
  { document, width }: FigureContext,
  { title, subtitle = '', matrix, scale = 'diverging', largest = largestOf(matrix) }: HeatMap,
): SvgElement {
  const rows = matrix.length;
  const columns = matrix[0]!.length;
  const top = subtitle === '' ? 26 : 42;
  const left = 26;
  const side = width - left - 8;
  const cellSize = side / columns;
  const isNumbered = Math.max(rows, columns) <= MOST_NUMBERED;
  const strongest = isNumbered ? STRONGEST.numbered : STRONGEST.plain;
  const data = matrix.flatMap((row, i) => row.map((value, j) => ({ row: i + 1, column: j + 1, value })));
  // Outlines around many small cells would be darker than the cells.
  const inset = Math.max(rows, columns) <= MOST_OUTLINED ? Math.min(0.5, cellSize / 24) : 0;
  const place = { x: 'column', y: 'row', inset } as const;
  const strength = (d: { value: number }) => (strongest * Math.min(largest, Math.abs(d.value))) / largest;
  // What is too faint to be seen need not be drawn.
  const visible = (sign: 1 | -1) => data.filter((d) => sign * d.value > 0 && strength(d) > 0.004);
  const axis = { color: color.muted, tickSize: 0, label: null } as const;
  const indices = (size: number) => Array.from({ length: size }, (_, i) => i + 1);
  const plot = Plot.plot({
    document,
    className: 'icl-plot',
    width,
    height: cellSize * rows + top + 20,
    marginTop: top + 16,
    marginLeft: left,
    marginRight: 8,
    marginBottom: 4,
    style: { background: 'transparent', fontSize: `${fontSize - 1}px`, fontFamily },
    x: { domain: indices(columns), axis: null, padding: 0, round: false },
    y: { domain: indices(rows), axis: null, padding: 0, round: false },
    opacity: { type: 'identity' },
    marks: [
      Plot.axisX({ ...axis, ticks: indexTicks(columns), anchor: 'top' }),
      Plot.axisY({ ...axis, ticks: indexTicks(rows) }),
      ...(inset > 0
        ? [Plot.cell(data, { x: 'column', y: 'row', fill: 'none', stroke: color.grid, inset })]
        : [Plot.frame({ stroke: color.grid })]),
      Plot.cell(visible(1), {
        ...place,
        fill: scale === 'diverging' ? color.vermilion : color.blue,
        fillOpacity: strength,
      }),
      Plot.cell(visible(-1), { ...place, fill: color.blue, fillOpacity: strength }),
      ...(isNumbered
        ? [
            Plot.text(data, {
              x: 'column',
              y: 'row',
              text: (d: { value: number }) => shortNumber(d.value, cellSize < 36),
              fill: color.ink,
              fontSize: Math.min(fontSize, cellSize / 3.2),
            }),
          ]
        : []),
    ],
  } as unknown as Plot.PlotOptions) as unknown as SvgElement;
  plot.appendChild(createSvg(document, 'text', { x: left, y: 13, fill: color.ink, 'font-weight': 600 }, title));
  if (subtitle !== '') plot.appendChild(createSvg(document, 'text', { x: left, y: 30, fill: color.muted }, subtitle));
  return plot;
}

/** 0.34, 12, 1.5e-4: as short as a legend wants it. */
const legendNumber = (value: number): string => String(Number(value.toPrecision(2))).replace('-', '−');

/** The shared scale as a strip of swatches with its ends' numbers, and what the axes are. */
function drawLegend(document: FigureDocument, width: number, data: HeatMapsData, largest: number): SvgElement {
  const { scale, valueName, rowName, columnName } = data;
  const steps = 21;
  const step = Math.min(7, width / 60);
  const root = createSvg(document, 'svg', { width, height: LEGEND_HEIGHT });
  const say = (x: number, text: string, fill: string = color.ink) => {
    root.appendChild(createSvg(document, 'text', { x, y: 12, fill }, text));
    return x + text.length * fontSize * 0.58;
  };
  let x = say(0, scale === 'diverging' ? `${valueName}  −${legendNumber(largest)}` : `${valueName}  0`) + 8;
  root.appendChild(
    createSvg(document, 'rect', { x, y: 2, width: steps * step, height: 12, fill: 'none', stroke: color.grid }),
  );
  for (let i = 0; i < steps; i++, x += step) {
    const value = scale === 'diverging' ? (2 * i) / (steps - 1) - 1 : i / (steps - 1);
    const fill = scale === 'diverging' && value > 0 ? color.vermilion : color.blue;
    const opacity = Number((STRONGEST.plain * Math.abs(value)).toFixed(3));
    root.appendChild(
      createSvg(document, 'rect', { x, y: 2, width: step, height: 12, fill, 'fill-opacity': opacity, stroke: 'none' }),
    );
  }
  x = say(x + 6, legendNumber(largest));
  const axes = [rowName && `rows: ${rowName}`, columnName && `columns: ${columnName}`].filter(Boolean).join(', ');
  const needed = axes.length * fontSize * 0.58;
  const isBeside = x + 20 + needed <= width;
  if (axes !== '') {
    const at = isBeside ? { x: width - needed, y: 12 } : { x: 0, y: 28 };
    root.appendChild(createSvg(document, 'text', { ...at, fill: color.muted }, axes));
  }
  return root;
}

/** All maps, so many per row. */
export function drawHeatMaps(context: FigureContext, data: HeatMapsData): SvgElement {
  const { maps, isShared, description } = data;
  const columns = isNarrow(context) ? data.narrowColumns : data.columns;
  const width = (context.width - 18 * (columns - 1)) / columns;
  const scaleOf = (map: HeatMap) => map.scale ?? data.scale;
  const shared = (scale: HeatScale) =>
    largestOf(...maps.filter((map) => scaleOf(map) === scale).map(({ matrix }) => matrix));
  const drawn = maps.map((map) => {
    const scale = scaleOf(map);
    const largest = map.largest ?? (isShared ? shared(scale) : largestOf(map.matrix));
    return drawHeatMap({ ...context, width }, { ...map, scale, largest });
  });
  const figure = composePanels(context, drawn, columns, description);
  if (!isShared) return figure;
  const largest = Math.max(...maps.map((map) => map.largest ?? 0)) || shared(data.scale);
  return below(context, drawLegend(context.document, context.width, data, largest), figure, description);
}

/** Puts a figure under a legend. */
function below({ document, width }: FigureContext, legend: SvgElement, figure: SvgElement, text: string): SvgElement {
  const height = Number(figure.getAttribute('height')) + LEGEND_HEIGHT;
  const root = createSvg(document, 'svg', {
    width,
    height,
    viewBox: `0 0 ${width} ${height}`,
    'font-size': `${fontSize}px`,
    'font-family': fontFamily,
    fill: 'currentColor',
  });
  for (const name of ['class', 'role', 'aria-label']) figure.removeAttribute(name);
  figure.setAttribute('y', String(LEGEND_HEIGHT));
  root.appendChild(legend);
  root.appendChild(figure);
  return finish(root, text);
}
