/**
 * Least squares of minimum norm, w = X^+ y: the interpolator of smallest norm when there are fewer pairs than
 * dimensions, ordinary least squares otherwise, and the right thing in between, where pairs repeat or covariates lie
 * in a subspace.
 *
 * Prompts are solved many at a time (`linear-systems.ts`), and that answer is taken where their condition number is certainly
 * below {@link wellConditioned}: there the rank is the smaller of N and D beyond doubt. All others, one by one, by a complete
 * orthogonal decomposition: X Pi = Q1 [R11 R12] with Householder reflections and column pivoting, and, when the rank r is below
 * D, [R11 R12]^T = Q2 R2. Never the normal equations, which square the condition number.
 * Rank: the diagonal of R counts while |R_kk| > 4 max(N, D) eps |R_00|, eps = 2^-52, four times the usual tolerance:
 * prompts are float32, so true dependence leaves rounding of a few eps, and independent random rows far more.
 *
 * Source: Golub and Van Loan (2013), "Matrix Computations", sections 5.4 and 5.5.
 */
import { answerQueries, checkOut, type EstimatorKind, reflect } from './estimator.ts';
import { createLinearSolver, solvePrompts } from './linear-systems.ts';

/** How far, in units of eps max(N, D), a pivot must stand above 0 to count as one. */
const rankSafety = 4;

/**
 * Up to here both ways agree to some 1e-10 |w| at worst, mostly to 1e-14: both are backward stable, and eps is 2e-16. Of
 * Gaussian prompts with as many pairs as dimensions, 20, one in a thousand lies above; with more pairs none.
 */
const wellConditioned = 1e6;

/** The solver for prompts of one size: no allocation from prompt to prompt. Column j of X stands at j N. */
class MinimumNormSolver {
  readonly rows: number;
  readonly columns: number;
  private readonly x: Float64Array;
  private readonly y: Float64Array;
  private readonly norms: Float64Array;
  /** R, row k at k D, its columns in the order of the pivots. */
  private readonly r: Float64Array;
  private readonly reflector: Float64Array;
  private readonly solution: Float64Array;
  private readonly order: Int32Array;

  constructor(rows: number, columns: number) {
    this.rows = rows;
    this.columns = columns;
    this.x = new Float64Array(rows * columns);
    this.y = new Float64Array(rows);
    this.norms = new Float64Array(columns);
    this.r = new Float64Array(columns * columns);
    this.reflector = new Float64Array(columns);
    this.solution = new Float64Array(columns);
    this.order = new Int32Array(columns);
  }

  /** w of minimum norm for the pairs whose numbers start at `covariates[xAt]` and `responses[yAt]`. */
  solve(covariates: Float32Array, xAt: number, responses: Float32Array, yAt: number): Float64Array {
    const { rows, columns, x, y, norms, order } = this;
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++) x[j * rows + i] = covariates[xAt + i * columns + j]!;
      y[i] = responses[yAt + i]!;
    }
    for (let j = 0; j < columns; j++) {
      norms[j] = sumOfSquares(x, j * rows, j * rows + rows);
      order[j] = j;
    }
    const rank = this.factor();
    this.solution.fill(0);
    if (rank === columns) this.backSubstitute();
    else if (rank > 0) this.solveShort(rank);
    return this.solution;
  }

  /** Reduces X and y in place; R and the pivots are kept. Returns the rank. */
  private factor(): number {
    const { rows, columns, x, y, norms, order, r } = this;
    const steps = Math.min(rows, columns);
    const relative = rankSafety * Math.max(rows, columns) * Number.EPSILON;
    let smallest = 0;
    for (let k = 0; k < steps; k++) {
      let pivot = k;
      for (let j = k + 1; j < columns; j++) if (norms[order[j]!]! > norms[order[pivot]!]!) pivot = j;
      if (pivot !== k) {
        const column = order[k]!;
        order[k] = order[pivot]!;
        order[pivot] = column;
        for (let i = 0; i < k; i++) {
          const value = r[i * columns + k]!;
          r[i * columns + k] = r[i * columns + pivot]!;
          r[i * columns + pivot] = value;
        }
      }
      const start = order[k]! * rows + k;
      const end = order[k]! * rows + rows;
      const norm = Math.sqrt(sumOfSquares(x, start, end));
      if (k === 0) smallest = relative * norm;
      if (!(norm > smallest)) return k;
      const diagonal = x[start]! > 0 ? -norm : norm;
      // v = x - diagonal e_k, and H = I - v v^T / (-diagonal v_k).
      const head = x[start]! - diagonal;
      x[start] = head;
      const scale = -1 / (diagonal * head);
      r[k * columns + k] = diagonal;
      for (let j = k + 1; j < columns; j++) {
        const from = order[j]! * rows + k;
        reflect(x, start, end, x, from, scale);
        const entry = x[from]!;
        r[k * columns + j] = entry;
        this.downdate(order[j]!, entry, k);
      }
      reflect(x, start, end, y, k, scale);
    }
    return steps;
  }

  /** Squared norm of the rows below k of a column; recomputed once cancellation has eaten its digits. */
  private downdate(column: number, entry: number, k: number): void {
    const { rows, x, norms } = this;
    const before = norms[column]!;
    const after = before - entry * entry;
    norms[column] = after > 1e-6 * before ? after : sumOfSquares(x, column * rows + k + 1, column * rows + rows);
  }

  /** w = Pi R^-1 Q^T y, when the columns are independent. */
  private backSubstitute(): void {
    const { columns, r, y, order, solution } = this;
    for (let k = columns - 1; k >= 0; k--) {
      let sum = y[k]!;
      for (let j = k + 1; j < columns; j++) sum -= r[k * columns + j]! * solution[order[j]!]!;
      solution[order[k]!] = sum / r[k * columns + k]!;
    }
  }

  /** w = Pi Q2 [R2^-T Q1^T y; 0] with [R11 R12]^T = Q2 R2, when only the first `rank` rows of R are not 0. */
  private solveShort(rank: number): void {
    const { columns, r, y, order, reflector, solution } = this;
    // Row k of R is column k of the tall matrix [R11 R12]^T; it holds zeros before its diagonal already.
    for (let k = 0; k < rank; k++) for (let j = 0; j < k; j++) r[k * columns + j] = 0;
    const z = y; // z_k takes the place of y_k
    for (let k = 0; k < rank; k++) {
      const start = k * columns + k;
      const end = k * columns + columns;
      const norm = Math.sqrt(sumOfSquares(r, start, end));
      const diagonal = r[start]! > 0 ? -norm : norm;
      const head = r[start]! - diagonal;
      r[start] = head;
      reflector[k] = -1 / (diagonal * head);
      for (let j = k + 1; j < rank; j++) reflect(r, start, end, r, j * columns + k, reflector[k]!);
      // Entry k of R2^T z = Q1^T y. Column k of R2 is in r[k, 0..k-1], left there by the reflections before this one.
      let sum = z[k]!;
      for (let i = 0; i < k; i++) sum -= r[k * columns + i]! * z[i]!;
      z[k] = sum / diagonal;
    }
    const norms = this.norms; // free by now: holds the pivoted solution
    for (let j = 0; j < columns; j++) norms[j] = j < rank ? z[j]! : 0;
    for (let k = rank - 1; k >= 0; k--) {
      reflect(r, k * columns + k, k * columns + columns, norms, k, reflector[k]!);
    }
    for (let j = 0; j < columns; j++) solution[order[j]!] = norms[j]!;
  }
}

function sumOfSquares(values: Float64Array, start: number, end: number): number {
  let sum = 0;
  for (let i = start; i < end; i++) sum += values[i]! * values[i]!;
  return sum;
}

const name = 'least-squares';
const description = 'least squares of minimum norm on the prompt alone';

export const leastSquares: EstimatorKind = {
  name,
  description,
  tasks: ['linear-regression', 'linear-regression-bank', 'feature-regression'],
  options: [],
  create: () => {
    const solve = createLinearSolver();
    let solver = new MinimumNormSolver(0, 0);
    return {
      name,
      description,
      parameters: {},
      needsTaskParameters: false,
      predict(prompts, out) {
        checkOut(name, prompts, out);
        const { context, dimension, covariates, responses } = prompts;
        if (solver.rows !== context || solver.columns !== dimension) {
          solver = new MinimumNormSolver(context, dimension);
        }
        solvePrompts(solve, prompts, 0, ({ w, conditions }, start, count) => {
          for (let i = 0; i < count; i++) {
            const b = start + i;
            if (conditions[i]! < wellConditioned) answerQueries(prompts, b, w, out, i * dimension);
            else
              answerQueries(prompts, b, solver.solve(covariates, b * context * dimension, responses, b * context), out);
          }
        });
      },
    };
  },
};
