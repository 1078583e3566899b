/** Every architecture trains; and its training step, gradient by gradient and node by node. */
import { describe, expect, test } from 'vitest';
import { probeProvider } from '../../infer/providers.ts';
import { openStatefulSession } from '../../infer/stateful-session.ts';
import { resolveSizes } from '../../models/architecture.ts';
import { architectureNamed, architectures } from '../../models/attention/index.ts';
import { createGenerator } from '../../models/random.ts';
import { createEngine } from '../../train/engines.ts';
import { prepareStep } from '../../train/graph-engine.ts';
import { losses } from '../../train/losses.ts';
import { buildTrainingStep } from '../../train/training-step.ts';
import {
  classifierVariants,
  drawPromptsFor,
  linearVariant,
  regression,
  variants,
} from '../models/attention/variants.ts';
import { requireOrSkip } from '../require.ts';
import { useSoftwareWebgpu } from '../software-webgpu.ts';
import { expectClose } from '../tolerance.ts';
import { referenceStep, runStep } from './step-fixtures.ts';
import { trained } from './trained-architectures.ts';

useSoftwareWebgpu();

const adamw = { name: 'adamw', learningRate: 0.05, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.1 } as const;
const momentum = { name: 'sgd', learningRate: 0.05, momentum: 0.9 } as const;

describe.each(variants)('$name', ({ architecture, sizes, parameters, task }) => {
  const description = { architecture, sizes, optimizer: momentum, clipNorm: null };
  const step = buildTrainingStep(description);
  const start = [
    Float32Array.from(step.parameters.flatMap(({ name }) => [...parameters[name]!])),
    new Float32Array(step.size),
  ];

  test('the gradient of the graph is that of float64, to 1e-5', async () => {
    const batch = drawPromptsFor({ task }, { batch: 6, context: 7, queries: 1 });
    const expected = referenceStep(step, description, start, batch, { learningRate: 0.1 });
    const actual = await runStep(step, description, start, batch, { learningRate: 0.1 });
    const size = expected.gradient.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    expectClose(actual.state[1]!, expected.gradient, { relative: 0, absolute: 1e-5 * size });
    expectClose([actual.loss], [expected.loss], { relative: 1e-5, absolute: 0 });
  });

  test.each(['cpu', 'wasm'] as const)('the gradient of TensorFlow.js on %s is that of float64', async (device) => {
    const batch = drawPromptsFor({ task }, { batch: 6, context: 7, queries: 1 });
    const expected = referenceStep(step, description, start, batch, { learningRate: 0.1 });
    const engine = await createEngine('tfjs', { ...description, device });
    engine.loadState({
      parameters,
      optimizer: {
        velocity: Object.fromEntries(
          Object.entries(parameters).map(([name, { length }]) => [name, new Float32Array(length)]),
        ),
      },
    });
    const { loss } = await engine.step(batch, { learningRate: 0.1 }).read();
    const { optimizer } = await engine.readState();
    engine.dispose();
    const size = expected.gradient.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const gradient = step.parameters.flatMap(({ name }) => [...optimizer['velocity']![name]!]);
    expectClose(gradient, expected.gradient, { relative: 0, absolute: 1e-5 * size });
    expectClose([loss], [expected.loss], { relative: 1e-5, absolute: 0 });
  });
});

const webgpu = await probeProvider('webgpu');

describe.runIf(requireOrSkip('webgpu', webgpu.available, webgpu.detail))('on WebGPU', () => {
  // The engine's session refuses a graph of which any node would run elsewhere.
  test('every node of every training step is placed there', { timeout: 120_000 }, async () => {
    const contextLength = 5;
    const schedule = { spec: { name: 'cosine', warmup: 0.1, final: 0 }, steps: 7 } as const;
    for (const { architecture, sizes } of [linearVariant, ...variants]) {
      for (const loss of losses.filter(({ missing }) => missing(architecture, sizes) === null)) {
        const options = {
          architecture,
          sizes,
          optimizer: adamw,
          clipNorm: 1,
          loss: { name: loss.name },
          contextLength,
          schedule,
        };
        const { graph, step } = prepareStep(options);
        expect(step.step).not.toBeNull();
        const session = await openStatefulSession(graph, { provider: 'webgpu', threads: 1 });
        await session.close();
      }
    }
  });

  const chosen = [...variants.filter((_, i) => [1, 2, 5].includes(i)), ...classifierVariants];
  test.each(chosen)(
    'and computes what the processor does: $name',
    { timeout: 120_000 },
    async ({ architecture, sizes, parameters, task }) => {
      const losses: number[][] = [];
      for (const device of ['cpu', 'webgpu'] as const) {
        const engine = await createEngine('onnx', {
          device,
          architecture,
          sizes,
          optimizer: { ...momentum, momentum: 0 },
          clipNorm: 1,
        });
        engine.loadState({ parameters, optimizer: {} });
        const reports: number[] = [];
        for (let at = 0; at < 3; at++) {
          const batch = drawPromptsFor({ task }, { batch: 4, context: 5, queries: 1 }, at);
          reports.push((await engine.step(batch, engine.scalars(0.05, at)).read()).loss);
        }
        engine.dispose();
        losses.push(reports);
      }
      expectClose(losses[1]!, losses[0]!, { relative: 1e-5, absolute: 1e-6 });
    },
  );
});

test('every architecture is among those that are trained here', () => {
  expect(Object.keys(trained)).toEqual(architectures.map(({ name }) => name));
});

test.each(Object.entries(trained))('%s learns: 200 steps on one batch cut its loss', async (name, choice) => {
  const { options, scheme, learningRate, task = regression(2) } = choice;
  const architecture = architectureNamed(name);
  const { dimension } = task;
  const sizes = resolveSizes('test', architecture, { dimension, ...(options === undefined ? {} : { options }) });
  const start = architecture.initSchemes.find((one) => one.name === (scheme ?? 'generic'))!;
  const parameters = start.initialise(sizes, start.defaults, createGenerator(3, 2));
  const batch = drawPromptsFor({ task }, { batch: 8, context: 5, queries: 1 });
  const adam = { name: 'adam', learningRate: 4 * learningRate, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 } as const;
  const engine = await createEngine('onnx', { device: 'cpu', architecture, sizes, optimizer: adam, clipNorm: null });
  const zeros = Object.fromEntries(
    Object.entries(parameters).map(([key, { length }]) => [key, new Float32Array(length)]),
  );
  engine.loadState({ parameters, optimizer: { firstMoment: zeros, secondMoment: zeros } });
  const losses: number[] = [];
  for (let at = 0; at < 200; at++) {
    losses.push((await engine.step(batch, engine.scalars(adam.learningRate, at)).read()).loss);
  }
  engine.dispose();
  expect(losses.at(-1)! / losses[0]!).toBeLessThan(choice.left ?? 0.6);
});
