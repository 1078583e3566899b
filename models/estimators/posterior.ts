/** The true probabilities of the classes, by whoever knows what the task drew: a bound, not a method. */
import { UsageError } from '../errors.ts';
import { createPosterior, tasks } from '../tasks/index.ts';
import { checkOut, type EstimatorKind, requireTaskParameters } from './estimator.ts';

const name = 'posterior';
const description = 'the true probabilities of the classes: knows the task itself';

export const posterior: EstimatorKind = {
  name,
  description,
  tasks: tasks.filter((task) => task.createPosterior !== undefined).map((task) => task.name),
  options: [],
  create(_options, { testTask }) {
    const compute = createPosterior(testTask);
    if (compute === undefined) {
      throw new UsageError({ where: name, expected: 'a task with true probabilities', got: testTask.name });
    }
    return {
      name,
      description,
      parameters: {},
      needsTaskParameters: true,
      predict(prompts, out) {
        checkOut(name, prompts, out);
        compute(requireTaskParameters(name, prompts), out);
      },
    };
  },
};
