/** Figures as text, in Node: drawn on linkedom's document, for a page (colours follow the scheme) or to stand alone. */
import { parseHTML } from 'linkedom';
import { type FigureContext, type FigureDocument, narrowWidth, type SvgElement, wideWidth } from './document.ts';
import { standaloneSvg } from './standalone.ts';

type Draw = (context: FigureContext) => SvgElement;

export interface RenderedFigure {
  /** For a column of text, colours as CSS variables. */
  readonly wide: string;
  /** For a telephone. */
  readonly narrow: string;
  /** The wide one as a file: real colours, a white ground. */
  readonly standalone: string;
}

export function renderFigure(draw: Draw): RenderedFigure {
  const { document } = parseHTML('<html></html>') as unknown as { document: FigureDocument };
  const wide = draw({ document, width: wideWidth });
  const narrow = draw({ document, width: narrowWidth });
  return { wide: wide.outerHTML, narrow: narrow.outerHTML, standalone: standaloneSvg(wide) };
}
