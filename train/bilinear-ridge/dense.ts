/**
 * The bilinear ridge problem by Cholesky factors: of the d m by d m normal equations (primal), or, with fewer rows than
 * unknowns, of the n by n system of their kernel (dual). Both give the same G; tests compare all three ways.
 */
import { factorInPlace, solveInPlace } from '../../models/cholesky.ts';
import type { BilinearRows } from './rows.ts';

/** Rows of features that stand side by side while the matrix is built. */
const CHUNK = 128;

/** G in padded rows: (F^T F + penalty I)^-1 F^T y, row i of F = vec(x_i h_i^T). */
export function solvePrimal(rows: BilinearRows, penalty: number): Float64Array {
  const { rows: n, columns, width } = rows.sizes;
  const { x, h, y, xStride, hStride } = rows;
  const p = columns * width;
  const system = new Float64Array(p * p);
  // Features of a chunk, one unknown after another, so that sums over rows run along memory.
  const features = new Float64Array(p * CHUNK);
  const right = new Float64Array(p);
  for (let first = 0; first < n; first += CHUNK) {
    const count = Math.min(CHUNK, n - first);
    for (let c = 0; c < columns; c++) {
      for (let j = 0; j < width; j++) {
        const at = (c * width + j) * CHUNK;
        let sum = 0;
        for (let i = 0; i < count; i++) {
          const value = x[(first + i) * xStride + c]! * h[(first + i) * hStride + j]!;
          features[at + i] = value;
          sum += value * y[first + i]!;
        }
        right[c * width + j] = right[c * width + j]! + sum;
      }
    }
    addGram(system, features, p, count);
  }
  for (let a = 0; a < p; a++) system[a * p + a] = system[a * p + a]! + penalty;
  factorInPlace('primal system', system, p);
  solveInPlace(system, p, right);
  const matrix = new Float64Array(rows.matrixLength);
  for (let c = 0; c < columns; c++) {
    for (let j = 0; j < width; j++) matrix[c * hStride + j] = right[c * width + j]!;
  }
  return matrix;
}

/** Adds the lower triangle of F F^T, F `[p, CHUNK]`, of which `count` columns are in use. Four rows at a time. */
function addGram(system: Float64Array, features: Float64Array, p: number, count: number): void {
  for (let a = 0; a < p; a += 4) {
    const rows = Math.min(4, p - a);
    const at1 = (a + Math.min(1, rows - 1)) * CHUNK;
    const at2 = (a + Math.min(2, rows - 1)) * CHUNK;
    const at3 = (a + rows - 1) * CHUNK;
    // Entries above the diagonal within the four are written and never read.
    for (let b = 0; b < a + rows; b++) {
      let s0 = 0;
      let s1 = 0;
      let s2 = 0;
      let s3 = 0;
      for (let i = 0; i < count; i++) {
        const value = features[b * CHUNK + i]!;
        s0 += value * features[a * CHUNK + i]!;
        s1 += value * features[at1 + i]!;
        s2 += value * features[at2 + i]!;
        s3 += value * features[at3 + i]!;
      }
      const to = a * p + b;
      system[to] = system[to]! + s0;
      if (rows > 1) system[to + p] = system[to + p]! + s1;
      if (rows > 2) system[to + 2 * p] = system[to + 2 * p]! + s2;
      if (rows > 3) system[to + 3 * p] = system[to + 3 * p]! + s3;
    }
  }
}

/** G in padded rows: sum_i a_i x_i h_i^T with (K + penalty I) a = y, K_ij = <x_i, x_j> <h_i, h_j>. */
export function solveDual(rows: BilinearRows, penalty: number): Float64Array {
  const { rows: n, columns, width } = rows.sizes;
  const { x, h, xStride, hStride } = rows;
  const kernel = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let xx = 0;
      for (let c = 0; c < columns; c++) xx += x[i * xStride + c]! * x[j * xStride + c]!;
      let hh = 0;
      for (let c = 0; c < width; c++) hh += h[i * hStride + c]! * h[j * hStride + c]!;
      kernel[i * n + j] = xx * hh;
    }
    kernel[i * n + i] = kernel[i * n + i]! + penalty;
  }
  factorInPlace('dual system', kernel, n);
  const coefficients = Float64Array.from(rows.y);
  solveInPlace(kernel, n, coefficients);
  const matrix = new Float64Array(rows.matrixLength);
  rows.combine(coefficients, matrix);
  return matrix;
}
