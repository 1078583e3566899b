/** Garbage of all threads of a process, collected when memory is to be measured: that of others only an inspector reaches. */
import { Session } from 'node:inspector/promises';

/** A thread as an inspector sees it, and the threads that it has started. */
class Thread {
  children = new Map();
  #waiting = new Map();
  #lastId = 0;
  #send;

  /** @param send Sends a text to the thread's own inspector. */
  constructor(send) {
    this.#send = send;
  }

  post(method, params) {
    const id = ++this.#lastId;
    const answered = new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    this.#send(JSON.stringify({ id, method, params }));
    return answered;
  }

  receive({ id, error, method, params }) {
    if (id !== undefined) {
      const { resolve, reject } = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error === undefined) resolve();
      else reject(new Error(`garbageCollector: ${error.message}`));
    } else this.hear(method, params);
  }

  hear(method, { sessionId, message }) {
    if (method === 'NodeWorker.attachedToWorker') {
      const child = new Thread((text) => this.post('NodeWorker.sendMessageToWorker', { sessionId, message: text }));
      this.children.set(sessionId, child);
      child.listen();
    } else if (method === 'NodeWorker.detachedFromWorker') this.children.delete(sessionId);
    else if (method === 'NodeWorker.receivedMessageFromWorker')
      this.children.get(sessionId)?.receive(JSON.parse(message));
  }

  /** Attaches to the threads that it has started. */
  listen() {
    return this.post('NodeWorker.enable', { waitForDebuggerOnStart: false });
  }

  /** This one, and all that it has started, and those have. */
  all() {
    return [this, ...[...this.children.values()].flatMap((child) => child.all())];
  }
}

/**
 * @param expected How many threads there are besides this one.
 * @returns A function that collects the garbage of them all.   @throws {Error} if there are more or fewer of them then.
 */
export async function garbageCollector({ threads: expected }) {
  const inspector = new Session();
  inspector.connect();
  const own = new Thread((text) => {
    const { id, method, params } = JSON.parse(text);
    inspector.post(method, params).then(
      () => own.receive({ id }),
      (error) => own.receive({ id, error }),
    );
  });
  for (const event of ['attachedToWorker', 'detachedFromWorker', 'receivedMessageFromWorker']) {
    inspector.on(`NodeWorker.${event}`, ({ method, params }) => own.hear(method, params));
  }
  await own.listen();
  return async () => {
    const threads = own.all();
    if (threads.length - 1 !== expected)
      throw new Error(`garbageCollector: expected ${expected} threads, got ${threads.length - 1}.`);
    for (const thread of threads.reverse()) await thread.post('HeapProfiler.collectGarbage');
  };
}
