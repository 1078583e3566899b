/**
 * Redraws figures so that the page stays responsive: one figure per task, none more than ten times a second, and never more
 * than a third of the time. Knows no figure.
 */

const LEAST_INTERVAL = 100;
/** Of the time since the last drawing, that drawing takes. */
const SHARE = 1 / 3;

export class Painter<Name extends string> {
  readonly #names: readonly Name[];
  readonly #paint: (name: Name) => Promise<unknown>;
  readonly #dirty = new Set<Name>();
  #isScheduled = false;

  /** @param paint Draws one thing; done when it stands on the page. */
  constructor(names: readonly Name[], paint: (name: Name) => Promise<unknown>) {
    this.#names = names;
    this.#paint = paint;
  }

  /** Everything is to be drawn again, soon. */
  request(): void {
    for (const name of this.#names) this.#dirty.add(name);
    this.#schedule(0);
  }

  #schedule(milliseconds: number): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setTimeout(() => this.#turn(), milliseconds);
  }

  async #turn(): Promise<void> {
    const [name] = this.#dirty;
    this.#isScheduled = false;
    if (name === undefined) return;
    this.#dirty.delete(name);
    const start = performance.now();
    await this.#paint(name);
    const spent = performance.now() - start;
    this.#schedule(Math.max(LEAST_INTERVAL / this.#names.length, spent * (1 / SHARE - 1)));
  }
}
