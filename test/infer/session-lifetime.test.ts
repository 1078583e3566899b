/** The thread of a session: the process ends by itself after closing, quietly; and a thread that dies is not waited for. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test, vi } from 'vitest';
import { probeProvider } from '../../infer/providers.ts';
import { openSession } from '../../infer/session-node.ts';
import type * as SessionThreads from '../../infer/session-thread.ts';
import { ProviderError } from '../../models/errors.ts';
import { allocateBatch } from '../../models/prompts.ts';
import { randomPrompts } from '../export/fixtures.ts';
import { requireOrSkip } from '../require.ts';
import { useSoftwareWebgpu } from '../software-webgpu.ts';
import { frozenModel } from './models.ts';

/** Every thread a session has started. */
const started = vi.hoisted(() => [] as SessionThreads.SessionThread[]);
vi.mock('../../infer/session-thread.ts', async (importActual) => {
  const actual = await importActual<typeof SessionThreads>();
  class SessionThread extends actual.SessionThread {
    constructor(...parameters: ConstructorParameters<typeof actual.SessionThread>) {
      super(...parameters);
      started.push(this);
    }
  }
  return { ...actual, SessionThread };
});

useSoftwareWebgpu();
const webgpu = await probeProvider('webgpu');
const hasWebgpu = requireOrSkip('webgpu', webgpu.available, webgpu.detail);

const failureOf = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.fail('expected an error'),
    (error: Error) => error,
  );

describe('a thread that dies', () => {
  test('fails the runs that wait for it, and those that come later', async () => {
    const session = await openSession(frozenModel(20), { provider: 'cpu', threads: 1 });
    const prompts = randomPrompts({ batch: 4000, context: 40, queries: 5, dimension: 20 });
    const failures = Promise.all([failureOf(session.run(prompts)), failureOf(session.run(prompts))]);
    await started.at(-1)!.terminate();
    for (const failure of [...(await failures), await failureOf(session.run(prompts))]) {
      expect(failure).toBeInstanceOf(ProviderError);
      expect(failure.message).toContain('expected its thread to run until the session is closed');
    }
    await session.close();
  });
});

describe('one thread of several that dies', () => {
  test('fails the run it shares with the others', async () => {
    const before = started.length;
    const session = await openSession(frozenModel(20), { provider: 'cpu', threads: 2 });
    const sizes = { batch: 20_000, context: 40, queries: 5, dimension: 20 };
    const prompts = allocateBatch({ ...sizes, isShared: true });
    while (started.length < before + 2) await session.run(prompts); // The second is opened beside a run.
    const failure = failureOf(session.run(prompts));
    await started[before]!.terminate();
    expect(await failure).toBeInstanceOf(ProviderError);
    expect(await failureOf(session.run(prompts))).toBeInstanceOf(ProviderError);
    await session.close();
  });
});

describe.each(['cpu', 'wasm', ...(hasWebgpu ? ['webgpu'] : [])])('a process with a session on %s', (provider) => {
  const dist = fileURLToPath(new URL('../../dist', import.meta.url));
  const program = (end: string) => `
    const { readModel } = await import('${dist}/export/read-model.js');
    const { openSession } = await import('${dist}/infer/session-node.js');
    const model = readModel('stdin', Buffer.from('${Buffer.from(frozenModel(2).bytes).toString('base64')}', 'base64'));
    const session = await openSession(model, { provider: '${provider}' });
    const prompts = { batch: 1, context: 1, queries: 1, dimension: 2, covariates: Float32Array.of(1, 2), responses: Float32Array.of(3), query: Float32Array.of(4, 5) };
    const { prediction } = await session.run(prompts);
    console.log(Number.isFinite(prediction[0]));
    ${end}`;
  const run = (end: string) =>
    spawnSync(process.execPath, ['--input-type=module', '--eval', program(end)], { encoding: 'utf8', timeout: 50_000 });

  test('ends by itself once it is closed, and nothing is printed', () => {
    const { status, signal, stdout, stderr } = run('await session.close();');
    expect({ status, signal, stdout, stderr }).toEqual({ status: 0, signal: null, stdout: 'true\n', stderr: '' });
  });

  test('can be ended while a session is open', () => {
    const { status, signal, stderr } = run('process.exit(3);');
    expect({ status, signal, stderr }).toEqual({ status: 3, signal: null, stderr: '' });
  });

  const computing = (end: string) => `
    const many = { ...prompts, batch: 20_000, covariates: new Float32Array(40_000), responses: new Float32Array(20_000), query: new Float32Array(40_000) };
    ${end}
    for (;;) await Promise.all([session.run(many), session.run(many)]);`;

  // ONNX Runtime's binding aborts the process if its thread is stopped within a call: half of these on cpu did so.
  test.each([100, 130, 160, 190])('can be ended after %i ms of computing', (delay) => {
    const { status, signal, stderr } = run(computing(`setTimeout(() => process.exit(3), ${delay});`));
    expect({ status, signal, stderr }).toEqual({ status: 3, signal: null, stderr: '' });
  });

  test('can end by an error that nobody catches while it computes', () => {
    const { status, signal, stderr } = run(computing("setTimeout(() => { throw new Error('not caught'); }, 100);"));
    expect({ status, signal }).toEqual({ status: 1, signal: null });
    expect(stderr).toContain('Error: not caught');
  });
});
