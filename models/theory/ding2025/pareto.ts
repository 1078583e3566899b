/**
 * The Pareto front of the objectives R1 of one prompt, exactly.
 *
 * With C = (1/n) sum x_j x_j' positive definite and w_LS the least squares solution, the linear objectives -C w and the square
 * loss cannot all fall together at w iff w >= w_LS in every coordinate: weights lambda >= 0 with sum_k lambda_k grad R1_k = 0 mean
 * C (w - u) = (1/n) sum y_j x_j for some u >= 0. The paper leaves its front unspecified.
 * Source: Ding et al. (2025), section 4 and Figure 2, for the objectives.
 */
import type { Matrix } from '../../matrix.ts';
import { jacobian1, objectives1, type PromptContext } from './objectives.ts';
import { solveSemidefinite } from './quadratic.ts';

/** w_LS, and C. */
export function leastSquaresWeights({ x, y }: PromptContext): { readonly w: number[]; readonly C: Matrix } {
  const n = y.length;
  const D = x[0]!.length;
  const moment = (i: number, j: number) => x.reduce((sum, row) => sum + row[i]! * row[j]!, 0) / n;
  const C = Array.from({ length: D }, (_, i) => Array.from({ length: D }, (_, j) => moment(i, j)));
  const right = Float64Array.from({ length: D }, (_, i) => x.reduce((sum, row, j) => sum + row[i]! * y[j]!, 0) / n);
  return { w: [...solveSemidefinite(Float64Array.from(C.flat()), right).x], C };
}

/**
 * Euclidean distance from R1(w) to the front { R1(v): v >= w_LS }: the generational distance of a single point. By projected
 * gradient descent over v from the nearest such v; 0 where w itself is on it.
 */
export function frontDistance(prompt: PromptContext, w: readonly number[]): number {
  const { w: corner } = leastSquaresWeights(prompt);
  const target = objectives1(prompt, w);
  const differenceAt = (v: readonly number[]) => objectives1(prompt, v).map((value, k) => value - target[k]!);
  const half = (difference: readonly number[]) => difference.reduce((sum, value) => sum + value * value, 0) / 2;
  let v = w.map((value, i) => Math.max(value, corner[i]!));
  let difference = differenceAt(v);
  let value = half(difference);
  let step = 1;
  for (let iteration = 0; iteration < 5000; iteration++) {
    const J = jacobian1(prompt, v);
    const slope = v.map((_, i) => difference.reduce((sum, entry, k) => sum + entry * J[k]![i]!, 0));
    let moved = false;
    for (step *= 2; step > 1e-14; step /= 2) {
      const next = v.map((entry, i) => Math.max(entry - step * slope[i]!, corner[i]!));
      const nextDifference = differenceAt(next);
      const nextValue = half(nextDifference);
      const along = next.reduce((sum, entry, i) => sum + slope[i]! * (v[i]! - entry), 0);
      if (nextValue > value - 1e-4 * along) continue;
      moved = along > 1e-16 * Math.max(1, value);
      [v, difference, value] = [next, nextDifference, nextValue];
      break;
    }
    if (!moved) break;
  }
  return Math.sqrt(2 * value);
}
