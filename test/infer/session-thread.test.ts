/** What threads of sessions inherit: tiny numbers are 0 in all of them, however many there were before, and not in the caller's own. */
import { expect, test } from 'vitest';
import { openSession } from '../../infer/session-node.ts';
import { openStatefulSession } from '../../infer/stateful-session.ts';
import { ProviderError } from '../../models/errors.ts';
import { allocateBatch } from '../../models/prompts.ts';
import { frozenModel } from './models.ts';

/** A query of subnormal numbers; the predictions, linear in it, are as small. */
const tiny = allocateBatch({ batch: 4000, context: 2, queries: 1, dimension: 2, isShared: true });
tiny.covariates.fill(1);
tiny.responses.fill(1);
tiny.query.fill(1e-39);

test('tiny answers are 0 in every thread of every session', async () => {
  const model = frozenModel(2);
  for (let i = 0; i < 3; i++) {
    const session = await openSession(model, { provider: 'cpu', threads: 2 });
    // The second thread opens beside the first run.
    for (let run = 0; run < 5; run++) {
      const { prediction } = await session.run(tiny);
      expect(prediction.every((value) => value === 0)).toBe(true);
    }
    await session.close();
  }
  const own = Float32Array.of(1e-20);
  own[0]! *= own[0]!;
  expect(own[0]).toBeGreaterThan(0);
});

test('answers of a provider with other arithmetic are not touched', async () => {
  const session = await openSession(frozenModel(2), { provider: 'wasm' });
  const { prediction } = await session.run(tiny);
  await session.close();
  expect(prediction.some((value) => value !== 0)).toBe(true);
});

test('a graph that ONNX Runtime refuses says so from the second thread on', async () => {
  const graph = { bytes: Uint8Array.of(1, 2, 3), state: [], size: 1, reports: [] };
  await expect(openStatefulSession(graph, { provider: 'cpu', threads: 1 })).rejects.toThrow(ProviderError);
});
