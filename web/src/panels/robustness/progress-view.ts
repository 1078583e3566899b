/** How far a measurement is, in words and as a bar, and the buttons that hold it. */
import { html, nothing, type TemplateResult } from 'lit';
import { button } from '../../components/controls.ts';
import type { Run } from './run.ts';

const count = (value: number): string => value.toLocaleString('en');

/** Two digits: 3, 0.34. */
const percent = (ratio: number): string => `${Number((100 * ratio).toPrecision(2))} %`;

export function progressView(run: Run, again: () => void): TemplateResult {
  const { status, progress } = run;
  const isUnderWay = status === 'running' || status === 'paused' || status === 'opening';
  return html`
    <div class="run">
      <div class="buttons" role="group" aria-label="The measurement">
        ${status === 'running' ? button({ label: 'Pause', onClick: () => run.pause() }) : nothing}
        ${status === 'paused' ? button({ label: 'Resume', isPrimary: true, onClick: () => run.resume() }) : nothing}
        ${isUnderWay ? button({ label: 'Stop', onClick: () => run.stop() }) : button({ label: 'Measure again', onClick: again })}
      </div>
      <div class="run-words">
        <progress max="1" .value=${share(run)} aria-label="Share of the measurement that is done"></progress>
        <p class="progress">${progressWords(run)}</p>
        ${
          progress === undefined
            ? nothing
            : html`<p class="progress muted">
                ${progress.milliseconds.toFixed(progress.milliseconds < 10 ? 1 : 0)} ms for the last
                ${count(progress.blockPrompts)} prompts, on ${progress.report.provider}, ${progress.report.runtime}
              </p>`
        }
      </div>
      <p class="visually-hidden" role="status">${statusWords(run)}</p>
    </div>
  `;
}

/** "4,096 of at most 20,000 prompts per point, interval ± 3 % or less." */
function progressWords({ status, progress, request }: Run): string {
  if (progress === undefined) {
    if (status === 'stopped') return 'Stopped before the first prompt.';
    return status === 'opening' ? 'Opening the model.' : 'Asking the first prompts.';
  }
  const { prompts, widest } = progress;
  const end = { opening: '', running: '', paused: 'Paused. ', stopped: 'Stopped. ', failed: '', done: 'Done. ' }[
    status
  ];
  const drawn = `${count(prompts)} of at most ${count(request.prompts)} prompts per point`;
  if (widest === null) return `${end}${drawn}.`;
  const { models, all } = widest;
  const slower =
    all.ratio > 1.2 * models.ratio ? `; ${all.estimator.replaceAll('-', ' ')} up to ± ${percent(2 * all.ratio)}` : '';
  return `${end}${drawn}, interval ± ${percent(2 * models.ratio)} or less${slower}.`;
}

/** For ears: only what changes rarely. */
const statusWords = ({ status }: Run): string =>
  ({
    opening: 'Opening the model',
    running: 'Measuring',
    paused: 'Paused',
    stopped: 'Stopped',
    failed: 'The measurement failed',
    done: 'The measurement is done',
  })[status];

/** The error falls with the root of the prompts: whichever end is nearer. */
function share({ status, progress, request }: Run): number {
  if (status === 'done') return 1;
  if (progress === undefined) return 0;
  const precise = progress.widest === null ? 0 : (request.targetStandardError / progress.widest.all.ratio) ** 2;
  return Math.min(1, Math.max(progress.prompts / request.prompts, precise));
}
