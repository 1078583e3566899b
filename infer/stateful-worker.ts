/**
 * The thread a stateful session lives in: ONNX Runtime's Node binding blocks the thread that calls it. Started by
 * `stateful-session.ts` with {@link StatefulSettings}; speaks `stateful-protocol.ts`.
 */
import { workerData } from 'node:worker_threads';
import { nativeCalls } from './native-calls.ts';
import { condense, type OnnxRuntime, runtimeVersion } from './onnxruntime.ts';
import { providerNamed } from './provider-table.ts';
import type { ThreadData } from './session-thread.ts';
import {
  allocateFeeds,
  type FromStateful,
  type StatefulSettings,
  type ToStateful,
  unpackFeeds,
} from './stateful-protocol.ts';
import { type Feed, openStatefulRunner, type StatefulRunner } from './stateful-runner.ts';

const { settings, port, calls } = workerData as ThreadData<StatefulSettings>;
const call = nativeCalls(calls);
const { provider, graph, threads } = settings;

const say = (message: FromStateful) => port.postMessage(message);

const slots: Float32Array[] = [];
/** The feeds of the run that is under way. */
let feeds: readonly Feed[] = [];

/** Why nothing works any more: a step that failed leaves a hole that later ones must not step over. */
let problem: string | undefined;

async function handle(runner: StatefulRunner, message: ToStateful): Promise<void> {
  if (message.kind === 'close') {
    // Listening keeps the thread alive, so it ends when nothing is left to do.
    await runner.close().finally(() => port.close());
    return;
  }
  if (problem !== undefined) {
    say({ kind: 'failed', problem });
    return;
  }
  try {
    if (message.kind === 'slot') slots[message.slot] = new Float32Array(message.memory);
    else if (message.kind === 'layout') feeds = allocateFeeds(message.layout);
    else if (message.kind === 'load') runner.load(message.vectors);
    else if (message.kind === 'step') {
      unpackFeeds(message.places, slots, feeds);
      await runner.step(feeds);
      const reports = runner.reportsAreFree ? await runner.takeReports() : [];
      say({ kind: 'stepped', slot: message.slot, reports, tensors: runner.tensorCount() });
    } else if (message.kind === 'report') {
      const reports = await runner.takeReports();
      say({ kind: 'reported', reports, tensors: runner.tensorCount() });
    } else say({ kind: 'state', vectors: await runner.read() });
  } catch (error) {
    problem = condense(error);
    say({ kind: 'failed', problem });
  }
}

async function open() {
  // The build of onnxruntime-web that browsers get too.
  const isWeb = providerNamed(provider).runtime === 'onnxruntime-web';
  const ort: OnnxRuntime = isWeb ? await import('onnxruntime-web/wasm') : await import('onnxruntime-node');
  return { ort, runner: await openStatefulRunner(ort, graph, provider, threads) };
}

try {
  const { ort, runner } = await call(open);
  let last = Promise.resolve();
  port.on('message', (message: ToStateful) => {
    last = last.then(() => call(() => handle(runner, message)));
  });
  say({
    kind: 'opened',
    runtime: runtimeVersion(ort),
    reportsAreFree: runner.reportsAreFree,
    tensors: runner.tensorCount(),
  });
} catch (error) {
  say({ kind: 'refused', problem: condense(error) });
}
