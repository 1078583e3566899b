/**
 * Softmax regression on the context, with a penalty: V = argmin sum_i -log softmax(V (x_i, 1))_{y_i} + (penalty / 2) |V|^2.
 *
 * By a fixed bound on the Hessian instead of the Hessian, which changes with every step: on V whose classes sum to 0, as all
 * iterates do, it is at most X^T X / 2 + penalty I for each class. One factorisation for a prompt, and each step descends.
 * Source of the bound: Böhning (1992), "Multinomial logistic regression algorithm".
 */
import type { GaussianMixtureSpec } from '../tasks/gaussian-mixture.ts';
import { checkOut, type Estimator, type EstimatorKind, type EstimatorLaws } from './estimator.ts';
import { answerScores, classCount, classesInto } from './labels.ts';

const name = 'logistic';
const description = 'softmax regression on the context, with a penalty';

/** Steps end when no entry of V moves by more than this, or after so many. */
const TOLERANCE = 1e-3;
const MOST_STEPS = 200;

/** The regression on contexts of one size: no allocation from prompt to prompt. */
class Regression {
  readonly rows: number;
  readonly classes: number;
  readonly labels: Int32Array;
  readonly scores: Float64Array;
  /** V, `[c, D + 1]`. */
  readonly weights: Float64Array;
  private readonly size: number;
  private readonly penalty: number;
  private readonly x: Float64Array;
  private readonly factor: Float64Array;
  private readonly gradient: Float64Array;

  constructor(rows: number, dimension: number, classes: number, penalty: number) {
    this.rows = rows;
    this.classes = classes;
    this.penalty = penalty;
    this.size = dimension + 1;
    this.labels = new Int32Array(rows);
    this.scores = new Float64Array(classes);
    this.x = new Float64Array(rows * this.size).fill(1);
    this.factor = new Float64Array(this.size * this.size);
    this.weights = new Float64Array(classes * this.size);
    this.gradient = new Float64Array(classes * this.size);
  }

  /** Fits V to the covariates from `from` on and to `labels`. */
  fit(covariates: Float32Array, from: number): void {
    const { rows, size, x, weights } = this;
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < size - 1; j++) x[i * size + j] = covariates[from + i * (size - 1) + j]!;
    }
    this.factorBound();
    weights.fill(0);
    for (let step = 0; step < MOST_STEPS; step++) if (this.step() < TOLERANCE) return;
  }

  /** Scores of the point that begins at `from[at]`, into `scores`. */
  score(from: ArrayLike<number>, at: number): void {
    const { size, classes, weights, scores } = this;
    for (let k = 0; k < classes; k++) {
      let sum = weights[k * size + size - 1]!;
      for (let j = 0; j < size - 1; j++) sum += weights[k * size + j]! * from[at + j]!;
      scores[k] = sum;
    }
  }

  /** Cholesky factor of X^T X / 2 + penalty I, lower triangle. */
  private factorBound(): void {
    const { rows, size, x, factor, penalty } = this;
    factor.fill(0);
    for (let i = 0; i < rows; i++) {
      const row = i * size;
      for (let j = 0; j < size; j++) {
        const half = x[row + j]! / 2;
        for (let l = 0; l <= j; l++) factor[j * size + l] = factor[j * size + l]! + half * x[row + l]!;
      }
    }
    for (let j = 0; j < size; j++) {
      factor[j * size + j] = factor[j * size + j]! + penalty;
      for (let l = 0; l <= j; l++) {
        let sum = factor[j * size + l]!;
        for (let m = 0; m < l; m++) sum -= factor[j * size + m]! * factor[l * size + m]!;
        factor[j * size + l] = l === j ? Math.sqrt(sum) : sum / factor[l * size + l]!;
      }
    }
  }

  /** One step. @returns how far the entry of V that moved most did. */
  private step(): number {
    const { rows, size, classes, x, labels, scores, weights, gradient, factor, penalty } = this;
    for (let j = 0; j < gradient.length; j++) gradient[j] = penalty * weights[j]!;
    for (let i = 0; i < rows; i++) {
      this.score(x, i * size);
      let largest = Number.NEGATIVE_INFINITY;
      for (let k = 0; k < classes; k++) largest = Math.max(largest, scores[k]!);
      let total = 0;
      for (let k = 0; k < classes; k++) {
        scores[k] = Math.exp(scores[k]! - largest);
        total += scores[k]!;
      }
      for (let k = 0; k < classes; k++) {
        const residual = scores[k]! / total - (labels[i] === k ? 1 : 0);
        for (let j = 0; j < size; j++) {
          gradient[k * size + j] = gradient[k * size + j]! + residual * x[i * size + j]!;
        }
      }
    }
    let moved = 0;
    for (let k = 0; k < classes; k++) {
      const at = k * size;
      for (let j = 0; j < size; j++) {
        let sum = gradient[at + j]!;
        for (let l = 0; l < j; l++) sum -= factor[j * size + l]! * gradient[at + l]!;
        gradient[at + j] = sum / factor[j * size + j]!;
      }
      for (let j = size - 1; j >= 0; j--) {
        let sum = gradient[at + j]!;
        for (let l = j + 1; l < size; l++) sum -= factor[l * size + j]! * gradient[at + l]!;
        gradient[at + j] = sum / factor[j * size + j]!;
        weights[at + j] = weights[at + j]! - gradient[at + j]!;
        moved = Math.max(moved, Math.abs(gradient[at + j]!));
      }
    }
    return moved;
  }
}

function create(options: Readonly<Record<string, number>>, { task }: EstimatorLaws): Estimator {
  const { dimension, radius } = task as GaussianMixtureSpec;
  const penalty = options['penalty'] ?? dimension / radius ** 2;
  let regression: Regression | undefined;
  return {
    name,
    description,
    parameters: { penalty },
    needsTaskParameters: false,
    predict(prompts, out) {
      checkOut(name, prompts, out);
      const { batch, context, queries, covariates, query } = prompts;
      const classes = classCount(prompts);
      if (regression?.rows !== context || regression.classes !== classes) {
        regression = new Regression(context, dimension, classes, penalty);
      }
      for (let b = 0; b < batch; b++) {
        classesInto(prompts, b, regression.labels);
        regression.fit(covariates, b * context * dimension);
        for (let row = b * queries; row < (b + 1) * queries; row++) {
          regression.score(query, row * dimension);
          answerScores(prompts, row, regression.scores, out);
        }
      }
    },
  };
}

export const logistic: EstimatorKind = {
  name,
  description,
  tasks: ['gaussian-mixture'],
  options: [
    {
      name: 'penalty',
      description: 'factor of |V|^2 / 2; by default D / r^2, what the true direction has under the law of the means',
      default: undefined,
      accepts: (value) => value > 0 && Number.isFinite(value),
      expected: 'a penalty above 0',
    },
  ],
  create,
};
