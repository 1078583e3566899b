/**
 * The thread a Node session lives in: ONNX Runtime's Node binding blocks the thread that calls it. Started by
 * `session-node.ts` with {@link WorkerSettings}; speaks `worker-protocol.ts`.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { createNumberStore } from '../models/number-store.ts';
import { condense, createOrtSession, type OnnxRuntime, type OrtSession, runtimeVersion } from './onnxruntime.ts';
import { providerNamed } from './provider-table.ts';
import { runBlock } from './run-block.ts';
import type { FromWorker, ToWorker, WorkerSettings } from './worker-protocol.ts';

const port = parentPort!;
const { provider, bytes, threads } = workerData as WorkerSettings;
const isWeb = providerNamed(provider).runtime === 'onnxruntime-web';

const say = (message: FromWorker) => port.postMessage(message);

/** ONNX Runtime takes no shared memory: what it computes from is copied here, and looked through on the way. */
const store = createNumberStore();
/** Answers, before they are copied out. */
let room = new Float32Array(0);

function roomFor(length: number): Float32Array {
  if (room.length < length) room = new Float32Array(length);
  return room;
}

async function answer(ort: OnnxRuntime, session: OrtSession, message: ToWorker & { kind: 'run' }): Promise<FromWorker> {
  const { prompts, answers } = message;
  const copies = store.copyFinite([prompts.covariates, prompts.responses, prompts.query]);
  if (copies === null) return { kind: 'not-finite' };
  const [covariates, responses, query] = copies as [Float32Array, Float32Array, Float32Array];
  const { prediction, prefixPrediction } = answers;
  const all = roomFor(prediction.length + (prefixPrediction?.length ?? 0));
  const out = {
    prediction: all.subarray(0, prediction.length),
    ...(prefixPrediction && {
      prefixPrediction: all.subarray(prediction.length, prediction.length + prefixPrediction.length),
    }),
  };
  await runBlock(ort, session, { ...prompts, covariates, responses, query }, out, !isWeb);
  prediction.set(out.prediction);
  if (out.prefixPrediction !== undefined) prefixPrediction!.set(out.prefixPrediction);
  return { kind: 'answered' };
}

async function handle(ort: OnnxRuntime, session: OrtSession, message: ToWorker): Promise<void> {
  if (message.kind === 'close') {
    // Listening keeps the thread alive, so it ends when nothing is left to do.
    await session.release();
    port.close();
    return;
  }
  try {
    say(await answer(ort, session, message));
  } catch (error) {
    say({ kind: 'failed', problem: condense(error) });
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
