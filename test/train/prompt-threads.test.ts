/** Prompts drawn in two threads are those of one: the same numbers, whichever step comes first and however many there are. */
import { describe, expect, test } from 'vitest';
import { openPromptSource, openThreadedSource } from '../../train/prompt-threads.ts';
import { createTrainingPrompts } from '../../train/training-prompts.ts';
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

test('a batch stays as it is until the next one is asked for', async () => {
  const config = smallConfig({ steps: 9 });
  const source = openThreadedSource(config, 0);
  for (let step = 0; step < config.steps; step++) {
    const prompts = await source.next(step);
    const before = [...prompts.covariates];
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect([...prompts.covariates]).toEqual(before);
  }
  await source.close();
});

test('short steps are drawn where they are asked for', async () => {
  const source = openPromptSource(smallConfig(), 0);
  expect(source.next(0)).not.toBeInstanceOf(Promise);
  await source.close();
});
