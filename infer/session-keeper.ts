/** The thread that starts all threads of sessions on the CPU, for the sake of what they inherit: see `session-thread.ts`. */
import { parentPort, type Worker, workerData } from 'node:worker_threads';
import { nativeCalls } from './native-calls.ts';
import { createOrtSession } from './onnxruntime.ts';
import { probeGraph } from './probe-graph.ts';
import { type FromKeeper, type KeeperData, startWorker, type ToKeeper } from './session-thread.ts';

const port = parentPort!;
const say = (message: FromKeeper) => port.postMessage(message);
const threads = new Map<number, Worker>();

await nativeCalls((workerData as KeeperData).calls)(async () => {
  const session = await createOrtSession(await import('onnxruntime-node'), probeGraph, 'cpu', 1);
  await session.release();
});

port.on('message', (message: ToKeeper) => {
  if (message.kind === 'terminate') {
    threads.get(message.id)?.terminate();
    return;
  }
  const { id, file, ...data } = message;
  const worker = startWorker(file, data);
  threads.set(id, worker);
  worker.on('error', ({ message: problem }) => say({ kind: 'error', id, problem }));
  worker.on('exit', (code) => {
    threads.delete(id);
    say({ kind: 'exit', id, code });
  });
});
