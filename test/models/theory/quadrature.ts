/**
 * Exact Gaussian expectations of polynomials, by Gauss-Hermite quadrature on all combinations of nodes: a check of closed
 * forms that shares nothing with them and has no sampling error.
 */

/** Nodes and weights for a standard normal variable; exact up to degree 2 n - 1. */
const rules: Readonly<Record<number, readonly (readonly [node: number, weight: number])[]>> = {
  1: [[0, 1]],
  2: [[1, 1 / 2], [-1, 1 / 2]],
  3: [[0, 2 / 3], [Math.sqrt(3), 1 / 6], [-Math.sqrt(3), 1 / 6]],
  4: [3 - Math.sqrt(6), 3 + Math.sqrt(6)].flatMap((square) => [
    [Math.sqrt(square), 1 / (4 * square)] as const,
    [-Math.sqrt(square), 1 / (4 * square)] as const,
  ]),
}; // biome-ignore format: a table

/** E f(z), z standard normal; `nodes[i]` of them for variable i. */
export function gaussianExpectation(nodes: readonly number[], f: (z: readonly number[]) => number): number {
  const z = new Array<number>(nodes.length).fill(0);
  const over = (variable: number): number => {
    if (variable === nodes.length) return f(z);
    let sum = 0;
    for (const [node, weight] of rules[nodes[variable]!]!) {
      z[variable] = node;
      sum += weight * over(variable + 1);
    }
    return sum;
  };
  return over(0);
}
