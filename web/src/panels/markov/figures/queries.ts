/**
 * Every query there is, a row each, grouped by its last state, which is all that the truth depends on: what each respondent
 * answers, as dots on one axis.
 */
import type { FigureContext, SvgElement } from '../../../../../studies/figures/document.ts';
import { formatTick, linearTicks } from '../../../../../studies/figures/frame.ts';
import { drawKey, type KeyEntry, keyHeight } from '../../../../../studies/figures/key.ts';
import { color } from '../../../../../studies/figures/theme.ts';
import { formatAnswer, type Respondent, stateLook } from '../palette.ts';
import { Drawing } from './shapes.ts';

export interface QueriesData {
  /** `[Q, D]` */
  readonly queries: readonly (readonly number[])[];
  /** The one that is asked. */
  readonly asked: readonly number[];
  readonly states: number;
  readonly respondents: readonly (Respondent & { readonly answers: readonly number[] })[];
  readonly truth: readonly number[];
}

const [ROW, CELL, GROUP_GAP] = [26, 20, 14];

export function drawQueries({ document, width }: FigureContext, data: QueriesData): SvgElement {
  const { queries, asked, states, respondents, truth } = data;
  const dimension = asked.length;
  const order = queries.map((_, index) => index).sort((a, b) => queries[a]!.at(-1)! - queries[b]!.at(-1)! || a - b);
  const key: KeyEntry[] = [
    { label: 'true kernel', kind: 'line', color: color.ink },
    ...respondents.map(
      ({ title, color: stroke, mark }) => ({ label: title, kind: 'mark', color: stroke, mark }) as const,
    ),
  ];
  const top = keyHeight(key, width) + 12;
  const groups = new Set(queries.map((query) => query.at(-1))).size;
  const bottom = top + queries.length * ROW + (groups - 1) * GROUP_GAP;
  const drawing = new Drawing(document, width, bottom + 44);
  drawKey(document, drawing.root, key, { y: 0, width });

  const left = dimension * (CELL + 1) + 16;
  const right = width - 12;
  const values = [...truth, ...respondents.flatMap(({ answers }) => answers)];
  const margin = 0.04 * (states - 1);
  const low = Math.min(0, ...values) - margin;
  const high = Math.max(states - 1, ...values) + margin;
  const at = (value: number) => left + ((value - low) / (high - low)) * (right - left);

  for (const tick of linearTicks([low, high], Math.min(6, Math.floor((right - left) / 60)))) {
    const isState = Number.isInteger(tick) && tick >= 0 && tick < states;
    drawing.line(at(tick), top - 4, at(tick), bottom, {
      stroke: isState ? color.muted : color.grid,
      'stroke-width': 1,
    });
    drawing.text(at(tick), bottom + 18, formatTick(tick), { 'text-anchor': 'middle', fill: color.muted });
  }
  drawing.text((left + right) / 2, bottom + 38, 'mean of the next state', { 'text-anchor': 'middle' });

  let y = top;
  for (const [place, index] of order.entries()) {
    const query = queries[index]!;
    if (place > 0 && query.at(-1) !== queries[order[place - 1]!]!.at(-1)) y += GROUP_GAP;
    const isAsked = query.every((state, t) => state === asked[t]);
    const middle = y + ROW / 2;
    if (isAsked) {
      const box = { x: 0.75, y: y + 0.75, width: width - 1.5, height: ROW - 1.5, rx: 4, fill: 'none' };
      drawing.add('rect', { ...box, stroke: color.muted, 'stroke-width': 1.2 });
    }
    for (const [t, state] of query.entries()) {
      const { fill, opacity } = stateLook(state);
      const x = 5 + t * (CELL + 1);
      drawing.add('rect', { x, y: middle - CELL / 2, width: CELL, height: CELL, fill, 'fill-opacity': opacity });
      drawing.text(x + CELL / 2, middle + 4, String(state), { 'text-anchor': 'middle' });
    }
    const right_ = truth[index]!;
    drawing.line(at(right_), y + 2, at(right_), y + ROW - 2, { stroke: color.ink, 'stroke-width': 3 });
    const shown = respondents
      .map((each) => ({ ...each, value: each.answers[index]! }))
      .filter(({ value }) => Number.isFinite(value));
    for (const { value, color: stroke, mark } of shown.toReversed()) drawing.mark(mark, at(value), middle, stroke);
    y += ROW;
  }
  const spoken = respondents.map(({ title, answers }) => {
    const index = queries.findIndex((query) => query.every((state, t) => state === asked[t]));
    return `${title} ${formatAnswer(answers[index]!)}`;
  });
  return drawing.finish(
    `Answers to each of ${queries.length} queries, as dots beside the true mean. To the query ${asked.join(', ')}: ${spoken.join(', ')}.`,
  );
}
