/** The controls that say what is trained: templates over the values of the link. Knows no worker. */
import { html, nothing, type TemplateResult } from 'lit';
import { splitAssignments } from '../../../../studies/settings.ts';
import { numberInput, select, textInput } from '../../components/controls.ts';
import type { StudySummary } from '../../worker/training/runs.ts';
import { variants } from '../../worker/training/variants.ts';
import { presets } from './presets.ts';
import { presetOf, type TrainingValues, trainedStudies, valuesOf } from './training-fields.ts';

/** Settings that training does not depend on: they are about tests and about figures. */
const unused: Readonly<Record<string, readonly string[]>> = { zhang2023: ['M', 'gpt'], shen2024: ['M'] };

const OWN = 'own';
/** Letters of a description that needs the whole width. */
const LONG = 60;

export interface SetupOptions {
  readonly values: TrainingValues;
  readonly studies: readonly StudySummary[];
  /** While a training is under way nothing of it can be changed. */
  readonly isLocked: boolean;
  set(patch: Partial<TrainingValues>): void;
}

export function presetChoice({ values, isLocked, set }: SetupOptions): TemplateResult {
  const preset = presetOf(values);
  return html`
    <fieldset class="plain" ?disabled=${isLocked}>
      ${select({
        label: 'What to see',
        value: preset?.id ?? OWN,
        choices: [
          ...presets.map(({ id, title }) => ({ value: id, title })),
          ...(preset === undefined ? [{ value: OWN, title: 'Your own settings' }] : []),
        ],
        onChange: (id) => {
          const chosen = presets.find((each) => each.id === id);
          if (chosen !== undefined) set(valuesOf(chosen));
        },
        ...(preset === undefined ? {} : { hint: preset.about }),
      })}
    </fieldset>
  `;
}

export function setup(options: SetupOptions): TemplateResult {
  const { values, studies, isLocked, set } = options;
  const study = studies.find(({ name }) => name === values.study);
  return html`
    <fieldset class="plain" ?disabled=${isLocked}>
      ${select({
        label: 'Study',
        value: values.study,
        choices: trainedStudies.map((name) => ({
          value: name,
          title: `${name}: ${studies.find((each) => each.name === name)?.paper.authors ?? ''}`,
        })),
        hint: 'lu2024 is not among them: its model is solved for in one step, or takes 100,000. Models of it are built in.',
        // A fresh study begins at its own settings and its own rate.
        onChange: (name) => set({ study: name as TrainingValues['study'], set: '', model: 'study', rate: '' }),
      })}
      ${study === undefined ? nothing : settingsOf(study, options)}
      ${variantChoice(options)}
      <div class="pair">
        ${numberInput({ label: 'Steps', value: values.steps, low: 1, high: 1_000_000, step: 1, onChange: (steps) => set({ steps }) })}
        ${numberInput({ label: 'Prompts per step', value: values.batch, low: 1, high: 65_536, step: 1, onChange: (batch) => set({ batch }) })}
        ${textInput({
          label: 'Learning rate',
          value: values.rate,
          placeholder: "the study's",
          onChange: (rate) => set({ rate }),
        })}
        ${numberInput({ label: 'Seed', value: values.seed, low: 0, high: 4_294_967_295, step: 1, onChange: (seed) => set({ seed }) })}
      </div>
    </fieldset>
  `;
}

/** The study's symbols, as the paper has them. */
function settingsOf(study: StudySummary, { values, set }: SetupOptions): TemplateResult {
  const given = assignmentsOf(values.set);
  const change = (name: string, value: string) => {
    const next = new Map(given);
    next.delete(name);
    if (value !== '') next.set(name, value);
    set({ set: [...next].map(([key, each]) => `${key}=${each}`).join(',') });
  };
  const shown = study.settings.filter(({ name }) => !unused[study.name]?.includes(name));
  return html`
    <div class="settings">
      ${shown.map((setting) => {
        const { name, description, default: standard } = setting;
        const placeholder = shown.some((each) => each.name === standard) ? (given.get(standard) ?? standard) : standard;
        const isWord = Number.isNaN(Number(standard)) && !shown.some((each) => each.name === standard);
        const isLong = isWord || description.length > LONG;
        const input = textInput({
          label: name,
          hint: description,
          value: given.get(name) ?? '',
          placeholder,
          onChange: (value) => change(name, value),
        });
        return html`<div class=${isLong ? 'wide' : ''}>${input}</div>`;
      })}
    </div>
  `;
}

/** `d=2,N=20` by name. A text that cannot be taken apart is shown by the worker's refusal. */
function assignmentsOf(text: string): Map<string, string> {
  if (text.trim() === '') return new Map();
  try {
    return new Map(
      splitAssignments(text).map((part) => {
        const at = part.indexOf('=');
        return at < 0 ? [part.trim(), ''] : [part.slice(0, at).trim(), part.slice(at + 1).trim()];
      }),
    );
  } catch {
    return new Map();
  }
}

function variantChoice({ values, set }: SetupOptions): TemplateResult | typeof nothing {
  const possible = Object.entries(variants).filter(
    ([, { studies }]) => studies === null || (studies as readonly string[]).includes(values.study),
  );
  if (possible.length < 2) return nothing;
  return select({
    label: 'Model',
    value: values.model,
    choices: possible.map(([value, { title }]) => ({ value, title })),
    onChange: (model) => set({ model: model as TrainingValues['model'] }),
  });
}
