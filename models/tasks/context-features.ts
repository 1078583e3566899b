/**
 * What reduced linear attention sees of a context, drawn without drawing the context. The layer predicts <Gamma, x_q h^T)>, so
 * of l pairs only
 *   h = ((d/l) sum_i y_i x_i ; (1/l) sum_i y_i^2)
 * reaches it, and its law given the task w is known: with theta^2 = ||w||^2 / d, v = theta^2 + rho, c = 1 - sqrt(rho / v),
 *   s = v chi^2_l  (= sum y_i^2),   z = (g - c (g . w_hat) w_hat) / sqrt(d),  g ~ N(0, I),
 *   sum_i y_i x_i = s w / (d v) + sqrt(s) z
 * by Gaussian conditioning of the covariates on the responses. O(d) per context, whatever l; exact in law.
 * Source: Lu et al. (2025), their code draws the same by reflections.
 */
import { fillExponentialsForPrompts, fillNormalsForPrompts, type Generator } from '../random.ts';
import { drawBank, type LinearRegressionBankSpec, normalsToTasks } from './linear-regression-bank.ts';

export interface FeatureRequest {
  readonly task: LinearRegressionBankSpec;
  /** l */
  readonly contextLength: number;
  /** `balanced`: context number i has task i mod k; `uniform`: any, with replacement. */
  readonly design: 'balanced' | 'uniform';
  readonly generator: Generator;
  /** Number of the first context in the generator's stream. */
  readonly first: number;
  /** How many. */
  readonly count: number;
}

/** Where features go: row i of x begins at i * xStride. */
export interface FeatureRows {
  /** x_q, `[count, d]`. */
  readonly x: Float64Array;
  readonly xStride: number;
  /** h, `[count, d + 1]`. */
  readonly h: Float64Array;
  readonly hStride: number;
  /** y_q. */
  readonly y: Float64Array;
}

const purposes = {
  taskVector: 0,
  direction: 1,
  query: 2,
  queryNoise: 3,
  index: 4,
  gammaNormal: 5,
  gammaTest: 6,
} as const;

/** Contexts whose normals are drawn at once. */
const CHUNK = 512;

/** Attempts at a chi-square number that are drawn beforehand: more than one is needed in 1 of 20 at worst. */
const ATTEMPTS = 4;

/** Fills rows with fresh contexts' features and their query's response. */
export function fillContextFeatures(request: FeatureRequest, out: FeatureRows): void {
  const { task, contextLength: l, design, generator, first, count } = request;
  const { dimension: d, tasks, noiseVariance: rho } = task;
  const bank = tasks === null ? undefined : drawBank(task);
  const w = new Float32Array(CHUNK * d);
  const g = new Float32Array(CHUNK * d);
  const query = new Float32Array(CHUNK * d);
  const noise = new Float32Array(CHUNK);
  const index = new Float32Array(CHUNK);
  const chi = createChiSquare(l, generator);
  const { x, xStride, h, hStride, y } = out;
  const root = Math.sqrt(d);
  for (let start = 0; start < count; start += CHUNK) {
    const rows = Math.min(CHUNK, count - start);
    const prompt = first + start;
    const draw = (purpose: number, values: Float32Array, each: number) =>
      fillNormalsForPrompts(generator, { prompt, purpose }, rows, values, each);
    if (bank === undefined) {
      draw(purposes.taskVector, w, d);
      normalsToTasks(task, w, rows);
    } else if (design === 'uniform') {
      fillExponentialsForPrompts(generator, { prompt, purpose: purposes.index }, rows, index, 1);
    }
    draw(purposes.direction, g, d);
    draw(purposes.query, query, d);
    draw(purposes.queryNoise, noise, 1);
    chi.start(prompt, rows);
    for (let r = 0; r < rows; r++) {
      const tasksOf = bank ?? w;
      const chosen = design === 'balanced' ? (prompt + r) % (tasks ?? 1) : uniformIndex(index[r]!, tasks ?? 1);
      const at = (bank === undefined ? r : chosen) * d;
      let squares = 0;
      let along = 0;
      let response = 0;
      const row = start + r;
      for (let j = 0; j < d; j++) {
        const weight = tasksOf[at + j]!;
        const entry = query[r * d + j]! / root;
        squares += weight * weight;
        along += g[r * d + j]! * weight;
        response += entry * weight;
        x[row * xStride + j] = entry;
      }
      y[row] = response + Math.sqrt(rho) * noise[r]!;
      const variance = squares / d + rho;
      const s = variance * chi.next(r);
      const shrink = (1 - Math.sqrt(rho / variance)) * (along / squares);
      const scale = Math.sqrt(s / d) * (d / l);
      const mean = s / (l * variance);
      for (let j = 0; j < d; j++) {
        const weight = tasksOf[at + j]!;
        h[row * hStride + j] = mean * weight + scale * (g[r * d + j]! - shrink * weight);
      }
      h[row * hStride + d] = s / l;
    }
  }
}

/** 0 .. k - 1, each as likely, from an exponential draw: exp(-E) is uniform on (0, 1]. */
const uniformIndex = (e: number, k: number): number => Math.min(k - 1, Math.floor(k * Math.exp(-e)));

/**
 * chi^2_l = 2 Gamma(l/2) numbers by rejection: with a = l/2 - 1/3, c = 1 / (3 sqrt a), v = (1 + c x)^3 for a normal x, the
 * number a v is taken if an exponential draw exceeds a v - a - a ln v - x^2/2. One degree of freedom is a square instead.
 * Source: Marsaglia and Tsang (2000), "A simple method for generating gamma variables".
 */
function createChiSquare(l: number, generator: Generator) {
  const a = l / 2 - 1 / 3;
  const c = 1 / (3 * Math.sqrt(a));
  const normals = new Float32Array(CHUNK * ATTEMPTS);
  const tests = new Float32Array(CHUNK * ATTEMPTS);
  let firstPrompt = 0;
  const accepted = (x: number, test: number): number | undefined => {
    const v = (1 + c * x) ** 3;
    if (v <= 0) return undefined;
    return test > a * v - a - a * Math.log(v) - 0.5 * x * x ? 2 * a * v : undefined;
  };
  /** Attempts after the first few of a prompt: a longer row begins with the shorter one's numbers. */
  function retry(prompt: number): number {
    for (let attempts = 2 * ATTEMPTS; ; attempts *= 2) {
      const x = new Float32Array(attempts);
      const e = new Float32Array(attempts);
      fillNormalsForPrompts(generator, { prompt, purpose: purposes.gammaNormal }, 1, x, attempts);
      fillExponentialsForPrompts(generator, { prompt, purpose: purposes.gammaTest }, 1, e, attempts);
      for (let i = attempts / 2; i < attempts; i++) {
        const value = accepted(x[i]!, e[i]!);
        if (value !== undefined) return value;
      }
    }
  }
  return {
    /** Draws for a chunk of prompts. */
    start(prompt: number, rows: number): void {
      firstPrompt = prompt;
      fillNormalsForPrompts(generator, { prompt, purpose: purposes.gammaNormal }, rows, normals, ATTEMPTS);
      if (l > 1) fillExponentialsForPrompts(generator, { prompt, purpose: purposes.gammaTest }, rows, tests, ATTEMPTS);
    },
    /** The number of the chunk's prompt r. */
    next(r: number): number {
      if (l === 1) return normals[r * ATTEMPTS]! ** 2;
      for (let i = r * ATTEMPTS; i < (r + 1) * ATTEMPTS; i++) {
        const value = accepted(normals[i]!, tests[i]!);
        if (value !== undefined) return value;
      }
      return retry(firstPrompt + r);
    },
  };
}
