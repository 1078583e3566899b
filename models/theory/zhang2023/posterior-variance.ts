/**
 * tr(Q V) for one random context after another, V the posterior covariance of w ~ N(0, C): the draws behind the Bayes risk.
 * In coordinates where the prior is the identity and with X = Z K, Z standard normal, K = Lambda^(1/2) C^(1/2),
 * tr(Q V) = tr(T (I + K^T Z^T Z K / s^2)^-1), T = C^(1/2) Q C^(1/2). Flat arrays, since thousands of draws are made.
 */
import { identity, type Matrix, multiply, transpose } from '../../matrix.ts';
import { fillExponentials, fillNormals, type Generator } from '../../random.ts';
import { symmetricEigen } from '../../symmetric-eigen.ts';
import { covarianceMatrix } from '../../tasks/covariance.ts';
import type { LinearRegressionSpec } from '../../tasks/linear-regression.ts';

/** The symmetric root of a symmetric positive semidefinite matrix; tiny negative eigenvalues count as 0. */
export function symmetricRoot(matrix: Matrix): number[][] {
  const { values, vectors } = symmetricEigen(matrix);
  const scaled = vectors.map((row) => row.map((value, j) => value * Math.sqrt(Math.max(0, values[j]!))));
  return multiply(scaled, transpose(vectors));
}

/** A function from the number of a context to tr(Q V) for it. @param M Context length, 1 or more. */
export function createPosteriorVariance(
  task: LinearRegressionSpec,
  M: number,
  generator: Generator,
): (draw: number) => number {
  const { dimension: d, noiseVariance } = task;
  const taskRoot = symmetricRoot(covarianceMatrix(task.taskCovariance, d)!);
  const context = covarianceMatrix(task.covariance, d);
  const query = task.queryCovariance === undefined ? context : covarianceMatrix(task.queryCovariance, d);
  const scale = task.covariance.kind === 'exponential' ? task.covariance.scale : 0;
  const root = Float64Array.from(
    multiply(context === undefined ? identity(d) : symmetricRoot(context), taskRoot).flat(),
  );
  const K = Float64Array.from(root);
  const target = Float64Array.from(query === undefined ? [] : multiply(taskRoot, query, taskRoot).flat());
  const ownTarget = query === undefined ? new Float64Array(d * d) : target;
  const variances = new Float32Array(d);
  const z = new Float32Array(M * d);
  const solver = noiseVariance > 0 ? createNoisySolver(d, noiseVariance) : createNoiselessSolver(d);

  return (draw) => {
    fillNormals(generator, { prompt: draw, purpose: 0 }, z, 0, z.length);
    if (context === undefined) {
      fillExponentials(generator, { prompt: draw, purpose: 1 }, variances, 0, d);
      for (let i = 0; i < d; i++) {
        const deviation = Math.sqrt(scale * variances[i]!);
        for (let j = 0; j < d; j++) K[i * d + j] = deviation * root[i * d + j]!;
      }
      // The query shares the context's variances: T = K^T K.
      if (query === undefined) gramInto(K, d, d, ownTarget);
    }
    return solver(z, M, K, ownTarget);
  };
}

type Solver = (z: Float32Array, M: number, K: Float64Array, target: Float64Array) => number;

/** out = A^T A for `rows` rows of length d. */
function gramInto(a: Float32Array | Float64Array, rows: number, d: number, out: Float64Array): void {
  out.fill(0);
  for (let n = 0; n < rows * d; n += d) {
    for (let i = 0; i < d; i++) {
      const factor = a[n + i]!;
      for (let j = 0; j <= i; j++) out[i * d + j] = out[i * d + j]! + factor * a[n + j]!;
    }
  }
  for (let i = 0; i < d; i++) for (let j = 0; j < i; j++) out[j * d + i] = out[i * d + j]!;
}

/** out = A B, all `[d, d]`, or A^T B. */
function multiplyInto(a: Float64Array, b: Float64Array, d: number, isTransposed: boolean, out: Float64Array): void {
  out.fill(0);
  for (let i = 0; i < d; i++) {
    for (let k = 0; k < d; k++) {
      const factor = isTransposed ? a[k * d + i]! : a[i * d + k]!;
      for (let j = 0; j < d; j++) out[i * d + j] = out[i * d + j]! + factor * b[k * d + j]!;
    }
  }
}

/** With noise: Cholesky, I + K^T Z^T Z K / s^2 = L L^T, and tr(T L^-T L^-1) = sum over rows r of L^-1 of r T r^T. */
function createNoisySolver(d: number, noiseVariance: number): Solver {
  const [a, b, inverse] = [new Float64Array(d * d), new Float64Array(d * d), new Float64Array(d * d)];
  return (z, M, K, target) => {
    gramInto(z, M, d, a);
    multiplyInto(a, K, d, false, b);
    multiplyInto(K, b, d, true, a);
    for (let i = 0; i < d * d; i++) a[i] = a[i]! / noiseVariance;
    for (let i = 0; i < d; i++) a[i * d + i] = a[i * d + i]! + 1;
    for (let j = 0; j < d; j++) {
      for (let i = j; i < d; i++) {
        let sum = a[i * d + j]!;
        for (let k = 0; k < j; k++) sum -= a[i * d + k]! * a[j * d + k]!;
        a[i * d + j] = i === j ? Math.sqrt(sum) : sum / a[j * d + j]!;
      }
    }
    let variance = 0;
    for (let i = 0; i < d; i++) {
      for (let j = 0; j <= i; j++) {
        let sum = i === j ? 1 : 0;
        for (let k = j; k < i; k++) sum -= a[i * d + k]! * inverse[k * d + j]!;
        inverse[i * d + j] = sum / a[i * d + i]!;
      }
      variance += quadraticForm(target, d, inverse, i * d, i + 1);
    }
    return variance;
  };
}

/** Without noise, M < d: tr(T) less v^T T v for each v of an orthonormal basis of the rows of Z K. */
function createNoiselessSolver(d: number): Solver {
  const basis = new Float64Array(d * d);
  return (z, M, K, target) => {
    let variance = 0;
    for (let i = 0; i < d; i++) variance += target[i * d + i]!;
    let rank = 0;
    for (let n = 0; n < M && rank < d; n++) {
      const row = basis.subarray(rank * d, (rank + 1) * d);
      row.fill(0);
      for (let i = 0; i < d; i++) for (let j = 0; j < d; j++) row[j] = row[j]! + z[n * d + i]! * K[i * d + j]!;
      const before = Math.sqrt(dot(row, 0, row, d));
      // Gram-Schmidt, twice, since once may leave rounding along the basis.
      for (let k = 0; k < 2 * rank; k++) {
        const at = (k % rank) * d;
        const overlap = dot(basis, at, row, d);
        for (let j = 0; j < d; j++) row[j] = row[j]! - overlap * basis[at + j]!;
      }
      const norm = Math.sqrt(dot(row, 0, row, d));
      if (!(norm > 1e-12 * before)) continue; // nothing new: the covariance is not of full rank
      for (let j = 0; j < d; j++) row[j] = row[j]! / norm;
      variance -= quadraticForm(target, d, row, 0, d);
      rank++;
    }
    return variance;
  };
}

function dot(a: Float64Array, at: number, b: Float64Array, d: number): number {
  let sum = 0;
  for (let j = 0; j < d; j++) sum += a[at + j]! * b[j]!;
  return sum;
}

/** v^T T v for the first `count` numbers of v at `at`; the others are 0. */
function quadraticForm(target: Float64Array, d: number, v: Float64Array, at: number, count: number): number {
  let form = 0;
  for (let i = 0; i < count; i++) {
    let sum = 0;
    for (let j = 0; j < count; j++) sum += target[i * d + j]! * v[at + j]!;
    form += sum * v[at + i]!;
  }
  return form;
}
