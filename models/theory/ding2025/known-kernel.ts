/**
 * What can be had on binary chains when the kernel is known, and what a model without bias cannot avoid. Exact: the integrands
 * are polynomials on each quarter of the unit square, (p01, p11) uniform.
 */
import { gaussLegendre } from '../gauss-legendre.ts';
import { type ChainLaw, chainProbabilities, checkLaw } from './moments.ts';

export interface Ceiling {
  /** E max(P(y=1|x,P), P(y=0|x,P)): no prediction is right more often. */
  readonly accuracy: number;
  /** E P(y=1|x,P) P(y=0|x,P): no prediction has a smaller squared error. */
  readonly risk: number;
}

/** Of the known kernel: y depends on the last state x_D only. */
export function knownKernelCeiling(law: ChainLaw): Ceiling {
  checkLaw(law, 1);
  const { d, p } = law;
  const halves = [gaussLegendre(d + 3, 0, 0.5), gaussLegendre(d + 3, 0.5, 1)];
  const nodes = halves.flatMap((half) => half.nodes.map((node, i) => [node, half.weights[i]!] as const));
  let [accuracy, risk] = [0, 0];
  for (const [p01, weight01] of nodes) {
    for (const [p11, weight11] of nodes) {
      const one = chainProbabilities(p, p01, p11, d - 1).m[d - 1]!;
      const weight = weight01 * weight11;
      accuracy += weight * (one * Math.max(p11, 1 - p11) + (1 - one) * Math.max(p01, 1 - p01));
      risk += weight * (one * p11 * (1 - p11) + (1 - one) * p01 * (1 - p01));
    }
  }
  return { accuracy, risk };
}

/** P(x = 0), E (1 - p)(1 - p01)^(D-1) = (1 - p) / D: there every layer answers exactly 0, at any depth. */
export const zeroQueryProbability = ({ d, p }: ChainLaw): number => (1 - p) / d;

/** E max_s of a row of a kernel over S states that is uniform on the simplex: the S-th harmonic number over S. */
export function uniformRowCeiling(states: number): number {
  let harmonic = 0;
  for (let s = 1; s <= states; s++) harmonic += 1 / s;
  return harmonic / states;
}
