/** The asked query: the chances of every next state by each respondent, as bars that fill a row, and the mean they amount to. */
import type { FigureContext, SvgElement } from '../../../../../studies/figures/document.ts';
import { color, type Mark } from '../../../../../studies/figures/theme.ts';
import { formatAnswer, stateLook } from '../palette.ts';
import { Drawing } from './shapes.ts';

export interface Outlook {
  readonly title: string;
  readonly mean: number;
  /** P(next = s); null of a model that says only a mean of more than two states. */
  readonly probabilities: readonly number[] | null;
  readonly look: { readonly color: string; readonly mark: Mark } | null;
}

export interface NextStateData {
  readonly query: readonly number[];
  readonly outlooks: readonly Outlook[];
}

const [ROW, BAR] = [34, 22];

export function drawNextState({ document, width }: FigureContext, { query, outlooks }: NextStateData): SvgElement {
  const isNarrow = width < 520;
  const row = isNarrow ? ROW + 18 : ROW;
  const drawing = new Drawing(document, width, 22 + outlooks.length * row);
  const left = isNarrow ? 0 : 210;
  const right = width - 62;
  drawing.text(left, 12, 'chance of each next state', { fill: color.muted });
  drawing.text(width, 12, 'mean', { fill: color.muted, 'text-anchor': 'end' });
  for (const [i, { title, mean, probabilities, look }] of outlooks.entries()) {
    const y = 20 + i * row + (isNarrow ? 18 : 0);
    const middle = y + BAR / 2 + 4;
    const labelY = isNarrow ? y - 5 : middle;
    if (look !== null) drawing.mark(look.mark, 6, labelY - 4, look.color);
    else drawing.line(6, labelY - 11, 6, labelY + 3, { stroke: color.ink, 'stroke-width': 3 });
    drawing.text(18, labelY, title);
    drawing.text(width, middle, formatAnswer(mean), { 'text-anchor': 'end', 'font-weight': 600 });
    if (probabilities === null) {
      drawing.text(left, middle, 'predicts the mean only', { fill: color.muted, 'font-style': 'italic' });
    } else {
      drawBar(drawing, probabilities, { left, right, y });
    }
  }
  const spoken = outlooks.map(({ title, mean, probabilities }) =>
    probabilities === null
      ? `${title}: mean ${formatAnswer(mean)}`
      : `${title}: ${probabilities.map((p, s) => `${s} with ${formatAnswer(p)}`).join(', ')}`,
  );
  return drawing.finish(`What follows the query ${query.join(', ')}. ${spoken.join('; ')}.`);
}

function drawBar(
  drawing: Drawing,
  probabilities: readonly number[],
  { left, right, y }: { readonly left: number; readonly right: number; readonly y: number },
): void {
  const room = right - left - 14;
  const isPossible = probabilities.every((p) => p >= 0 && p <= 1);
  if (!isPossible) {
    const text = `${probabilities.map((p) => formatAnswer(p, 2)).join(' and ')}: outside 0 to 1`;
    drawing.add('rect', {
      x: left + 0.5,
      y: y + 0.5,
      width: room - 1,
      height: BAR - 1,
      fill: 'none',
      stroke: color.vermilion,
      'stroke-dasharray': '4,3',
    });
    drawing.text(left + 8, y + BAR / 2 + 4, text);
    return;
  }
  let x = left;
  for (const [state, probability] of probabilities.entries()) {
    const { fill, opacity } = stateLook(state);
    const size = room * probability;
    if (size > 0)
      drawing.add('rect', { x, y, width: Math.max(0, size - 1), height: BAR, fill, 'fill-opacity': opacity });
    if (size > 62) {
      drawing.text(x + size / 2, y + BAR / 2 + 4, `${state}: ${formatAnswer(probability)}`, {
        'text-anchor': 'middle',
      });
    } else if (size > 14) {
      drawing.text(x + size / 2, y + BAR / 2 + 4, String(state), { 'text-anchor': 'middle' });
    }
    x += size;
  }
}
