/** The tensor operations on each device against float64: every operation, whole forward passes, and gradients. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { linearAttention } from '../../models/attention/linear-attention.ts';
import { fillNormals } from '../../models/random.ts';
import { fromFlat, referenceOps, referencePrediction, referencePrefixPrediction } from '../../models/reference-ops.ts';
import { createEngine, probeDevice } from '../../train/engines.ts';
import { type DeviceName, type LoadedDevice, loadDevice } from '../../train/tfjs.ts';
import { createTensorOps, type Operand, toTensor } from '../../train/tfjs-ops.ts';
import { everyOp } from '../export/every-op.ts';
import { requireOrSkip } from '../require.ts';
import { useSoftwareWebgpu } from '../software-webgpu.ts';
import { expectClose, type Tolerance } from '../tolerance.ts';
import { referenceLoss, samplePrompts, smallConfig } from './fixtures.ts';

useSoftwareWebgpu();

/** float32, sums of up to a few dozen terms. Worst measured, relative to 1 + |x|: cpu 9e-8, wasm and webgpu 1.6e-7. */
const float32: Tolerance = { relative: 2e-6, absolute: 2e-6 };

const normals = (count: number, seed: number): Float32Array => {
  const values = new Float32Array(count);
  fillNormals({ seed, stream: 9 }, { prompt: 0, purpose: 0 }, values, 0, count);
  return values;
};

const devices: DeviceName[] = ['cpu', 'wasm', 'webgpu', 'tensorflow-gpu'];
for (const name of devices) {
  const { available, detail } = await probeDevice(name);
  describe.runIf(requireOrSkip(name, available, detail))(name, () => suite(name));
}

function suite(name: DeviceName): void {
  let device: LoadedDevice;
  beforeAll(async () => {
    device = await loadDevice(name);
  });
  afterAll(() => device.release());

  test('TensorFlow.js really computes there', () => {
    expect(device.tf.getBackend()).toBe(device.backend);
  });

  test('every operation gives the reference', async () => {
    const { tf } = device;
    const [B, N, D] = [2, 5, 3];
    const x = normals(B * N * D, 1);
    const y = normals(B * N, 2);
    const expected = everyOp(referenceOps, fromFlat([B, N, D], x), fromFlat([B, N], y));
    const ops = createTensorOps(tf);
    const actual = everyOp<Operand>(ops, tf.tensor(x, [B, N, D]), tf.tensor(y, [B, N]));
    for (const [op, value] of Object.entries(actual)) {
      const tensor = toTensor(tf, value);
      expect(tensor.shape, op).toEqual(expected[op]!.shape);
      expectClose(await tensor.data(), expected[op]!.data, float32);
    }
  });

  test('both forward passes give the reference', async () => {
    const { tf } = device;
    const config = smallConfig({ dimension: 3, contextLength: 7 });
    const prompts = samplePrompts(config, 11);
    const sizes = { dimension: 3 };
    const parameters = { projection_value: normals(16, 3), key_query: normals(16, 4) };
    const tensors = {
      projection_value: tf.tensor(parameters.projection_value, [4, 4]),
      key_query: tf.tensor(parameters.key_query, [4, 4]),
    };
    const prompt = {
      covariates: tf.tensor(prompts.covariates, [11, 7, 3]),
      responses: tf.tensor(prompts.responses, [11, 7]),
      query: tf.tensor(prompts.query, [11, 1, 3]),
    };
    const ops = createTensorOps(tf);
    const forward = toTensor(tf, linearAttention.forward<Operand>(ops, tensors, prompt));
    expect(forward.shape).toEqual([11, 1]);
    expectClose(await forward.data(), referencePrediction(linearAttention, parameters, sizes, prompts), float32);
    const prefixes = toTensor(tf, linearAttention.prefixForward!<Operand>(ops, tensors, prompt));
    expect(prefixes.shape).toEqual([11, 8, 1]);
    const expected = referencePrefixPrediction(linearAttention, parameters, sizes, prompts);
    expectClose(await prefixes.data(), expected, float32);
  });

  test('the gradient is that of the float64 loss, by central differences', async () => {
    const config = smallConfig({ dimension: 3, contextLength: 7 });
    const prompts = samplePrompts(config, 32);
    const parameters = {
      projection_value: normals(16, 5).map((value) => 0.3 * value),
      key_query: normals(16, 6).map((value) => 0.3 * value),
    };
    const engine = await createEngine('tfjs', {
      device: name,
      architecture: linearAttention,
      sizes: { dimension: 3 },
      optimizer: { name: 'sgd', learningRate: 1, momentum: 0 },
      clipNorm: null,
    });
    engine.loadState({ parameters, optimizer: {} });
    // With rate 1 a step subtracts the gradient.
    const { loss, gradientNorm } = await engine.step(prompts, engine.scalars(1, 0)).read();
    const after = (await engine.readState()).parameters;
    engine.dispose();
    expectClose([loss], [referenceLoss(parameters, prompts)], float32);

    const differences: number[] = [];
    for (const key of ['projection_value', 'key_query'] as const) {
      const expected = parameters[key].map((_, i) => {
        const at = (change: number) => {
          const moved = Float64Array.from(parameters[key]);
          moved[i] = moved[i]! + change;
          return referenceLoss({ ...parameters, [key]: moved }, prompts);
        };
        return (at(1e-5) - at(-1e-5)) / 2e-5;
      });
      expectClose(
        parameters[key].map((value, i) => value - after[key]![i]!),
        expected,
        float32,
      );
      differences.push(...expected);
    }
    expectClose([gradientNorm], [Math.hypot(...differences)], float32);
  });

  test('a step leaves as many tensors as it found', async () => {
    const config = smallConfig();
    const engine = await createEngine('tfjs', {
      device: name,
      architecture: linearAttention,
      sizes: { dimension: 2 },
      optimizer: config.optimizer,
      clipNorm: 0.5,
    });
    const counts: number[] = [];
    for (let step = 0; step < 5; step++) {
      await engine.step(samplePrompts(config, 4, step * 4), engine.scalars(0.01, step)).read();
      counts.push(engine.tensorCount());
    }
    expect(new Set(counts).size).toBe(1);
    engine.dispose();
  });
}
