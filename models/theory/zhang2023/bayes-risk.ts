/**
 * The least risk that any predictor can have on linear-regression prompts, w ~ N(0, C), and the risk of least squares: what
 * a trained layer is measured against. Exact where a closed form exists, otherwise a Monte Carlo mean over contexts of the
 * exact posterior variance, which has far less noise than sampled predictions.
 *
 * With X the context, V = (C^-1 + X^T X / s^2)^-1 is the posterior covariance of w (or its limit for s^2 -> 0), and the Bayes
 * risk is E tr(Q V) + s^2. Knowing Lambda would not help: given X, y the posterior does not depend on it.
 */
import { identity, type Matrix, multiply, symmetricEigen, trace, transpose } from '../../matrix.ts';
import { fillExponentials, fillNormals, type Generator } from '../../random.ts';
import { covarianceMatrix } from '../../tasks/covariance.ts';
import type { LinearRegressionSpec } from '../../tasks/linear-regression.ts';
import { reciprocalLength } from './gamma.ts';
import { resolveTestLaw, type TestLaw } from './shift.ts';

export interface BayesRisk {
  readonly mean: number;
  /** 0 if exact. */
  readonly standardError: number;
  readonly method: 'exact' | 'monte-carlo';
  /** Contexts drawn; 0 if exact. */
  readonly draws: number;
}

/** A symmetric positive semidefinite matrix as V diag(values) V^T, tiny negative values set to 0. */
function symmetricRoot(matrix: Matrix): number[][] {
  const { values, vectors } = symmetricEigen(matrix);
  const scaled = vectors.map((row) => row.map((value, j) => value * Math.sqrt(Math.max(0, values[j]!))));
  return multiply(scaled, transpose(vectors));
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
  const count = draws ?? Math.min(4000, Math.max(200, Math.round(1e8 / work)));
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

/** tr(Q V) for the context numbered `draw`, with X^T X = K^T Z^T Z K, Z standard normal, in coordinates where C = I. */
function createPosteriorVariance(
  task: LinearRegressionSpec,
  M: number,
  generator: Generator,
): (draw: number) => number {
  const { dimension: d, noiseVariance } = task;
  const taskRoot = symmetricRoot(covarianceMatrix(task.taskCovariance, d)!);
  const context = covarianceMatrix(task.covariance, d);
  const fixedQuery = task.queryCovariance === undefined ? context : covarianceMatrix(task.queryCovariance, d);
  const contextRoot = context === undefined ? identity(d) : symmetricRoot(context);
  const scale = task.covariance.kind === 'exponential' ? task.covariance.scale : undefined;
  const variances = new Float32Array(d);
  const z = new Float32Array(M * d);

  return (draw) => {
    fillNormals(generator, { prompt: draw, purpose: 0 }, z, 0, z.length);
    let root = contextRoot;
    let query = fixedQuery;
    if (scale !== undefined) {
      fillExponentials(generator, { prompt: draw, purpose: 1 }, variances, 0, d);
      root = identity(d).map((row, i) => row.map((value) => value * Math.sqrt(scale * variances[i]!)));
      query ??= identity(d).map((row, i) => row.map((value) => value * scale * variances[i]!));
    }
    const K = multiply(root, taskRoot);
    const target = multiply(taskRoot, query!, taskRoot);
    return noiseVariance > 0 ? noisyVariance(z, M, K, target, noiseVariance) : noiselessVariance(z, M, K, target);
  };
}

/** tr(target (I + K^T Z^T Z K / s^2)^-1), by Cholesky: the sum of squares of L^-1 target^(1/2). */
function noisyVariance(z: Float32Array, M: number, K: Matrix, target: Matrix, noiseVariance: number): number {
  const d = K.length;
  const gram = K.map((row) => row.map(() => 0));
  for (let n = 0; n < M; n++) {
    for (let i = 0; i < d; i++) {
      const factor = z[n * d + i]!;
      const row = gram[i]!;
      for (let j = 0; j <= i; j++) row[j] = row[j]! + factor * z[n * d + j]!;
    }
  }
  for (let i = 0; i < d; i++) for (let j = i + 1; j < d; j++) gram[i]![j] = gram[j]![i]!;
  const precision = multiply(transpose(K), gram, K).map((row, i) =>
    row.map((value, j) => value / noiseVariance + (i === j ? 1 : 0)),
  );
  // In place: the lower triangle becomes L, and solving L y = column by column of I gives V = L^-T L^-1.
  for (let j = 0; j < d; j++) {
    const rowJ = precision[j]!;
    for (let i = j; i < d; i++) {
      const rowI = precision[i]!;
      let sum = rowI[j]!;
      for (let k = 0; k < j; k++) sum -= rowI[k]! * rowJ[k]!;
      rowI[j] = i === j ? Math.sqrt(sum) : sum / rowJ[j]!;
    }
  }
  const inverseFactor = target.map((row) => row.map(() => 0)); // L^-1, row by row
  for (let i = 0; i < d; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = i === j ? 1 : 0;
      for (let k = j; k < i; k++) sum -= precision[i]![k]! * inverseFactor[k]![j]!;
      inverseFactor[i]![j] = sum / precision[i]![i]!;
    }
  }
  return trace(multiply(inverseFactor, target, transpose(inverseFactor)));
}

/** tr(target (I - projection onto the rows of Z K)), by Gram-Schmidt with every projection done twice. */
function noiselessVariance(z: Float32Array, M: number, K: Matrix, target: Matrix): number {
  const d = K.length;
  const basis: number[][] = [];
  let variance = trace(target);
  for (let n = 0; n < M; n++) {
    const row = multiply([Array.from(z.subarray(n * d, (n + 1) * d))], K)[0]!;
    const before = Math.hypot(...row);
    for (let pass = 0; pass < 2; pass++) {
      for (const direction of basis) {
        const overlap = direction.reduce((sum, value, j) => sum + value * row[j]!, 0);
        for (let j = 0; j < d; j++) row[j] = row[j]! - overlap * direction[j]!;
      }
    }
    const norm = Math.hypot(...row);
    if (!(norm > 1e-12 * before)) continue; // nothing new: the covariance has no full rank
    const direction = row.map((value) => value / norm);
    basis.push(direction);
    variance -= multiply([direction], target, transpose([direction]))[0]![0]!;
  }
  return variance;
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
