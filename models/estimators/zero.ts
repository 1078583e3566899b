/** The predictor that has learnt nothing: 0 for every query. Its risk is the variance of the response. */
import { checkOut, type EstimatorKind } from './estimator.ts';

const name = 'zero';
const description = 'predicts 0';

export const zero: EstimatorKind = {
  name,
  description,
  options: [],
  create: () => ({
    name,
    description,
    parameters: {},
    predict(prompts, out) {
      checkOut(name, prompts, out);
      out.fill(0);
    },
  }),
};
