/**
 * Randomly shifted rank-one lattice points: quasi-Monte Carlo for expectations over tens of variables, with an honest
 * standard error. Each shift of the lattice alone is an unbiased estimate, and the shifts are independent, so that their
 * spread gives the error of their mean. Knows nothing about what is integrated.
 */
import { fillNormals, type Generator } from '../random.ts';

/** Points of one lattice, and the multiplier of its Korobov generating vector (1, a, a^2, ..) mod n: found by searching
 * for a small worst-case error of smooth periodic functions with decaying weights of up to 64 variables. */
const POINTS = 4093;
const MULTIPLIER = 470;

export interface LatticeOptions {
  readonly dimensions: number;
  /** Independent shifts: the standard error has one degree of freedom less. */
  readonly shifts: number;
  readonly generator: Generator;
}

export const pointsPerShift = POINTS;

/** Calls `visit(point, index)` for each point of `[0, 1)^dimensions`; the array is the same each time. */
export function visitLattice(
  { dimensions, shifts, generator }: LatticeOptions,
  visit: (point: Float64Array, index: number) => void,
): void {
  const vector = new Float64Array(dimensions);
  for (let j = 0, z = 1; j < dimensions; j++, z = (z * MULTIPLIER) % POINTS) vector[j] = z;
  const point = new Float64Array(dimensions);
  const normals = new Float32Array(2 * dimensions);
  const shift = new Float64Array(dimensions);
  for (let s = 0; s < shifts; s++) {
    fillNormals(generator, { prompt: s, purpose: 0 }, normals, 0, 2 * dimensions);
    // The angle of a pair of normals is uniform.
    for (let j = 0; j < dimensions; j++) {
      shift[j] = Math.atan2(normals[2 * j]!, normals[2 * j + 1]!) / (2 * Math.PI) + 0.5;
    }
    for (let i = 0; i < POINTS; i++) {
      for (let j = 0; j < dimensions; j++) {
        const u = (i * vector[j]!) / POINTS + shift[j]!;
        const fraction = u - Math.floor(u);
        // The tent makes the integrand periodic, which is what a lattice likes.
        point[j] = 1 - Math.abs(2 * fraction - 1);
      }
      visit(point, s * POINTS + i);
    }
  }
}

/**
 * The quantile function of a law with this (unnormalised) density on [low, high], which is taken as linear between
 * `intervals + 1` points: the law that is drawn from differs from the one that was meant by O(1/intervals^2).
 */
export function quantileFunction(
  density: (x: number) => number,
  low: number,
  high: number,
  intervals = 4096,
): (u: number) => number {
  const step = (high - low) / intervals;
  const heights = Float64Array.from({ length: intervals + 1 }, (_, i) => density(low + i * step));
  const cumulative = new Float64Array(intervals + 1);
  for (let i = 0; i < intervals; i++) cumulative[i + 1] = cumulative[i]! + (step * (heights[i]! + heights[i + 1]!)) / 2;
  const total = cumulative[intervals]!;
  return (u) => {
    const target = Math.min(1, Math.max(0, u)) * total;
    let [from, to] = [0, intervals];
    while (to - from > 1) {
      const middle = (from + to) >> 1;
      if (cumulative[middle]! <= target) from = middle;
      else to = middle;
    }
    // left t + (right - left) t^2 / 2 = rest, t in [0, 1], in the form that does not cancel.
    const [left, right] = [heights[from]!, heights[from + 1]!];
    const rest = (target - cumulative[from]!) / step;
    const root = left + Math.sqrt(Math.max(0, left * left + 2 * (right - left) * rest));
    return low + (from + (root === 0 ? 0 : Math.min(1, (2 * rest) / root))) * step;
  };
}

/** Quantiles of the standard normal law, between -8 and 8. */
export const normalQuantile = quantileFunction((x) => Math.exp((-x * x) / 2), -8, 8, 1 << 14);
