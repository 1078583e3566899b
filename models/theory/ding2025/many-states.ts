/**
 * The population risk of one layer on chains over S states as raw numbers 0 .. S-1, by Monte Carlo over kernels: given the kernel all
 * moments are exact, only their mean over Dirichlet kernels is sampled, as the paper itself does it.
 *
 * With V = diag(0, .., S-1), a state at time t1 to the power e1, one at t2 to e2 and so on, t1 < t2 < ..,
 *
 *   E[z_t1^e1 z_t2^e2 ..| P] = pi' P^t1 V^e1 P^(t2 - t1) V^e2 .. 1,   pi the law of the first state.
 *
 * Source: Ding et al. (2025), Lemma C.8.
 */
import { fillExponentials, type Generator } from '../../random.ts';
import { trianglePairs } from './features.ts';
import type { QuadraticRisk } from './moments.ts';
import { minimise, riskAt } from './quadratic.ts';

export interface ManyStatesLaw {
  readonly d: number;
  /** S */
  readonly states: number;
}

export interface SampledMinimum {
  readonly risk: number;
  /** From the spread over parts of the kernels. */
  readonly standardError: number;
}

/** E of a product of states at the given times (with repetitions) under a kernel, first state uniform. */
function productMoment(kernel: Float64Array, states: number, times: readonly number[]): number {
  let row = new Float64Array(states).fill(1 / states);
  const last = Math.max(...times);
  for (let t = 0; t <= last; t++) {
    if (t > 0) {
      const next = new Float64Array(states);
      for (let s = 0; s < states; s++) {
        for (let u = 0; u < states; u++) next[u] = next[u]! + row[s]! * kernel[s * states + u]!;
      }
      row = next;
    }
    for (const at of times) if (at === t) for (let s = 0; s < states; s++) row[s] = row[s]! * s;
  }
  return row.reduce((sum, value) => sum + value, 0);
}

/** The risk for one kernel drawn uniformly; n may be Infinity. */
function kernelRisk({ d, states }: ManyStatesLaw, n: number, kernel: Float64Array): QuadraticRisk {
  const pairs = trianglePairs(d);
  const m = pairs.length;
  const known = new Map<string, number>();
  const moment = (...times: readonly number[]): number => {
    const sorted = [...times].sort((a, b) => a - b);
    const key = sorted.join(' ');
    const found = known.get(key);
    if (found !== undefined) return found;
    const value = productMoment(kernel, states, sorted);
    known.set(key, value);
    return value;
  };
  const g = pairs.map((pair) => moment(...pair));
  const gg = pairs.map((pair, r) =>
    pairs.map((other, s) => moment(...pair, ...other) / n + (1 - 1 / n) * g[r]! * g[s]!),
  );
  const size = d * m;
  const h = Float64Array.from({ length: size }, (_, i) => moment(Math.floor(i / m), d) * g[i % m]!);
  const H = new Float64Array(size * size);
  for (let a = 0; a < d; a++) {
    for (let c = 0; c < d; c++) {
      const xx = moment(a, c);
      for (let r = 0; r < m; r++) {
        for (let s = 0; s < m; s++) H[(a * m + r) * size + c * m + s] = xx * gg[r]![s]!;
      }
    }
  }
  return { dimension: d, H, h, constant: moment(d, d) };
}

/** Mean risk over kernels number `first` to `first + count - 1`. */
export function sampledRisk(
  law: ManyStatesLaw,
  n: number,
  { generator, first, count }: { readonly generator: Generator; readonly first: number; readonly count: number },
): QuadraticRisk {
  const { states } = law;
  const draws = new Float32Array(states * states);
  let mean: QuadraticRisk | undefined;
  for (let k = first; k < first + count; k++) {
    fillExponentials(generator, { prompt: k, purpose: 2 }, draws, 0, draws.length);
    const kernel = Float64Array.from(draws, (value, i) => {
      const row = draws.subarray(i - (i % states), i - (i % states) + states);
      return value / row.reduce((sum, other) => sum + other, 0);
    });
    const risk = kernelRisk(law, n, kernel);
    mean = mean === undefined ? risk : added(mean, risk);
  }
  const scaled = (values: Float64Array) => values.map((value) => value / count);
  return { ...mean!, H: scaled(mean!.H), h: scaled(mean!.h), constant: mean!.constant / count };
}

function added(a: QuadraticRisk, b: QuadraticRisk): QuadraticRisk {
  for (let i = 0; i < a.H.length; i++) a.H[i] = a.H[i]! + b.H[i]!;
  for (let i = 0; i < a.h.length; i++) a.h[i] = a.h[i]! + b.h[i]!;
  return { ...a, constant: a.constant + b.constant };
}

/**
 * The least risk, free of the optimism of evaluating X* on the kernels it was fitted to: X* is from one half of the kernels, its risk is
 * the mean over parts of the other half. So its mean is slightly above f~*.
 */
export function sampledMinimum(law: ManyStatesLaw, n: number, generator: Generator, kernels = 2000): SampledMinimum {
  const parts = 10;
  const half = Math.floor(kernels / 2);
  const { X } = minimise(sampledRisk(law, n, { generator, first: 0, count: half }));
  const size = Math.floor(half / parts);
  const risks = Array.from({ length: parts }, (_, part) =>
    riskAt(sampledRisk(law, n, { generator, first: half + part * size, count: size }), X),
  );
  const mean = risks.reduce((sum, value) => sum + value, 0) / parts;
  const variance = risks.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (parts - 1);
  return { risk: mean, standardError: Math.sqrt(variance / parts) };
}
