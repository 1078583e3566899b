/** What can be changed beside the kernel itself, as templates: where to begin, models, context, query, counts. */
import { html, nothing, type TemplateResult } from 'lit';
import { button, numberInput, select, slider } from '../../components/controls.ts';
import { download } from '../../components/download.ts';
import { mostChains } from './fields.ts';
import { statesOf } from './kernel.ts';
import { stateChip } from './kernel-editor.ts';
import { modelFile, promptAsJsonLine, promptFile, type Shown } from './panel-figures.ts';
import { type Preset, presets } from './presets.ts';
import type { KnownModel } from './session.ts';
import type { Change, Setting, Values } from './setting.ts';

export function presetChooser({ main, kernel }: Setting, { n, query }: Values, change: Change): TemplateResult {
  const states = statesOf(kernel);
  const dimension = main?.task.dimension ?? 2;
  const queryOf = (preset: Preset) => (preset.query === undefined ? '' : String(preset.query).repeat(dimension));
  const chosen = presets.find(
    (preset) =>
      preset.kernel(states).join() === kernel.join() &&
      preset.n === n &&
      (preset.query === undefined || queryOf(preset) === query),
  );
  return html`
    <div class="presets" role="group" aria-label="Kernels to begin with">
      ${presets.map(
        (preset) => html`
          <button
            type="button"
            aria-pressed=${preset === chosen}
            @click=${() => change({ kernel: preset.kernel(states), n: preset.n, query: queryOf(preset) }, true)}
          >
            ${preset.title}
          </button>
        `,
      )}
    </div>
    <p class="preset-about" aria-live="polite">${chosen?.about ?? 'A kernel of your own.'}</p>
  `;
}

/** Here all are about Markov chains. */
const shortTitle = (title: string): string => {
  const short = title.replace(/^Markov chains of /, '');
  return short.charAt(0).toUpperCase() + short.slice(1);
};

export interface ControlsOptions {
  readonly setting: Setting;
  readonly values: Values;
  readonly models: readonly KnownModel[];
  readonly shown: Shown | undefined;
  readonly change: Change;
}

export function panelControls({ setting, values, models, shown, change }: ControlsOptions): TemplateResult {
  const { main, compared, others } = setting;
  const named = ({ model }: KnownModel) => ({ value: model.id, title: shortTitle(model.title) });
  const chooseModel = (id: string) => {
    const next = models.find(({ model }) => model.id === id);
    // Another kind of prompt needs another kernel; the same kind keeps it.
    const isSame = next?.task.states === main?.task.states && next?.task.dimension === main?.task.dimension;
    change({ model: id, compare: '', ...(isSame ? {} : { kernel: [], query: '' }) }, true);
  };
  return html`
    ${select({
      label: 'Model',
      value: main?.model.id ?? '',
      choices: models.map(named),
      onChange: chooseModel,
      ...(main === undefined ? {} : { hint: main.model.about }),
    })}
    ${select({
      label: 'Beside it',
      value: compared?.model.id ?? 'none',
      choices: [{ value: 'none', title: 'No other model' }, ...others.map(named)],
      onChange: (compare) => change({ compare }, true),
    })}
    ${slider({
      label: 'Chains in the context, n',
      value: values.n,
      low: 1,
      high: mostChains,
      step: 1,
      hint: `Each of ${main === undefined ? 'a few' : main.task.dimension + 1} states; their length is fixed when a model is frozen.`,
      onInput: (n) => change({ n }),
    })}
    ${queryChooser(setting, shown, change)}
    ${numberInput({
      label: 'Seed',
      value: values.seed,
      low: 0,
      high: 2 ** 31 - 1,
      step: 1,
      hint: 'Which numbers are drawn. A changed kernel keeps them: a chain changes only where a probability passes its number.',
      onChange: (seed) => change({ seed }, true),
    })}
    <div class="buttons">
      ${button({ label: 'Draw again', isPrimary: true, onClick: () => change({ seed: values.seed + 1 }, true) })}
    </div>
    ${numberInput({
      label: 'Smoothing of counts, c',
      value: values.smoothing,
      low: 0.01,
      high: 100,
      step: 'any',
      hint: 'Added to every count before counts become chances. With 1 they are the posterior mean under uniform rows.',
      onChange: (smoothing) => change({ smoothing }, true),
    })}
    ${shown === undefined ? nothing : takeAlong(shown)}
  `;
}

/** The files that the commands under the figures read. */
function takeAlong(shown: Shown): TemplateResult {
  const saveModel = async () => {
    const bytes = await shown.main.model.bytes();
    download(modelFile(shown.main), bytes as BlobPart, 'application/octet-stream');
  };
  return html`
    <div class="buttons" role="group" aria-label="Take along">
      ${button({
        label: 'Save the prompt',
        onClick: () => download(promptFile, promptAsJsonLine(shown), 'application/jsonl'),
      })}
      ${button({ label: 'Save the model', onClick: saveModel })}
    </div>
  `;
}

function queryChooser(
  { main, query }: Setting,
  shown: Shown | undefined,
  change: Change,
): TemplateResult | typeof nothing {
  const states = query ?? shown?.answers.query;
  if (main === undefined || states === undefined || states.length !== main.task.dimension) return nothing;
  const turn = (t: number) => {
    const next = states.map((state, i) => (i === t ? (state + 1) % main.task.states : state));
    change({ query: next.join('') }, true);
  };
  return html`
    <fieldset class="query-chooser">
      <legend>Query</legend>
      <div class="buttons">
        ${states.map(
          (state, t) => html`
            <button
              type="button"
              class="state-button"
              aria-label=${`State ${t + 1} of the query is ${state}: change it`}
              @click=${() => turn(t)}
            >
              ${stateChip(state)}
            </button>
          `,
        )}
        ${
          query === null
            ? html`<small>as drawn; press a state to change it</small>`
            : button({ label: 'As drawn', onClick: () => change({ query: '' }, true) })
        }
      </div>
    </fieldset>
  `;
}
