/** What may differ at test time on prompts of features: how often each is shown, which one is asked for, the noise. */
import { defineShift, requireLevel, type Shift } from './shift.ts';

/** The probabilities with that of the first feature set to p, the others' in their proportions. */
function withFirst(probabilities: readonly number[], p: number): number[] {
  const rest = 1 - probabilities[0]!;
  if (rest === 0) return probabilities.map((_, k) => (k === 0 ? p : (1 - p) / (probabilities.length - 1)));
  return probabilities.map((value, k) => (k === 0 ? p : (value * (1 - p)) / rest));
}

export const featureRegressionShifts: readonly Shift[] = [
  defineShift({
    name: 'feature-probability',
    about: 'covariate',
    tasks: ['feature-regression'],
    level: 'p: probability of the first feature, in context and query; the others share the rest as before',
    description: 'covariate shift: other features are common',
    neutral: undefined,
    levels: [0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9],
    apply(task, level) {
      const isGood = level >= 0 && level <= 1 && task.probabilities.length > 1;
      requireLevel('feature-probability', level, isGood, 'a probability, with two features or more');
      const { queryProbabilities, ...rest } = task;
      const shifted = { ...rest, probabilities: withFirst(task.probabilities, level) };
      return queryProbabilities === undefined
        ? shifted
        : { ...shifted, queryProbabilities: withFirst(queryProbabilities, level) };
    },
  }),
  defineShift({
    name: 'query-probability',
    about: 'query',
    tasks: ['feature-regression'],
    level: 'p: probability that the query is the first feature; the context stays',
    description: 'query shift: other features are asked for than are shown',
    neutral: undefined,
    levels: [0, 0.25, 0.5, 0.75, 1],
    apply(task, level) {
      const isGood = level >= 0 && level <= 1 && task.probabilities.length > 1;
      requireLevel('query-probability', level, isGood, 'a probability, with two features or more');
      return { ...task, queryProbabilities: withFirst(task.queryProbabilities ?? task.probabilities, level) };
    },
  }),
  defineShift({
    name: 'response-noise',
    about: 'task',
    tasks: ['feature-regression'],
    level: 'noise variance of all responses, in squared response units',
    description: 'label noise: the responses are not exact',
    neutral: undefined,
    levels: [0, 0.1, 0.25, 0.5, 1],
    apply(task, level) {
      requireLevel('response-noise', level, level >= 0, 'a variance of 0 or more');
      return { ...task, noiseVariance: level };
    },
  }),
];
