/**
 * Ridge regression, w = argmin |y - X w|^2 + penalty |w|^2. With penalty = noise variance / task variance it is the
 * posterior mean of w ~ N(0, taskVariance I) under that label noise: the Bayes predictor of isotropic linear tasks.
 */
import { answerQueries, checkOut, type Estimator, type EstimatorKind, type EstimatorLaws } from './estimator.ts';
import { leastSquares } from './least-squares.ts';
import { createLinearSolver, solvePrompts } from './linear-systems.ts';

const name = 'ridge';
const description = 'ridge regression; by default the Bayes predictor for w ~ N(0, taskVariance I)';

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
  const solve = createLinearSolver();
  return {
    name,
    description,
    parameters,
    needsTaskParameters: false,
    predict(prompts, out) {
      checkOut(name, prompts, out);
      const { dimension } = prompts;
      solvePrompts(solve, prompts, penalty, ({ w }, start, count) => {
        for (let i = 0; i < count; i++) answerQueries(prompts, start + i, w, out, i * dimension);
      });
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
