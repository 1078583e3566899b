/**
 * The least risk that any predictor can have on linear-regression prompts, w ~ N(0, C), and the risk of least squares: what
 * a trained layer is measured against. Exact where a closed form exists, otherwise a Monte Carlo mean over contexts of the
 * exact posterior variance, which has far less noise than sampled predictions.
 *
 * With X the context, V = (C^-1 + X^T X / s^2)^-1 is the posterior covariance of w (or its limit for s^2 -> 0), and the Bayes
 * risk is E tr(Q V) + s^2. Knowing Lambda would not help: given X, y the posterior does not depend on it.
 */
import { type Matrix, multiply, trace, transpose } from '../../matrix.ts';
import type { Generator } from '../../random.ts';
import { symmetricEigen } from '../../symmetric-eigen.ts';
import { covarianceMatrix } from '../../tasks/covariance.ts';
import type { LinearRegressionSpec } from '../../tasks/linear-regression.ts';
import { reciprocalLength } from './gamma.ts';
import { createPosteriorVariance, symmetricRoot } from './posterior-variance.ts';
import { resolveTestLaw, type TestLaw } from './shift.ts';

export interface BayesRisk {
  readonly mean: number;
  /** 0 if exact. */
  readonly standardError: number;
  readonly method: 'exact' | 'monte-carlo';
  /** Contexts drawn; 0 if exact. */
  readonly draws: number;
}

/** The common factor if a matrix is a multiple of the identity. */
function isotropicScale(matrix: Matrix): number | undefined {
  const scale = matrix[0]![0]!;
  return matrix.every((row, i) => row.every((value, j) => value === (i === j ? scale : 0))) ? scale : undefined;
}

/**
 * The Bayes risk of a task at context length M, which may be 0 or Infinity.
 * Exact without a context; with an infinite one; without noise when M >= D (then 0, if the covariances have full rank); and
 * without noise for isotropic covariances when M < D: D - M for the identity. Otherwise Monte Carlo.
 * @param generator What the contexts are drawn from. @param draws Default: as many as take about a tenth of a second.
 */
export function bayesRisk(task: LinearRegressionSpec, M: number, generator: Generator, draws?: number): BayesRisk {
  const { dimension, noiseVariance } = task;
  const exact = exactBayesRisk(task, M);
  if (exact !== undefined) return { mean: exact, standardError: 0, method: 'exact', draws: 0 };
  const work = M * dimension ** 2 + 4 * dimension ** 3;
  const count = draws ?? Math.min(4000, Math.max(200, Math.round(5e7 / work)));
  const posteriorVariance = createPosteriorVariance(task, M, generator);
  let mean = 0;
  let squares = 0;
  for (let draw = 0; draw < count; draw++) {
    const value = posteriorVariance(draw);
    const difference = value - mean;
    mean += difference / (draw + 1);
    squares += difference * (value - mean);
  }
  const standardError = Math.sqrt(squares / (count - 1) / count);
  return { mean: mean + noiseVariance, standardError, method: 'monte-carlo', draws: count };
}

function exactBayesRisk(task: LinearRegressionSpec, M: number): number | undefined {
  const { dimension, noiseVariance } = task;
  if (M !== 0) reciprocalLength('M', M);
  const context = covarianceMatrix(task.covariance, dimension);
  const C = covarianceMatrix(task.taskCovariance, dimension)!;
  const Q = task.queryCovariance === undefined ? context : covarianceMatrix(task.queryCovariance, dimension);
  const scale = task.covariance.kind === 'exponential' ? task.covariance.scale : 0;
  if (M === 0) return (Q === undefined ? scale * trace(C) : trace(multiply(Q, C))) + noiseVariance;
  const isDetermined = M === Infinity || (noiseVariance === 0 && M >= dimension);
  if (isDetermined) {
    // What stays unknown lies where the context never goes; random variances are never 0.
    if (context === undefined || Q === undefined) return noiseVariance;
    const root = symmetricRoot(C);
    const { values, vectors } = symmetricEigen(multiply(root, context, root));
    const unseen = transpose(vectors).filter((_, i) => values[i]! <= 1e-12 * Math.max(values.at(-1)!, 0));
    const target = multiply(root, Q, root);
    return unseen.reduce((sum, v) => sum + multiply([v], target, transpose([v]))[0]![0]!, 0) + noiseVariance;
  }
  if (noiseVariance > 0 || context === undefined || Q === undefined) return undefined;
  const taskScale = isotropicScale(C);
  if (taskScale === undefined || !(isotropicScale(context)! > 0)) return undefined;
  return taskScale * trace(Q) * (1 - M / dimension);
}

/**
 * The risk of least squares of minimum norm; Infinity where its mean does not exist (noise and M within 1 of D).
 *
 *   M >= D, s^2 = 0: s_q^2;  M > D + 1: s_q^2 + s^2 tr(Q Lambda^-1)/(M - D - 1);
 *   M < D, Lambda = lambda I, C = c I: s_q^2 + tr(Q) [c (1 - M/D) + s^2 M / (lambda D (D - M - 1))]
 *
 * from the means of Wishart and inverse Wishart matrices. Undefined where there is no closed form.
 */
export function leastSquaresRisk(law: TestLaw): number | undefined {
  const { contextCovariance, queryCovariance, taskCovariance, noiseVariance, queryNoiseVariance, M } =
    resolveTestLaw(law);
  const d = contextCovariance.length;
  const { values, vectors } = symmetricEigen(contextCovariance);
  if (!(values[0]! > 0)) return undefined;
  if (M >= d) {
    if (noiseVariance === 0 || M === Infinity) return queryNoiseVariance;
    if (M <= d + 1) return Infinity;
    const rotated = multiply(transpose(vectors), queryCovariance, vectors);
    const ratio = rotated.reduce((sum, row, i) => sum + row[i]! / values[i]!, 0); // tr(Q Lambda^-1)
    return queryNoiseVariance + (noiseVariance * ratio) / (M - d - 1);
  }
  const lambda = isotropicScale(contextCovariance);
  const c = isotropicScale(taskCovariance);
  if (lambda === undefined || c === undefined) return undefined;
  if (M === d - 1 && noiseVariance > 0) return Infinity;
  const fromNoise = noiseVariance === 0 ? 0 : (noiseVariance * M) / (lambda * d * (d - M - 1));
  return queryNoiseVariance + trace(queryCovariance) * (c * (1 - M / d) + fromNoise);
}
