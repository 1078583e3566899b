/**
 * Ridge regression of y on x (x) h:
 *   G = argmin sum_i (y_i - x_i^T G h_i)^2 + penalty ||G||_F^2
 * by the way that costs least here.
 */
import { UsageError } from '../../models/errors.ts';
import { solveByGradients } from './conjugate-gradients.ts';
import { solveDual, solvePrimal } from './dense.ts';
import type { BilinearRows, RowSizes } from './rows.ts';

export const fitMethods = ['primal', 'dual', 'conjugate-gradients'] as const;
export type FitMethod = (typeof fitMethods)[number];

export interface FitOptions {
  readonly method: FitMethod | 'auto';
  /** Of conjugate gradients: norm of the residual over that of the right-hand side. */
  readonly tolerance: number;
  /** Bytes that a dense system may take. */
  readonly memory: number;
  readonly signal?: AbortSignal | undefined;
}

export const fitDefaults: FitOptions = { method: 'auto', tolerance: 1e-8, memory: 2 ** 30 };

export interface BilinearFit {
  /** G, `[columns, width]`, row by row. */
  readonly matrix: Float64Array;
  /** Mean squared error on the rows, without the penalty. */
  readonly trainRisk: number;
  readonly method: FitMethod;
  /** 0 for the dense methods. */
  readonly iterations: number;
}

/** What a method would cost. */
export interface FitCost {
  readonly method: FitMethod;
  /** Seconds on one core, by order of magnitude. */
  readonly seconds: number;
  /** Bytes besides the rows. */
  readonly bytes: number;
  /** Additions and multiplications. */
  readonly operations: number;
}

/** Operations a second, measured on one core of 2.3 GHz: the SIMD passes, and Cholesky factors in typed arrays. */
const rates = { passes: 12e9, dense: 2e9 } as const;

/** More are never needed where an answer is possible at all. */
const MOST_ITERATIONS = 20_000;

/**
 * Iterations to a tolerance, from the edges of the Marchenko-Pastur law for n rows and p unknowns: the condition number is
 * ((1 + sqrt t)^2 + s) / ((1 - sqrt t)^2 + s), t = min(n/p, p/n), s the penalty over the matrix's mean entry on the diagonal.
 * Unpreconditioned the spread of h's covariance comes on top: three times as many, by experience.
 */
export function expectedIterations({ rows, columns, width }: RowSizes, ridge: number, tolerance: number): number {
  const ratio = rows / (columns * width);
  const t = Math.min(ratio, 1 / ratio);
  const condition = ((1 + Math.sqrt(t)) ** 2 + ridge) / ((1 - Math.sqrt(t)) ** 2 + ridge + 1e-12);
  const iterations = 0.5 * Math.sqrt(condition) * Math.log(2 / tolerance);
  return Math.ceil(ratio < 1 ? 3 * iterations : iterations);
}

/** The three costs. @param ridge the penalty over the mean of the normal equations' diagonal. */
export function fitCosts(sizes: RowSizes, ridge: number, tolerance: number): readonly FitCost[] {
  const { rows: n, columns, width } = sizes;
  const p = columns * width;
  const cost = (method: FitMethod, operations: number, bytes: number, rate: number): FitCost => ({
    method,
    seconds: operations / rate,
    bytes,
    operations,
  });
  return [
    cost('primal', n * p * p + p ** 3 / 3, 8 * p * p, rates.dense),
    cost('dual', n * n * (columns + width) + n ** 3 / 3, 8 * n * n, rates.dense),
    cost('conjugate-gradients', 4 * n * p * expectedIterations(sizes, ridge, tolerance), 48 * p, rates.passes),
  ];
}

/** Mean of the diagonal of sum_i vec(x_i h_i^T) vec(x_i h_i^T)^T. */
function meanDiagonal(rows: BilinearRows): number {
  const { rows: n, columns, width } = rows.sizes;
  const { x, h, xStride, hStride } = rows;
  let total = 0;
  for (let i = 0; i < n; i++) {
    let xx = 0;
    for (let c = 0; c < columns; c++) xx += x[i * xStride + c]! ** 2;
    let hh = 0;
    for (let c = 0; c < width; c++) hh += h[i * hStride + c]! ** 2;
    total += xx * hh;
  }
  return total / (columns * width);
}

/**
 * Fits G to the rows.
 * @throws {UsageError} on a negative penalty. @throws {DataError} if a dense system is singular.
 * @throws {TrainingError} if conjugate gradients do not converge.
 */
export function fitBilinearRidge(rows: BilinearRows, penalty: number, options: Partial<FitOptions> = {}): BilinearFit {
  const { method, tolerance, memory, signal } = { ...fitDefaults, ...options };
  if (!(penalty >= 0 && Number.isFinite(penalty))) {
    throw new UsageError({ where: 'penalty', expected: 'a number, 0 or more', got: String(penalty) });
  }
  const chosen = method === 'auto' ? cheapest(rows, penalty, tolerance, memory) : method;
  const { matrix, iterations } = solve(chosen, rows, penalty, tolerance, signal);
  const { rows: n, columns, width } = rows.sizes;
  const { hStride, y } = rows;
  const fitted = new Float64Array(n);
  rows.predict(matrix, fitted);
  let squares = 0;
  for (let i = 0; i < n; i++) squares += (y[i]! - fitted[i]!) ** 2;
  const dense = new Float64Array(columns * width);
  for (let c = 0; c < columns; c++) dense.set(matrix.subarray(c * hStride, c * hStride + width), c * width);
  return { matrix: dense, trainRisk: squares / n, method: chosen, iterations };
}

function cheapest(rows: BilinearRows, penalty: number, tolerance: number, memory: number): FitMethod {
  const isSingular = (method: FitMethod) => {
    const { rows: n, columns, width } = rows.sizes;
    return (
      penalty === 0 && ((method === 'primal' && n < columns * width) || (method === 'dual' && n > columns * width))
    );
  };
  return fitCosts(rows.sizes, penalty / meanDiagonal(rows), tolerance)
    .filter(({ bytes, method }) => bytes <= memory && !isSingular(method))
    .reduce((best, cost) => (cost.seconds < best.seconds ? cost : best)).method;
}

function solve(method: FitMethod, rows: BilinearRows, penalty: number, tolerance: number, signal?: AbortSignal) {
  switch (method) {
    case 'primal':
      return { matrix: solvePrimal(rows, penalty), iterations: 0 };
    case 'dual':
      return { matrix: solveDual(rows, penalty), iterations: 0 };
    case 'conjugate-gradients':
      return solveByGradients(rows, penalty, { tolerance, maximumIterations: MOST_ITERATIONS, signal });
  }
}
