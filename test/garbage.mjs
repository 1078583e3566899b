/** Garbage of all threads of a process, collected when memory is to be measured: that of others only an inspector reaches. */
import { Session } from 'node:inspector/promises';

/**
 * @param expected How many threads there are besides this one.
 * @returns A function that collects the garbage of them all.   @throws {Error} if there are more or fewer of them then.
 */
export async function garbageCollector({ threads: expected }) {
  const inspector = new Session();
  inspector.connect();
  /** What waits for the answer of a thread. */
  const threads = new Map();
  inspector.on('NodeWorker.attachedToWorker', ({ params }) => threads.set(params.sessionId, () => {}));
  inspector.on('NodeWorker.detachedFromWorker', ({ params }) => threads.delete(params.sessionId));
  inspector.on('NodeWorker.receivedMessageFromWorker', ({ params }) => threads.get(params.sessionId)(params.message));
  await inspector.post('NodeWorker.enable', { waitForDebuggerOnStart: false });
  const method = 'HeapProfiler.collectGarbage';
  return async () => {
    if (threads.size !== expected)
      throw new Error(`garbageCollector: expected ${expected} threads, got ${threads.size}.`);
    for (const sessionId of threads.keys()) {
      const answered = new Promise((resolve) => threads.set(sessionId, resolve));
      await inspector.post('NodeWorker.sendMessageToWorker', { sessionId, message: JSON.stringify({ id: 1, method }) });
      const { error } = JSON.parse(await answered);
      if (error !== undefined) throw new Error(`garbageCollector: ${error.message}`);
    }
    await inspector.post(method);
  };
}
