/** Gaussian mixtures drawn pair by pair, and what a classifier W = w I does on them: shares no formula with the theory. */
import { createGenerator, fillNormals } from '../../../models/random.ts';
import { uniformRule } from '../../../models/theory/gauss-quadrature.ts';
import type { WeightedTask } from '../../../models/theory/shen2024.ts';

export interface SimulatedMixture {
  readonly dimension: number;
  readonly classes: number;
  readonly radius: number;
  readonly N: number;
  readonly prompts: number;
  readonly seed: number;
}

interface Form {
  scalar: number;
  symmetric: number;
  antisymmetric: number;
}

/** How a direction of W (entry 00 alone has a share of several) shows the three eigenvalues: see `direction` below. */
function add(form: Form, along: (i: number, j: number) => number, d: number): void {
  // <I, H I>/d, <(E01 + E10), H ..>/2, <(E01 - E10), H ..>/2 with H_(ij)(kl) = q_j q_l (P^T J P)_ik given entry-wise.
  form.scalar += along(-1, -1) / d;
  form.symmetric += along(0, 1) / 2;
  form.antisymmetric += along(1, 0) / 2;
}

/** d/dw of the cross-entropy at W = w I with drawn labels, the Hessian there and its bound with J = I / 2 (1/4 for c = 2). */
export function simulateMixture(mixture: SimulatedMixture, w: number) {
  const { dimension: d, classes: c, radius, N, prompts, seed } = mixture;
  const generator = createGenerator(seed, 77);
  const perPrompt = (c + N + 1) * d;
  const normals = new Float32Array(perPrompt + 2 * (N + 1));
  let [sum, squares] = [0, 0];
  const hessian: Form = { scalar: 0, symmetric: 0, antisymmetric: 0 };
  const bound: Form = { scalar: 0, symmetric: 0, antisymmetric: 0 };
  for (let b = 0; b < prompts; b++) {
    fillNormals(generator, { prompt: b, purpose: 0 }, normals, 0, normals.length);
    const means = Array.from({ length: c }, (_, k) => {
      const g = [...normals.subarray(k * d, (k + 1) * d)];
      const norm = Math.hypot(...g);
      return g.map((value) => (radius * value) / norm);
    });
    const label = (i: number) => {
      const angle = Math.atan2(normals[perPrompt + 2 * i]!, normals[perPrompt + 2 * i + 1]!) / (2 * Math.PI) + 0.5;
      return Math.min(c - 1, Math.floor(angle * c));
    };
    const p = means.map(() => new Array<number>(d).fill(0));
    for (let i = 0; i < N; i++) {
      const y = label(i);
      for (let j = 0; j < d; j++) p[y]![j]! += (means[y]![j]! + normals[(c + i) * d + j]!) / N;
    }
    const yq = label(N);
    const q = means[yq]!.map((value, j) => value + normals[(c + N) * d + j]!);
    const s = p.map((row) => row.reduce((total, value, j) => total + value * q[j]!, 0));
    const yhat = s.map((value) => Math.exp(w * value));
    const total = yhat.reduce((x, y) => x + y, 0);
    const chances = yhat.map((value) => value / total);
    const slope = chances.reduce((x, value, k) => x + (value - (k === yq ? 1 : 0)) * s[k]!, 0);
    sum += slope;
    squares += slope * slope;
    // Scores that change when W moves along I (-1, -1), along E01 + E10 (0, 1), along E01 - E10 (1, 0).
    const change = (i: number, j: number) =>
      p.map((row, k) => {
        if (i === -1) return s[k]!;
        return i === 0 && j === 1 ? row[0]! * q[1]! + row[1]! * q[0]! : row[0]! * q[1]! - row[1]! * q[0]!;
      });
    const variance = (v: number[]) => {
      const mean = v.reduce((x, value, k) => x + chances[k]! * value, 0);
      return v.reduce((x, value, k) => x + chances[k]! * (value - mean) ** 2, 0);
    };
    const half = (v: number[]) =>
      c === 2 ? (v[1]! - v[0]!) ** 2 / 4 : v.reduce((x, value) => x + value * value, 0) / 2;
    add(hessian, (i, j) => variance(change(i, j)), d);
    add(bound, (i, j) => half(change(i, j)), d);
  }
  const mean = sum / prompts;
  const over = (form: Form): Form => ({
    scalar: form.scalar / prompts,
    symmetric: form.symmetric / prompts,
    antisymmetric: form.antisymmetric / prompts,
  });
  const standardError = Math.sqrt((squares / prompts - mean ** 2) / prompts);
  return { mean, standardError, hessian: over(hessian), bound: over(bound) };
}

export interface CircleTasks {
  readonly covariance: readonly (readonly number[])[];
  readonly radius: number;
  readonly first: readonly [number, number];
  /** How far the second mean's angle is from the first's. */
  readonly further: readonly [number, number];
}

/** Tasks in the plane whose whitened means have uniform angles, as 24 x 24 quadrature nodes. */
export function uniformCircleTasks({ covariance, radius, first, further }: CircleTasks): WeightedTask[] {
  const [[a, b], [, c]] = covariance as [[number, number], [number, number]];
  const factor = [Math.sqrt(a), b / Math.sqrt(a), Math.sqrt(c - (b * b) / a)] as const;
  const mean = (angle: number) => {
    const [x, y] = [radius * Math.cos(angle), radius * Math.sin(angle)];
    return [factor[0] * x, factor[1] * x + factor[2] * y];
  };
  const [angles, steps] = [uniformRule(24, ...first), uniformRule(24, ...further)];
  return angles.nodes.flatMap((angle, i) =>
    steps.nodes.map((step, j) => ({
      means: [mean(angle), mean(angle + step)] as const,
      weight: angles.weights[i]! * steps.weights[j]!,
    })),
  );
}
