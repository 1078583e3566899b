/** Small pieces that the panel's figures share. */
import { createSvg, type FigureDocument, type SvgElement } from '../../../../../studies/figures/document.ts';
import { finish, fontFamily, fontSize } from '../../../../../studies/figures/frame.ts';
import { color, type Mark } from '../../../../../studies/figures/theme.ts';

export type Attributes = Readonly<Record<string, string | number>>;

/** An SVG under construction. */
export class Drawing {
  readonly root: SvgElement;
  readonly #document: FigureDocument;

  constructor(document: FigureDocument, width: number, height: number) {
    this.#document = document;
    this.root = createSvg(document, 'svg', {
      width,
      height,
      viewBox: `0 0 ${width} ${height}`,
      'font-size': `${fontSize}px`,
      'font-family': fontFamily,
      fill: color.ink,
    });
  }

  add(name: string, attributes: Attributes, text?: string): void {
    this.root.appendChild(createSvg(this.#document, name, attributes, text));
  }

  line(x1: number, y1: number, x2: number, y2: number, attributes: Attributes): void {
    this.add('line', { x1, y1, x2, y2, ...attributes });
  }

  text(x: number, y: number, text: string, attributes: Attributes = {}): void {
    this.add('text', { x, y, ...attributes }, text);
  }

  /** A mark of the theme, hollow unless filled. */
  mark(kind: Mark, x: number, y: number, stroke: string, isFilled = false): void {
    const look = { fill: isFilled ? stroke : color.paper, stroke, 'stroke-width': 1.8 };
    if (kind === 'circle') this.add('circle', { cx: x, cy: y, r: 4.6, ...look });
    else if (kind === 'square') this.add('rect', { x: x - 4, y: y - 4, width: 8, height: 8, ...look });
    else this.add('path', { d: `M${x},${y - 5}L${x + 5},${y + 3.6}L${x - 5},${y + 3.6}Z`, ...look });
  }

  finish(description: string): SvgElement {
    return finish(this.root, description);
  }
}

/** A path of rectangles. */
export const rectangles = (corners: readonly (readonly [number, number])[], width: number, height: number): string =>
  corners.map(([x, y]) => `M${x},${y}h${width}v${height}h${-width}Z`).join('');
