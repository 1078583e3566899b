/** The optimizers, read with float64 arrays, against implementations that share nothing with them. */
import { describe, expect, test } from 'vitest';
import { fromFlat, type NdArray, referenceOps } from '../../models/reference-ops.ts';
import { halfMeanSquare } from '../../train/losses.ts';
import {
  applyUpdate,
  createOptimizer,
  type OptimizerSpec,
  optimizers,
  type ParameterState,
} from '../../train/optimizers.ts';
import { expectClose, float64 } from '../tolerance.ts';

/** Gradients that change sign and size, so that every slot matters. */
const gradientsAt = (step: number): Record<string, number[]> => ({
  a: [Math.sin(step + 1), 0.3 * Math.cos(2 * step), -0.01],
  b: [step % 3 === 0 ? 5 : -0.2],
});
const start: Record<string, number[]> = { a: [0.5, -1, 2], b: [3] };
const names = ['a', 'b'];

function runOurs(spec: OptimizerSpec, rates: readonly number[], clipNorm: number | null) {
  const optimizer = createOptimizer(spec);
  const shapes = { a: [3], b: [1] };
  let states: Record<string, ParameterState<NdArray>> = Object.fromEntries(
    names.map((name) => [
      name,
      {
        parameter: fromFlat([start[name]!.length], start[name]!),
        slots: Object.fromEntries(
          optimizer.slots.map((slot) => [slot, fromFlat([start[name]!.length], new Float64Array(start[name]!.length))]),
        ),
      },
    ]),
  );
  const norms: number[] = [];
  rates.forEach((rate, step) => {
    const gradients = gradientsAt(step);
    const scalars = optimizer.scalars(rate, step);
    expect(Object.keys(scalars)).toEqual(optimizer.scalarNames);
    const updated = applyUpdate(referenceOps, optimizer, {
      states,
      gradients: Object.fromEntries(names.map((name) => [name, fromFlat([gradients[name]!.length], gradients[name]!)])),
      shapes,
      scalars: Object.fromEntries(Object.entries(scalars).map(([name, value]) => [name, fromFlat([], [value])])),
      clipNorm,
    });
    states = updated.states;
    norms.push(updated.gradientNorm.data[0]!);
  });
  return { values: names.flatMap((name) => [...states[name]!.parameter.data]), norms };
}

/** Both parameters as one vector; clipping by hand. */
function gradientVector(step: number, clipNorm: number | null): number[] {
  const all = names.flatMap((name) => gradientsAt(step)[name]!);
  const norm = Math.hypot(...all);
  return clipNorm !== null && norm > clipNorm ? all.map((g) => (g * clipNorm) / norm) : all;
}

/** Kingma and Ba, algorithm 1, as printed; with `weightDecay`, Loshchilov and Hutter's algorithm 2. */
function adamByTheBook(rates: readonly number[], clipNorm: number | null, weightDecay = 0): number[] {
  const [beta1, beta2, epsilon] = [0.9, 0.999, 1e-8];
  const theta = names.flatMap((name) => start[name]!);
  const m = theta.map(() => 0);
  const v = theta.map(() => 0);
  rates.forEach((alpha, step) => {
    const g = gradientVector(step, clipNorm);
    const t = step + 1;
    for (let i = 0; i < theta.length; i++) {
      m[i] = beta1 * m[i]! + (1 - beta1) * g[i]!;
      v[i] = beta2 * v[i]! + (1 - beta2) * g[i]! ** 2;
      const mHat = m[i]! / (1 - beta1 ** t);
      const vHat = v[i]! / (1 - beta2 ** t);
      theta[i] = theta[i]! - alpha * (mHat / (Math.sqrt(vHat) + epsilon) + weightDecay * theta[i]!);
    }
  });
  return theta;
}

const rates = Array.from({ length: 12 }, (_, step) => 0.1 / (1 + step));

describe.each([null, 1])('clipNorm %s', (clipNorm) => {
  test('Adam is the algorithm as printed', () => {
    const spec = { name: 'adam', learningRate: 1, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 } as const;
    expectClose(runOurs(spec, rates, clipNorm).values, adamByTheBook(rates, clipNorm), float64);
  });

  test.each([0, 0.3])('AdamW with weight decay %f is the algorithm as printed', (weightDecay) => {
    const spec = { name: 'adamw', learningRate: 1, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay } as const;
    expectClose(runOurs(spec, rates, clipNorm).values, adamByTheBook(rates, clipNorm, weightDecay), float64);
  });

  test.each([0, 0.8])('SGD with momentum %f is a running sum of gradients', (momentum) => {
    const theta = names.flatMap((name) => start[name]!);
    const velocity = theta.map(() => 0);
    rates.forEach((rate, step) => {
      gradientVector(step, clipNorm).forEach((g, i) => {
        velocity[i] = momentum * velocity[i]! + g;
        theta[i] = theta[i]! - rate * velocity[i]!;
      });
    });
    expectClose(runOurs({ name: 'sgd', learningRate: 1, momentum }, rates, clipNorm).values, theta, float64);
  });
});

test('the norm that is reported is that of the whole gradient before clipping', () => {
  const spec = { name: 'sgd', learningRate: 1, momentum: 0 } as const;
  const expected = rates.map((_, step) => Math.hypot(...gradientVector(step, null)));
  expectClose(runOurs(spec, rates, 0.01).norms, expected, float64);
});

test('a zero gradient is not clipped into NaN', () => {
  const optimizer = createOptimizer({ name: 'sgd', learningRate: 1, momentum: 0 });
  const { states, gradientNorm } = applyUpdate(referenceOps, optimizer, {
    states: { a: { parameter: fromFlat([2], [1, 2]), slots: {} } },
    gradients: { a: fromFlat([2], [0, 0]) },
    shapes: { a: [2] },
    scalars: { learningRate: fromFlat([], [0.5]) },
    clipNorm: 1,
  });
  expect([...states['a']!.parameter.data]).toEqual([1, 2]);
  expect(gradientNorm.data[0]).toBe(0);
});

test('the loss is half the mean squared error', () => {
  const loss = halfMeanSquare(referenceOps, fromFlat([3, 1], [1, 2, 3]), fromFlat([3, 1], [1, 0, 6]));
  expect(loss.data[0]).toBeCloseTo((0 + 4 + 9) / 6, 14);
});

test('SGD without momentum keeps nothing', () => {
  expect(createOptimizer({ name: 'sgd', learningRate: 1, momentum: 0 }).slots).toEqual([]);
  expect(optimizers.map(({ name }) => name)).toEqual(['sgd', 'adam', 'adamw']);
});

test('an unknown optimizer is refused', () => {
  expect(() => createOptimizer({ name: 'adm' } as unknown as OptimizerSpec)).toThrow('Did you mean adam?');
});
