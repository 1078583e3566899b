/**
 * A training that stands still until it is asked for some steps more, so that several can take turns within a moment. Its engine,
 * its prompts and its loop are those of `icl train`; it keeps no run folder.
 */
import type { TrainingConfig } from '../train/config.ts';
import { createEngine } from '../train/engines.ts';
import { initialState } from '../train/initial-state.ts';
import { initialProgress, runLoop } from '../train/loop.ts';
import { openPromptSource } from '../train/prompt-threads.ts';
import { stepOf } from '../train/training-step.ts';
import type { Contestant } from './benchmark.ts';

export interface Turns {
  /** Steps of a turn. */
  readonly steps: number;
  /** Those at its beginning that do not count: their prompts were drawn before, and caches hold what others left there. */
  readonly start: number;
  /** How many turns there may be. */
  readonly count: number;
}

/** @returns A contestant whose round is a turn, on the processor: `auto` might take another device for another size. */
export async function openTrainingInTurns(given: TrainingConfig, { steps, start, count }: Turns): Promise<Contestant> {
  // One step more than is ever asked for: the last one would be followed by no hold.
  const total = steps * count + 1;
  const config: TrainingConfig = { ...given, steps: total, checkpointEvery: total };
  const engine = await createEngine('onnx', { device: 'cpu', ...stepOf(config), batch: config.batch });
  const prompts = openPromptSource(config, 0);
  const abort = new AbortController();

  let go: () => void = () => {};
  let done: (milliseconds: number) => void = () => {};
  let fail: (error: unknown) => void = () => {};
  let startedAt = 0;
  let endedAt = 0;

  engine.loadState(initialState(config));
  const ended = runLoop({
    config,
    engine,
    prompts,
    start: { step: 0, progress: initialProgress, metrics: [] },
    signal: abort.signal,
    onStep({ step }) {
      endedAt = performance.now();
      if (step % steps === start) startedAt = endedAt;
    },
    betweenSteps(started) {
      if (started % steps !== 0) return undefined;
      return async () => {
        const next = new Promise<void>((resolve) => {
          go = resolve;
        });
        done((endedAt - startedAt) / (steps - start));
        await next;
      };
    },
  });
  ended.catch((error) => fail(error));
  return {
    label: 'icl-onnx',
    settings: { engine: engine.name, device: engine.device, runtime: engine.runtime },
    round: () =>
      new Promise((resolve, reject) => {
        [done, fail] = [resolve, reject];
        go();
      }),
    async close() {
      abort.abort();
      go();
      await ended.catch(() => {}); // What went wrong was thrown by a round.
      await prompts.close();
      await engine.dispose();
    },
  };
}
