/**
 * Giving the event loop its turn during long synchronous work: progress bars, signals and other requests wait no longer
 * than a few milliseconds. Runs in Node and in a browser.
 */

/** Longest stretch of work between two turns, in milliseconds. One unit of work may add to it. */
const stretch = 5;

export interface Breather {
  /** True if the event loop has waited long enough. Costs a clock reading, so ask per prompt, not per number. */
  isDue(): boolean;
  /** Lets everything that waits run once. */
  breathe(): Promise<void>;
}

export function createBreather(): Breather {
  let last = performance.now();
  return {
    isDue: () => performance.now() - last > stretch,
    async breathe() {
      // A timer of 0 ms waits a whole millisecond; setImmediate does not, but browsers lack it.
      await new Promise<void>((resolve) => {
        if (typeof setImmediate === 'function') setImmediate(resolve);
        else setTimeout(resolve, 0);
      });
      last = performance.now();
    },
  };
}
