/**
 * The value of a field that is typed into. A panel renders whenever numbers arrive; what a person has begun to type stays until
 * they are done (`change`), and then the field has the state's value again, also where the state refused theirs.
 */
import { noChange } from 'lit';
import { Directive, directive, type PropertyPart } from 'lit/directive.js';
import { setCommittedValue } from 'lit/directive-helpers.js';

class Typed extends Directive {
  #field: HTMLInputElement | undefined;
  #isTyping = false;

  override render(value: string): string {
    return value;
  }

  override update(part: PropertyPart, [value]: [string]): string | typeof noChange {
    const field = part.element as HTMLInputElement;
    if (this.#field !== field) this.#watch(field);
    const isWrong = field.matches(':focus') && !field.validity.valid; // The browser is saying so.
    if (this.#isTyping || isWrong || field.value === value) return noChange;
    setCommittedValue(part); // Lit would compare with what it set last, not with what stands there.
    return value;
  }

  #watch(field: HTMLInputElement): void {
    this.#field = field;
    field.addEventListener('input', () => {
      this.#isTyping = true;
    });
    field.addEventListener('change', () => {
      this.#isTyping = false;
    });
  }
}

/** `.value=${typed(text)}` */
export const typed = directive(Typed);
