/** The exact error of a given Gamma at finite d and l, for any spherical law of tasks: no Monte Carlo. */
import { ShapeError } from '../../errors.ts';

/** First and second moment of the test tasks, which have ||w||^2 = d. */
export interface TaskMoments {
  /** b = E[w], `[d]`. */
  readonly mean: Float64Array;
  /** R = E[w w^T], `[d, d]`, row by row. */
  readonly second: Float64Array;
}

/** Fresh tasks, uniform on the sphere of radius sqrt(d): b = 0, R = I. */
export function freshTaskMoments(dimension: number): TaskMoments {
  const second = new Float64Array(dimension * dimension);
  for (let i = 0; i < dimension; i++) second[i * dimension + i] = 1;
  return { mean: new Float64Array(dimension), second };
}

/** A task drawn uniformly from a bank of k: b and R are the bank's own. @param tasks `[k, d]` */
export function bankMoments(tasks: Float64Array | Float32Array, dimension: number): TaskMoments {
  const k = tasks.length / dimension;
  const mean = new Float64Array(dimension);
  const second = new Float64Array(dimension * dimension);
  for (let t = 0; t < tasks.length; t += dimension) {
    for (let i = 0; i < dimension; i++) {
      const value = tasks[t + i]! / k;
      mean[i] = mean[i]! + value;
      for (let j = 0; j < dimension; j++) {
        second[i * dimension + j] = second[i * dimension + j]! + value * tasks[t + j]!;
      }
    }
  }
  return { mean, second };
}

export interface FiniteLaw {
  readonly dimension: number;
  /** l */
  readonly contextLength: number;
  /** rho */
  readonly noiseVariance: number;
  readonly tasks: TaskMoments;
}

/**
 * E (y_q - <Gamma, x_q h^T>)^2 = 1 + rho - (2/d) tr(Gamma A^T) + (1/d) tr(Gamma B Gamma^T), where
 *   A = E[w h^T] = [R, (1+rho) b]
 *   B = E[h h^T] = [[(d/l)(1+rho) I + (1+1/l) R,  (1+rho)(1+2/l) b],  [.., (1+rho)^2 (1+2/l)]]
 * @param gamma `[d, d + 1]`, row by row.
 * The last entry of B is often printed as 1 + rho^2 with no 1/l: that is an approximation.
 */
export function finiteRisk(gamma: ArrayLike<number>, law: FiniteLaw): number {
  const { dimension: d, contextLength: l, noiseVariance: rho, tasks } = law;
  const m = d + 1;
  if (gamma.length !== d * m) {
    throw new ShapeError({ where: 'finiteRisk', expected: `Gamma of ${d} x ${m} numbers`, got: `${gamma.length}` });
  }
  const { mean, second } = tasks;
  const own = (d / l) * (1 + rho);
  const shrink = 1 + 1 / l;
  const label = (1 + rho) * (1 + 2 / l);
  const corner = (1 + rho) * label;
  let linear = 0;
  let quadratic = 0;
  for (let i = 0; i < d; i++) {
    const last = gamma[i * m + d]!;
    linear += last * (1 + rho) * mean[i]!;
    quadratic += last * last * corner;
    for (let j = 0; j < d; j++) {
      const value = gamma[i * m + j]!;
      linear += value * second[i * d + j]!;
      let row = 0;
      for (let c = 0; c < d; c++) row += second[j * d + c]! * gamma[i * m + c]!;
      quadratic += value * (own * value + shrink * row + 2 * label * mean[j]! * last);
    }
  }
  return 1 + rho - (2 * linear) / d + quadratic / d;
}
