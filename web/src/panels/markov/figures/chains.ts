/** The prompt as a strip: every chain a few cells, coloured and with their digit, and the query with its open end. */
import type { FigureContext, SvgElement } from '../../../../../studies/figures/document.ts';
import { color } from '../../../../../studies/figures/theme.ts';
import { stateLook } from '../palette.ts';
import { Drawing, rectangles } from './shapes.ts';

export interface ChainsData {
  /** `[N, length]` */
  readonly chains: Uint8Array;
  /** D + 1 */
  readonly length: number;
  readonly states: number;
  readonly query: readonly number[];
}

/** More chains than this are drawn smaller. */
const ROOMY = 120;

export function drawChains({ document, width }: FigureContext, data: ChainsData): SvgElement {
  const { chains, length, states, query } = data;
  const count = chains.length / length;
  const isRoomy = count <= ROOMY;
  const [cell, row, font] = isRoomy ? [17, 25, 11] : [13, 18, 9];
  const gap = isRoomy ? 11 : 8;
  const step = length * cell + gap;
  const perRow = Math.max(1, Math.floor((width + gap) / step));
  const top = 46;
  const height = top + Math.ceil(count / perRow) * row;
  const drawing = new Drawing(document, width, height);

  drawQuery(drawing, query);
  const corners: [number, number][][] = Array.from({ length: states }, () => []);
  const texts = new Map<number, { xs: number[]; digits: string }>();
  for (let i = 0; i < count; i++) {
    const y = top + Math.floor(i / perRow) * row;
    const line = texts.get(y) ?? { xs: [], digits: '' };
    texts.set(y, line);
    for (let t = 0; t < length; t++) {
      const state = chains[i * length + t]!;
      const x = (i % perRow) * step + t * cell;
      corners[state]!.push([x, y]);
      line.xs.push(x + cell / 2 - 0.29 * font);
      line.digits += String(state);
    }
    // The last state is the response: what the model is shown as an answer.
    drawing.add('rect', {
      x: (i % perRow) * step + (length - 1) * cell + 0.5,
      y: y + 0.5,
      width: cell - 1,
      height: cell - 1,
      fill: 'none',
      stroke: color.muted,
      'stroke-width': 1,
    });
  }
  for (const [state, cells] of corners.entries()) {
    const { fill, opacity } = stateLook(state);
    if (cells.length === 0) continue;
    drawing.add('path', { d: rectangles(cells, cell - 1, cell - 1), fill, 'fill-opacity': opacity });
  }
  // One text per row: a digit per cell would be a thousand elements.
  for (const [y, { xs, digits }] of texts) {
    drawing.add('text', { x: xs.join(' '), y: y + cell / 2 + 0.35 * font, 'font-size': font, fill: color.ink }, digits);
  }
  return drawing.finish(
    `${count} chains of ${length} states in the context, and the query ${query.join(', ')} whose next state is asked.`,
  );
}

function drawQuery(drawing: Drawing, query: readonly number[]): void {
  const size = 26;
  drawing.text(0, 18, 'query', { fill: color.muted });
  for (const [t, state] of query.entries()) {
    const x = 46 + t * (size + 2);
    const { fill, opacity } = stateLook(state);
    drawing.add('rect', { x, y: 1, width: size, height: size, fill, 'fill-opacity': opacity });
    drawing.text(x + size / 2, 19, String(state), { 'text-anchor': 'middle', 'font-size': 14 });
  }
  const x = 46 + query.length * (size + 2);
  drawing.add('rect', {
    x: x + 0.75,
    y: 1.75,
    width: size - 1.5,
    height: size - 1.5,
    fill: 'none',
    stroke: color.ink,
    'stroke-width': 1.5,
    'stroke-dasharray': '3,3',
  });
  drawing.text(x + size / 2, 19, '?', { 'text-anchor': 'middle', 'font-size': 14 });
}
