/** Theorem 4.1: layers as descent on R1 and R2; the objectives' Jacobians; the Pareto front of R1. */
import { expect, test } from 'vitest';
import { multilayerLinearAttention } from '../../../../models/attention/multilayer-linear-attention.ts';
import { referencePrediction } from '../../../../models/reference-ops.ts';
import {
  descentLayer,
  descentPath,
  descentStep,
  frontDistance,
  jacobian1,
  jacobian2,
  leastSquaresWeights,
  objectives1,
  objectives2,
  type PromptContext,
  phi,
  promptFeatures,
} from '../../../../models/theory/ding2025.ts';
import { expectClose, float64 } from '../../../tolerance.ts';
import { normals, randomChains, randomLayer, randomMatrix, uniforms } from './fixtures.ts';

function randomPrompt(number: number, n: number, d: number): PromptContext & { readonly query: number[] } {
  const [query, ...chains] = randomChains(number, n + 1, d + 1, 0.5, 0.4, 0.7);
  return { x: chains.map((z) => z.slice(0, d)), y: chains.map((z) => z[d]!), query: query!.slice(0, d) };
}

/** P_l = [0; b'] and Q_l = [A, 0] as parameters of the full model. */
function fullParameters(layers: readonly { b: readonly number[]; A: readonly (readonly number[])[] }[]) {
  return Object.fromEntries(
    layers.flatMap(({ b, A }, l) => [
      [`projection_value_${l}`, Float64Array.from([...new Array((b.length - 1) * b.length).fill(0), ...b])],
      [`key_query_${l}`, Float64Array.from(A.flatMap((row) => [...row, 0]))],
    ]),
  );
}

/** The model on one prompt. */
function predict(
  parameters: Record<string, Float64Array>,
  { x, y, query }: PromptContext & { readonly query: readonly number[] },
  options: Record<string, number>,
): number {
  const batch = {
    batch: 1,
    context: y.length,
    queries: 1,
    dimension: query.length,
    covariates: Float32Array.from(x.flat()),
    responses: Float32Array.from(y),
    query: Float32Array.from(query),
    classes: 0,
  };
  return referencePrediction(multilayerLinearAttention, parameters, { dimension: query.length, options }, batch)[0]!;
}

test('one layer of the full model is b G A x, whatever stands in its other entries', () => {
  for (const d of [1, 3]) {
    const prompt = randomPrompt(d, 7, d);
    const layer = randomLayer(20 + d, d);
    const features = promptFeatures(
      prompt.x.map((row, i) => [...row, prompt.y[i]!]),
      prompt.query,
    );
    const expected = phi(layer).reduce((sum, value, i) => sum + value * features[i]!, 0);
    const sparse = fullParameters([layer]);
    const dense = {
      projection_value_0: sparse['projection_value_0']!.map((value, i) =>
        i < d * (d + 1) ? normals(i, 1)[0]! : value,
      ),
      key_query_0: sparse['key_query_0']!.map((value, i) => (i % (d + 1) === d ? normals(50 + i, 1)[0]! : value)),
    };
    for (const parameters of [sparse, dense]) {
      expect(predict(parameters, prompt, { layers: 1, outputSign: 1 })).toBeCloseTo(expected, 11);
    }
  }
});

test('Theorem 4.1: after each layer the query’s slot is -<w_l, x>, and with the other sign the prediction is +', () => {
  const [d, n, L] = [4, 7, 4];
  const prompt = randomPrompt(3, n, d);
  const layers = Array.from({ length: L }, (_, l) => {
    const { b, A } = randomLayer(30 + l, d);
    return { b: b.map((value) => value / 2), A: A.map((row) => row.map((value) => value / 2)) };
  });
  const path = descentPath(
    prompt,
    layers.map(({ b, A }) => descentLayer(b, A)),
  );
  expect(path[0]).toEqual(new Array(d).fill(0));
  for (let l = 1; l <= L; l++) {
    const inner = path[l]!.reduce((sum, w, i) => sum + w * prompt.query[i]!, 0);
    const slot = predict(fullParameters(layers.slice(0, l)), prompt, { layers: l, outputSign: 1 });
    expect(Math.abs(slot + inner)).toBeLessThan(1e-9 * Math.max(1, Math.abs(inner)));
    expect(predict(fullParameters(layers.slice(0, l)), prompt, { layers: l, outputSign: -1 })).toBe(-slot);
  }
});

test('the Jacobians are those of finite differences, and have the columns that the recursion uses', () => {
  const [d, n] = [4, 9];
  const prompt = randomPrompt(5, n, d);
  const w = normals(60, d);
  const numeric = (of: (w: readonly number[]) => number[]) =>
    of(w).map((_, k) =>
      w.map((value, i) => (of(w.with(i, value + 1e-5))[k]! - of(w.with(i, value - 1e-5))[k]!) / 2e-5),
    );
  const tolerance = { relative: 1e-7, absolute: 1e-8 }; // central differences of cubics with step 1e-5
  expectClose(jacobian1(prompt, w).flat(), numeric((v) => objectives1(prompt, v)).flat(), tolerance);
  expectClose(jacobian2(prompt, w).flat(), numeric((v) => objectives2(prompt, v)).flat(), tolerance);
  const r = prompt.x.map((row, j) => prompt.y[j]! - row.reduce((sum, value, i) => sum + value * w[i]!, 0));
  const moment = (u: readonly number[], i: number) =>
    -u.reduce((sum, value, j) => sum + value * (i < d ? prompt.x[j]![i]! : r[j]!), 0) / n;
  const last = Array.from({ length: d + 1 }, (_, i) => moment(r, i));
  expectClose(
    jacobian2(prompt, w).map((row) => row.at(-1)!),
    last,
    float64,
  );
  expectClose(jacobian1(prompt, w).at(-1)!, last.slice(0, d), float64);
});

test('a step is w + b G [Abar; a]', () => {
  const [d, n] = [3, 6];
  const prompt = randomPrompt(8, n, d);
  const w = normals(70, d);
  const layer = { b: normals(71, d + 1), Abar: randomMatrix(72, d, d), a: normals(73, d) };
  const z = prompt.x.map((row, j) => [...row, prompt.y[j]! - row.reduce((sum, value, i) => sum + value * w[i]!, 0)]);
  const bG = layer.b.map(
    (_, k) => z.reduce((sum, row) => sum + row[k]! * row.reduce((s, value, i) => s + value * layer.b[i]!, 0), 0) / n,
  );
  const columns = [...layer.Abar, layer.a];
  const expected = w.map((value, i) => value + bG.reduce((sum, entry, k) => sum + entry * columns[k]![i]!, 0));
  expectClose(descentStep(prompt, w, layer), expected, float64);
});

test('a query of zeros is answered by exactly 0 at any depth', () => {
  const prompt = { ...randomPrompt(9, 7, 3), query: [0, 0, 0] };
  for (const layers of [1, 2, 4]) {
    const parameters = Object.fromEntries(
      Array.from({ length: 2 * layers }, (_, i) => [
        `${i % 2 === 0 ? 'projection_value' : 'key_query'}_${Math.floor(i / 2)}`,
        Float64Array.from(normals(80 + i, 16)),
      ]),
    );
    expect(Math.abs(predict(parameters, prompt, { layers, outputSign: 1 }))).toBe(0);
  }
});

test('the front of R1 is every w above least squares: nothing sampled dominates it, something dominates all else', () => {
  const d = 3;
  const prompt = randomPrompt(11, 40, d);
  const corner = leastSquaresWeights(prompt).w;
  const on = corner.map((value, i) => value + uniforms(12, d)[i]!);
  const dominates = (a: readonly number[], b: readonly number[]) => a.every((value, k) => value <= b[k]! - 1e-12);
  const samples = Array.from({ length: 4000 }, (_, s) => normals(1000 + s, d).map((value, i) => on[i]! + 0.3 * value));
  const value = objectives1(prompt, on);
  expect(samples.some((w) => dominates(objectives1(prompt, w), value))).toBe(false);
  expect(frontDistance(prompt, on)).toBe(0);

  const off = [corner[0]! - 0.3, corner[1]! + 0.1, corner[2]! - 0.2];
  const offValue = objectives1(prompt, off);
  const near = Array.from({ length: 4000 }, (_, s) => normals(6000 + s, d).map((step, i) => off[i]! + 0.1 * step));
  expect(near.some((w) => dominates(objectives1(prompt, w), offValue))).toBe(true);
  // No point of the front that random search finds is nearer.
  const distance = frontDistance(prompt, off);
  const distances = samples.map((w) => {
    const v = w.map((entry, i) => Math.max(entry, corner[i]!));
    return Math.hypot(...objectives1(prompt, v).map((entry, k) => entry - offValue[k]!));
  });
  expect(distance).toBeGreaterThan(0.01);
  expect(distance).toBeLessThanOrEqual(Math.min(...distances) + 1e-12);
});
