/** The loss of classifiers: its value and gradient by the formula on paper, sure and wrong models, and when a run has diverged. */
import { describe, expect, test } from 'vitest';
import { linearAttentionClassifier } from '../../models/attention/linear-attention-classifier.ts';
import type { LabelledBatch } from '../../models/prompts.ts';
import { createEngine } from '../../train/engines.ts';
import { lossFor } from '../../train/losses.ts';
import { train } from '../../train/train.ts';
import { classifierVariants, drawPromptsFor, type Variant } from '../models/attention/variants.ts';
import { expectClose } from '../tolerance.ts';
import { smallConfig, temporaryFolder } from './fixtures.ts';

/**
 * Mean loss and its gradient in W, prompt by prompt: z_k = p_k' W q, with the classes of two signs taken as (0, z), and
 * sum_k (P_k - t_k) p_k q'. Source: Shen, Zhou, Yang, Shen (2025), the gradient of their loss.
 */
function onPaper(prompts: LabelledBatch, W: ArrayLike<number>): { loss: number; gradient: Float64Array } {
  const { batch, context, dimension: d, classes = 0, covariates, responses, query, targets } = prompts;
  const gradient = new Float64Array(d * d);
  let loss = 0;
  for (let b = 0; b < batch; b++) {
    const q = query.subarray(b * d, (b + 1) * d);
    const count = classes === 0 ? 2 : classes;
    const weightOf = (i: number, k: number) =>
      classes === 0 ? (k === 1 ? responses[b * context + i]! : 0) : responses[(b * context + i) * classes + k]!;
    const target = Array.from({ length: count }, (_, k) =>
      classes === 0 ? (k === 1 ? 1 : -1) * targets[b]! * 0.5 + 0.5 : targets[b * classes + k]!,
    );
    const p = Array.from({ length: count }, (_, k) =>
      Array.from({ length: d }, (_unused, j) => {
        let sum = 0;
        for (let i = 0; i < context; i++) sum += weightOf(i, k) * covariates[(b * context + i) * d + j]!;
        return sum / context;
      }),
    );
    const z = p.map((row) =>
      row.reduce((sum, value, i) => sum + value * q.reduce((s, x, j) => s + W[i * d + j]! * x, 0), 0),
    );
    const largest = Math.max(...z);
    const logSum = largest + Math.log(z.reduce((sum, value) => sum + Math.exp(value - largest), 0));
    for (let k = 0; k < count; k++) {
      loss += target[k]! * (logSum - z[k]!);
      const residual = Math.exp(z[k]! - logSum) - target[k]!;
      for (let i = 0; i < d; i++) for (let j = 0; j < d; j++) gradient[i * d + j]! += residual * p[k]![i]! * q[j]!;
    }
  }
  return { loss: loss / batch, gradient: gradient.map((value) => value / batch) };
}

const plain = { name: 'sgd', learningRate: 1, momentum: 0 } as const;
type EngineAndDevice = ['onnx' | 'tfjs', 'cpu' | 'wasm'];
const engines: EngineAndDevice[] = [
  ['onnx', 'cpu'],
  ['tfjs', 'cpu'],
  ['tfjs', 'wasm'],
];
const classifiers = classifierVariants.filter(
  ({ architecture, sizes }) => architecture === linearAttentionClassifier && sizes.options?.['full'] === 0,
);

/** One step of size 1 from W: its loss and what it took away. */
async function step([name, device]: EngineAndDevice, { sizes }: Variant, W: Float32Array, batch: LabelledBatch) {
  const options = { device, architecture: linearAttentionClassifier, sizes, optimizer: plain, clipNorm: null };
  const engine = await createEngine(name, options);
  engine.loadState({ parameters: { key_query: W }, optimizer: {} });
  const { loss } = await engine.step(batch, engine.scalars(1, 0)).read();
  const next = (await engine.readState()).parameters['key_query']!;
  engine.dispose();
  return { loss, gradient: Float64Array.from(W, (value, i) => value - next[i]!) };
}

describe.each(classifiers)('$name', (variant) => {
  const batch = drawPromptsFor(variant, { batch: 9, context: 7, queries: 1 });
  const W = variant.parameters['key_query']!;

  test.each(engines)('%s on %s: value and gradient are those on paper', async (...engine) => {
    const [got, expected] = [await step(engine, variant, W, batch), onPaper(batch, W)];
    expectClose([got.loss], [expected.loss], { relative: 2e-6, absolute: 0 });
    // A difference of float32 weights of about 1.
    expectClose(got.gradient, expected.gradient, { relative: 1e-5, absolute: 3e-7 });
  });

  test.each(engines)('%s on %s: a sure and wrong model has a large loss and not an infinite one', async (...engine) => {
    const sure = W.map((value) => 3000 * value);
    const [got, expected] = [await step(engine, variant, sure, batch), onPaper(batch, sure)];
    expect(expected.loss).toBeGreaterThan(100);
    expectClose([got.loss], [expected.loss], { relative: 1e-5, absolute: 0 });
    // Weights of thousands are rounded to some 1e-4.
    expectClose(got.gradient, expected.gradient, { relative: 1e-3, absolute: 1e-3 });
  });

  test('knowing nothing loses log c', () => {
    const { zeroLoss } = lossFor({ name: 'cross-entropy' }, linearAttentionClassifier, variant.sizes);
    const { loss } = onPaper(batch, new Float32Array(W.length));
    expectClose([zeroLoss(batch)], [loss], { relative: 1e-12, absolute: 0 });
  });
});

test('a run whose loss is ten times that of knowing nothing has diverged', async () => {
  const { task, sizes } = classifiers[0]!;
  const config = smallConfig({
    task,
    model: { name: 'linear-attention-classifier', ...sizes },
    initialisation: { scheme: 'zero', options: {} },
    optimizer: { ...plain, learningRate: 1000 },
    schedule: { name: 'constant' },
    engine: 'onnx',
  });
  await expect(train({ folder: `${temporaryFolder()}/run`, config })).rejects.toThrow(
    /expected a loss below 6\.931 \(10 times .*\), got \d+.* at learning rate 1000/,
  );
});
