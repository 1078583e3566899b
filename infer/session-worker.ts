/**
 * The thread a Node session lives in: ONNX Runtime's Node binding blocks the thread that calls it. Started by
 * `session-node.ts` with {@link WorkerSettings}; speaks `worker-protocol.ts`.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { createNumberStore } from '../models/number-store.ts';
import { type PromptBatch, sliceBatch } from '../models/prompts.ts';
import { copyNumbers } from './copy-numbers.ts';
import { condense, createOrtSession, type OnnxRuntime, type OrtSession, runtimeVersion } from './onnxruntime.ts';
import { providerNamed } from './provider-table.ts';
import { runBlock } from './run-block.ts';
import type { Predictions } from './session.ts';
import { sliceAnswers } from './slice-answers.ts';
import type { FromWorker, Job, ToWorker, WorkerSettings } from './worker-protocol.ts';

const port = parentPort!;
const { provider, bytes, threads, answersShow } = workerData as WorkerSettings;
const isWeb = providerNamed(provider).runtime === 'onnxruntime-web';

const say = (message: FromWorker) => port.postMessage(message);

/** ONNX Runtime takes no shared memory: what it computes from is copied here, and its answers stand beside it. */
const store = createNumberStore(copyNumbers);

/** @returns False if a number is NaN or infinite. */
async function answerPiece(
  ort: OnnxRuntime,
  session: OrtSession,
  prompts: PromptBatch,
  answers: Predictions,
): Promise<boolean> {
  const targets = [answers.prediction, ...(answers.prefixPrediction === undefined ? [] : [answers.prefixPrediction])];
  const { copies, rooms } = store.copy(
    [prompts.covariates, prompts.responses, prompts.query],
    targets.map(({ length }) => length),
  );
  if (!answersShow && !store.copiesAreFinite()) return false;
  const [covariates, responses, query] = copies as [Float32Array, Float32Array, Float32Array];
  const [prediction, prefixPrediction] = rooms as [Float32Array, Float32Array?];
  const out = { prediction, ...(prefixPrediction && { prefixPrediction }) };
  await runBlock(ort, session, { ...prompts, covariates, responses, query }, out, !isWeb);
  // Answers that are not finite have overflown where the prompts are.
  if (answersShow && !store.roomsAreFinite() && !store.copiesAreFinite()) return false;
  for (const [i, target] of targets.entries()) copyNumbers(target, rooms[i]!);
  return true;
}

/** Takes pieces of a job until none is left; after a failure nobody takes another. */
async function answer(ort: OnnxRuntime, session: OrtSession, job: Job): Promise<FromWorker> {
  const { prompts, answers, pieceSize, next } = job;
  const { batch } = prompts;
  try {
    for (let start = Atomics.add(next, 0, pieceSize); start < batch; start = Atomics.add(next, 0, pieceSize)) {
      const end = Math.min(batch, start + pieceSize);
      const isGood = await answerPiece(
        ort,
        session,
        sliceBatch(prompts, start, end),
        sliceAnswers(answers, batch, start, end),
      );
      if (isGood) continue;
      Atomics.store(next, 0, batch);
      return { kind: 'not-finite' };
    }
    return { kind: 'answered' };
  } catch (error) {
    Atomics.store(next, 0, batch);
    return { kind: 'failed', problem: condense(error) };
  }
}

async function handle(ort: OnnxRuntime, session: OrtSession, message: ToWorker): Promise<void> {
  if (message.kind === 'close') {
    // Listening keeps the thread alive, so it ends when nothing is left to do.
    await session.release();
    port.close();
    return;
  }
  say(await answer(ort, session, message.job));
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
