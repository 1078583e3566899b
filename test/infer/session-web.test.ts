/** The browser's session, as far as Node can run it: onnxruntime-web's wasm build works in both. */
import { expect, test } from 'vitest';
import { openSession } from '../../infer/session-web.ts';
import { verifySession } from '../../infer/verify-session.ts';
import { ProviderError, ShapeError, UsageError } from '../../models/errors.ts';
import { handPrediction, handPrefixPrediction, handPrompt, randomPrompts } from '../export/fixtures.ts';
import { frozenHandModel, frozenModel } from './models.ts';

const failureOf = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.fail('expected an error'),
    (error: Error) => error,
  );

test('auto is wasm where there is no adapter, and gives the predictions computed by hand', async () => {
  const session = await openSession(frozenHandModel({ prefixes: true }));
  expect(session.report).toMatchObject({ provider: 'wasm', adapter: null, threads: 1, opset: 17 });
  expect(session.report.runtime).toMatch(/^onnxruntime-web \d/);
  const { prediction, prefixPrediction } = await session.run(handPrompt);
  expect(Array.from(prediction)).toEqual([handPrediction]);
  expect(Array.from(prefixPrediction!)).toEqual(handPrefixPrediction);
  await session.close();
});

test('checks, cuts into blocks and verifies like the one in Node', async () => {
  const session = await openSession(frozenModel(3), { provider: 'wasm', memoryBudget: 4096 });
  expect(await verifySession(session, { batches: [1, 40], contexts: [1, 9] })).toMatchObject({ ok: true, cases: 8 });
  const wrong = randomPrompts({ batch: 2, context: 4, queries: 1, dimension: 4 });
  expect(await failureOf(session.run(wrong))).toBeInstanceOf(ShapeError);
  await session.close();
  expect(await failureOf(session.run(wrong))).toBeInstanceOf(ProviderError);
});

test.each(['cpu', 'cuda'] as const)('%s is for Node', async (provider) => {
  const failure = await failureOf(openSession(frozenModel(3), { provider }));
  expect(failure).toBeInstanceOf(ProviderError);
  expect(failure.message).toContain('expected wasm or webgpu in a browser');
});

test('webgpu without an adapter fails; an unknown provider is refused', async () => {
  const failure = await failureOf(openSession(frozenModel(3), { provider: 'webgpu' }));
  expect(failure).toBeInstanceOf(ProviderError);
  expect(failure.message).toContain('a browser with a WebGPU adapter');
  expect(await failureOf(openSession(frozenModel(3), { provider: 'gpu' as 'webgpu' }))).toBeInstanceOf(UsageError);
});

test('a file that ONNX Runtime refuses is a ProviderError', async () => {
  const failure = await failureOf(openSession({ ...frozenModel(3), bytes: Uint8Array.of(1, 2, 3) }));
  expect(failure).toBeInstanceOf(ProviderError);
});
