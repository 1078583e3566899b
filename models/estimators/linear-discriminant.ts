/**
 * Linear discriminant analysis with the training covariance known: the true law of the label with the classes' means
 * replaced by those of the context,
 *
 *   P(y = k | q) = softmax_k( m_k^T Lambda^{-1} q - m_k^T Lambda^{-1} m_k / 2 ),   m_k = mean of x_i with y_i = k
 *
 * A class that the context does not show has m_k = 0, the mean of what is known about it.
 */
import { inverse } from '../matrix.ts';
import { covarianceMatrix } from '../tasks/covariance.ts';
import type { GaussianMixtureSpec } from '../tasks/gaussian-mixture.ts';
import { checkOut, type Estimator, type EstimatorKind } from './estimator.ts';
import { answerScores, classCount, classesInto } from './labels.ts';

const name = 'linear-discriminant';
const description = 'linear discriminant analysis: class means from the context, covariance as in training';

function create(_options: Readonly<Record<string, number>>, { task }: { readonly task: { readonly name: string } }) {
  const { covariance, dimension } = task as GaussianMixtureSpec;
  const precision = Float64Array.from(inverse(covarianceMatrix(covariance, dimension)!).flat());
  let labels = new Int32Array(0);
  let counts = new Float64Array(0);
  let means = new Float64Array(0);
  let offsets = new Float64Array(0);
  let scores = new Float64Array(0);
  const solved = new Float64Array(dimension);

  /** solved = Lambda^{-1} v for the vector at `from[at..]`. */
  function solve(from: ArrayLike<number>, at: number): void {
    for (let i = 0; i < dimension; i++) {
      let sum = 0;
      for (let j = 0; j < dimension; j++) sum += precision[i * dimension + j]! * from[at + j]!;
      solved[i] = sum;
    }
  }

  const dotSolved = (from: Float64Array, at: number): number => {
    let sum = 0;
    for (let j = 0; j < dimension; j++) sum += from[at + j]! * solved[j]!;
    return sum;
  };

  const estimator: Estimator = {
    name,
    description,
    parameters: {},
    needsTaskParameters: false,
    predict(prompts, out) {
      checkOut(name, prompts, out);
      const { batch, context, queries, covariates, query } = prompts;
      const classes = classCount(prompts);
      if (labels.length < context) labels = new Int32Array(context);
      if (counts.length !== classes) {
        counts = new Float64Array(classes);
        means = new Float64Array(classes * dimension);
        offsets = new Float64Array(classes);
        scores = new Float64Array(classes);
      }
      for (let b = 0; b < batch; b++) {
        classesInto(prompts, b, labels);
        counts.fill(0);
        means.fill(0);
        for (let i = 0; i < context; i++) {
          const k = labels[i]!;
          counts[k] = counts[k]! + 1;
          const at = (b * context + i) * dimension;
          for (let j = 0; j < dimension; j++) {
            means[k * dimension + j] = means[k * dimension + j]! + covariates[at + j]!;
          }
        }
        for (let k = 0; k < classes; k++) {
          const at = k * dimension;
          for (let j = at; j < at + dimension; j++) means[j] = means[j]! / Math.max(1, counts[k]!);
          solve(means, at);
          offsets[k] = dotSolved(means, at) / 2;
        }
        for (let row = b * queries; row < (b + 1) * queries; row++) {
          solve(query, row * dimension);
          for (let k = 0; k < classes; k++) scores[k] = dotSolved(means, k * dimension) - offsets[k]!;
          answerScores(prompts, row, scores, out);
        }
      }
    },
  };
  return estimator;
}

export const linearDiscriminant: EstimatorKind = {
  name,
  description,
  tasks: ['gaussian-mixture'],
  options: [],
  create,
};
