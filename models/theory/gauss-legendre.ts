/** Gauss-Legendre quadrature on an interval: exact for polynomials up to degree 2 count - 1. Knows no paper. */

export interface Quadrature {
  readonly nodes: readonly number[];
  /** They sum to the interval's length. */
  readonly weights: readonly number[];
}

/**
 * The rule with `count` nodes on `[low, high]`, ascending: roots of the Legendre polynomial by Newton's method.
 * Source: Golub and Welsch (1969); start values of Tricomi, cos(pi (i - 1/4) / (count + 1/2)).
 */
export function gaussLegendre(count: number, low = 0, high = 1): Quadrature {
  const nodes = new Array<number>(count);
  const weights = new Array<number>(count);
  for (let i = 0; i < count; i++) {
    let x = Math.cos((Math.PI * (count - i - 0.25)) / (count + 0.5));
    let slope = 0;
    for (let iteration = 0; iteration < 100; iteration++) {
      let [before, value] = [1, x];
      for (let k = 2; k <= count; k++) [before, value] = [value, ((2 * k - 1) * x * value - (k - 1) * before) / k];
      slope = (count * (x * value - before)) / (x * x - 1);
      const step = value / slope;
      x -= step;
      if (Math.abs(step) <= 2 ** -52) break;
    }
    nodes[i] = low + ((high - low) * (x + 1)) / 2;
    weights[i] = (high - low) / ((1 - x * x) * slope * slope);
  }
  return { nodes, weights };
}
