/** Which devices there are, what they leave behind, and that none falls back to another without a word. */
import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { ProviderError } from '../../models/errors.ts';
import { probeDevice, probeDevices, processorFor, resolveDevice } from '../../train/devices.ts';
import { loadDevice } from '../../train/tfjs.ts';
import { requireOrSkip } from '../require.ts';
import { useSoftwareWebgpu } from '../software-webgpu.ts';

useSoftwareWebgpu();

const tfjs = new URL('../../dist/train/tfjs.js', import.meta.url).href;

/** Runs a script in a process of its own; what it prints on either stream comes back. */
function runScript(script: string, env: NodeJS.ProcessEnv = process.env) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
    env,
    timeout: 60_000,
  });
  return { status, stdout, stderr };
}

test('every device is probed, and one that is absent says what brings it', async () => {
  const probes = await probeDevices();
  expect(probes.map(({ name }) => name)).toEqual(['tensorflow-gpu', 'webgpu', 'wasm', 'cpu']);
  for (const { available, detail, install } of probes) {
    expect(detail).not.toBe('');
    expect(install === null).toBe(available);
  }
  expect(probes.slice(2).every(({ available }) => available)).toBe(true);
});

const software = await probeDevice('webgpu');

describe.runIf(requireOrSkip('webgpu', software.available, software.detail))('webgpu', () => {
  test.runIf(software.adapter?.includes('swiftshader'))(
    'a software adapter is recognised, and `auto` passes it by',
    async () => {
      expect(software).toMatchObject({ available: true, isSoftware: true });
      expect(software.detail).toContain('software, slow');
      expect(await resolveDevice('auto', { batch: 256, context: 20, dimension: 5 })).not.toBe('webgpu');
    },
  );

  test('computes, is released, can be loaded again, and lets the process end', () => {
    const { status, stdout, stderr } = runScript(`
      import { loadDevice } from '${tfjs}';
      for (let i = 0; i < 2; i++) {
        const { tf, backend, release } = await loadDevice('webgpu');
        const before = tf.memory().numTensors;
        const x = tf.tensor1d([2, 3]);
        const y = tf.square(x);
        console.log(tf.getBackend() === backend, (await y.data()).join(), tf.memory().numTensors - before);
        tf.dispose([x, y]);
        release();
        console.log(tf.getBackend(), 'navigator' in globalThis && 'gpu' in globalThis.navigator);
      }
    `);
    expect({ status, stdout, stderr }).toEqual({
      status: 0,
      stdout: 'true 4,9 2\ncpu false\n'.repeat(2),
      stderr: '',
    });
  });
});

test('without a driver webgpu fails: it does not train on the processor instead', () => {
  const { status, stdout } = runScript(
    `
      import { loadDevice } from '${tfjs}';
      await loadDevice('webgpu').catch((error) => console.log(error.name, error.message));
    `,
    { ...process.env, VK_ICD_FILENAMES: '/nonexistent.json' },
  );
  expect(status).toBe(0);
  expect(stdout).toBe(
    'ProviderError device webgpu: expected a device that works here, got no adapter. ' +
      'Install a GPU driver with Vulkan, or use --device wasm.\n',
  );
});

test('a device that does not exist is refused', async () => {
  await expect(loadDevice('gpu' as 'cpu')).rejects.toThrow('device: expected one of tensorflow-gpu, webgpu, wasm, cpu');
});

test('tensorflow-gpu without its package or its addon names the command that installs it', async () => {
  const { available } = await probeDevice('tensorflow-gpu');
  if (available) return; // nothing is missing here
  const error = await loadDevice('tensorflow-gpu').catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(ProviderError);
  expect((error as ProviderError).message).toMatch(/Run: npm run setup:tensorflow-gpu$/);
});

test.each(['cpu', 'wasm'])('%s prints nothing and leaves no listener on the process', (device) => {
  const { status, stdout, stderr } = runScript(`
    import { loadDevice } from '${tfjs}';
    const count = () => process.listenerCount('uncaughtException') + process.listenerCount('unhandledRejection');
    const before = count();
    const { tf } = await loadDevice('${device}');
    const y = tf.add(tf.scalar(1), tf.scalar(2));
    console.log((await y.data()).join(), tf.getBackend(), count() - before);
  `);
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: `3 ${device} 0\n`, stderr: '' });
});

test('an error in a process that trains on wasm is one short message', () => {
  const { status, stderr } = runScript(`
    import { loadDevice } from '${tfjs}';
    await loadDevice('wasm');
    setTimeout(() => { throw new Error('mine'); }, 0);
  `);
  expect(status).toBe(1);
  expect(stderr).toContain('mine');
  expect(stderr.length).toBeLessThan(2000);
});

test('on the processor, small steps are for cpu and large ones for wasm', () => {
  expect(processorFor({ batch: 16, context: 10, dimension: 3 })).toBe('cpu');
  expect(processorFor({ batch: 256, context: 20, dimension: 5 })).toBe('wasm');
});

test('a device that was asked for is not replaced', async () => {
  expect(await resolveDevice('cpu', { batch: 4096, context: 40, dimension: 20 })).toBe('cpu');
});
