/** The classifier that has learnt nothing: every class is equally probable. Its cross-entropy is log c. */
import { responseWidth } from '../prompts.ts';
import { tasks } from '../tasks/index.ts';
import { checkOut, type EstimatorKind } from './estimator.ts';

const name = 'uniform';
const description = 'gives every class the same probability';

export const uniform: EstimatorKind = {
  name,
  description,
  tasks: tasks.filter(({ kind }) => kind === 'classification').map((task) => task.name),
  options: [],
  create: () => ({
    name,
    description,
    parameters: {},
    needsTaskParameters: false,
    predict(prompts, out) {
      checkOut(name, prompts, out);
      const width = responseWidth(prompts);
      out.fill(width === 1 ? 0.5 : 1 / width);
    },
  }),
};
