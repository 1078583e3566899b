/** How long a model's answers take on a provider, for choosing one. */
import { readModel } from '../../../../export/read-model.ts';
import { openSession } from '../../../../infer/session-web.ts';
import type { WebProvider } from '../../../../infer/web-runtime.ts';
import { allocateBatch } from '../../../../models/prompts.ts';
import { createGenerator, streams } from '../../../../models/random.ts';
import { createSampler } from '../../../../models/tasks/index.ts';
import type { CallContext } from '../protocol.ts';
import { timedWork } from './timed-work.ts';

/** Pairs in each prompt. */
const context = 20;
/** The first run of a shape makes its programs and buffers. */
const warmUps = 2;
const fewestRuns = 3;
const mostRuns = 25;
/** Milliseconds after which no further run begins, once there are enough. */
const patience = 500;

export interface TimeArgument {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly provider: WebProvider;
}

export interface Timing {
  /** The GPU, or the software that plays one; null for wasm. */
  readonly adapter: string | null;
  readonly runtime: string;
  /** Milliseconds that opening took, the runtime's download included. */
  readonly opening: number;
  /** Median milliseconds of a run, for each of {@link timedWork}. */
  readonly medians: readonly number[];
}

/** Opens a session of its own, runs, closes it. @throws {DataError} | {ProviderError} */
export async function timeModel(
  { name, bytes, provider }: TimeArgument,
  { report, turn }: CallContext<string>,
): Promise<Timing> {
  const model = readModel(name, bytes);
  const start = performance.now();
  const session = await openSession(model, { provider });
  const opening = performance.now() - start;
  try {
    const sampler = createSampler(model.metadata.task);
    const generator = createGenerator(0, streams.verification);
    const medians: number[] = [];
    for (const { title, batch, queries } of timedWork) {
      report(title);
      const prompts = allocateBatch({ batch, context, queries, ...sampler });
      sampler.fill(generator, 0, prompts);
      for (let i = 0; i < warmUps; i++) {
        await session.run(prompts);
        await turn();
      }
      medians.push(
        await medianTime(async () => {
          await turn();
          const before = performance.now();
          await session.run(prompts);
          return performance.now() - before;
        }),
      );
    }
    const { adapter, runtime } = session.report;
    return { adapter, runtime, opening, medians };
  } finally {
    await session.close();
  }
}

async function medianTime(run: () => Promise<number>): Promise<number> {
  const times: number[] = [];
  let total = 0;
  while (times.length < fewestRuns || (times.length < mostRuns && total < patience)) {
    const time = await run();
    times.push(time);
    total += time;
  }
  times.sort((a, b) => a - b);
  return times[Math.floor(times.length / 2)]!;
}
