/** The panel's controls: what is chosen, in words, each symbol explained beside its control. Changes the link and nothing else. */
import { html, nothing, type TemplateResult } from 'lit';
import type { LibraryModel } from '../../app/library.ts';
import type { PanelState } from '../../app/link.ts';
import { button, checkbox, numberInput, radios, select, slider } from '../../components/controls.ts';
import { type Experiment, varyLength, varyOf } from './experiment.ts';
import { type fields, precisions, type RobustnessValues } from './fields.ts';
import { presetOf, presets, valuesOf } from './presets.ts';

export interface SettingsView {
  readonly state: PanelState<typeof fields>;
  readonly models: readonly LibraryModel[];
  /** Models that can answer the same prompts, and why others are not offered. */
  readonly rivals: readonly LibraryModel[];
  readonly rivalsHint: string;
  /** Undefined until the model's file is read. */
  readonly experiment: Experiment | undefined;
}

type Choose = (patch: Partial<RobustnessValues>) => void;

/** What belongs to a model: open again when another is chosen. */
const ofModel = {
  ...{ compare: '', vary: '', from: null, to: null, points: null, length: null, measure: '', beside: '' },
} as const satisfies Partial<RobustnessValues>;
const ofRange = { from: null, to: null, points: null } as const satisfies Partial<RobustnessValues>;

export function settingsView({ state, models, rivals, rivalsHint, experiment }: SettingsView): TemplateResult {
  const { values } = state;
  const choose: Choose = (patch) => state.set(patch, { isChoice: true });
  const model = models.find(({ id }) => id === values.model);
  const groupOf = ({ origin }: LibraryModel) => (origin === 'built-in' ? 'Built in' : 'Yours');
  return html`
    <div class="controls">
      ${select({
        label: 'Model',
        value: values.model,
        choices: models.map((each) => ({ value: each.id, title: each.title, group: groupOf(each) })),
        ...(model === undefined ? {} : { hint: model.about }),
        onChange: (id) => choose({ ...ofModel, model: id }),
      })}
      ${select({
        label: 'Compared with',
        value: values.compare,
        choices: [{ value: '', title: 'no other model' }, ...rivals.map(({ id, title }) => ({ value: id, title }))],
        hint: rivalsHint,
        onChange: (compare) => choose({ compare }),
      })}
      ${
        experiment === undefined
          ? nothing
          : html`
              ${varyControls(values, experiment, state, choose)} ${answerControls(values, experiment, choose)}
              ${precisionControls(values, choose)}
            `
      }
    </div>
  `;
}

/** Where to start: what each paper says about robustness. It stands above the figure, whose point it makes. */
export function presetChoice(state: PanelState<typeof fields>, experiment: Experiment | undefined): TemplateResult {
  const { values } = state;
  const current = presetOf(values, experiment === undefined ? values.vary : varyOf(experiment));
  return html`
    ${select({
      label: 'Start from',
      value: current?.id ?? '',
      choices: [
        ...(current === undefined ? [{ value: '', title: 'your own settings' }] : []),
        ...presets.map(({ id, title, group }) => ({ value: id, title, group })),
      ],
      onChange: (id) => {
        const preset = presets.find((each) => each.id === id);
        if (preset !== undefined) state.set(valuesOf(preset), { isChoice: true });
      },
    })}
    ${current === undefined ? nothing : html`<p class="point">${current.point}</p>`}
  `;
}

const aboutTitles = { covariate: 'Covariates', query: 'Query', task: 'Task' } as const;

function varyControls(
  values: RobustnessValues,
  { shift, shifts, levels, lengths, isUsual, trainingLength }: Experiment,
  state: PanelState<typeof fields>,
  choose: Choose,
): TemplateResult {
  const [low, high] = [levels[0] ?? 0, levels.at(-1) ?? 1];
  const training = trainingLength === undefined ? '' : ` Training had ${trainingLength}.`;
  return html`
    ${select({
      label: 'What varies',
      value: varyOf({ shift }),
      choices: [
        { value: varyLength, title: 'length of the prompt', group: 'Prompt' },
        ...shifts.map(({ name, about }) => ({
          value: name,
          title: name.replaceAll('-', ' '),
          group: aboutTitles[about],
        })),
      ],
      hint: shift === null ? `Pairs in the test prompt.${training}` : sentence(shift.description),
      onChange: (vary) => choose({ ...ofRange, vary }),
    })}
    <fieldset class="range">
      <legend>${shift === null ? 'Lengths' : 'Levels'}</legend>
      ${numberInput({ label: 'from', value: low, low: -1e6, high: 1e6, step: 'any', onChange: (from) => choose({ from }) })}
      ${numberInput({ label: 'to', value: high, low: -1e6, high: 1e6, step: 'any', onChange: (to) => choose({ to }) })}
      ${numberInput({
        ...{ label: 'number', value: values.points ?? levels.length, low: 2, high: 25, step: 1 },
        onChange: (points) => choose({ points }),
      })}
      <small>
        ${shift === null ? 'Equal ratios.' : html`${shift.level}.`}
        ${isUsual ? nothing : html`<button type="button" class="quiet" @click=${() => choose(ofRange)}>Usual ones</button>`}
      </small>
    </fieldset>
    ${
      shift === null
        ? nothing
        : slider({
            ...{ label: 'Pairs in the prompt', value: lengths[0]!, low: 1, high: Math.max(200, lengths[0]!), step: 1 },
            hint: `Labelled examples before the query.${training}`,
            onInput: (length) => state.set({ length }),
          })
    }
  `;
}

const sentence = (text: string): string => `${text[0]!.toUpperCase()}${text.slice(1)}.`;

function answerControls(
  values: RobustnessValues,
  { measure, measures, estimators, offered }: Experiment,
  choose: Choose,
): TemplateResult {
  const toggle = (name: string, isChecked: boolean) => {
    const names = offered
      .map((each) => each.name)
      .filter((each) => (each === name ? isChecked : estimators.includes(each)));
    choose({ beside: names.length === 0 ? 'none' : names.join(',') });
  };
  return html`
    ${
      measures.length === 1
        ? html`<p class="control-note">Risk: ${measure.description}.</p>`
        : select({
            label: 'Measure',
            value: measure.name,
            choices: measures.map(({ name }) => ({ value: name, title: name.replaceAll('-', ' ') })),
            hint: sentence(measure.description),
            onChange: (name) => choose({ measure: name }),
          })
    }
    <fieldset class="checks">
      <legend>Beside the model</legend>
      ${offered.map(
        ({ name, description }) => html`
          <div title=${description}>
            ${checkbox({ label: name.replaceAll('-', ' '), isChecked: estimators.includes(name), onChange: (on) => toggle(name, on) })}
          </div>
        `,
      )}
    </fieldset>
    ${radios({
      name: 'robustness-axis',
      label: 'Vertical axis',
      value: values.axis,
      choices: [
        { value: 'auto', title: 'usual' },
        { value: 'log', title: 'logarithmic' },
        { value: 'linear', title: 'linear' },
      ],
      onChange: (axis) => choose({ axis: axis as RobustnessValues['axis'] }),
    })}
    ${checkbox({ label: 'Bands rather than bars', isChecked: values.band, onChange: (band) => choose({ band }) })}
  `;
}

function precisionControls(values: RobustnessValues, choose: Choose): TemplateResult {
  return html`
    ${select({
      label: 'Until the interval is',
      value: values.precision,
      choices: precisions.map((value) => ({ value, title: `± ${200 * Number(value)} %` })),
      hint: 'Two standard errors to either side, relative to the risk, at every point and for everyone who answers.',
      onChange: (precision) => choose({ precision: precision as RobustnessValues['precision'] }),
    })}
    ${numberInput({
      ...{ label: 'Or this many prompts per point', value: values.prompts, low: 16, high: 1_000_000, step: 1 },
      onChange: (prompts) => choose({ prompts }),
    })}
    <div class="seed">
      ${numberInput({
        ...{ label: 'Seed', value: values.seed, low: 0, high: Number.MAX_SAFE_INTEGER, step: 1 },
        hint: 'The same seed draws the same prompts, here and on the command line.',
        onChange: (seed) => choose({ seed }),
      })}
      ${button({ label: 'Another', onClick: () => choose({ seed: values.seed + 1 }) })}
    </div>
  `;
}
