/** The predictor that has learnt nothing: 0 for every query. Its risk is the variance of the response. */
import { tasks } from '../tasks/index.ts';
import { checkOut, type EstimatorKind } from './estimator.ts';

const name = 'zero';
const description = 'predicts 0';

export const zero: EstimatorKind = {
  name,
  description,
  tasks: tasks.filter(({ kind }) => kind === 'regression').map(({ name }) => name),
  options: [],
  create: () => ({
    name,
    description,
    parameters: {},
    needsTaskParameters: false,
    predict(prompts, out) {
      checkOut(name, prompts, out);
      out.fill(0);
    },
  }),
};
