/**
 * One panel: axes, marks, a key above, labels at the right ends of curves. Knows Observable Plot; knows nothing about what
 * is drawn. What Plot leaves undone is done here: labels that would overlap are moved apart, `aria-label` on groups
 * (which accessibility checkers refuse) is removed, the style element is left to the page.
 */
import * as Plot from '@observablehq/plot';
import { createSvg, type FigureContext, type SvgElement } from './document.ts';
import { drawKey, type KeyEntry, keyHeight } from './key.ts';
import { color } from './theme.ts';
import { formatTick, linearTicks, logTicks } from './ticks.ts';

export { formatTick, linearTicks, logTicks } from './ticks.ts';

export interface Axis {
  readonly label: string;
  readonly type: 'linear' | 'log';
  readonly domain: readonly [number, number];
  readonly ticks?: readonly number[];
}

export interface EndLabel {
  /** Where the curve ends, in data units of y. */
  readonly y: number;
  readonly text: string;
  readonly color: string;
}

/** A word above the frame, such as the name of a vertical guide line or of a shaded range. */
export interface TopLabel {
  /** Where its middle stands, in data units of x. */
  readonly x: number;
  readonly text: string;
  readonly color: string;
}

export interface PanelSpec {
  /** Says in words what is drawn. */
  readonly description: string;
  readonly height: number;
  readonly title?: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly marks: readonly unknown[];
  readonly key?: readonly KeyEntry[];
  readonly endLabels?: readonly EndLabel[];
  readonly topLabels?: readonly TopLabel[];
  readonly marginRight?: number;
}

export const fontSize = 12;
export const fontFamily = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif";
/** Least room left of a panel; numbers of more than {@link SHORT_TICK} characters get more. */
const MARGIN_LEFT = 54;
const SHORT_TICK = 4;
const MARGIN_BOTTOM = 44;
const LABEL_GAP = 14;
const TOP_ROW = 15;

/** Width that a text needs, estimated for a wide font. */
export const textWidth = (text: string): number => text.length * fontSize * 0.6;

function axisOptions(axis: Axis, room: number) {
  const ticks =
    axis.ticks ?? (axis.type === 'log' ? logTicks(axis.domain, room) : linearTicks(axis.domain, Math.min(room, 6)));
  return { type: axis.type, domain: [...axis.domain], label: null, ticks };
}

/** Draws a panel as an SVG element of its own. */
export function drawPanel(context: FigureContext, spec: PanelSpec): SvgElement {
  const { document, width } = context;
  const key = spec.key ?? [];
  const endLabels = spec.endLabels ?? [];
  const marginRight = spec.marginRight ?? Math.max(16, ...endLabels.map(({ text }) => textWidth(text) + 18));
  const titleHeight = spec.title === undefined ? 0 : 22;
  const y = axisOptions(spec.y, Math.max(3, Math.floor(spec.height / 34)));
  const longest = Math.max(SHORT_TICK, ...y.ticks.map((tick) => formatTick(tick).length));
  const marginLeft = MARGIN_LEFT + 8 * (longest - SHORT_TICK);
  const [left, right] = [marginLeft, width - marginRight];
  const topLabels = placeTopLabels(spec.topLabels ?? [], spec.x, left, right);
  const topHeight = TOP_ROW * Math.max(0, ...topLabels.map(({ row }) => row + 1));
  const marginTop = 12 + titleHeight + keyHeight(key, width) + topHeight;
  const height = spec.height + marginTop;
  const x = axisOptions(spec.x, Math.max(3, Math.floor((width - marginLeft - marginRight) / 56)));
  const options = {
    document,
    className: 'icl-plot',
    width,
    height,
    marginLeft,
    marginRight,
    marginTop,
    marginBottom: MARGIN_BOTTOM,
    style: { background: 'transparent', fontSize: `${fontSize}px`, fontFamily, overflow: 'visible' },
    x,
    y,
    marks: [
      Plot.gridX({ ticks: x.ticks, stroke: color.grid, strokeOpacity: 1 } as Plot.GridOptions),
      Plot.gridY({ ticks: y.ticks, stroke: color.grid, strokeOpacity: 1 } as Plot.GridOptions),
      Plot.axisX({
        ticks: x.ticks,
        text: formatTick,
        color: color.muted,
        tickSize: 4,
        label: null,
      } as Plot.AxisOptions),
      Plot.axisY({
        ticks: y.ticks,
        text: formatTick,
        color: color.muted,
        tickSize: 4,
        label: null,
      } as Plot.AxisOptions),
      Plot.frame({ anchor: 'bottom', stroke: color.muted }),
      ...spec.marks,
    ],
  };
  const plot = Plot.plot(options as unknown as Plot.PlotOptions) as unknown as SvgElement & Pick<Plot.Plot, 'scale'>;
  const scaleY = plot.scale('y')!;
  if (spec.title !== undefined) {
    plot.appendChild(createSvg(document, 'text', { x: 0, y: 14, fill: color.ink, 'font-weight': 600 }, spec.title));
  }
  drawKey(document, plot, key, { y: titleHeight, width });
  plot.appendChild(
    createSvg(
      document,
      'text',
      { x: (left + right) / 2, y: height - 8, fill: color.ink, 'text-anchor': 'middle' },
      spec.x.label,
    ),
  );
  const middle = (marginTop + height - MARGIN_BOTTOM) / 2;
  plot.appendChild(
    createSvg(
      document,
      'text',
      { transform: `translate(12,${middle}) rotate(-90)`, fill: color.ink, 'text-anchor': 'middle' },
      spec.y.label,
    ),
  );
  const top = marginTop;
  const bottom = height - MARGIN_BOTTOM;
  const positions = spread(
    endLabels.map((label) => Math.min(bottom, Math.max(top, Number(scaleY.apply(label.y))))),
    LABEL_GAP,
    bottom,
  );
  endLabels.forEach((label, i) => {
    plot.appendChild(
      createSvg(document, 'text', { x: right + 12, y: positions[i]! + 4, fill: label.color }, label.text),
    );
  });
  for (const { x: middleX, row, label } of topLabels) {
    const place = { x: middleX, y: top - 5 - row * TOP_ROW, fill: label.color, 'text-anchor': 'middle' };
    plot.appendChild(createSvg(document, 'text', place, label.text));
  }
  return finish(plot, spec.description);
}

/** Pixels of a data value on a horizontal axis that spans `left` to `right`. */
function positionOn({ type, domain }: Axis, value: number, left: number, right: number): number {
  const [low, high, at] = type === 'log' ? [...domain, value].map(Math.log) : [...domain, value];
  return left + ((at! - low!) / (high! - low!)) * (right - left);
}

/** Words above a frame: in the lowest row where they touch no other, and within the frame's width. */
function placeTopLabels(labels: readonly TopLabel[], axis: Axis, left: number, right: number) {
  const rowEnds: number[] = [];
  return labels
    .map((label) => {
      const half = Math.min(textWidth(label.text), right - left) / 2;
      const x = Math.min(right - half, Math.max(left + half, positionOn(axis, label.x, left, right)));
      return { label, x, half };
    })
    .sort((a, b) => a.x - b.x)
    .map(({ label, x, half }) => {
      const free = rowEnds.findIndex((end) => end <= x - half);
      const row = free < 0 ? rowEnds.length : free;
      rowEnds[row] = x + half + 6;
      return { label, x, row };
    });
}

/** Moves positions apart until neighbours are `gap` away from each other, none below `bottom`; order is kept. */
export function spread(positions: readonly number[], gap: number, bottom: number): number[] {
  const order = positions.map((_, i) => i).sort((a, b) => positions[a]! - positions[b]!);
  const result = [...positions];
  for (let pass = 0; pass < 50; pass++) {
    for (let k = 1; k < order.length; k++) {
      const above = order[k - 1]!;
      const below = order[k]!;
      const missing = gap - (result[below]! - result[above]!);
      if (missing > 1e-6) {
        result[above] = result[above]! - missing / 2;
        result[below] = result[below]! + missing / 2;
      }
    }
    const excess = Math.max(0, ...result) - bottom;
    if (order.length > 0 && excess > 0) result[order.at(-1)!] = bottom;
  }
  return result;
}

/** Marks a finished SVG as one image with a text, for screen readers. */
export function finish(svg: SvgElement, description: string): SvgElement {
  // Groups, and single lines such as those of a frame, have no role that could have a name.
  for (const name of ['aria-label', 'aria-description', 'aria-hidden']) {
    for (const element of [...svg.querySelectorAll(`[${name}]`)]) element.removeAttribute(name);
  }
  for (const style of [...svg.querySelectorAll('style')]) style.remove();
  svg.setAttribute('class', 'icl-figure');
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-label', description);
  return svg;
}

/** Puts panels side by side in one SVG, `columns` per row. */
export function composePanels(
  { document, width }: FigureContext,
  panels: readonly SvgElement[],
  columns: number,
  description: string,
  key: readonly KeyEntry[] = [],
): SvgElement {
  const gap = 18;
  const cell = (width - gap * (columns - 1)) / columns;
  let y = keyHeight(key, width) + (key.length > 0 ? 10 : 0);
  const root = createSvg(document, 'svg', {
    width,
    'font-size': `${fontSize}px`,
    'font-family': fontFamily,
    fill: 'currentColor',
  });
  drawKey(document, root, key, { y: 0, width });
  for (let row = 0; row < panels.length; row += columns) {
    const inRow = panels.slice(row, row + columns);
    inRow.forEach((panel, column) => {
      for (const name of ['class', 'role', 'aria-label']) panel.removeAttribute(name);
      panel.setAttribute('x', String(column * (cell + gap)));
      panel.setAttribute('y', String(y));
      root.appendChild(panel);
    });
    y += Math.max(...inRow.map((panel) => Number(panel.getAttribute('height')))) + gap;
  }
  root.setAttribute('height', String(y - gap));
  root.setAttribute('viewBox', `0 0 ${width} ${y - gap}`);
  return finish(root, description);
}
