/**
 * Lets the page be used without a network from the second visit on: registers the service worker once the page has nothing more
 * urgent to fetch, and says in a line how that went. Knows nothing of what the worker keeps.
 */

/** Of the page, ending in the file's name: see `build/service-worker.ts`. */
const script = './service-worker.js';

/** A panel that never gets ready, such as one that waits for a file, is not waited for longer. */
const PATIENCE = 15_000;

/** Milliseconds without an arrival after which nothing is taken to be on its way: the worker would fetch it a second time. */
const QUIET = 1000;

/** Fires `change` when `words` are others. */
export class Offline extends EventTarget {
  #words = '';

  /** How it stands, in words; empty while nothing can be said. */
  get words(): string {
    return this.#words;
  }

  /**
   * Registers once a panel in `main` shows its results and nothing more arrives. Never throws: the page works without.
   * @param main Where panels are.
   */
  async start(main: Element): Promise<void> {
    // Development has no such script. Not `PROD`: a build within tests has none either.
    if (import.meta.env.MODE !== 'production' || !location.protocol.startsWith('http')) return;
    if (!('serviceWorker' in navigator)) {
      this.#say('This browser keeps no page for use offline here; over https, or on this machine, it may.');
      return;
    }
    await becomesReady(main);
    await becomesQuiet();
    try {
      const registration = await navigator.serviceWorker.register(script, { scope: './' });
      const worker = registration.active ?? registration.installing ?? registration.waiting;
      if (registration.active !== null) this.#sayKept();
      worker?.addEventListener('statechange', () => {
        if (worker.state === 'activated') this.#sayKept();
        if (worker.state === 'redundant') this.#say('Not kept for use offline: not all of its files could be fetched.');
      });
    } catch (error) {
      this.#say(`Not kept for use offline: ${(error as Error).message}`);
    }
  }

  #sayKept(): void {
    this.#say('Kept on this machine: the page works offline.');
  }

  #say(words: string): void {
    this.#words = words;
    this.dispatchEvent(new Event('change'));
  }
}

/** Resolves once an element in `main` says that it is ready, or after a while. */
function becomesReady(main: Element): Promise<void> {
  return new Promise((resolve) => {
    const isReady = () => main.querySelector('[data-ready]') !== null;
    if (isReady()) return resolve();
    const done = () => {
      observer.disconnect();
      clearTimeout(timer);
      resolve();
    };
    const observer = new MutationObserver(() => {
      if (isReady()) done();
    });
    const timer = setTimeout(done, PATIENCE);
    observer.observe(main, { subtree: true, childList: true, attributeFilter: ['data-ready'] });
  });
}

/** Resolves once no file has arrived for a while. */
function becomesQuiet(): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      observer.disconnect();
      resolve();
    };
    let timer = setTimeout(done, QUIET);
    const observer = new PerformanceObserver(() => {
      clearTimeout(timer);
      timer = setTimeout(done, QUIET);
    });
    observer.observe({ type: 'resource' });
  });
}
