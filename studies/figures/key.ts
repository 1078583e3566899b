/** The key of a figure: a swatch and a word for each kind of mark, set in rows above the panel. */
import { createSvg, type FigureDocument, type SvgElement } from './document.ts';
import { color, type Mark } from './theme.ts';

export interface KeyEntry {
  readonly label: string;
  /** `series` is a line with a mark on it, `area` a patch of a map. */
  readonly kind: 'line' | 'dash' | 'dot' | 'mark' | 'series' | 'below' | 'area';
  readonly color: string;
  /** Of an area. Default 1. */
  readonly opacity?: number;
  readonly mark?: Mark;
}

const ROW = 18;
const SWATCH = 24;
const GAP = 16;
const CHARACTER = 7.2;

const entryWidth = ({ label }: KeyEntry) => SWATCH + 6 + label.length * CHARACTER + GAP;

function layout(entries: readonly KeyEntry[], width: number): { entry: KeyEntry; x: number; row: number }[] {
  let x = 0;
  let row = 0;
  return entries.map((entry) => {
    if (x > 0 && x + entryWidth(entry) - GAP > width) {
      x = 0;
      row++;
    }
    const place = { entry, x, row };
    x += entryWidth(entry);
    return place;
  });
}

/** Height that the key takes at this width. */
export function keyHeight(entries: readonly KeyEntry[], width: number): number {
  return entries.length === 0 ? 0 : (layout(entries, width).at(-1)!.row + 1) * ROW + 6;
}

/** A closed path of `count` corners around (x, y), at these radii in turn, the first corner on top. */
function regular(x: number, y: number, radii: readonly number[], count = 6): string {
  const corners = Array.from({ length: count }, (_, i) => {
    const [radius, angle] = [radii[i % radii.length]!, (2 * Math.PI * i) / count];
    return `${(x + radius * Math.sin(angle)).toFixed(2)},${(y - radius * Math.cos(angle)).toFixed(2)}`;
  });
  return `M${corners.join('L')}Z`;
}

const shapes: Readonly<Record<Mark, (x: number, y: number) => readonly [string, Record<string, string | number>]>> = {
  circle: (x, y) => ['circle', { cx: x, cy: y, r: 3.6 }],
  square: (x, y) => ['rect', { x: x - 3.2, y: y - 3.2, width: 6.4, height: 6.4 }],
  triangle: (x, y) => ['path', { d: `M${x},${y - 4.2}L${x + 4},${y + 2.8}L${x - 4},${y + 2.8}Z` }],
  diamond2: (x, y) => ['path', { d: `M${x},${y - 4.4}L${x + 4.4},${y}L${x},${y + 4.4}L${x - 4.4},${y}Z` }],
  hexagon: (x, y) => ['path', { d: regular(x, y, [4.2]) }],
  star: (x, y) => ['path', { d: regular(x, y, [4.8, 2.2], 10) }],
  times: (x, y) => [
    'path',
    { d: `M${x - 3.2},${y - 3.2}L${x + 3.2},${y + 3.2}M${x - 3.2},${y + 3.2}L${x + 3.2},${y - 3.2}` },
  ],
};

const dashes = { dash: '6,4', dot: '1.5,3' } as const;

export function drawKey(
  document: FigureDocument,
  svg: SvgElement,
  entries: readonly KeyEntry[],
  at: { readonly y: number; readonly width: number },
): void {
  for (const { entry, x, row } of layout(entries, at.width)) {
    const left = x;
    const middle = at.y + row * ROW + 10;
    if (entry.kind === 'area') {
      const patch = { x: left, y: middle - 6, width: SWATCH, height: 12, fill: entry.color };
      svg.appendChild(createSvg(document, 'rect', { ...patch, 'fill-opacity': entry.opacity ?? 1 }));
    } else if (entry.kind !== 'mark' && entry.kind !== 'below') {
      const line = { x1: left, x2: left + SWATCH, y1: middle, y2: middle, stroke: entry.color, 'stroke-width': 2 };
      const isDashed = entry.kind === 'dash' || entry.kind === 'dot';
      const dash = isDashed ? { 'stroke-dasharray': dashes[entry.kind] } : {};
      svg.appendChild(createSvg(document, 'line', { ...line, ...dash }));
    }
    if (entry.kind === 'mark' || entry.kind === 'series') {
      const [name, attributes] = shapes[entry.mark ?? 'circle'](left + SWATCH / 2, middle);
      const stroke = { fill: color.paper, stroke: entry.color, 'stroke-width': 1.6 };
      svg.appendChild(createSvg(document, name, { ...attributes, ...stroke }));
    } else if (entry.kind === 'below') {
      const [x0, y0] = [left + SWATCH / 2, middle];
      const d = `M${x0},${y0 + 4.2}L${x0 + 4},${y0 - 2.8}L${x0 - 4},${y0 - 2.8}Z`;
      svg.appendChild(createSvg(document, 'path', { d, fill: entry.color }));
    }
    svg.appendChild(createSvg(document, 'text', { x: left + SWATCH + 6, y: middle + 4, fill: color.ink }, entry.label));
  }
}
