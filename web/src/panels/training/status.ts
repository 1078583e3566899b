/** How far a training is, in numbers. */
import { html, nothing, type TemplateResult } from 'lit';
import { providerTitles } from '../../app/provider.ts';
import type { TrainingSession } from './session.ts';

const short = (value: number): string =>
  Number.isFinite(value) ? (Math.abs(value) >= 1000 ? Math.round(value).toString() : value.toPrecision(3)) : '–';

/** The mean over so many batches: single ones are heavy-tailed. */
const WINDOW = 20;

const titleOf = (device: string): string => providerTitles[device as keyof typeof providerTitles] ?? device;

export function statusOf(session: TrainingSession): TemplateResult {
  const { preparation, step, losses, looks, phase, stepsPerSecond, engine } = session;
  const steps = preparation?.config.steps ?? 1;
  const latest = losses.slice(-WINDOW);
  const loss = latest.reduce((sum, value) => sum + value, 0) / latest.length;
  const expected = looks.at(-1)?.exactLoss ?? null;
  const minimum = preparation?.theory.loss?.minimum ?? null;
  const distance = looks.at(-1)?.distance ?? null;
  const item = (term: string, value: string) => html`<div><dt>${term}</dt><dd>${value}</dd></div>`;
  return html`
    <progress max=${steps} value=${step} aria-label="Steps done"></progress>
    <dl class="numbers">
      ${item('step', `${step} of ${preparation?.config.steps ?? '–'}`)}
      ${item('loss, last 20 batches', short(loss))}
      ${expected === null ? nothing : item('expected loss', short(expected))}
      ${minimum === null ? nothing : item('least, by theory', short(minimum))}
      ${distance === null || preparation?.theory.matrix === null ? nothing : item('distance to theory', `${(100 * distance).toPrecision(3)} %`)}
      ${item('steps per second', phase === 'running' || phase === 'paused' || phase === 'done' ? short(stepsPerSecond) : '–')}
      ${item('runs on', engine === undefined ? '–' : [titleOf(engine.device), engine.adapter].filter(Boolean).join(', '))}
      ${item('trained numbers', preparation === undefined ? '–' : String(preparation.parameterCount))}
    </dl>
  `;
}
