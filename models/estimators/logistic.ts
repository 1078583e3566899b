/** Softmax regression on the context, with a penalty: see `softmax-regression.ts`. */
import type { GaussianMixtureSpec } from '../tasks/gaussian-mixture.ts';
import { checkOut, type Estimator, type EstimatorKind, type EstimatorLaws, promptsAtOnce } from './estimator.ts';
import { answerScores, classCount, classesInto } from './labels.ts';
import { createRegression } from './softmax-regression.ts';

const name = 'logistic';
const description = 'softmax regression on the context, with a penalty';

function create(options: Readonly<Record<string, number>>, { task }: EstimatorLaws): Estimator {
  const { dimension, radius } = task as GaussianMixtureSpec;
  const penalty = options['penalty'] ?? dimension / radius ** 2;
  const regress = createRegression();
  let labels = new Int32Array(0);
  let scores = new Float64Array(0);

  /** Scores of the point that begins at `from[at]`; V begins at `weights[first]`. */
  function score(weights: Float64Array, first: number, from: Float32Array, at: number): void {
    for (let k = 0; k < scores.length; k++) {
      const row = first + k * (dimension + 1);
      let sum = weights[row + dimension]!;
      for (let j = 0; j < dimension; j++) sum += weights[row + j]! * from[at + j]!;
      scores[k] = sum;
    }
  }

  return {
    name,
    description,
    parameters: { penalty },
    needsTaskParameters: false,
    predict(prompts, out) {
      checkOut(name, prompts, out);
      const { batch, context, queries, covariates, query } = prompts;
      const classes = classCount(prompts);
      if (scores.length !== classes) scores = new Float64Array(classes);
      const atOnce = promptsAtOnce(context * dimension);
      if (labels.length !== atOnce * context) labels = new Int32Array(atOnce * context);
      for (let start = 0; start < batch; start += atOnce) {
        const count = Math.min(atOnce, batch - start);
        for (let i = 0; i < count; i++) classesInto(prompts, start + i, labels, i * context);
        const weights = regress({
          covariates: covariates.subarray(start * context * dimension, (start + count) * context * dimension),
          labels,
          count,
          context,
          dimension,
          classes,
          penalty,
        });
        for (let i = 0; i < count; i++) {
          const first = i * classes * (dimension + 1);
          for (let row = (start + i) * queries; row < (start + i + 1) * queries; row++) {
            score(weights, first, query, row * dimension);
            answerScores(prompts, row, scores, out);
          }
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
