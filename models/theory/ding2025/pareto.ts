/**
 * The Pareto front of the objectives R1 of one prompt, exactly.
 *
 * With C = (1/n) sum x_j x_j' positive definite and w_LS the least squares solution, the linear objectives -C w and the square
 * loss cannot all fall together at w iff w >= w_LS in every coordinate: weights lambda >= 0 with sum_k lambda_k grad R1_k = 0 mean
 * C (w - u) = (1/n) sum y_j x_j for some u >= 0. The paper leaves its front unspecified.
 * Source: Ding et al. (2025), section 4 and Figure 2, for the objectives.
 */
import type { Matrix } from '../../matrix.ts';
import type { PromptContext } from './objectives.ts';
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
 * gradient descent over v from the nearest such v; 0 where w itself is on it. Where C is singular, R1 depends on C v alone, and
 * any of the least squares solutions gives the same front.
 */
export function frontDistance(prompt: PromptContext, w: readonly number[]): number {
  const { w: corner, C } = leastSquaresWeights(prompt);
  // R1 in moments: -C v, and v'C v / 2 - v'C w_LS + const. Row k of C is minus the gradient of entry k.
  const times = (v: readonly number[]) => C.map((row) => row.reduce((sum, value, i) => sum + value * v[i]!, 0));
  const Cw = times(w);
  const lossFrom = (v: readonly number[], Cv: readonly number[]) =>
    v.reduce((sum, value, i) => sum + value * (Cv[i]! / 2) - Cv[i]! * corner[i]!, 0);
  const target = lossFrom(w, Cw);
  const at = (v: readonly number[]) => {
    const Cv = times(v);
    const difference = [...Cv.map((value, k) => Cw[k]! - value), lossFrom(v, Cv) - target];
    return { v, difference, value: difference.reduce((sum, entry) => sum + entry * entry, 0) / 2 };
  };
  let now = at(w.map((value, i) => Math.max(value, corner[i]!)));
  let step = 1;
  for (let iteration = 0; iteration < 2000; iteration++) {
    const { v, difference, value } = now;
    const lossSlope = times(v.map((entry, i) => entry - corner[i]!));
    const last = difference.at(-1)!;
    const linear = times(difference.slice(0, -1));
    const slope = v.map((_, i) => last * lossSlope[i]! - linear[i]!);
    let isDone = true;
    for (step *= 2; step > 1e-14; step /= 2) {
      const next = at(v.map((entry, i) => Math.max(entry - step * slope[i]!, corner[i]!)));
      const along = next.v.reduce((sum, entry, i) => sum + slope[i]! * (v[i]! - entry), 0);
      if (next.value > value - 1e-4 * along) continue;
      isDone = along <= 1e-15 * Math.max(1e-6, value);
      now = next;
      break;
    }
    if (isDone) break;
  }
  return Math.sqrt(2 * now.value);
}
