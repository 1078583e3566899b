/** A graph that runs on its own results, on every provider that works here. */
import { describe, expect, test } from 'vitest';
import { GraphBuilder } from '../../export/graph-builder.ts';
import { graphOps } from '../../export/graph-ops.ts';
import { serializeModel } from '../../export/serialize.ts';
import { type ProviderName, probeProvider } from '../../infer/providers.ts';
import { openStatefulSession, type StatefulGraph, type StatefulSession } from '../../infer/stateful-session.ts';
import { ProviderError } from '../../models/errors.ts';
import { requireOrSkip } from '../require.ts';
import { useSoftwareWebgpu } from '../software-webgpu.ts';

useSoftwareWebgpu();

const webgpu = await probeProvider('webgpu');
const hasWebgpu = requireOrSkip('webgpu', webgpu.available, webgpu.detail);
const everywhere: ProviderName[] = hasWebgpu ? ['cpu', 'wasm', 'webgpu'] : ['cpu', 'wasm'];

/** sum <- sum + x, count <- count + 1; reports the mean of the new sum and the first of the old one. */
function counter(): StatefulGraph {
  const builder = new GraphBuilder();
  const ops = graphOps(builder);
  const [sum, count, x] = ['sum', 'count', 'x'].map((name) => builder.input(name, [3]));
  const next = ops.add(sum!, x!);
  builder.output('next_sum', next);
  builder.output('next_count', ops.add(count!, ops.constant(1)));
  builder.output('mean', ops.mean(next));
  builder.output('first', ops.squeeze(ops.slice(sum!, 0, 0, 1), 0));
  return {
    bytes: serializeModel({
      irVersion: 8,
      opsetImports: [{ domain: '', version: 17 }],
      producerName: 'test',
      producerVersion: '',
      domain: '',
      modelVersion: 1,
      docString: '',
      graph: builder.build('counter'),
      metadata: {},
    }),
    state: [
      { input: 'sum', output: 'next_sum' },
      { input: 'count', output: 'next_count' },
    ],
    size: 3,
    reports: ['mean', 'first'],
  };
}

const add = (session: StatefulSession, ...values: number[]) =>
  session.step([{ name: 'x', shape: [3], values: Float32Array.from(values) }]);

describe.each(everywhere)('on %s', (provider) => {
  const withSession = async (run: (session: StatefulSession) => Promise<void>) => {
    const session = await openStatefulSession(counter(), { provider, threads: 1 });
    try {
      await run(session);
    } finally {
      await session.close();
    }
  };

  test('starts at 0, goes on from its own results, and reads its state', () =>
    withSession(async (session) => {
      expect((await session.read()).map((vector) => [...vector])).toEqual([
        [0, 0, 0],
        [0, 0, 0],
      ]);
      add(session, 1, 2, 3);
      expect(await add(session, 10, 20, 30).read()).toEqual([22, 1]);
      expect((await session.read()).map((vector) => [...vector])).toEqual([
        [11, 22, 33],
        [2, 2, 2],
      ]);
    }));

  test('reports come in order, also of more runs than are fetched at a time', () =>
    withSession(async (session) => {
      const steps = Array.from({ length: 40 }, () => add(session, 3, 0, 0));
      const last = await steps.at(-1)!.read();
      expect(last).toEqual([40, 117]);
      for (const [i, step] of steps.entries()) expect(await step.read()).toEqual([i + 1, 3 * i]);
      const [before] = [session.tensorCount()];
      await add(session, 0, 0, 0).read();
      expect(session.tensorCount()).toBe(before);
    }));

  test('a state that is loaded replaces the old one, between runs', () =>
    withSession(async (session) => {
      const vectors = [Float32Array.of(7, 8, 9), Float32Array.of(1, 1, 1)];
      add(session, 1, 1, 1);
      session.load(vectors);
      vectors[0]!.fill(0);
      const step = add(session, 1, 1, 1);
      expect((await step.read())[1]).toBe(7);
      expect((await session.read()).map((vector) => [...vector])).toEqual([
        [8, 9, 10],
        [2, 2, 2],
      ]);
    }));

  test('a run that fails is told, and later ones fail too', () =>
    withSession(async (session) => {
      const good = add(session, 1, 1, 1);
      const bad = session.step([{ name: 'y', shape: [3], values: new Float32Array(3) }]);
      const later = add(session, 1, 1, 1);
      // On a GPU the report of the good one may still be there when the bad one fails.
      await good.read().catch(() => {});
      await expect(bad.read()).rejects.toThrow(ProviderError);
      await expect(later.read()).rejects.toThrow(`provider ${provider}: expected a session that runs, got `);
      await expect(session.read()).rejects.toThrow(ProviderError);
    }));

  test('a session that is closed says so; closing lets runs finish', async () => {
    const session = await openStatefulSession(counter(), { provider, threads: 1 });
    const reading = session.read();
    await Promise.all([session.close(), session.close()]);
    expect(await reading).toHaveLength(2);
    expect(() => add(session, 1, 1, 1)).toThrow('it has been closed. Open another.');
    expect(() => session.read()).toThrow(ProviderError);
  });
});

test.runIf(hasWebgpu)('there is one session on webgpu at a time', async () => {
  const first = await openStatefulSession(counter(), { provider: 'webgpu', threads: 1 });
  await expect(openStatefulSession(counter(), { provider: 'webgpu', threads: 1 })).rejects.toThrow(
    'expected at most one open WebGPU session in a process',
  );
  const closed = first.close();
  // Waits for the first to be gone.
  const second = await openStatefulSession(counter(), { provider: 'webgpu', threads: 1 });
  await closed;
  expect(await add(second, 3, 0, 0).read()).toEqual([1, 0]);
  await second.close();
});

test('bytes that are no graph are refused', async () => {
  const bytes = Uint8Array.of(1, 2, 3);
  const open = openStatefulSession({ ...counter(), bytes }, { provider: 'cpu', threads: 1 });
  await expect(open).rejects.toThrow('provider cpu: expected a session that runs wholly on cpu');
});
