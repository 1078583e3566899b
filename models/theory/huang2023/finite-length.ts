/**
 * The same at finite N, exactly and without sampling. Attention is a ratio, Attn_n = c_n e^{q_n} / S with S = sum_m c_m e^{q_m}
 * and c ~ Multinomial(N, p); writing 1/S^j as an integral turns every moment into one integral over u > 0,
 *
 *   E[c_n c_m .. / S^j] = 1/(j-1)! ∫ u^{j-1} E[c_n c_m .. e^{-uS}] du,   E[e^{-uS}] = (sum_n p_n e^{-u e^{q_n}})^N,
 *
 * with factorial moments under the integral in closed form. In s = log u the integrand is analytic and falls off
 * exponentially to both sides: the trapezoid rule converges exponentially. Not in the paper, which bounds what this computes.
 */
import { UsageError } from '../../errors.ts';
import type { QueryLaw } from './feature-law.ts';
import type { MomentRule, QueryMoments } from './mean-field.ts';

/** Distance of the nodes in s = log u. Half of it changes no number by more than 1e-13. */
const STEP = 0.2;
/** The integrands fall like e^s to the left: what is cut off is below e^-35. */
const REACH = 35;
/** e^-45 of the smallest factor is cut off to the right. */
const DEPTH = 45;

/**
 * The nodes u of the quadrature and their spacing in log u: from where u S is negligible to where even the smallest e^{q_n}
 * makes e^{-u e^{q_n}} so.
 */
export function quadratureNodes(N: number, smallest: number, mean: number): { first: number; count: number } {
  const low = -REACH - Math.log(N * mean);
  const high = Math.log(DEPTH / smallest);
  return { first: low, count: Math.ceil((high - low) / STEP) + 1 };
}

export const quadratureStep = STEP;

/** @throws {UsageError} unless N is a whole number of pairs, 1 or more. */
export function checkLength(N: number): void {
  if (Number.isSafeInteger(N) && N >= 1) return;
  throw new UsageError({ where: 'N', expected: 'a whole number of pairs, 1 or more', got: String(N) });
}

/** The rule at context length N, exact up to rounding. */
export function finiteLengthRule({ groups }: QueryLaw, N: number, nu = 1): MomentRule {
  checkLength(N);
  const count = groups.length;
  const sizes = Float64Array.from(groups, ({ size }) => size);
  const probabilities = Float64Array.from(groups, ({ probability }) => probability);
  const [weights, factors, first, squared, ownCross, withSquares] = Array.from(
    { length: 6 },
    () => new Float64Array(count),
  ) as [Float64Array, Float64Array, Float64Array, Float64Array, Float64Array, Float64Array];
  const moments: QueryMoments = { loss: 0, attention: first, direction: new Float64Array(count) };

  /** Adds one node's share to E[Attn_n], E[Attn_n^2], E[Attn_n Attn_k] and E[Attn_n sum_m Attn_m^2]. */
  const addNode = (u: number): void => {
    let phi = 0;
    for (let g = 0; g < count; g++) {
      const factor = probabilities[g]! * Math.exp(-u * weights[g]!);
      factors[g] = factor;
      phi += sizes[g]! * factor;
    }
    const power = Math.exp(N * Math.log(phi)) * STEP * u;
    if (power === 0) return;
    const one = N * power;
    const two = one * (N - 1) * u;
    const three = (two * (N - 2) * u) / 2;
    // Sums over features m of e_m^2 f_m^2 and e_m^2 f_m, where f = p e^{-u e} / phi.
    let sumTwo = 0;
    let sumOne = 0;
    for (let g = 0; g < count; g++) {
      const share = factors[g]! / phi;
      factors[g] = share;
      const square = weights[g]! ** 2 * share * sizes[g]!;
      sumOne += square;
      sumTwo += square * share;
    }
    const ownWeight = weights[0]! * factors[0]!;
    for (let g = 0; g < count; g++) {
      const weight = weights[g]!;
      const share = factors[g]!;
      const x = weight * share;
      first[g] = first[g]! + one * x;
      const single = one * u * weight * x; // u w1 e^2 f
      squared[g] = squared[g]! + two * x * x + single;
      ownCross[g] = ownCross[g]! + (g === 0 ? two * x * x + single : two * x * ownWeight);
      const apart = three * x * sumTwo + (two * u * x * sumOne) / 2;
      const same = two * u * x * x * weight + (single * u * weight) / 2;
      withSquares[g] = withSquares[g]! + apart + same;
    }
  };

  return (logits) => {
    const largest = Math.max(...logits);
    let mean = 0;
    let smallest = 1;
    for (let g = 0; g < count; g++) {
      const weight = Math.exp(logits[g]! - largest);
      weights[g] = weight;
      mean += sizes[g]! * probabilities[g]! * weight;
      smallest = Math.min(smallest, weight);
    }
    for (const sums of [first, squared, ownCross, withSquares]) sums.fill(0);
    const { first: low, count: nodes } = quadratureNodes(N, smallest, mean);
    for (let i = 0; i < nodes; i++) addNode(Math.exp(low + i * STEP));
    let squares = 0;
    for (let g = 0; g < count; g++) {
      squares += sizes[g]! * squared[g]!;
      const own = g === 0 ? first[0]! : 0;
      moments.direction[g] = nu * (nu * withSquares[g]! - ownCross[g]! - nu * squared[g]! + own);
    }
    moments.loss = (1 - 2 * nu * first[0]! + nu * nu * squares) / 2;
    return moments;
  };
}
