/**
 * Least squares of many prompts that have at least as many pairs as dimensions, with a bound on how well each is conditioned:
 * whoever asks decides with it whether to take the answer. X = Q R by Householder reflections without pivoting, then
 * R w = Q^T y.
 *
 * The bound is on ||R||_inf ||R^-1||_inf, which costs no more than R w = Q^T y: |R^-1| <= M^-1 entry by entry, where M has the
 * |R_kk| on its diagonal and -|R_kj| above it. NaN or infinite where a column depends on those before it.
 *
 * In WebAssembly's SIMD (`models/simd/least-squares.as`) where there is such a thing, and otherwise in TypeScript, to the same
 * bits: so a prompt's answer depends neither on where it is computed nor on its neighbours.
 *
 * Source: Golub and Van Loan (2013), "Matrix Computations", section 5.2; Higham (2002), "Accuracy and Stability of Numerical
 * Algorithms", section 8.2 (M).
 */
import { kernelBase64 } from '../simd/least-squares-wasm.ts';
import { growTo, type KernelMemory, startKernel } from '../simd/start-kernel.ts';
import { reflect } from './estimator.ts';

/** Systems of one size, one after the other. */
export interface TallSystems {
  /** `[count, rows, columns]`, rows >= columns. */
  readonly covariates: Float32Array;
  /** `[count, rows]` */
  readonly responses: Float32Array;
  readonly count: number;
  readonly rows: number;
  readonly columns: number;
}

export interface TallSolutions {
  /** `[count, columns]` */
  readonly w: Float64Array;
  /** `[count]`: at least the condition number of R in the norm of row sums. */
  readonly conditions: Float64Array;
}

/** The solutions are good until the next call. */
export type TallSolver = (systems: TallSystems) => TallSolutions;

interface Kernel {
  readonly memory: KernelMemory;
  readonly base: { readonly value: number };
  solve(
    x: number,
    y: number,
    w: number,
    conditions: number,
    scratch: number,
    prompts: number,
    rows: number,
    columns: number,
  ): void;
}

let kernel: Kernel | null | undefined;

/** @param implementation Default: `simd` where it runs. */
export function createTallSolver(implementation?: 'simd' | 'plain'): TallSolver {
  if (kernel === undefined) kernel = startKernel<Kernel>(kernelBase64) ?? null;
  return kernel === null || implementation === 'plain' ? createPlainSolver() : createKernelSolver(kernel);
}

function createKernelSolver({ memory, base, solve }: Kernel): TallSolver {
  return ({ covariates, responses, count, rows, columns }) => {
    const scratchAt = base.value;
    const wAt = scratchAt + 16 * (rows * (columns + 1) + 3 * columns);
    const conditionsAt = wAt + 8 * count * columns;
    const xAt = conditionsAt + 8 * count;
    const yAt = xAt + 4 * count * rows * columns;
    growTo(memory, yAt + 4 * count * rows);
    new Float32Array(memory.buffer, xAt, count * rows * columns).set(covariates);
    new Float32Array(memory.buffer, yAt, count * rows).set(responses);
    solve(xAt, yAt, wAt, conditionsAt, scratchAt, count, rows, columns);
    return {
      w: new Float64Array(memory.buffer, wAt, count * columns),
      conditions: new Float64Array(memory.buffer, conditionsAt, count),
    };
  };
}

/** In the kernel's order, one system at a time. */
function createPlainSolver(): TallSolver {
  return (systems) => {
    const { count, rows, columns } = systems;
    const w = new Float64Array(count * columns);
    const conditions = new Float64Array(count);
    // Columns of X and then y, each at a multiple of the rows.
    const x = new Float64Array(rows * (columns + 1));
    const diagonals = new Float64Array(columns);
    for (let b = 0; b < count; b++) {
      load(systems, b, x);
      factor(x, rows, columns, diagonals);
      conditions[b] = substitute(x, rows, diagonals, w.subarray(b * columns, (b + 1) * columns));
    }
    return { w, conditions };
  };
}

function load({ covariates, responses, rows, columns }: TallSystems, b: number, x: Float64Array): void {
  for (let i = 0; i < rows; i++) {
    const at = (b * rows + i) * columns;
    for (let j = 0; j < columns; j++) x[j * rows + i] = covariates[at + j]!;
    x[columns * rows + i] = responses[b * rows + i]!;
  }
}

/** Reduces X to R and y to Q^T y; the diagonal of R stands apart. */
function factor(x: Float64Array, rows: number, columns: number, diagonals: Float64Array): void {
  for (let k = 0; k < columns; k++) {
    const start = k * rows + k;
    const end = (k + 1) * rows;
    let [even, odd] = [0, 0];
    for (let at = start; at < end; at += 2) {
      even += x[at]! * x[at]!;
      if (at + 1 < end) odd += x[at + 1]! * x[at + 1]!;
    }
    const norm = Math.sqrt(even + odd);
    // The sign that keeps head from cancelling.
    const diagonal = x[start]! > 0 ? -norm : norm;
    const head = x[start]! - diagonal;
    x[start] = head;
    diagonals[k] = diagonal;
    const scale = -1 / (diagonal * head);
    for (let j = k + 1; j <= columns; j++) reflect(x, start, end, x, j * rows + k, scale);
  }
}

/** Solves R w = Q^T y. @returns The bound on the condition number. */
function substitute(x: Float64Array, rows: number, diagonals: Float64Array, w: Float64Array): number {
  const columns = w.length;
  const inverse = new Float64Array(columns);
  let [largest, largestInverse] = [0, 0];
  for (let k = columns - 1; k >= 0; k--) {
    const size = Math.abs(diagonals[k]!);
    let [sum, row, bound] = [x[columns * rows + k]!, size, 1];
    for (let j = k + 1; j < columns; j++) {
      const entry = x[j * rows + k]!;
      sum -= entry * w[j]!;
      row += Math.abs(entry);
      bound += Math.abs(entry) * inverse[j]!;
    }
    inverse[k] = bound / size;
    w[k] = sum / diagonals[k]!;
    largest = Math.max(largest, row);
    largestInverse = Math.max(largestInverse, inverse[k]!);
  }
  return largest * largestInverse;
}
