/**
 * Rows of a kernel under one's hand: each is a bar whose parts always fill it, with a handle between two states, and the same
 * numbers to type. Knows kernels; knows nothing of models.
 */
import { html, nothing, type TemplateResult } from 'lit';
import { typed } from '../../components/typed.ts';
import { boundaryOf, boundaryRange, type Kernel, moveBoundary, rowOf, setProbability, statesOf } from './kernel.ts';
import { stateLook } from './palette.ts';

export interface KernelEditorOptions {
  readonly kernel: Kernel;
  /** The row that the query's last state chooses. */
  readonly current: number | undefined;
  onChange(kernel: Kernel): void;
}

/** A handle moves in steps of one hundredth; with shift or page keys, of one tenth. */
const [STEP, LEAP] = [0.01, 0.1];

export function kernelEditor({ kernel, current, onChange }: KernelEditorOptions): TemplateResult {
  const states = statesOf(kernel);
  return html`
    <div class="kernel" role="group" aria-label="Transition probabilities">
      ${Array.from(
        { length: states },
        (_, from) => html`
          <fieldset class=${from === current ? 'kernel-row current' : 'kernel-row'}>
            <legend>after ${stateChip(from)}${from === current ? html` <small>the query ends here</small>` : nothing}</legend>
            <div class="kernel-bar">
              ${rowOf(kernel, from).map((probability, to) => segment(probability, to))}
              ${Array.from({ length: states - 1 }, (_each, to) => handle(kernel, from, to, onChange))}
            </div>
            <div class="kernel-cells">
              ${rowOf(kernel, from).map((probability, to) => cell(kernel, from, to, probability, onChange))}
            </div>
          </fieldset>
        `,
      )}
    </div>
  `;
}

/** Set as a property: as an attribute the page's policy would refuse it. */
const tint = (state: number): string => {
  const { fill, opacity } = stateLook(state);
  return `color-mix(in srgb, ${fill} ${100 * opacity}%, var(--paper))`;
};

/** A state as it stands everywhere: its digit on its colour. */
export const stateChip = (state: number): TemplateResult =>
  html`<span class="chip" .style=${`background:${tint(state)}`}>${state}</span>`;

const segment = (probability: number, to: number) => html`
  <span class="kernel-part" aria-hidden="true" .style=${`flex-grow:${probability};background:${tint(to)}`}>
    ${probability >= 0.06 ? to : nothing}
  </span>
`;

function handle(kernel: Kernel, from: number, to: number, onChange: (kernel: Kernel) => void): TemplateResult {
  const at = boundaryOf(kernel, from, to);
  const [low, high] = boundaryRange(kernel, from, to);
  const move = (position: number) => onChange(moveBoundary(kernel, from, to, Math.round(100 * position) / 100));
  const drag = (event: PointerEvent) => {
    const target = event.currentTarget as HTMLElement;
    if (event.type === 'pointerdown') {
      if (event.button !== 0) return;
      target.setPointerCapture(event.pointerId);
      target.focus();
      event.preventDefault();
    }
    if (!target.hasPointerCapture(event.pointerId)) return;
    const { left, width } = target.parentElement!.getBoundingClientRect();
    move((event.clientX - left) / width);
  };
  const press = (event: KeyboardEvent) => {
    const steps: Readonly<Record<string, number>> = {
      ArrowRight: event.shiftKey ? LEAP : STEP,
      ArrowUp: event.shiftKey ? LEAP : STEP,
      ArrowLeft: event.shiftKey ? -LEAP : -STEP,
      ArrowDown: event.shiftKey ? -LEAP : -STEP,
      PageUp: LEAP,
      PageDown: -LEAP,
      Home: low - at,
      End: high - at,
    };
    const step = steps[event.key];
    if (step === undefined) return;
    event.preventDefault();
    move(at + step);
  };
  const row = rowOf(kernel, from);
  return html`
    <span
      class="kernel-handle"
      role="slider"
      tabindex="0"
      aria-label=${`After ${from}: between ${to} and ${to + 1}`}
      aria-valuemin=${low}
      aria-valuemax=${high}
      aria-valuenow=${at}
      aria-valuetext=${`${row[to]} to ${to}, ${row[to + 1]} to ${to + 1}`}
      .style=${`left:${100 * at}%`}
      @pointerdown=${drag}
      @pointermove=${drag}
      @keydown=${press}
    ></span>
  `;
}

function cell(
  kernel: Kernel,
  from: number,
  to: number,
  probability: number,
  onChange: (kernel: Kernel) => void,
): TemplateResult {
  const take = (event: Event) => {
    const input = event.target as HTMLInputElement;
    if (input.reportValidity() && input.value !== '') onChange(setProbability(kernel, from, to, input.valueAsNumber));
  };
  return html`
    <label class="kernel-cell">
      <span>to ${stateChip(to)}</span>
      <input
        type="number"
        min="0"
        max="1"
        step="0.005"
        required
        aria-label=${`Probability from ${from} to ${to}`}
        .value=${typed(String(probability))}
        @change=${take}
      />
    </label>
  `;
}
