/**
 * The {@link Scores} of two classes by a product of Gauss rules: w_N to 3 digits or more without sampling. Everything that matters
 * about a task of two equal norms and its query are the angle between the means and three numbers of the query.
 *
 * Source: our reduction of Shen et al. (2025), section 3.
 */
import { chiSquareRule, fairBinomialRule, normalRule, sphereCoordinateRule } from '../gauss-quadrature.ts';
import { allocateScores, finishScores, type Scores } from './scores.ts';

/** With these, w_N is within 3e-4 of its value from twice as many, for r up to 2 and N from 10 on. */
const nodes = { angle: 7, difference: 30, sum: 6, rest: 3, count: 4, noise: 8 } as const;

/** Means r u_0 and r u_1, classes of equal chance; the context length may be Infinity. */
export interface BinaryLaw {
  readonly dimension: number;
  readonly radius: number;
  readonly contextLength: number;
}

/**
 * Two classes of equal norm r and equal chance, by quadrature. With D = |mu_1 - mu_0|, H = |mu_1 + mu_0|, given y = 1:
 *
 *   A = (mu_1 - mu_0)^T q = D^2/2 + D xi,   S = (mu_1 + mu_0)^T q = H^2/2 + H eta,   |q|^2 = A^2/D^2 + S^2/H^2 + chi^2_{d-2}
 *   (p_1 - p_0)^T q = A/2 + (n_1/N - 1/2) S + |q| g / sqrt(N)
 *
 * with xi, eta, g standard normal. y = 0 is the same with the classes exchanged. Only differences of scores matter: those of
 * class 0 are given as 0.
 */
export function binaryScores({ dimension, radius, contextLength }: BinaryLaw): Scores {
  const hasNoise = Number.isFinite(contextLength);
  const angle = sphereCoordinateRule(nodes.angle, dimension);
  const xi = normalRule(nodes.difference);
  const eta = normalRule(nodes.sum);
  const rest = chiSquareRule(nodes.rest, Math.max(0, dimension - 2));
  const shares = hasNoise ? fairBinomialRule(nodes.count, contextLength) : { nodes: [0.5], weights: [1] };
  const noise = hasNoise ? normalRule(nodes.noise) : { nodes: [0], weights: [1] };
  const sizes = [angle, xi, eta, rest, shares, noise].map((rule) => rule.nodes.length);
  const out = allocateScores(
    2,
    sizes.reduce((product, size) => product * size, 1),
    1,
  );
  let at = 0;
  angle.nodes.forEach((rho, i0) => {
    const D = radius * Math.sqrt(2 * (1 - rho));
    const H = radius * Math.sqrt(2 * (1 + rho));
    xi.nodes.forEach((x, i1) => {
      const A = (D * D) / 2 + D * x;
      eta.nodes.forEach((e, i2) => {
        const S = (H * H) / 2 + H * e;
        rest.nodes.forEach((chi, i3) => {
          // In one dimension means are equal or opposite: q has one component only.
          const inPlane = (D > 1e-9 ? (A * A) / (D * D) : 0) + (H > 1e-9 ? (S * S) / (H * H) : 0);
          const q2 = inPlane + chi;
          const before = angle.weights[i0]! * xi.weights[i1]! * eta.weights[i2]! * rest.weights[i3]!;
          shares.nodes.forEach((n1, i4) => {
            const share = hasNoise ? n1 / contextLength : n1;
            const mean = A / 2 + (share - 0.5) * S;
            const meanNorm2 =
              radius * radius * (share * share + (1 - share) * (1 - share) - 2 * share * (1 - share) * rho);
            const noiseVariance = hasNoise ? 1 / contextLength : 0;
            noise.nodes.forEach((g, i5) => {
              out.weights[at] = before * shares.weights[i4]! * noise.weights[i5]!;
              out.scores[2 * at + 1] = mean + Math.sqrt(q2 * noiseVariance) * g;
              out.truth[2 * at + 1] = A;
              out.squaredNorm[at] = q2;
              out.perpendicular[2 * at + 1] =
                Math.max(0, meanNorm2 - (mean * mean) / q2) + (dimension - 1) * noiseVariance;
              at++;
            });
          });
        });
      });
    });
  });
  return finishScores(out);
}
