/** Prompts drawn in two threads are those of one: the same numbers, whichever step comes first and however many there are. */
import { describe, expect, test } from 'vitest';
import { createEngine } from '../../train/engines.ts';
import { initialState } from '../../train/initial-state.ts';
import { initialProgress, runLoop } from '../../train/loop.ts';
import { openPromptSource, openThreadedSource } from '../../train/prompt-threads.ts';
import { createPromptSource, createTrainingPrompts, stepsUnderWay } from '../../train/training-prompts.ts';
import { stepOf } from '../../train/training-step.ts';
import { smallConfig } from './fixtures.ts';

describe.each([0, 1, 6])('from step %i on', (first) => {
  test.each([null, 24])('the same prompts as in one thread, out of %s', async (trainingPrompts) => {
    const config = smallConfig({ steps: first + 13, batch: 16, trainingPrompts });
    const source = openThreadedSource(config, first);
    const drawHere = createTrainingPrompts(config);
    for (let step = first; step < config.steps; step++) {
      const { covariates, responses, query, targets } = await source.next(step);
      const expected = drawHere(step);
      expect(Buffer.from(Float32Array.from(covariates).buffer)).toEqual(Buffer.from(expected.covariates.buffer));
      expect([...responses, ...query, ...targets]).toEqual([
        ...expected.responses,
        ...expected.query,
        ...expected.targets,
      ]);
    }
    await source.close();
  });
});

test('a batch stays as it is while the next ones are asked for', async () => {
  const config = smallConfig({ steps: 33 });
  const stays = 1 + stepsUnderWay({ ...config, dimension: config.task.dimension });
  const source = openThreadedSource(config, 3);
  const kept: { covariates: Float32Array; before: number[] }[] = [];
  for (let step = 3; step < config.steps; step++) {
    const { covariates } = await source.next(step);
    kept.unshift({ covariates, before: [...covariates] });
    await new Promise((resolve) => setTimeout(resolve, 5));
    for (const { covariates, before } of kept.slice(0, stays)) expect([...covariates]).toEqual(before);
  }
  await source.close();
});

test('a run trains to the same bits on prompts drawn and read in other threads', async () => {
  const config = smallConfig({ steps: 40, batch: 64 });
  const parameters = [];
  for (const prompts of [openThreadedSource(config, 0), createPromptSource(config)]) {
    const engine = await createEngine('onnx', { device: 'cpu', ...stepOf(config), batch: config.batch });
    engine.loadState(initialState(config));
    const start = { step: 0, progress: initialProgress, metrics: [] };
    await runLoop({ config, engine, start, save: async () => {}, prompts });
    parameters.push((await engine.readState()).parameters);
    engine.dispose();
    await prompts.close();
  }
  expect(parameters[0]).toEqual(parameters[1]);
});

test('short steps are drawn where they are asked for', async () => {
  const source = openPromptSource(smallConfig(), 0);
  expect(source.next(0)).not.toBeInstanceOf(Promise);
  await source.close();
});
