/**
 * The thread a Node session lives in: ONNX Runtime's Node binding blocks the thread that calls it. Started by
 * `session-node.ts` with {@link WorkerSettings}; speaks `worker-protocol.ts`.
 */
import { workerData } from 'node:worker_threads';
import { areFinite, createNumberStore } from '../models/number-store.ts';
import { type PromptBatch, sliceBatch } from '../models/prompts.ts';
import { copyNumbers } from './copy-numbers.ts';
import { nativeCalls } from './native-calls.ts';
import { condense, createOrtSession, type OnnxRuntime, type OrtSession, runtimeVersion } from './onnxruntime.ts';
import { providerNamed } from './provider-table.ts';
import { runBlock } from './run-block.ts';
import type { Predictions } from './session.ts';
import type { ThreadData } from './session-thread.ts';
import { takesSharedMemory } from './shared-memory.ts';
import { sliceAnswers } from './slice-answers.ts';
import type { FromWorker, Job, ToWorker, WorkerSettings } from './worker-protocol.ts';

const { settings, port, calls } = workerData as ThreadData<WorkerSettings>;
const call = nativeCalls(calls);
const { provider, bytes, threads, answersShow } = settings;
const isWeb = providerNamed(provider).runtime === 'onnxruntime-web';

const say = (message: FromWorker, handedBack: ArrayBuffer | null = null) =>
  port.postMessage(message, handedBack === null ? [] : [handedBack]);

/** What prompts are copied to where ONNX Runtime takes no shared memory, or where somebody must look at them; and answers. */
const store = createNumberStore(copyNumbers);

interface Runtime {
  readonly ort: OnnxRuntime;
  readonly session: OrtSession;
  /** Whether it computes from memory that threads share. */
  readonly readsShared: boolean;
}

/** @returns False if a number is NaN or infinite. */
async function answerPiece(
  { ort, session, readsShared }: Runtime,
  isShared: boolean,
  prompts: PromptBatch,
  answers: Predictions,
): Promise<boolean> {
  const targets = [answers.prediction, ...(answers.prefixPrediction === undefined ? [] : [answers.prefixPrediction])];
  // What somebody must look at is copied to where that is fast.
  const readsInPlace = answersShow && (readsShared || !isShared);
  const given = [prompts.covariates, prompts.responses, prompts.query];
  const lengths = targets.map(({ length }) => length);
  const { copies, rooms } = store.copy(readsInPlace ? [] : given, lengths);
  const areGivenFinite = () => (readsInPlace ? given.every(areFinite) : store.copiesAreFinite());
  if (!answersShow && !areGivenFinite()) return false;
  const [covariates, responses, query] = (readsInPlace ? given : copies) as [Float32Array, Float32Array, Float32Array];
  const [prediction, prefixPrediction] = rooms as [Float32Array, Float32Array?];
  const out = { prediction, ...(prefixPrediction && { prefixPrediction }) };
  await call(() => runBlock(ort, session, { ...prompts, covariates, responses, query }, out, !isWeb));
  // Answers that are not finite have overflown where the prompts are.
  if (answersShow && !store.roomsAreFinite() && !areGivenFinite()) return false;
  for (const [i, target] of targets.entries()) copyNumbers(target, rooms[i]!);
  return true;
}

/** Takes pieces of a job until none is left; after a failure nobody takes another. */
async function answer(runtime: Runtime, job: Job): Promise<FromWorker> {
  const { memory, prompts, answers, pieceSize, next } = job;
  const { batch } = prompts;
  try {
    for (let start = Atomics.add(next, 0, pieceSize); start < batch; start = Atomics.add(next, 0, pieceSize)) {
      const end = Math.min(batch, start + pieceSize);
      const piece = sliceBatch(prompts, start, end);
      const isGood = await answerPiece(runtime, memory === null, piece, sliceAnswers(answers, batch, start, end));
      if (isGood) continue;
      Atomics.store(next, 0, batch);
      return { kind: 'not-finite', memory };
    }
    return { kind: 'answered', memory };
  } catch (error) {
    Atomics.store(next, 0, batch);
    return { kind: 'failed', problem: condense(error), memory };
  }
}

async function handle(runtime: Runtime, message: ToWorker): Promise<void> {
  if (message.kind === 'close') {
    // Listening keeps the thread alive, so it ends when nothing is left to do.
    await call(() => runtime.session.release());
    port.close();
    return;
  }
  say(await answer(runtime, message.job), message.job.memory);
}

async function open(): Promise<Runtime> {
  // The build of onnxruntime-web that browsers get too.
  const ort: OnnxRuntime = isWeb ? await import('onnxruntime-web/wasm') : await import('onnxruntime-node');
  const session = await createOrtSession(ort, bytes, provider, threads);
  return { ort, session, readsShared: provider === 'cpu' && answersShow && (await takesSharedMemory(ort)) };
}

try {
  const runtime = await call(open);
  let last = Promise.resolve();
  port.on('message', (message: ToWorker) => {
    last = last.then(() => handle(runtime, message));
  });
  say({ kind: 'opened', runtime: runtimeVersion(runtime.ort) });
} catch (error) {
  say({ kind: 'refused', problem: condense(error) });
}
