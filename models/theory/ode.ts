/**
 * Integrates ordinary differential equations x' = f(x) in float64, with a step that follows the error: the explicit
 * Runge-Kutta pair of orders 5 and 4 by Dormand and Prince. For the smooth, mildly stiff gradient flows of theory.
 * Source: Hairer, Norsett, Wanner (1993), "Solving Ordinary Differential Equations I", table 5.2.
 */
import { UsageError } from '../errors.ts';

export interface IntegrationOptions {
  /** Allowed error of a step, relative to each number. */
  readonly relativeTolerance: number;
  /** Allowed error of a step for numbers near 0. */
  readonly absoluteTolerance: number;
  /** Steps after which it gives up. */
  readonly maximumSteps: number;
}

export const integrationDefaults: IntegrationOptions = {
  relativeTolerance: 1e-10,
  absoluteTolerance: 1e-13,
  maximumSteps: 1_000_000,
};

const stages: readonly (readonly number[])[] = [
  [],
  [1 / 5],
  [3 / 40, 9 / 40],
  [44 / 45, -56 / 15, 32 / 9],
  [19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729],
  [9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656],
  [35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84], // also the solution of order 5
];
const errorWeights = [71 / 57600, 0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40];

/**
 * The solution at each of the given times, starting from `start` at time 0.
 * @param derivative Writes f(x) to `out`.
 * @param times Not negative, ascending.
 * @returns One state per time. @throws {UsageError} on times that descend, or when too many steps are needed.
 */
export function integrate(
  derivative: (x: Float64Array, out: Float64Array) => void,
  start: ArrayLike<number>,
  times: readonly number[],
  options: Partial<IntegrationOptions> = {},
): Float64Array[] {
  const { relativeTolerance, absoluteTolerance, maximumSteps } = { ...integrationDefaults, ...options };
  let x = Float64Array.from(start);
  let next = new Float64Array(x.length);
  const slopes = errorWeights.map(() => new Float64Array(x.length));
  derivative(x, slopes[0]!);
  let time = 0;
  let step = firstStep(x, slopes[0]!, absoluteTolerance);
  let taken = 0;
  return times.map((target) => {
    if (!(target >= time && Number.isFinite(target))) {
      throw new UsageError({ where: 'times', expected: 'finite times from 0 on, ascending', got: String(target) });
    }
    while (time < target) {
      if (++taken > maximumSteps) {
        throw new UsageError({
          where: 'integrate',
          expected: `a solution within ${maximumSteps} steps`,
          got: `time ${time} of ${target}`,
          remedy: 'Ask for earlier times, or raise maximumSteps.',
        });
      }
      const isLast = time + step >= target;
      const h = isLast ? target - time : step;
      for (let stage = 1; stage < 7; stage++) {
        combine(x, slopes, stages[stage]!, h, next);
        derivative(next, slopes[stage]!);
      }
      const error = errorNorm(x, next, slopes, h, relativeTolerance, absoluteTolerance);
      // A NaN error, from an overflow, is a step that was too long.
      if (error <= 1) {
        time = isLast ? target : time + h;
        [x, next] = [next, x];
        slopes[0]!.set(slopes[6]!); // the last slope is the first of the next step
      }
      const factor = error > 0 ? 0.9 * error ** -0.2 : error === 0 ? 5 : 0.2;
      const proposed = h * Math.min(5, Math.max(0.2, factor));
      // A step cut short to hit a time says nothing about the step that could have been.
      step = isLast && error <= 1 ? Math.max(step, proposed) : proposed;
    }
    return Float64Array.from(x);
  });
}

function firstStep(x: Float64Array, slope: Float64Array, absoluteTolerance: number): number {
  const size = Math.hypot(...x);
  const speed = Math.hypot(...slope);
  return speed > 0 ? (0.01 * Math.max(size, absoluteTolerance)) / speed : 1e-3;
}

/** out = x + h sum_i weights_i slopes_i. */
function combine(
  x: Float64Array,
  slopes: readonly Float64Array[],
  weights: readonly number[],
  h: number,
  out: Float64Array,
): void {
  out.set(x);
  weights.forEach((weight, i) => {
    const slope = slopes[i]!;
    const factor = h * weight;
    for (let j = 0; j < out.length; j++) out[j] = out[j]! + factor * slope[j]!;
  });
}

/** Largest error estimate over what is allowed. */
function errorNorm(
  x: Float64Array,
  next: Float64Array,
  slopes: readonly Float64Array[],
  h: number,
  relative: number,
  absolute: number,
): number {
  let worst = 0;
  for (let j = 0; j < x.length; j++) {
    let error = 0;
    for (let i = 0; i < errorWeights.length; i++) error += errorWeights[i]! * slopes[i]![j]!;
    const allowed = absolute + relative * Math.max(Math.abs(x[j]!), Math.abs(next[j]!));
    const ratio = Math.abs(h * error) / allowed;
    if (!(ratio <= worst)) worst = ratio;
  }
  return worst;
}
