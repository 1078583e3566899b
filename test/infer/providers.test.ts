/** Which providers work here, and what is said about those that do not. */
import { describe, expect, test } from 'vitest';
import { serializeModel } from '../../export/serialize.ts';
import { condense } from '../../infer/onnxruntime.ts';
import { probeGraph } from '../../infer/probe-graph.ts';
import {
  type ProviderName,
  probeProvider,
  probeProviders,
  providerNames,
  requireProvider,
  resolveProvider,
} from '../../infer/providers.ts';
import { ProviderError, UsageError } from '../../models/errors.ts';
import { requireOrSkip } from '../require.ts';
import { useSoftwareWebgpu } from '../software-webgpu.ts';

useSoftwareWebgpu();
const probes = Object.fromEntries((await probeProviders()).map((probe) => [probe.name, probe]));
const { cuda, webgpu } = probes;

test('every provider of the table is probed, in its order', () => {
  expect(Object.keys(probes)).toEqual(providerNames);
});

test.each(['cpu', 'wasm'] as const)('%s works everywhere', (name) => {
  const runtime = name === 'cpu' ? 'onnxruntime-node' : 'onnxruntime-web';
  expect(probes[name]).toMatchObject({ available: true, install: null, adapter: null, isSoftware: false });
  expect(probes[name]!.version).toMatch(new RegExp(`^${runtime} \\d+\\.\\d+\\.\\d+$`));
});

describe('cuda without its library', () => {
  test.runIf(!cuda!.available)('names the command that installs it', async () => {
    expect(cuda!.install).toBe('npm run setup:cuda');
    const failure = await requireProvider('cuda').catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ProviderError);
    expect((failure as Error).message).toMatch(/^provider cuda: expected .*, got .*\. .*npm run setup:cuda/);
  });
});

describe('webgpu', () => {
  test('without a driver says so in one line, with what to install', async () => {
    const probe = await probeProvider('webgpu', { ...process.env, VK_ICD_FILENAMES: '/nowhere.json' });
    expect(probe).toMatchObject({ available: false, adapter: null });
    expect(probe.detail).not.toContain('\n');
    expect(probe.detail).toMatch(/adapter/i);
    if (process.platform === 'linux') expect(probe.install).toContain('libvulkan1');
  });

  const isSwiftShader = webgpu!.available && /swiftshader/i.test(webgpu!.adapter ?? '');
  test.runIf(requireOrSkip('webgpu', webgpu!.available, webgpu!.detail))('names its adapter', () => {
    expect(webgpu!.adapter).toMatch(/\w/);
    expect(webgpu!.detail).toContain(webgpu!.adapter);
  });
  test.runIf(isSwiftShader)('knows that SwiftShader is software, and auto never takes it', async () => {
    expect(webgpu!.isSoftware).toBe(true);
    expect(await resolveProvider('auto')).toBe(cuda!.available ? 'cuda' : 'cpu');
  });
});

test('a process that ends before it answers makes a provider unavailable', async () => {
  const probe = await probeProvider('cpu', { ...process.env, NODE_OPTIONS: '--no-such-option' });
  expect(probe.available).toBe(false);
  expect(probe.detail).not.toContain('\n');
});

test('an unknown provider is refused with the nearest name', async () => {
  const failure = await resolveProvider('webgpuu' as ProviderName).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(UsageError);
  expect((failure as Error).message).toContain('Did you mean webgpu?');
});

test('errors of native libraries become one line', () => {
  const text =
    '/onnxruntime_src/core/providers/webgpu/webgpu_context.cc:136 void f()::<lambda()> status == Success was false. No \u001b[31madapter\u001b[m\n\n';
  expect(condense(new Error(text))).toBe('No adapter');
  expect(condense('x'.repeat(1000))).toHaveLength(300);
  expect(condense('')).toBe('an error without a message');
});

test('the probe graph is what the serializer writes', () => {
  const value = (name: string) => ({ name, dtype: 'float32', shape: [2] }) as const;
  const bytes = serializeModel({
    irVersion: 8,
    opsetImports: [{ domain: '', version: 17 }],
    producerName: '',
    producerVersion: '',
    domain: '',
    modelVersion: 0,
    docString: '',
    metadata: {},
    graph: {
      name: 'probe',
      inputs: [value('x')],
      outputs: [value('y')],
      initializers: [],
      interior: [],
      nodes: [{ name: 'square', opType: 'Mul', domain: '', inputs: ['x', 'x'], outputs: ['y'], attributes: {} }],
    },
  });
  expect(Buffer.from(bytes).toString('base64')).toBe(Buffer.from(probeGraph).toString('base64'));
});
