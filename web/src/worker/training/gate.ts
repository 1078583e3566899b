/** When a training may take its next step: it runs, it waits, it takes one step, or goes on to a step. Knows no training. */
export class Gate {
  #isOpen = true;
  #stopAt: number | null;
  #letGo: (() => void) | undefined;

  /** @param stopAt Wait once so many steps are done; null: never. */
  constructor(stopAt: number | null) {
    this.#stopAt = stopAt;
  }

  set stopAt(stopAt: number | null) {
    this.#stopAt = stopAt;
  }

  pause(): void {
    this.#isOpen = false;
  }

  resume(): void {
    this.#isOpen = true;
    this.#release();
  }

  /** One more step if it waits, then it waits again. */
  step(): void {
    this.#isOpen = false;
    this.#release();
  }

  /** What to wait for before the step after `done` steps; undefined: nothing. */
  wait(done: number): Promise<void> | undefined {
    if (done > 0 && done === this.#stopAt) this.#isOpen = false;
    if (this.#isOpen) return undefined;
    return new Promise<void>((resolve) => {
      this.#letGo = resolve;
    });
  }

  #release(): void {
    this.#letGo?.();
    this.#letGo = undefined;
  }
}
