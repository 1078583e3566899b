/** Quadratic risks: their value, their minimiser, and linear systems of a positive semidefinite matrix. Float64, row-major. */
import type { QuadraticRisk } from './moments.ts';

/** constant - 2 h' X + X' H X. */
export function riskAt({ H, h, constant }: QuadraticRisk, X: ArrayLike<number>): number {
  const size = h.length;
  let value = constant;
  for (let i = 0; i < size; i++) {
    let row = 0;
    for (let j = 0; j < size; j++) row += H[i * size + j]! * X[j]!;
    value += X[i]! * (row - 2 * h[i]!);
  }
  return value;
}

export interface Minimum {
  readonly X: Float64Array;
  readonly risk: number;
  /** Rank of H in float64: all of its columns, unless n is infinite, where products of moments are dependent from D = 3 on. */
  readonly rank: number;
}

/** X* = H^-1 h (of several, one) and the least risk, constant - h' X*. */
export function minimise(risk: QuadraticRisk): Minimum {
  const { x, rank } = solveSemidefinite(risk.H, risk.h);
  return { X: x, risk: risk.constant - dot(risk.h, x), rank };
}

export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** A pivot below this share of the largest counts as 0, times the size: what rounding leaves of one. */
const SMALLEST_PIVOT = 4 * Number.EPSILON;

/**
 * x with M x = v, v in the range of M, by Cholesky's factors with pivots and one step of refinement. Where M is singular, the
 * coordinates without a pivot are 0.
 */
export function solveSemidefinite(M: Float64Array, v: Float64Array): { x: Float64Array; rank: number } {
  const size = v.length;
  const { factor, order, rank } = factorise(M, size);
  const solve = (right: Float64Array): Float64Array => {
    const z = Float64Array.from(order, (i) => right[i]!);
    for (let i = 0; i < rank; i++) {
      let sum = z[i]!;
      for (let k = 0; k < i; k++) sum -= factor[i * size + k]! * z[k]!;
      z[i] = sum / factor[i * size + i]!;
    }
    for (let i = rank - 1; i >= 0; i--) {
      let sum = z[i]!;
      for (let k = i + 1; k < rank; k++) sum -= factor[k * size + i]! * z[k]!;
      z[i] = sum / factor[i * size + i]!;
    }
    const x = new Float64Array(size);
    for (let i = 0; i < rank; i++) x[order[i]!] = z[i]!;
    return x;
  };
  const x = solve(v);
  const residual = v.map((value, i) => {
    let sum = value;
    for (let j = 0; j < size; j++) sum -= M[i * size + j]! * x[j]!;
    return sum;
  });
  const correction = solve(residual);
  return { x: x.map((value, i) => value + correction[i]!), rank };
}

/** Lower triangular L `[rank, rank]` with L L' = M[order, order], the largest remaining pivot first. */
function factorise(M: Float64Array, size: number) {
  const factor = new Float64Array(size * size);
  const order = Array.from({ length: size }, (_, i) => i);
  const left = Float64Array.from(order, (i) => M[i * size + i]!);
  const smallest = SMALLEST_PIVOT * size * Math.max(...left);
  for (let k = 0; k < size; k++) {
    let pivot = k;
    for (let i = k + 1; i < size; i++) if (left[order[i]!]! > left[order[pivot]!]!) pivot = i;
    if (!(left[order[pivot]!]! > smallest)) return { factor, order, rank: k };
    if (pivot !== k) {
      [order[k], order[pivot]] = [order[pivot]!, order[k]!];
      for (let j = 0; j < k; j++) {
        const value = factor[k * size + j]!;
        factor[k * size + j] = factor[pivot * size + j]!;
        factor[pivot * size + j] = value;
      }
    }
    const root = Math.sqrt(left[order[k]!]!);
    factor[k * size + k] = root;
    for (let i = k + 1; i < size; i++) {
      let sum = M[order[i]! * size + order[k]!]!;
      for (let j = 0; j < k; j++) sum -= factor[i * size + j]! * factor[k * size + j]!;
      const entry = sum / root;
      factor[i * size + k] = entry;
      left[order[i]!] = left[order[i]!]! - entry * entry;
    }
  }
  return { factor, order, rank: size };
}
