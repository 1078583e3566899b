/**
 * Gauss rules of classical weights as probability laws, by the method of Golub and Welsch: nodes are the eigenvalues of the
 * symmetric tridiagonal matrix of the recurrence of the orthogonal polynomials, weights the squared first entries of its
 * eigenvectors. A rule with n nodes is exact for polynomials up to degree 2n - 1. Knows nothing about what is integrated.
 */
import { symmetricEigen } from '../symmetric-eigen.ts';

/** E f(X) = sum_i weights[i] f(nodes[i]); the weights sum to 1. */
export interface Rule {
  readonly nodes: readonly number[];
  readonly weights: readonly number[];
}

/**
 * The rule of a law whose monic orthogonal polynomials obey p_{k+1} = (x - alpha_k) p_k - beta_k p_{k-1}.
 * Source: Golub and Welsch (1969), "Calculation of Gauss quadrature rules".
 */
function ruleOf(count: number, alpha: (k: number) => number, beta: (k: number) => number): Rule {
  const jacobi = Array.from({ length: count }, (_, i) =>
    Array.from({ length: count }, (_, j) => {
      if (i === j) return alpha(i);
      return Math.abs(i - j) === 1 ? Math.sqrt(beta(Math.max(i, j))) : 0;
    }),
  );
  const { values, vectors } = symmetricEigen(jacobi);
  return { nodes: values, weights: vectors[0]!.map((first) => first * first) };
}

/** X standard normal (Hermite). */
export const normalRule = (count: number): Rule =>
  ruleOf(
    count,
    () => 0,
    (k) => k,
  );

/** X chi-square with `degrees` of freedom, 0 being the constant 0 (generalised Laguerre). */
export function chiSquareRule(count: number, degrees: number): Rule {
  if (degrees === 0) return { nodes: [0], weights: [1] };
  const shape = degrees / 2;
  return ruleOf(
    count,
    (k) => 2 * (2 * k + shape),
    (k) => 4 * k * (k - 1 + shape),
  );
}

/** X one coordinate of a uniform point of the unit sphere in R^dimension (Gegenbauer); +-1 in one dimension. */
export function sphereCoordinateRule(count: number, dimension: number): Rule {
  if (dimension === 1) return { nodes: [-1, 1], weights: [0.5, 0.5] };
  const parameter = (dimension - 2) / 2;
  return ruleOf(
    count,
    () => 0,
    // The general form is 0/0 for k = 1 on the circle; the variance of a coordinate is 1/D always.
    (k) => (k === 1 ? 1 / dimension : (k * (k + 2 * parameter - 1)) / (4 * (k + parameter) * (k + parameter - 1))),
  );
}

/** X binomial, `trials` with chance 1/2 (Krawtchouk): all its values where they are not more than `count`. */
export const fairBinomialRule = (count: number, trials: number): Rule =>
  ruleOf(
    Math.min(count, trials + 1),
    () => trials / 2,
    (k) => (k * (trials + 1 - k)) / 4,
  );

/** X uniform on [low, high] (Legendre). */
export function uniformRule(count: number, low: number, high: number): Rule {
  const { nodes, weights } = ruleOf(
    count,
    () => 0,
    (k) => (k * k) / (4 * k * k - 1),
  );
  return { nodes: nodes.map((x) => (low + high) / 2 + ((high - low) / 2) * x), weights };
}
