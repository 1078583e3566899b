/** A figure as a file of its own: real colours, a white ground. For Node and pages alike. */
import type { SvgElement } from './document.ts';
import { resolveColors } from './theme.ts';

/** The text of an SVG file. The figure itself is changed: draw it again to show it. */
export function standaloneSvg(svg: SvgElement): string {
  svg.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  svg.removeAttribute('class');
  const [, open, rest] = /^(<svg[^>]*>)(.*)$/s.exec(resolveColors(svg.outerHTML))!;
  return `<?xml version="1.0" encoding="UTF-8"?>\n${open}<rect width="100%" height="100%" fill="#ffffff"/>${rest}\n`;
}
