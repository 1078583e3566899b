/**
 * The controls of all panels, as templates: a label that says what it is, the value beside it, the browser's own element.
 * Knows no panel.
 */
import { html, nothing, type TemplateResult } from 'lit';
import { live } from 'lit/directives/live.js';
import { typed } from './typed.ts';

interface Named {
  readonly label: string;
  /** A sentence under the control. */
  readonly hint?: string;
}

const hintOf = ({ hint }: Named) => (hint === undefined ? nothing : html`<small>${hint}</small>`);

export interface SliderOptions extends Named {
  readonly value: number;
  readonly low: number;
  readonly high: number;
  readonly step: number;
  /** What stands beside the slider. Default: the number. */
  readonly format?: (value: number) => string;
  onInput(value: number): void;
}

export function slider(options: SliderOptions): TemplateResult {
  const { label, value, low, high, step, format = String, onInput } = options;
  const text = format(value);
  return html`
    <label class="control">
      <span class="control-head"><span>${label}</span><output>${text}</output></span>
      <input
        type="range"
        min=${low}
        max=${high}
        step=${step}
        .value=${live(String(value))}
        aria-valuetext=${text}
        @input=${(event: Event) => onInput((event.target as HTMLInputElement).valueAsNumber)}
      />
      ${hintOf(options)}
    </label>
  `;
}

export interface NumberOptions extends Named {
  readonly value: number;
  readonly low: number;
  readonly high: number;
  readonly step: number | 'any';
  onChange(value: number): void;
}

/** A number that is typed. What is outside the range is refused by the browser, in words, and nothing changes. */
export function numberInput(options: NumberOptions): TemplateResult {
  const { label, value, low, high, step, onChange } = options;
  const take = (event: Event) => {
    const input = event.target as HTMLInputElement;
    if (input.reportValidity() && input.value !== '') onChange(input.valueAsNumber);
  };
  return html`
    <label class="control">
      <span class="control-head">${label}</span>
      <input type="number" min=${low} max=${high} step=${step} required .value=${typed(String(value))} @change=${take} />
      ${hintOf(options)}
    </label>
  `;
}

export interface TextOptions extends Named {
  readonly value: string;
  /** Shown while it is empty. */
  readonly placeholder?: string;
  onChange(value: string): void;
}

/** A text that is typed; taken when it is left or Enter is pressed. */
export function textInput(options: TextOptions): TemplateResult {
  const { label, value, placeholder = '', onChange } = options;
  return html`
    <label class="control">
      <span class="control-head">${label}</span>
      <input
        type="text"
        autocomplete="off"
        spellcheck="false"
        placeholder=${placeholder}
        .value=${typed(value)}
        @change=${(event: Event) => onChange((event.target as HTMLInputElement).value.trim())}
      />
      ${hintOf(options)}
    </label>
  `;
}

export interface Choice {
  readonly value: string;
  readonly title: string;
}

export interface SelectOptions extends Named {
  readonly value: string;
  readonly choices: readonly (Choice & { readonly group?: string })[];
  onChange(value: string): void;
}

export function select(options: SelectOptions): TemplateResult {
  const { label, value, choices, onChange } = options;
  const groups = [...new Set(choices.map(({ group }) => group))];
  const option = ({ value: each, title }: Choice) =>
    html`<option value=${each} ?selected=${each === value}>${title}</option>`;
  return html`
    <label class="control">
      <span class="control-head">${label}</span>
      <select
        .value=${live(value)}
        @change=${(event: Event) => onChange((event.target as HTMLSelectElement).value)}
      >
        ${groups.map((group) => {
          const members = choices.filter((each) => each.group === group).map(option);
          return group === undefined ? members : html`<optgroup label=${group}>${members}</optgroup>`;
        })}
      </select>
      ${hintOf(options)}
    </label>
  `;
}

export interface RadioOptions extends Named {
  /** Unique on the page. */
  readonly name: string;
  readonly value: string;
  readonly choices: readonly Choice[];
  onChange(value: string): void;
}

/** A few choices side by side. */
export function radios({ name, label, value, choices, onChange }: RadioOptions): TemplateResult {
  return html`
    <fieldset class="radios">
      <legend>${label}</legend>
      ${choices.map(
        ({ value: each, title }) => html`
          <label>
            <input type="radio" name=${name} .value=${each} .checked=${live(each === value)} @change=${() => onChange(each)} />
            <span>${title}</span>
          </label>
        `,
      )}
    </fieldset>
  `;
}

export interface CheckboxOptions extends Named {
  readonly isChecked: boolean;
  onChange(isChecked: boolean): void;
}

export function checkbox(options: CheckboxOptions): TemplateResult {
  return html`
    <label class="check">
      <input
        type="checkbox"
        .checked=${live(options.isChecked)}
        @change=${(event: Event) => options.onChange((event.target as HTMLInputElement).checked)}
      />
      <span>${options.label}</span>
      ${hintOf(options)}
    </label>
  `;
}

export interface ButtonOptions {
  readonly label: string;
  readonly isDisabled?: boolean;
  /** The one thing to do next. */
  readonly isPrimary?: boolean;
  onClick(): void;
}

export function button({ label, isDisabled = false, isPrimary = false, onClick }: ButtonOptions): TemplateResult {
  return html`
    <button type="button" class=${isPrimary ? 'primary' : ''} ?disabled=${isDisabled} @click=${onClick}>${label}</button>
  `;
}
