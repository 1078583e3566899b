/**
 * The thread a Node session lives in: ONNX Runtime's Node binding blocks the thread that calls it. Started by
 * `session-node.ts` with {@link WorkerSettings}; speaks `worker-protocol.ts`.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { condense, createOrtSession, type OnnxRuntime, type OrtSession, runtimeVersion } from './onnxruntime.ts';
import { providerNamed } from './provider-table.ts';
import { runBlock } from './run-block.ts';
import { blockViews, type FromWorker, type ToWorker, type WorkerSettings } from './worker-protocol.ts';

const port = parentPort!;
const { provider, bytes, threads, prefixes } = workerData as WorkerSettings;
const isWeb = providerNamed(provider).runtime === 'onnxruntime-web';

const say = (message: FromWorker, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer);

async function handle(ort: OnnxRuntime, session: OrtSession, message: ToWorker): Promise<void> {
  if (message.kind === 'close') {
    // Listening keeps the thread alive, so it ends when nothing is left to do.
    await session.release();
    port.close();
    return;
  }
  const { sizes, buffer } = message;
  try {
    const { prompts, answers } = blockViews(buffer, sizes, prefixes);
    await runBlock(ort, session, prompts, answers, !isWeb);
    say({ kind: 'answered', buffer }, [buffer]);
  } catch (error) {
    say({ kind: 'failed', problem: condense(error), buffer }, [buffer]);
  }
}

try {
  // The build of onnxruntime-web that browsers get too.
  const ort: OnnxRuntime = isWeb ? await import('onnxruntime-web/wasm') : await import('onnxruntime-node');
  const session = await createOrtSession(ort, bytes, provider, threads);
  let last = Promise.resolve();
  port.on('message', (message: ToWorker) => {
    last = last.then(() => handle(ort, session, message));
  });
  say({ kind: 'opened', runtime: runtimeVersion(ort) });
} catch (error) {
  say({ kind: 'refused', problem: condense(error) });
}
