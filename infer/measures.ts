/**
 * What an evaluation measures of an answer, as data: of a number its squared error, of probabilities three things. Each is a
 * number per query; risk is its mean. Knows no sessions and no statistics.
 */
import { createPosterior, type Posterior, type TaskSpec, taskNamed } from '../models/tasks/index.ts';

export type MeasureName = 'squared-error' | 'rounding-error-rate' | 'cross-entropy' | 'error-rate' | 'total-variation';

/** Arrays of answers to the same queries, and where the query's numbers start in each; `width` numbers per query. */
export interface Answer {
  /** 1, or the number of classes. */
  width: number;
  values: ArrayLike<number>;
  at: number;
  targets: Float32Array;
  /** The true probabilities, by whoever knows the task; beside the targets. Empty unless the measure needs it. */
  posterior: Float64Array;
  target: number;
}

export interface Measure {
  readonly name: MeasureName;
  readonly description: string;
  readonly needsPosterior: boolean;
  of(answer: Answer): number;
}

const squaredError: Measure = {
  name: 'squared-error',
  description: '(prediction - y)^2, label noise included, in squared response units',
  needsPosterior: false,
  of({ values, at, targets, target }) {
    const error = values[at]! - targets[target]!;
    return error * error;
  },
};

/** Of responses that are whole numbers 0 .. levels - 1: whether the nearest of them is not the true one. */
const roundingErrorRate = (levels: number): Measure => ({
  name: 'rounding-error-rate',
  description:
    'how often the whole number nearest to the prediction, of those that a response can be, is not the true one',
  needsPosterior: false,
  of({ values, at, targets, target }) {
    const value = values[at]!;
    if (Number.isNaN(value)) return Number.NaN;
    return Math.min(levels - 1, Math.max(0, Math.round(value))) === targets[target] ? 0 : 1;
  },
});

/** Half the distance from 1 to the float32 below it, and the smallest float32 that no GPU takes for 0. */
const [belowOne, aboveZero] = [2 ** -25, 2 ** -126];

/**
 * -log of the probability given to the true class, in nats. A probability that float32 has rounded to 0 or 1 is taken for the
 * nearest one that it can hold, or half way to it: an infinite risk would say something about float32 and not about the model.
 */
const crossEntropy: Measure = {
  name: 'cross-entropy',
  description: '-log of the probability given to the true class, in nats',
  needsPosterior: false,
  of({ width, values, at, targets, target }) {
    if (width === 1) {
      const probability = targets[target]! > 0 ? Math.max(values[at]!, aboveZero) : Math.max(1 - values[at]!, belowOne);
      return -Math.log(probability);
    }
    let sum = 0;
    for (let k = 0; k < width; k++) {
      const share = targets[target + k]!;
      if (share > 0) sum -= share * Math.log(Math.max(values[at + k]!, aboveZero));
    }
    // A maximum hides NaN in some classes only; a sum over all does not.
    for (let k = 0; k < width; k++) sum += 0 * values[at + k]!;
    return sum;
  },
};

/** Whether the most probable class is not the true one; of m equally probable classes each is chosen with 1/m. */
const errorRate: Measure = {
  name: 'error-rate',
  description: 'how often the most probable class is not the true one',
  needsPosterior: false,
  of({ width, values, at, targets, target }) {
    if (width === 1) {
      const probability = values[at]!;
      if (probability === 0.5) return 0.5;
      if (Number.isNaN(probability)) return Number.NaN;
      return probability > 0.5 === targets[target]! > 0 ? 0 : 1;
    }
    let largest = Number.NEGATIVE_INFINITY;
    let ties = 0;
    let isTrueAmong = false;
    for (let k = 0; k < width; k++) {
      const value = values[at + k]!;
      if (Number.isNaN(value)) return Number.NaN;
      if (value < largest) continue;
      const isTrue = targets[target + k]! > 0.5;
      ties = value > largest ? 1 : ties + 1;
      isTrueAmong = value > largest ? isTrue : isTrueAmong || isTrue;
      largest = value;
    }
    return isTrueAmong ? 1 - 1 / ties : 1;
  },
};

const totalVariation: Measure = {
  name: 'total-variation',
  description:
    'half the sum of |probability - true probability| over the classes, the true one by whoever knows the task',
  needsPosterior: true,
  of({ width, values, at, posterior, target }) {
    let sum = 0;
    for (let k = 0; k < width; k++) sum += Math.abs(values[at + k]! - posterior[target + k]!);
    return width === 1 ? sum : sum / 2;
  },
};

export const measures: readonly Measure[] = [squaredError, crossEntropy, errorRate, totalVariation];

/** What is measured of a task's answers, and its true probabilities if one of the measures needs them. */
export interface TaskMeasures {
  readonly measures: readonly Measure[];
  readonly posterior: Posterior | undefined;
}

export function measuresFor(task: TaskSpec): TaskMeasures {
  const { kind, levels } = taskNamed(task.name);
  if (kind === 'regression') {
    const rounded = levels === undefined ? [] : [roundingErrorRate(levels(task))];
    return { measures: [squaredError, ...rounded], posterior: undefined };
  }
  const posterior = createPosterior(task);
  return {
    measures: [crossEntropy, errorRate, ...(posterior === undefined ? [] : [totalVariation])],
    posterior,
  };
}
