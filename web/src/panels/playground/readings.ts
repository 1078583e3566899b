/** What everybody predicts at the probe, as a table of numbers. Templates only. */
import { html, nothing, type TemplateResult } from 'lit';
import type { SessionReport } from '../../../../infer/session.ts';
import { type AnsweredPlane, classNameOf, partsOf, short } from './plane-views.ts';

export function readingsOf(answered: AnsweredPlane, modelTitle: string, report: SessionReport): TemplateResult {
  const { situation, model, others, milliseconds, size } = answered;
  const { responses, comparisons, probe, pairs } = situation;
  const isOneHot = responses.kind === 'classes' && responses.isOneHot;
  const heads = isOneHot
    ? responses.values.map((_, k) => `P(${classNameOf(responses, k)})`)
    : [responses.kind === 'classes' ? 'P(class +1)' : 'predicted y'];
  const rows = [
    { title: modelTitle, numbers: partsOf(answered, model).probe },
    ...comparisons.map(({ title }, i) => ({ title, numbers: others[i]! })),
  ];
  const { provider, adapter, runtime } = report;
  const queries = model.length / heads.length;
  return html`
    <table class="readings">
      <caption>At the probe, x = (${short(probe[0])}, ${short(probe[1])}), from ${pairs.length} pairs</caption>
      <thead>
        <tr><th scope="col"><span class="visually-hidden">Predictor</span></th>${heads.map((head) => html`<th scope="col">${head}</th>`)}</tr>
      </thead>
      <tbody>
        ${rows.map(
          ({ title, numbers }) => html`
            <tr><th scope="row">${title}</th>${[...numbers].map((value) => html`<td class="number">${fixed(value)}</td>`)}</tr>
          `,
        )}
      </tbody>
    </table>
    <p class="muted run">
      ${queries} queries (a grid of ${size} by ${size}, a line and the probe) in one run: ${milliseconds.toFixed(milliseconds < 10 ? 1 : 0)} ms
      on ${provider}${adapter === null ? nothing : ` (${adapter})`}, ${runtime}.
    </p>
  `;
}

const fixed = (value: number): string => value.toFixed(3).replace('-', '−');

/** The model's reading in a sentence, for who does not see the table. */
export function spokenReading(answered: AnsweredPlane, modelTitle: string): string {
  const { situation, model } = answered;
  const { responses, probe } = situation;
  const numbers = [...partsOf(answered, model).probe].map(short);
  const where = `At x = (${short(probe[0])}, ${short(probe[1])})`;
  if (responses.kind === 'number') return `${where} ${modelTitle} predicts ${numbers[0]}.`;
  if (!responses.isOneHot) return `${where} ${modelTitle} gives class +1 the probability ${numbers[0]}.`;
  return `${where} ${modelTitle} gives the classes the probabilities ${numbers.join(', ')}.`;
}
