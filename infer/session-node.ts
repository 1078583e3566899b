/**
 * Sessions in Node: each lives in a worker thread, so that the caller's event loop stays free while ONNX Runtime computes.
 * Here a provider is chosen, checked and opened; `worker-runner.ts` talks to the thread.
 */
import { availableParallelism } from 'node:os';
import type { RunnableModel } from '../export/read-model.ts';
import { UsageError } from '../models/errors.ts';
import { checkMemoryBudget } from './batching.ts';
import { showsInAnswers } from './numbers-shown.ts';
import { providerNamed } from './provider-table.ts';
import { requireProvider, resolveProvider } from './providers.ts';
import {
  createSession,
  type InferenceSession,
  memoryBudgetDefault,
  type Runner,
  type SessionOptions,
} from './session.ts';
import { ShardedRunner } from './sharded-runner.ts';
import { releaseWebgpuSlot, takeWebgpuSlot } from './webgpu-slot.ts';
import type { WorkerSettings } from './worker-protocol.ts';

/** More threads than this gain nothing on graphs of this size. */
const mostThreads = 4;

/** What a core's own cache holds beside the prompts that stream through it: more is slower. A GPU wants much at a time. */
const cacheBudget = 1.5 * 2 ** 20;

export const sessionDefaults: SessionOptions = {
  provider: 'auto',
  threads: Math.min(mostThreads, availableParallelism()),
  memoryBudget: memoryBudgetDefault,
  prefixes: true,
};

/**
 * Opens a session. It holds a thread until it is closed. One WebGPU session may be open at a time in a process.
 * @throws {ProviderError} if the provider does not work here, cannot run the whole graph, or is WebGPU and taken.
 * @throws {UsageError} for an unknown provider or impossible numbers.
 */
export async function openSession(
  model: RunnableModel,
  options: Partial<SessionOptions> = {},
): Promise<InferenceSession> {
  const { provider: requested, threads, memoryBudget, prefixes } = { ...sessionDefaults, ...options };
  if (!Number.isInteger(threads) || threads < 1) {
    throw new UsageError({ where: 'threads', expected: 'a whole number, 1 or more', got: String(threads) });
  }
  checkMemoryBudget(memoryBudget);
  const provider = await resolveProvider(requested);
  // A GPU's driver is tried in another process first: it may crash this one, and it knows the adapter's name.
  const adapter = providerNamed(provider).canFallBack ? (await requireProvider(provider)).adapter : null;
  const settings: WorkerSettings = {
    provider,
    bytes: model.bytes,
    threads: 1,
    prefixes: prefixes && model.hasPrefixes,
    // Drivers of GPUs may compute as if there were no NaN.
    answersShow: !providerNamed(provider).canFallBack && showsInAnswers(model.graph),
  };
  const shards = provider === 'cpu' ? threads : 1;
  const { runner, runtime } =
    provider === 'webgpu' ? await startInSlot(settings) : await ShardedRunner.start(settings, shards);
  const report = { provider, adapter, runtime, opset: model.opset, threads: shards };
  return createSession({
    model,
    report,
    memoryBudget,
    ...(provider === 'cpu' && { cacheBudget }),
    prefixes: settings.prefixes,
    runner,
  });
}

interface Started {
  readonly runner: Runner;
  readonly runtime: string;
}

async function startInSlot(settings: WorkerSettings): Promise<Started> {
  await takeWebgpuSlot();
  try {
    const { runner, runtime } = await ShardedRunner.start(settings, 1);
    const close = () => {
      const closed = runner.close();
      releaseWebgpuSlot(closed);
      return closed;
    };
    const { shards, checksNumbers } = runner;
    return {
      runner: {
        shards,
        checksNumbers,
        takesWhole: (prompts) => runner.takesWhole(prompts),
        run: (block, room, pieceSize) => runner.run(block, room, pieceSize),
        close,
      },
      runtime,
    };
  } catch (error) {
    releaseWebgpuSlot(Promise.resolve());
    throw error;
  }
}
