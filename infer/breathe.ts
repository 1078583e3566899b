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
      await new Promise<void>(typeof setImmediate === 'function' ? setImmediate : afterMessages);
      last = performance.now();
    },
  };
}

let channel: InstanceType<typeof MessageChannel> | undefined;
const waiting: (() => void)[] = [];

/** Browsers have no setImmediate, and let a timer of 0 ms wait for 4: a message to oneself comes right after those that wait. */
function afterMessages(resolve: () => void): void {
  if (channel === undefined) {
    channel = new MessageChannel();
    channel.port1.addEventListener('message', () => waiting.shift()!());
    channel.port1.start();
  }
  waiting.push(resolve);
  channel.port2.postMessage(null);
}
