/**
 * Chains of length 2 (D = 1): the quadratic risk in closed form, for independent and for correlated starts, and the layer
 * that realises its minimum, where there is one. Coordinates in the order (x x, x y, y y).
 * Source: Ding et al. (2025), Theorems 3.3 and 3.4, Example C.5. One printed restatement of h has p^2 as first entry: it is
 * p^2 / 2. H is not printed; its entries here were derived.
 */
import type { LayerFactors } from './features.ts';
import type { QuadraticRisk } from './moments.ts';
import { minimise } from './quadratic.ts';

/** What a law of the context's first states has to say: C1 = E sum_i x_i x / n and C2 = E sum_{i != j} x_i x_j x / n^2. */
export interface StartMoments {
  /** P(x = 1) of the query. */
  readonly p: number;
  readonly C1: number;
  readonly C2: number;
}

/** First states independent of one another and of the query's. */
export const independentStarts = (p: number, n: number): StartMoments => ({
  p,
  C1: p * p,
  C2: (1 - 1 / n) * p ** 3,
});

/** Given the query's first state x, the context's are 1 with probability g(x), independently; E.g. g(x) = (x - p)^2. */
export function correlatedStarts(p: number, n: number, g: (x: 0 | 1) => number): StartMoments {
  return { p, C1: p * g(1), C2: (1 - 1 / n) * p * g(1) ** 2 };
}

/** The law of Example C.5. */
export const squaredDistance =
  (p: number) =>
  (x: 0 | 1): number =>
    (x - p) ** 2;

/** H, h and E y^2 with n context chains, n may be Infinity. Source: Theorems 3.3 and 3.4. */
export function lengthTwoRisk({ p, C1, C2 }: StartMoments, n: number): QuadraticRisk {
  const k = 1 - 1 / n;
  const H11 = C1 / n + C2;
  const H13 = C1 / (2 * n) + (k * C1) / 2;
  const H22 = C1 / (2 * n) + C2 / 3;
  const H23 = C1 / (2 * n) + (k * C1 - C2) / 4 + C2 / 3;
  const H33 = p / (2 * n) + (k * p - 2 * k * C1 + C2) / 3 + (k * C1 - C2) / 2 + C2 / 3;
  const H = [H11, H11 / 2, H13, H11 / 2, H22, H23, H13, H23, H33];
  return {
    dimension: 1,
    H: Float64Array.from(H),
    h: Float64Array.of(C1 / 2, C1 / 3, p / 4 + C1 / 12),
    constant: 1 / 2,
  };
}

/** H of Theorem 3.3 in p and n directly: the case of independent starts. */
export function independentLengthTwoRisk(p: number, n: number): QuadraticRisk {
  const k = 1 - 1 / n;
  const H12 = p / (2 * n) + (k * p * p) / 2;
  const H13 = p / (2 * n) + (k * p) / 2;
  const H23 = p / (2 * n) + k * (p / 4 + (p * p) / 12);
  const H = [
    [p / n + k * p * p, H12, H13],
    [H12, p / (2 * n) + (k * p * p) / 3, H23],
    [H13, H23, 1 / (2 * n) + k * (1 / 3 - p / 6 + (p * p) / 6)],
  ];
  return {
    dimension: 1,
    H: Float64Array.from(H.flat(), (value) => p * value),
    h: Float64Array.of((p * p) / 2, (p * p) / 3, (p * p) / 12 + p / 4),
    constant: 1 / 2,
  };
}

/** The least risk as n grows: (1 - p) / 2 + p / 6, that of knowing p11 where x = 1 and answering 0 where x = 0. */
export const lengthTwoLimit = (p: number): number => (1 - p) / 2 + p / 6;

/** X2^2 - 4 X1 X3: a layer with phi(b, a) = X exists if it is 0 or more (or X = 0). */
export const discriminant = ([X1, X2, X3]: ArrayLike<number> & Iterable<number>): number => X2! * X2! - 4 * X1! * X3!;

/**
 * The layer b = (1, beta), a = (X1, X2 - beta X1), beta the root of X1 beta^2 - X2 beta + X3 = 0 of smaller magnitude.
 * Null where the discriminant is negative: short prompts, for which the theorem's choice does not exist and every layer's risk
 * is above f(X*). `bestLinearAttention` then finds the best one.
 * Source: Ding et al. (2025), Theorem 3.3, which does not test the sign.
 */
export function recoverLengthTwo(X: ArrayLike<number> & Iterable<number>): LayerFactors | null {
  const [X1, X2, X3] = X as unknown as [number, number, number];
  const square = discriminant(X);
  if (square < 0) return null;
  // The root without cancellation: 2 X3 / (X2 + sign(X2) sqrt(..)), which also covers X1 = 0.
  const divisor = X2 + (X2 < 0 ? -1 : 1) * Math.sqrt(square);
  if (divisor === 0) return X3 === 0 ? { b: [1, 0], A: [[X1], [X2]] } : { b: [0, 1], A: [[X2], [X3]] };
  const beta = (2 * X3) / divisor;
  return { b: [1, beta], A: [[X1], [X2 - beta * X1]] };
}

/** Fewest context chains from which on X* is realisable at this p. */
export function shortestRealisable(p: number): number {
  for (let n = 1; ; n++) if (discriminant(minimise(independentLengthTwoRisk(p, n)).X) >= 0) return n;
}
