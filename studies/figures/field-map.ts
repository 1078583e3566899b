/**
 * A number over two continuous axes as bands of one colour, darker where it is larger, with a second colour where there is
 * none; several maps on a common key. Knows nothing about any study.
 */
import * as Plot from '@observablehq/plot';
import { type FigureContext, isNarrow, type SvgElement } from './document.ts';
import { composePanels, drawPanel } from './frame.ts';
import type { KeyEntry } from './key.ts';
import { color } from './theme.ts';

export interface FieldPoint {
  readonly x: number;
  readonly y: number;
  readonly label: string;
}

export interface Field {
  readonly title: string;
  /** Centres of the columns, in equal steps. */
  readonly x: readonly number[];
  /** Centres of the rows, in equal steps. */
  readonly y: readonly number[];
  /** `[y][x]`; null: there is none. */
  readonly values: readonly (readonly (number | null)[])[];
  /** A vertical line. */
  readonly guide?: number;
  /** Places with a name. */
  readonly points?: readonly FieldPoint[];
}

export interface FieldMapData {
  readonly fields: readonly Field[];
  /** Ends of the bands, ascending; the first and the last band are open. */
  readonly thresholds: readonly number[];
  readonly xLabel: string;
  readonly yLabel: string;
  /** Before the thresholds in the key: `α =`. */
  readonly valueName: string;
  /** Where there is no number: `only falls`. */
  readonly absentName: string;
  readonly guideName: string;
  readonly description: string;
}

const WEAKEST = 0.12;
const STRONGEST = 0.95;

interface Band {
  readonly x1: number;
  readonly x2: number;
  readonly y1: number;
  readonly y2: number;
  /** -1: none. */
  readonly band: number;
}

/** Cells of a row that fall into one band, joined: a tenth of the rectangles. */
function bandsOf({ x, y, values }: Field, thresholds: readonly number[]): Band[] {
  const half = { x: (x[1]! - x[0]!) / 2, y: (y[1]! - y[0]!) / 2 };
  const bandOf = (value: number | null) => (value === null ? -1 : thresholds.filter((t) => value >= t).length);
  return values.flatMap((row, i) => {
    const bands: Band[] = [];
    row.forEach((value, j) => {
      const band = bandOf(value);
      const last = bands.at(-1);
      if (last?.band === band) bands[bands.length - 1] = { ...last, x2: x[j]! + half.x };
      // A little overlap, so that no hairline of the ground shows between rows.
      else bands.push({ x1: x[j]! - half.x, x2: x[j]! + half.x, y1: y[i]! - half.y, y2: y[i]! + 1.02 * half.y, band });
    });
    return bands;
  });
}

export function drawFieldMap(context: FigureContext, data: FieldMapData): SvgElement {
  const { fields, thresholds, valueName, absentName, guideName, description } = data;
  const opacity = (band: number) => WEAKEST + ((STRONGEST - WEAKEST) * band) / thresholds.length;
  const columns = isNarrow(context) ? 1 : Math.min(3, fields.length);
  const cell = { ...context, width: (context.width - 18 * (columns - 1)) / columns };
  const panels = fields.map((field) => {
    const bands = bandsOf(field, thresholds);
    const sides = { x1: 'x1', x2: 'x2', y1: 'y1', y2: 'y2' } as const;
    const some = bands.filter(({ band }) => band >= 0);
    const none = bands.filter(({ band }) => band < 0);
    const { points = [], guide } = field;
    const labels = { x: 'x', y: 'y', text: 'label', fontWeight: 'bold', fill: color.ink, stroke: color.paper } as const;
    return drawPanel(cell, {
      description,
      title: field.title,
      height: 200,
      x: { label: data.xLabel, type: 'linear', domain: [bands[0]!.x1, bands.at(-1)!.x2] },
      y: { label: data.yLabel, type: 'linear', domain: [bands[0]!.y1, bands.at(-1)!.y2] },
      marks: [
        Plot.rect(none, { ...sides, fill: color.grid, clip: true }),
        Plot.rect(some, { ...sides, fill: color.blue, fillOpacity: ({ band }: Band) => opacity(band), clip: true }),
        ...(guide === undefined ? [] : [Plot.ruleX([guide], { stroke: color.vermilion, strokeWidth: 2 })]),
        Plot.text(points, { ...labels, strokeWidth: 3 }),
      ],
      marginRight: 14,
    });
  });
  const key: KeyEntry[] = [
    ...thresholds.map((threshold, i) => ({
      label: i === 0 ? `${valueName} < ${threshold}` : `< ${threshold}`,
      kind: 'area' as const,
      color: color.blue,
      opacity: opacity(i),
    })),
    { label: `${thresholds.at(-1)!} and more`, kind: 'area', color: color.blue, opacity: opacity(thresholds.length) },
    { label: absentName, kind: 'area', color: color.grid },
    { label: guideName, kind: 'line', color: color.vermilion },
  ];
  return composePanels(context, panels, columns, description, key);
}
