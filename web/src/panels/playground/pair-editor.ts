/** The pairs as numbers: the chosen one beside the plane, all of them as a table, and those that are pasted. Templates only. */
import { html, nothing, type TemplateResult } from 'lit';
import { live } from 'lit/directives/live.js';
import { button, radios } from '../../components/controls.ts';
import { typed } from '../../components/typed.ts';
import { mostPairs, type Pair } from './pairs.ts';
import { classNameOf } from './plane-views.ts';
import type { Situation } from './situation.ts';

export interface EditorOptions {
  readonly situation: Situation;
  readonly chosen: number | null;
  /** Whether the table is open: it is made only then. */
  readonly isOpen: boolean;
  /** Why pasted text was refused. */
  readonly refusal: string | undefined;
  onOpen(isOpen: boolean): void;
  onChange(index: number, pair: Pair): void;
  onAdd(): void;
  onRemove(index: number): void;
  onPaste(text: string): void;
}

export function pairEditorOf(options: EditorOptions): TemplateResult {
  const { situation, chosen, onAdd, onRemove } = options;
  const { pairs, summary } = situation;
  const pair = chosen === null ? undefined : pairs[chosen];
  return html`
    <p class="muted hint">
      Click the plane to add a pair; drag a pair or the probe. With the keyboard: arrows move (Shift: finer), + and − change
      the response, Delete removes, Page Up and Page Down choose another pair, Enter on the probe adds one there.
    </p>
    <div class="pair-editor" role="group" aria-label="Chosen pair">
      ${
        pair === undefined || chosen === null
          ? html`<span class="muted">No pair is chosen.</span>`
          : html`<strong>Pair ${chosen + 1}</strong> ${numbersOf(options, pair, chosen)} ${classesOf(options, pair, chosen)}`
      }
      <span class="buttons">
        ${button({ label: 'Add a pair at the probe', isDisabled: pairs.length >= mostPairs, onClick: onAdd })}
        ${button({
          label: 'Remove this pair',
          isDisabled: chosen === null || pairs.length <= Math.max(1, summary.minimumContext),
          onClick: () => chosen !== null && onRemove(chosen),
        })}
      </span>
    </div>
    ${allPairs(options)}
  `;
}

const coordinates = ['x1', 'x2'] as const;

function numberField(
  name: string,
  value: number,
  onChange: (value: number) => void,
  { label = name, isBare = false } = {},
): TemplateResult {
  const take = (event: Event) => {
    const input = event.target as HTMLInputElement;
    if (input.reportValidity() && input.value !== '') onChange(input.valueAsNumber);
  };
  const input = html`<input type="number" min="-1000" max="1000" step="any" required aria-label=${label} .value=${typed(String(Number(value.toFixed(3))))} @change=${take} />`;
  return isBare ? input : html`<label><span aria-hidden="true">${name}</span> ${input}</label>`;
}

function numbersOf({ situation, onChange }: EditorOptions, pair: Pair, index: number): TemplateResult {
  return html`
    ${coordinates.map((key) => numberField(key, pair[key], (value) => onChange(index, { ...pair, [key]: value }), { label: `${key} of pair ${index + 1}` }))}
    ${
      situation.responses.kind === 'number'
        ? numberField('y', pair.y, (y) => onChange(index, { ...pair, y }), { label: `y of pair ${index + 1}` })
        : nothing
    }
  `;
}

function classesOf({ situation: { responses }, onChange }: EditorOptions, pair: Pair, index: number) {
  if (responses.kind !== 'classes') return nothing;
  return radios({
    name: 'playground-class',
    label: 'Its class',
    value: String(pair.y),
    choices: responses.values.map((value, k) => ({ value: String(value), title: classNameOf(responses, k) })),
    onChange: (y) => onChange(index, { ...pair, y: Number(y) }),
  });
}

function responseField(
  { responses }: Situation,
  { y }: Pair,
  i: number,
  onChange: (y: number) => void,
): TemplateResult {
  const label = `y of pair ${i + 1}`;
  if (responses.kind === 'number') return numberField('y', y, onChange, { label, isBare: true });
  return html`<select
    aria-label=${label}
    .value=${live(String(y))}
    @change=${(event: Event) => onChange(Number((event.target as HTMLSelectElement).value))}
  >
    ${responses.values.map((value, k) => html`<option value=${value} ?selected=${value === y}>${classNameOf(responses, k)}</option>`)}
  </select>`;
}

function allPairs({ situation, isOpen, refusal, onOpen, onChange, onPaste }: EditorOptions): TemplateResult {
  const { pairs, responses } = situation;
  const take = (event: Event) => {
    event.preventDefault();
    onPaste((event.target as HTMLElement).querySelector('textarea')!.value);
  };
  const values = responses.kind === 'classes' ? `, y one of ${responses.values.join(', ')}` : '';
  return html`
    <details
      class="all-pairs"
      ?open=${isOpen}
      @toggle=${(event: Event) => onOpen((event.target as HTMLDetailsElement).open)}
    >
      <summary>All pairs as numbers, and your own</summary>
      ${
        isOpen
          ? html`
              <form class="paste" @submit=${take}>
                <label>
                  Your pairs, one a line: x1,x2,y${values}
                  <textarea rows="4" placeholder="0.5,-1.2,0.8"></textarea>
                </label>
                <button type="submit">Use these pairs</button>
                ${refusal === undefined ? nothing : html`<p class="notice" role="alert">${refusal}</p>`}
              </form>
              <div class="pairs-table" tabindex="0" role="group" aria-label="All pairs">
                <table>
                  <thead><tr><th scope="col">pair</th><th scope="col">x1</th><th scope="col">x2</th><th scope="col">y</th></tr></thead>
                  <tbody>
                    ${pairs.map(
                      (pair, i) => html`
                        <tr>
                          <th scope="row">${i + 1}</th>
                          ${coordinates.map(
                            (key) =>
                              html`<td>${numberField(key, pair[key], (value) => onChange(i, { ...pair, [key]: value }), { label: `${key} of pair ${i + 1}`, isBare: true })}</td>`,
                          )}
                          <td>${responseField(situation, pair, i, (y) => onChange(i, { ...pair, y }))}</td>
                        </tr>
                      `,
                    )}
                  </tbody>
                </table>
              </div>
            `
          : nothing
      }
    </details>
  `;
}
