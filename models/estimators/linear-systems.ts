/**
 * Least squares of many prompts at once, with a bound on how well each is conditioned: whoever asks decides with it whether to
 * take the answer. By Householder reflections without pivoting, never by normal equations:
 *
 *   penalty > 0   [sqrt(penalty) I; X] = Q R, then R w = Q^T [0; y]: ridge regression, accurate however small the penalty is.
 *                 A step needs only the rows of X and one row of the identity, so it costs no more than X alone
 *   N >= D        X = Q R, then R w = Q^T y
 *   N < D         X^T = Q R, then w = Q [z; 0] with R^T z = y: the interpolator of minimum norm
 *
 * The bound is on ||R||_inf ||R^-1||_inf, of R^T for N < D, and costs no more than solving: |R^-1| <= M^-1 entry by entry, where
 * M has the |R_kk| on its diagonal and -|R_kj| above it. NaN or infinite where a column depends on those before it.
 *
 * In WebAssembly's SIMD (`models/simd/least-squares.as`) where there is such a thing, and otherwise in TypeScript, to the same
 * bits: so a prompt's answer depends neither on where it is computed nor on its neighbours.
 *
 * Source: Golub and Van Loan (2013), "Matrix Computations", sections 5.2 and 5.6; Higham (2002), "Accuracy and Stability of
 * Numerical Algorithms", section 8.2 (M).
 */
import type { PromptBatch } from '../prompts.ts';
import { kernelBase64 } from '../simd/least-squares-wasm.ts';
import { growTo, type KernelMemory, kernelOnDemand } from '../simd/start-kernel.ts';
import { promptsAtOnce } from './estimator.ts';
import { createPlainSolver } from './linear-systems-plain.ts';

/** Systems of one size, one after the other. */
export interface LinearSystems {
  /** `[count, rows, columns]` */
  readonly covariates: Float32Array;
  /** `[count, rows]` */
  readonly responses: Float32Array;
  readonly count: number;
  /** N */
  readonly rows: number;
  /** D */
  readonly columns: number;
  /** Factor of |w|^2, 0 or more. */
  readonly penalty: number;
}

export interface LinearSolutions {
  /** `[count, columns]`, or longer. */
  readonly w: Float64Array;
  /** `[count]`, or longer: at least the condition number of R in the norm above. */
  readonly conditions: Float64Array;
}

/** The solutions are good until the next call. */
export type LinearSolver = (systems: LinearSystems) => LinearSolutions;

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
    penalty: number,
  ): void;
}

const kernelOf = kernelOnDemand<Kernel>(kernelBase64);

/** @param implementation Default: `simd` where it runs. */
export function createLinearSolver(implementation?: 'simd' | 'plain'): LinearSolver {
  const kernel = implementation === 'plain' ? undefined : kernelOf();
  return kernel === undefined ? createPlainSolver() : createKernelSolver(kernel);
}

function createKernelSolver({ memory, base, solve }: Kernel): LinearSolver {
  return ({ covariates, responses, count, rows, columns, penalty }) => {
    const scratchAt = base.value;
    const wAt = scratchAt + 16 * (rows + columns) * (columns + 4);
    const conditionsAt = wAt + 8 * count * columns;
    const xAt = conditionsAt + 8 * count;
    const yAt = xAt + 4 * count * rows * columns;
    growTo(memory, yAt + 4 * count * rows);
    new Float32Array(memory.buffer, xAt, count * rows * columns).set(covariates);
    new Float32Array(memory.buffer, yAt, count * rows).set(responses);
    solve(xAt, yAt, wAt, conditionsAt, scratchAt, count, rows, columns, penalty);
    return {
      w: new Float64Array(memory.buffer, wAt, count * columns),
      conditions: new Float64Array(memory.buffer, conditionsAt, count),
    };
  };
}

/** Solves all prompts, some at a time. `take` gets the answers to `count` of them, of which `start` is the first. */
export function solvePrompts(
  solve: LinearSolver,
  { batch, context, dimension, covariates, responses }: PromptBatch,
  penalty: number,
  take: (solutions: LinearSolutions, start: number, count: number) => void,
): void {
  const pairs = context * dimension;
  const atOnce = promptsAtOnce(pairs);
  for (let start = 0; start < batch; start += atOnce) {
    const count = Math.min(atOnce, batch - start);
    const solutions = solve({
      covariates: covariates.subarray(start * pairs, (start + count) * pairs),
      responses: responses.subarray(start * context, (start + count) * context),
      count,
      rows: context,
      columns: dimension,
      penalty,
    });
    take(solutions, start, count);
  }
}
