/** The panel's part about many fresh prompts: what is measured, the run's controls, its figure. */
import { html, nothing, type TemplateResult } from 'lit';
import { guard } from 'lit/directives/guard.js';
import { button, numberInput, radios } from '../../components/controls.ts';
import type { MarkovErrorsArgument } from '../../worker/methods/markov.ts';
import { measureWords } from './figures/charts.ts';
import type { Respondent } from './palette.ts';
import { errorsFigure, type Shown } from './panel-figures.ts';
import type { MarkovRun } from './run.ts';
import { type Change, lengthsUpTo, type Values } from './setting.ts';

/** What a run would measure now. */
export function argumentOf({ question }: Shown, { law, n, prompts }: Values): MarkovErrorsArgument {
  const { models, provider, smoothing, seed, task } = question;
  const { kernel: _kernel, ...prior } = task;
  const lengths = lengthsUpTo(n, 8);
  return { models, provider, task: law === 'kernel' ? task : prior, seed, smoothing, lengths, prompts };
}

export interface FreshPromptsOptions {
  readonly shown: Shown;
  readonly values: Values;
  readonly run: MarkovRun;
  readonly change: Change;
  respondentsOf(models: readonly string[]): readonly Respondent[];
}

export function freshPrompts({ shown, values, run, change, respondentsOf }: FreshPromptsOptions): TemplateResult {
  const { measure, law, prompts } = values;
  const { states } = shown.question.task;
  const { argument, errors } = run;
  return html`
    <section aria-labelledby="markov-errors">
      <h3 id="markov-errors">Over fresh prompts</h3>
      <div class="markov-run">
        ${radios({
          name: 'markov-law',
          label: 'Prompts of',
          value: law,
          choices: [
            { value: 'kernel', title: 'the kernel above' },
            { value: 'training', title: 'a kernel each, as in training' },
          ],
          onChange: (value) => change({ law: value as Values['law'] }, true),
        })}
        ${radios({
          name: 'markov-measure',
          label: 'Measured is the',
          value: measure,
          choices: (['squared', 'absolute'] as const).map((value) => ({ value, title: measureWords(value, states) })),
          onChange: (value) => change({ measure: value as Values['measure'] }, true),
        })}
        ${numberInput({
          label: 'Prompts',
          value: prompts,
          low: 100,
          high: 100_000,
          step: 100,
          onChange: (value) => change({ prompts: value }, true),
        })}
      </div>
      <div class="buttons">${runControls(shown, values, run)}</div>
      ${run.problem === undefined ? nothing : html`<p class="notice" role="alert">${run.problem}</p>`}
      ${
        errors === undefined || argument === undefined
          ? nothing
          : guard([errors, measure], () => {
              const respondents = respondentsOf(argument.models);
              const figure = errorsFigure({ argument, errors, respondents, measure, main: shown.main });
              return html`<icl-figure-frame .figure=${figure}></icl-figure-frame>`;
            })
      }
    </section>
  `;
}

function runControls(shown: Shown, values: Values, run: MarkovRun): TemplateResult {
  if (!run.isUnderWay) {
    return button({ label: 'Measure', isPrimary: true, onClick: () => run.start(argumentOf(shown, values)) });
  }
  return html`
    ${
      run.phase === 'paused'
        ? button({ label: 'Go on', isPrimary: true, onClick: () => run.resume() })
        : button({ label: 'Pause', isDisabled: run.phase === 'opening', onClick: () => run.pause() })
    }
    ${button({ label: 'Stop', onClick: () => run.stop() })}
    <progress max=${values.prompts} value=${run.errors?.prompts ?? 0} aria-label="Prompts measured"></progress>
  `;
}
