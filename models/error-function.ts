/** The error function in float64, to a few units in the last place. JavaScript has none. */

const twoOverRootPi = 2 / Math.sqrt(Math.PI);

/**
 * erf(x) = 2/sqrt(pi) int_0^x exp(-t^2) dt.
 *
 *   |x| < 3:  2/sqrt(pi) exp(-x^2) sum_n (2 x^2)^n x / (1 3 5 .. (2n + 1)), whose terms are all of one sign;
 *   else      1 - exp(-x^2)/sqrt(pi) / (x + (1/2)/(x + 1/(x + (3/2)/(x + ..)))).
 *
 * Source: Abramowitz and Stegun (1964), 7.1.6 and 7.1.14.
 */
export function errorFunction(x: number): number {
  const size = Math.abs(x);
  if (Number.isNaN(x) || size > 6) return Number.isNaN(x) ? x : Math.sign(x);
  if (size < 3) {
    let term = x;
    let sum = x;
    for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
      term *= (2 * x * x) / (2 * n + 1);
      sum += term;
    }
    return twoOverRootPi * Math.exp(-x * x) * sum;
  }
  let fraction = size;
  for (let k = 60; k >= 1; k--) fraction = size + k / 2 / fraction;
  return Math.sign(x) * (1 - Math.exp(-size * size) / (Math.sqrt(Math.PI) * fraction));
}
