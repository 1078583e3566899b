/** The playground's controls: model, prompt, shift, what stands beside it. Templates only. */
import { html, nothing, type TemplateResult } from 'lit';
import { shiftsFor } from '../../../../models/shifts/index.ts';
import type { Lab } from '../../app/lab.ts';
import type { PanelState } from '../../app/link.ts';
import { button, numberInput, radios, select, slider } from '../../components/controls.ts';
import { extentFor, nextExtent, type Place } from './geometry.ts';
import { drawContext, mostPairs } from './pairs.ts';
import { short } from './plane-views.ts';
import { type fields, openingValues, type PlaygroundValues } from './playground-fields.ts';
import { presetOf, presets } from './presets.ts';
import type { Situation } from './situation.ts';

export interface ControlsOptions {
  readonly lab: Lab;
  readonly state: PanelState<typeof fields>;
  readonly situation: Situation | undefined;
}

export function controlsOf(options: ControlsOptions): TemplateResult {
  const { situation } = options;
  return html`
    ${modelControl(options)}
    ${situation === undefined ? nothing : [promptControls(options, situation), viewControls(options, situation)]}
  `;
}

/** Ready-made places to start from. */
export function presetControl(state: PanelState<typeof fields>): TemplateResult {
  const current = presetOf(state.values);
  return select({
    label: 'Something to see',
    value: current?.title ?? '',
    choices: [
      ...(current === undefined ? [{ value: '', title: 'Your own settings' }] : []),
      ...presets.map(({ title, group }) => ({ value: title, title, group })),
    ],
    onChange: (title) => {
      const preset = presets.find((each) => each.title === title);
      if (preset !== undefined) state.set({ ...openingValues, ...preset.values }, { isChoice: true });
    },
  });
}

function modelControl({ lab, state }: ControlsOptions): TemplateResult {
  const groups = {
    'playground-regression': 'Regression',
    'playground-mixture': 'Gaussian mixtures',
  } as const;
  const choices = lab.library.models.flatMap(({ id, title, panels }) => {
    if (panels === null) return [{ value: id, title, group: 'Your own' }];
    return (Object.keys(groups) as (keyof typeof groups)[])
      .filter((use) => panels.includes(use))
      .map((use) => ({ value: id, title, group: groups[use] }));
  });
  const groupOf = (id: string) => choices.find(({ value }) => value === id)?.group;
  return select({
    label: 'Model',
    value: state.values.model,
    choices,
    onChange: (model) => {
      const isOfAKind = groupOf(model) === groupOf(state.values.model) && groupOf(model) !== 'Gaussian mixtures';
      state.set(
        {
          model,
          shift: '',
          level: null,
          compare: '',
          penalty: null,
          ...(isOfAKind ? {} : { pairs: [], n: null, half: null }),
        },
        { isChoice: true },
      );
    },
  });
}

function promptControls({ state }: ControlsOptions, situation: Situation): TemplateResult {
  const { pairs, trainingLength, task, shift, level, summary, isEdited } = situation;
  const { values } = state;
  return html`
    ${slider({
      label: 'Pairs in the prompt',
      value: pairs.length,
      low: Math.max(1, summary.minimumContext),
      high: mostPairs,
      step: 1,
      ...(trainingLength === null ? {} : { hint: `Training had ${trainingLength}.` }),
      onInput: (n) => state.set(isEdited ? { n, pairs: resized(situation, n, values) } : { n }),
    })}
    ${select({
      label: 'What differs from training',
      value: shift?.name ?? '',
      choices: [
        { value: '', title: 'Nothing' },
        ...shiftsFor(task).map(({ name, description }) => ({ value: name, title: description })),
      ],
      onChange: (name) => state.set({ shift: name, level: null, pairs: [], half: null }, { isChoice: true }),
    })}
    ${
      shift === null || level === null
        ? nothing
        : slider({
            label: shift.level,
            value: level,
            low: Math.min(...shift.levels),
            high: Math.max(...shift.levels),
            step: (Math.max(...shift.levels) - Math.min(...shift.levels)) / 40,
            format: short,
            onInput: (to) => state.set({ level: to, pairs: [] }),
          })
    }
    ${numberInput({
      label: 'Seed',
      value: values.seed,
      low: 0,
      high: 2 ** 32,
      step: 1,
      hint: `Prompt number ${values.prompt} of this seed.`,
      onChange: (seed) => state.set({ seed, prompt: 0, pairs: [], half: null }, { isChoice: true }),
    })}
    <div class="buttons">
      ${button({
        label: 'Draw again',
        isPrimary: true,
        onClick: () => state.set({ prompt: values.prompt + 1, pairs: [], half: null }, { isChoice: true }),
      })}
      ${button({
        label: 'Undo my changes',
        isDisabled: !isEdited,
        onClick: () => state.set({ pairs: [], half: null }, { isChoice: true }),
      })}
    </div>
  `;
}

function viewControls(
  { state }: ControlsOptions,
  { comparison, comparisons, half, pairs, probe, penalty, isEdited }: Situation,
): TemplateResult {
  const fitting = extentFor([...pairs.map(({ x1, x2 }): Place => [x1, x2]), probe]);
  return html`
    ${select({
      label: 'Beside the model',
      value: comparison.key,
      choices: comparisons.map(({ key, title }) => ({ value: key, title })),
      hint: isEdited
        ? `${comparison.about} You changed pairs: they follow no drawn function any more, so nobody knows the truth.`
        : comparison.about,
      onChange: (compare) => state.set({ compare }, { isChoice: true }),
    })}
    ${
      comparison.key === 'ridge'
        ? numberInput({
            label: 'λ of ridge',
            value: penalty,
            low: 0,
            high: 1e6,
            step: 'any',
            onChange: (to) => state.set({ penalty: to }, { isChoice: true }),
          })
        : nothing
    }
    ${radios({
      name: 'playground-view',
      label: 'Shown as',
      value: state.values.view,
      choices: [
        { value: 'side', title: 'side by side' },
        { value: 'difference', title: 'difference' },
      ],
      onChange: (view) => state.set({ view: view as 'side' | 'difference' }, { isChoice: true }),
    })}
    ${radios({
      name: 'playground-along',
      label: 'The line chart goes along',
      value: state.values.along,
      choices: [
        { value: 'x1', title: 'x1' },
        { value: 'x2', title: 'x2' },
      ],
      onChange: (along) => state.set({ along: along as 'x1' | 'x2' }, { isChoice: true }),
    })}
    <div class="buttons" role="group" aria-label="Part of the plane">
      ${button({ label: 'Nearer', onClick: () => state.set({ half: nextExtent(half, -1) }, { isChoice: true }) })}
      ${button({ label: 'Farther', onClick: () => state.set({ half: nextExtent(half, 1) }, { isChoice: true }) })}
      ${button({ label: 'All pairs', isDisabled: half === fitting, onClick: () => state.set({ half: null }, { isChoice: true }) })}
    </div>
  `;
}

/** The person's pairs, cut or continued with those that the prompt goes on with. */
function resized({ pairs, testTask }: Situation, count: number, { seed, prompt }: PlaygroundValues) {
  const more = drawContext(testTask, seed, prompt, count).pairs.slice(pairs.length);
  return [...pairs.slice(0, count), ...more].map(({ x1, x2, y }) =>
    [x1, x2, y].map((value) => Number(value.toFixed(3))),
  );
}
