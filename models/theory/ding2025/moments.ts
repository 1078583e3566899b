/**
 * The population risk of one layer on binary Markov chains, exactly, for every D: a quadratic in the enlarged parameters.
 *
 *   f(X) = E (<X, x (x) g> - y)^2 = E y^2 - 2 h' X + X' H X,   H = E_P[ E[x x'|P] (x) E[g g'|P] ],  h = E_P[ E[x y|P] (x) E[g|P] ]
 *
 * Query and context are independent given the kernel only, so the expectation over kernels stays outside the product.
 * (Taking it inside, as the paper's proof can be read, is wrong from D = 2 on.) Given the kernel, with m_t = P(s_t = 1) and
 * q_k = P(s_{t+k} = 1 | s_t = 1), states at times t1 < t2 < .. are all 1 with probability m_t1 q_{t2-t1} q_{t3-t2} ..;
 * since states are 0 or 1, all moments up to fourth order are such probabilities, and
 *
 *   E[G_kl G_k'l'] = (1/n) E[z_k z_l z_k' z_l'] + (1 - 1/n) E[z_k z_l] E[z_k' z_l'].
 *
 * Everything is a polynomial in (p01, p11), which are uniform on the unit square: tensor Gauss-Legendre with 2D + 3 nodes
 * is exact (the degree in each is at most 3D).
 * Source: Ding et al. (2025), Lemmas 3.1 and 3.2.
 */
import { UsageError } from '../../errors.ts';
import { gaussLegendre } from '../gauss-legendre.ts';
import { trianglePairs } from './features.ts';

/** Binary chains: states x_1 .. x_D, y; the first is 1 with probability p; p01 and p11 are uniform and independent. */
export interface ChainLaw {
  readonly d: number;
  readonly p: number;
}

/** A quadratic risk: constant - 2 h' X + X' H X. */
export interface QuadraticRisk {
  readonly dimension: number;
  /** `[D m]` */
  readonly h: Float64Array;
  /** `[D m, D m]`, symmetric. */
  readonly H: Float64Array;
  /** E y^2: the risk of predicting 0. */
  readonly constant: number;
}

/** Beyond this the matrix has 1200 columns and more. */
const LARGEST_DIMENSION = 12;

/** @throws {UsageError} naming d, p or n. */
export function checkLaw({ d, p }: ChainLaw, n: number): void {
  if (!Number.isInteger(d) || d < 1 || d > LARGEST_DIMENSION) {
    throw new UsageError({ where: 'd', expected: `a whole number from 1 to ${LARGEST_DIMENSION}`, got: String(d) });
  }
  if (!(p > 0 && p < 1)) {
    throw new UsageError({ where: 'p', expected: 'a probability above 0 and below 1', got: String(p) });
  }
  if (!(n >= 1)) throw new UsageError({ where: 'n', expected: '1 or more chains', got: String(n) });
}

/** What does not depend on n: H = single / n + (1 - 1/n) double. */
interface LawMoments {
  readonly single: Float64Array;
  readonly double: Float64Array;
  readonly h: Float64Array;
  readonly constant: number;
}

/** Probabilities m_t, t = 0 .. steps, and q_k, k = 0 .. steps, under a kernel. */
export function chainProbabilities(p: number, p01: number, p11: number, steps: number) {
  const m = [p];
  const q = [1];
  for (let t = 0; t < steps; t++) {
    m.push(p01 + (p11 - p01) * m[t]!);
    q.push(p01 + (p11 - p01) * q[t]!);
  }
  return { m, q };
}

/** Sets of at most four times, each once, and for two entries of the triangle the set of their times. */
function timeSets(d: number) {
  const pairs = trianglePairs(d);
  const sets: (readonly number[])[] = [];
  const numbers = new Map<number, number>();
  const numberOf = (times: readonly number[]): number => {
    const distinct = [...new Set(times)].sort((a, b) => a - b);
    const key = distinct.reduce((bits, t) => bits + 2 ** t, 0);
    if (!numbers.has(key)) {
      numbers.set(key, sets.length);
      sets.push(distinct);
    }
    return numbers.get(key)!;
  };
  const single = pairs.map((pair) => numberOf(pair));
  const joint = pairs.map((pair) => pairs.map((other) => numberOf([...pair, ...other])));
  const query = pairs.map(([k, l]) => single[pairs.findIndex(([a, b]) => a === k && b === l)]!);
  return { pairs, sets, single, joint, query };
}

const known = new Map<string, LawMoments>();

function lawMoments(law: ChainLaw): LawMoments {
  const key = `${law.d} ${law.p}`;
  const found = known.get(key);
  if (found !== undefined) return found;
  const computed = computeMoments(law);
  if (known.size >= 32) known.delete(known.keys().next().value!);
  known.set(key, computed);
  return computed;
}

function computeMoments({ d, p }: ChainLaw): LawMoments {
  const { pairs, sets, single, joint } = timeSets(d);
  const m = pairs.length;
  const size = d * m;
  const pairAt = (k: number, l: number) => single[pairs.findIndex(([a, b]) => a === k && b === l)]!;
  const result = { single: new Float64Array(size * size), double: new Float64Array(size * size) };
  const h = new Float64Array(size);
  let constant = 0;
  const { nodes, weights } = gaussLegendre(2 * d + 3);
  const values = new Float64Array(sets.length);
  for (const [i, p01] of nodes.entries()) {
    for (const [j, p11] of nodes.entries()) {
      const weight = weights[i]! * weights[j]!;
      const probabilities = chainProbabilities(p, p01, p11, d);
      for (const [s, times] of sets.entries()) {
        let product = probabilities.m[times[0]!]!;
        for (let t = 1; t < times.length; t++) product *= probabilities.q[times[t]! - times[t - 1]!]!;
        values[s] = product;
      }
      constant += weight * probabilities.m[d]!;
      for (let a = 0; a < d; a++) {
        const withResponse = weight * values[pairAt(a, d)]!;
        for (let r = 0; r < m; r++) h[a * m + r] = h[a * m + r]! + withResponse * values[single[r]!]!;
        for (let c = a; c < d; c++) {
          const factor = weight * values[pairAt(a, c)]!;
          for (let r = 0; r < m; r++) {
            const ofFirst = factor * values[single[r]!]!;
            const row = (a * m + r) * size + c * m;
            for (let s = r; s < m; s++) {
              result.single[row + s] = result.single[row + s]! + factor * values[joint[r]![s]!]!;
              result.double[row + s] = result.double[row + s]! + ofFirst * values[single[s]!]!;
            }
          }
        }
      }
    }
  }
  for (const matrix of [result.single, result.double]) symmetrise(matrix, d, m);
  return { ...result, h, constant };
}

/** Copies block (a, c), a <= c, upper triangle, to where symmetry puts it. */
function symmetrise(matrix: Float64Array, d: number, m: number): void {
  const size = d * m;
  for (let a = 0; a < d; a++) {
    for (let c = a; c < d; c++) {
      for (let r = 0; r < m; r++) {
        for (let s = r; s < m; s++) {
          const value = matrix[(a * m + r) * size + c * m + s]!;
          matrix[(a * m + s) * size + c * m + r] = value;
          matrix[(c * m + r) * size + a * m + s] = value;
          matrix[(c * m + s) * size + a * m + r] = value;
        }
      }
    }
  }
}

/**
 * The risk with n context chains; n may be Infinity.
 * @throws {UsageError} naming d, p or n.
 */
export function populationRisk(law: ChainLaw, n: number): QuadraticRisk {
  checkLaw(law, n);
  const { single, double, h, constant } = lawMoments(law);
  const share = 1 / n;
  return { dimension: law.d, H: single.map((value, i) => share * value + (1 - share) * double[i]!), h, constant };
}
