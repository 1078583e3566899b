/**
 * Ridge regression, w = argmin |y - X w|^2 + penalty |w|^2. With penalty = noise variance / task variance it is the
 * posterior mean of w ~ N(0, taskVariance I) under that label noise: the Bayes predictor of isotropic linear tasks.
 *
 * By Householder reflections on [X; sqrt(penalty) I], so a tiny penalty is as accurate as a large one. Step k needs
 * only the rows of X and one row of the identity, so it costs no more than X alone.
 */
import {
  answerQueries,
  checkOut,
  type Estimator,
  type EstimatorKind,
  type EstimatorLaws,
  reflect,
} from './estimator.ts';
import { leastSquares } from './least-squares.ts';

const name = 'ridge';
const description = 'ridge regression; by default the Bayes predictor for w ~ N(0, taskVariance I)';

/** The solver for prompts of one size: no allocation from prompt to prompt. Column j of X stands at j N. */
class RidgeSolver {
  readonly rows: number;
  readonly columns: number;
  private readonly penalty: number;
  private readonly x: Float64Array;
  private readonly y: Float64Array;
  private readonly r: Float64Array;
  private readonly right: Float64Array;
  private readonly solution: Float64Array;

  constructor(rows: number, columns: number, penalty: number) {
    this.rows = rows;
    this.columns = columns;
    this.penalty = penalty;
    this.x = new Float64Array(rows * columns);
    this.y = new Float64Array(rows);
    this.r = new Float64Array(columns * columns);
    this.right = new Float64Array(columns);
    this.solution = new Float64Array(columns);
  }

  /** w for the pairs whose numbers start at `covariates[xAt]` and `responses[yAt]`. */
  solve(covariates: Float32Array, xAt: number, responses: Float32Array, yAt: number): Float64Array {
    const { rows, columns, x, y, r, right, solution } = this;
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++) x[j * rows + i] = covariates[xAt + i * columns + j]!;
      y[i] = responses[yAt + i]!;
    }
    this.factor();
    for (let k = columns - 1; k >= 0; k--) {
      let sum = right[k]!;
      for (let j = k + 1; j < columns; j++) sum -= r[k * columns + j]! * solution[j]!;
      solution[k] = sum / r[k * columns + k]!;
    }
    return solution;
  }

  /**
   * Step k reflects column k of X and entry k of sqrt(penalty) I onto that entry. The other identity rows are 0 in
   * column k (below) or finished (above); this row's later entries and its right-hand side start at 0.
   */
  private factor(): void {
    const { rows, columns, x, y, r, right } = this;
    const entry = Math.sqrt(this.penalty);
    for (let k = 0; k < columns; k++) {
      const start = k * rows;
      const end = start + rows;
      let squares = this.penalty;
      for (let i = start; i < end; i++) squares += x[i]! * x[i]!;
      const diagonal = -Math.sqrt(squares);
      const head = entry - diagonal;
      const scale = -1 / (diagonal * head);
      r[k * columns + k] = diagonal;
      for (let j = k + 1; j < columns; j++) {
        r[k * columns + j] = -head * reflect(x, start, end, x, j * rows, scale);
      }
      right[k] = -head * reflect(x, start, end, y, 0, scale);
    }
  }
}

/**
 * The training noise of tasks whose bank of task vectors has unit variance; 0, which is least squares, of others: there the
 * variances of noise and tasks are the caller's to state.
 */
const noiseOf = ({ task }: EstimatorLaws): number => (task.name === 'linear-regression-bank' ? task.noiseVariance : 0);

function createRidge(options: Readonly<Record<string, number>>, laws: EstimatorLaws): Estimator {
  const noiseVariance = options['noiseVariance'] ?? noiseOf(laws);
  const taskVariance = options['taskVariance']!;
  const penalty = options['penalty'] ?? noiseVariance / taskVariance;
  const parameters = { penalty };
  if (penalty === 0) {
    // The limit of a vanishing penalty is least squares of minimum norm.
    const limit = leastSquares.create({}, laws);
    return {
      name,
      description,
      parameters,
      needsTaskParameters: false,
      predict(prompts, out) {
        checkOut(name, prompts, out);
        limit.predict(prompts, out);
      },
    };
  }
  let solver = new RidgeSolver(0, 0, penalty);
  return {
    name,
    description,
    parameters,
    needsTaskParameters: false,
    predict(prompts, out) {
      checkOut(name, prompts, out);
      const { batch, context, dimension, covariates, responses } = prompts;
      if (solver.rows !== context || solver.columns !== dimension) {
        solver = new RidgeSolver(context, dimension, penalty);
      }
      for (let b = 0; b < batch; b++) {
        answerQueries(prompts, b, solver.solve(covariates, b * context * dimension, responses, b * context), out);
      }
    },
  };
}

export const ridge: EstimatorKind = {
  name,
  description,
  tasks: ['linear-regression', 'linear-regression-bank'],
  options: [
    {
      name: 'noiseVariance',
      description: "variance of the label noise; by default a task bank's own, otherwise 0",
      default: undefined,
      accepts: (value) => value >= 0 && Number.isFinite(value),
      expected: 'a variance of 0 or more',
    },
    {
      name: 'taskVariance',
      description: 'prior variance of each entry of the task vector',
      default: 1,
      accepts: (value) => value > 0 && Number.isFinite(value),
      expected: 'a variance above 0',
    },
    {
      name: 'penalty',
      description: 'factor of |w|^2; by default noiseVariance / taskVariance',
      default: undefined,
      accepts: (value) => value >= 0 && Number.isFinite(value),
      expected: 'a penalty of 0 or more',
    },
  ],
  create: createRidge,
};
