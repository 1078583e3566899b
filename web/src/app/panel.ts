/** What a panel is: a part of the page with a state of its own in the link. Knows no particular panel. */
import { LitElement } from 'lit';
import type { Lab } from './lab.ts';

/**
 * The element of a panel. It renders into the page itself, not into a shadow tree: one style sheet, one document to search and
 * to read aloud. It is kept when another panel is shown, with what runs in it.
 */
export abstract class Panel extends LitElement {
  static override properties = { lab: { attribute: false } };
  declare lab: Lab;
  readonly #watched: EventTarget[] = [];
  readonly #render = () => this.requestUpdate();

  protected override createRenderRoot(): this {
    return this;
  }

  /** Renders again whenever `target` fires `change`. */
  protected watch<Target extends EventTarget>(target: Target): Target {
    target.addEventListener('change', this.#render);
    this.#watched.push(target);
    return target;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    for (const target of this.#watched.splice(0)) target.removeEventListener('change', this.#render);
  }
}
