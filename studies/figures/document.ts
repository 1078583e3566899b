/**
 * The little of a DOM that drawing needs. A browser's `document` has it, linkedom's too; figures are given one and never
 * look for it themselves, so that the same modules draw in Node, in the report and on a page.
 */

export interface SvgElement {
  readonly tagName: string;
  readonly outerHTML: string;
  textContent: string | null;
  getAttribute(name: string): string | null;
  setAttribute(name: string, value: string): void;
  removeAttribute(name: string): void;
  appendChild(child: SvgElement): unknown;
  remove(): void;
  querySelectorAll(selector: string): Iterable<SvgElement>;
}

export interface FigureDocument {
  createElementNS(namespace: string, name: string): SvgElement;
}

/** Where and how wide a figure is drawn. */
export interface FigureContext {
  readonly document: FigureDocument;
  /** Width in pixels. Below {@link narrow} a figure stacks what stands side by side otherwise. */
  readonly width: number;
}

/** Widths of a column of text and of a telephone. */
export const wideWidth = 720;
export const narrowWidth = 360;

export const isNarrow = ({ width }: FigureContext): boolean => width < 560;

const SVG = 'http://www.w3.org/2000/svg';

/** An SVG element with attributes and, where given, a text. Plot centres the text of its root; here it begins at x. */
export function createSvg(
  document: FigureDocument,
  name: string,
  attributes: Readonly<Record<string, string | number>>,
  text?: string,
): SvgElement {
  const element = document.createElementNS(SVG, name);
  if (name === 'text') element.setAttribute('text-anchor', 'start');
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  if (text !== undefined) element.textContent = text;
  return element;
}
