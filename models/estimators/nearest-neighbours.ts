/**
 * The k nearest pairs of the context vote, by Euclidean distance:
 *
 *   P(y = j | q) = (votes_j + 1) / (k + c)
 *
 * The one vote for every class changes no decision; without it a class that has none would be impossible, and the
 * cross-entropy infinite. A context of fewer than k pairs votes as a whole.
 */
import { responseWidth } from '../prompts.ts';
import { checkOut, type Estimator, type EstimatorKind } from './estimator.ts';
import { classCount, classesInto } from './labels.ts';

const name = 'nearest-neighbours';
const description = 'the k nearest pairs of the context vote';

function create(options: Readonly<Record<string, number>>): Estimator {
  const neighbours = options['neighbours']!;
  let labels = new Int32Array(0);
  let votes = new Float64Array(0);
  // The nearest so far, nearest first.
  const distances = new Float64Array(neighbours);
  const voters = new Int32Array(neighbours);
  return {
    name,
    description,
    parameters: { neighbours },
    needsTaskParameters: false,
    predict(prompts, out) {
      checkOut(name, prompts, out);
      const { batch, context, queries, dimension, covariates, query } = prompts;
      const width = responseWidth(prompts);
      const classes = classCount(prompts);
      if (labels.length < context) labels = new Int32Array(context);
      if (votes.length !== classes) votes = new Float64Array(classes);
      const count = Math.min(neighbours, context);
      for (let b = 0; b < batch; b++) {
        classesInto(prompts, b, labels);
        for (let row = b * queries; row < (b + 1) * queries; row++) {
          distances.fill(Number.POSITIVE_INFINITY);
          for (let i = 0; i < context; i++) {
            const at = (b * context + i) * dimension;
            let distance = 0;
            for (let j = 0; j < dimension; j++) distance += (covariates[at + j]! - query[row * dimension + j]!) ** 2;
            if (distance >= distances[count - 1]!) continue;
            let place = count - 1;
            for (; place > 0 && distances[place - 1]! > distance; place--) {
              distances[place] = distances[place - 1]!;
              voters[place] = voters[place - 1]!;
            }
            distances[place] = distance;
            voters[place] = labels[i]!;
          }
          votes.fill(1);
          for (let place = 0; place < count; place++) votes[voters[place]!] = votes[voters[place]!]! + 1;
          if (width === 1) out[row] = votes[1]! / (count + 2);
          else for (let k = 0; k < classes; k++) out[row * width + k] = votes[k]! / (count + classes);
        }
      }
    },
  };
}

export const nearestNeighbours: EstimatorKind = {
  name,
  description,
  tasks: ['gaussian-mixture'],
  options: [
    {
      name: 'neighbours',
      description: 'k, how many pairs vote',
      default: 10,
      accepts: (value) => Number.isInteger(value) && value >= 1,
      expected: 'a whole number, 1 or more',
    },
  ],
  create,
};
