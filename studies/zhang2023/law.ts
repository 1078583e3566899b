/** What theory says at the study's settings, whether the covariance is fixed (Theorem 4.1) or random (Theorem 4.5). */
import { scaleMatrix } from '../../models/matrix.ts';
import { covarianceMatrix, parseCovariance } from '../../models/tasks/covariance.ts';
import type { LinearRegressionSpec } from '../../models/tasks/linear-regression.ts';
import {
  exactTaskRisk,
  exponentialMoments,
  gradientFlow,
  type LayerMatrices,
  type Limits,
  layerBlocks,
  limits,
  lossMinimum,
  randomCovarianceFlow,
  randomCovarianceLimits,
  type Trajectory,
} from '../../models/theory/zhang2023.ts';
import { numberOf } from '../settings.ts';
import type { Settings } from '../study.ts';

/** Prompts y = <w, x> + noise with w ~ N(0, I) and x ~ N(0, Lambda). */
export function taskOf(settings: Settings): LinearRegressionSpec {
  const dimension = numberOf(settings, 'd');
  return {
    name: 'linear-regression',
    dimension,
    covariance: parseCovariance('--set covariance', String(settings['covariance']), dimension),
    taskCovariance: { kind: 'identity' },
    noiseVariance: numberOf(settings, 'noiseVariance'),
  };
}

function randomTraining(task: LinearRegressionSpec, scale: number, N: number) {
  const moments = new Array(task.dimension).fill(exponentialMoments(scale));
  return { moments, N, trainingNoiseVariance: task.noiseVariance };
}

/** Where training on a task ends, with the least loss. */
export function limitsOf(task: LinearRegressionSpec, N: number): Limits & { readonly lossMinimum: number } {
  const { covariance, dimension, noiseVariance } = task;
  if (covariance.kind === 'exponential') return randomCovarianceLimits(randomTraining(task, covariance.scale, N));
  const matrix = covarianceMatrix(covariance, dimension)!;
  return { ...limits(matrix, N, noiseVariance), lossMinimum: lossMinimum(matrix, N, noiseVariance) };
}

/** A layer with these four blocks and zeros elsewhere. */
function layerOf({ u, U11 }: Pick<Limits, 'u' | 'U11'>): LayerMatrices {
  const side = U11.length + 1;
  const projectionValue = new Float64Array(side * side);
  projectionValue[side * side - 1] = u;
  const keyQuery = new Float64Array(side * side);
  U11.forEach((row, i) => {
    keyQuery.set(row, i * side);
  });
  return { projectionValue, keyQuery };
}

/** The exact risk, on any test law, of the layer at the limits of training with N pairs (N may be Infinity). */
export function limitRisk(
  training: LinearRegressionSpec,
  N: number,
): (test: LinearRegressionSpec, M: number) => number {
  const layer = layerOf(limitsOf(training, N));
  return (test, M) => exactTaskRisk(layer, test, M);
}

/** The risk of predicting 0: the second moment of the response at the query. */
export function zeroRisk(test: LinearRegressionSpec): number {
  const U11 = Array.from({ length: test.dimension }, () => new Array<number>(test.dimension).fill(0));
  return exactTaskRisk(layerOf({ u: 0, U11 }), test, 1);
}

/** Gradient flow of the population loss from a start with u12 = u21 = 0, as the paper's is. */
export function flowOf(
  task: LinearRegressionSpec,
  N: number,
  start: LayerMatrices,
  times: readonly number[],
): Trajectory {
  const { u, U11 } = layerBlocks(start, task.dimension);
  const { covariance, dimension, noiseVariance } = task;
  if (covariance.kind === 'exponential') {
    return randomCovarianceFlow({ ...randomTraining(task, covariance.scale, N), U11, u, times });
  }
  const matrix = covarianceMatrix(covariance, dimension)!;
  return gradientFlow({ covariance: matrix, N, U11, u, times, trainingNoiseVariance: noiseVariance });
}

/** The layer's matrices among a model's parameters. */
export function layerMatrices(parameters: Readonly<Record<string, ArrayLike<number>>>): LayerMatrices {
  return { projectionValue: parameters['projection_value']!, keyQuery: parameters['key_query']! };
}

/** u U11: all that the layer's prediction depends on while u12 = u21 = 0. */
export function productOf(parameters: Readonly<Record<string, ArrayLike<number>>>, dimension: number): number[][] {
  const { u, U11 } = layerBlocks(layerMatrices(parameters), dimension);
  return scaleMatrix(U11, u);
}
