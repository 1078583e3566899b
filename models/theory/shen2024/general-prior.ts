/**
 * The leading order of G for two classes and any prior of tasks, invariant or not: W* = 2 (Lambda^{-1} + G), N G tends to the
 * solution of a linear system of d^2 equations. Expectations over the query are one-dimensional quadratures: given the log-odds
 * a = mu^T Lambda^{-1} q a query of either class is normal with a mean that is linear in a.
 *
 * Source: derived here (the paper bounds |G| = O(1/N), Theorem 3.1); means of equal Lambda^{-1} norm, as the theorem asks.
 */
import { DataError } from '../../errors.ts';
import { inverse, type Matrix, multiply, subtract, trace } from '../../matrix.ts';
import { normalRule, type Rule } from '../gauss-quadrature.ts';

/** A task and its chance: E over the prior is the weighted sum over such tasks. */
export interface WeightedTask {
  readonly means: readonly [readonly number[], readonly number[]];
  readonly weight: number;
}

const column = (values: readonly number[]): number[][] => values.map((value) => [value]);
const row = (values: readonly number[]): number[][] => [[...values]];
const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
const apply = (matrix: Matrix, vector: readonly number[]) => matrix.map((each) => dot(each, vector));
const combine = (x: readonly number[], factor: number, y: readonly number[]) => x.map((v, i) => v + factor * y[i]!);

/**
 * lim N G, from (mu = mu_1 - mu_0, s = mu_0 + mu_1, C = Lambda + s s^T / 4, expectations over the prior and the query)
 *
 *   E[ sigma'(a) mu mu^T G q q^T ] = -2 E[ sigma''(a) (q^T Lambda^{-1} C Lambda^{-1} q) mu q^T + 2 sigma'(a) C Lambda^{-1} q q^T ]
 *
 * @throws {DataError} where a task's means differ in Lambda^{-1} norm: then the limit is not Lambda^{-1}.
 */
export function leadingOrderG(covariance: Matrix, tasks: readonly WeightedTask[]): number[][] {
  const d = covariance.length;
  const precision = inverse(covariance);
  const rule = normalRule(48);
  const system = Array.from({ length: d * d }, () => new Array<number>(d * d).fill(0));
  const right = new Array<number>(d * d).fill(0);
  for (const { means, weight } of tasks) {
    const [norm0, norm1] = means.map((mean) => dot(mean, apply(precision, mean))) as [number, number];
    if (Math.abs(norm0 - norm1) > 1e-9 * (norm0 + norm1)) {
      throw new DataError({
        where: 'leadingOrderG',
        expected: 'means of equal norm',
        got: `squares ${norm0} and ${norm1}`,
      });
    }
    const [mu0, mu1] = means;
    const mu = combine(mu1, -1, mu0);
    const moments = queryMoments({ covariance, precision, rule }, mu, combine(mu1, 1, mu0));
    for (let i = 0; i < d; i++) {
      for (let k = 0; k < d; k++) {
        const equation = system[i * d + k]!;
        for (let j = 0; j < d; j++) {
          for (let l = 0; l < d; l++) equation[j * d + l]! += weight * mu[i]! * mu[j]! * moments.slopeSquare[l]![k]!;
        }
        right[i * d + k]! -= 2 * weight * (mu[i]! * moments.bend[k]! + 2 * moments.spread[i]![k]!);
      }
    }
  }
  const solution = apply(inverse(system), right);
  return Array.from({ length: d }, (_, i) => solution.slice(i * d, (i + 1) * d));
}

/** E sigma'(a) q q^T, E sigma''(a) (q^T P C P q) q and E sigma'(a) C P q q^T over queries of both classes, P = Lambda^{-1}. */
function queryMoments(
  { covariance, precision, rule }: { covariance: Matrix; precision: Matrix; rule: Rule },
  mu: readonly number[],
  s: readonly number[],
) {
  const C = covariance.map((each, i) => each.map((value, j) => value + (s[i]! * s[j]!) / 4));
  const form = multiply(precision, C, precision);
  const direction = apply(precision, mu);
  // a = mu^T P q has variance D^2 = mu^T P mu about +-D^2/2 (equal norms), and q - E q = (a - E a) mu / D^2 + rest.
  const D2 = dot(mu, direction);
  const rest = subtract(
    covariance,
    multiply(column(mu), row(mu)).map((each) => each.map((value) => value / D2)),
  );
  const restTrace = trace(multiply(form, rest));
  const restForm = multiply(rest, form);
  const d = mu.length;
  const slopeSquare = Array.from({ length: d }, () => new Array<number>(d).fill(0));
  const bend = new Array<number>(d).fill(0);
  for (const sign of [-1, 1]) {
    const classMean = combine(
      s.map((value) => value / 2),
      sign / 2,
      mu,
    );
    rule.nodes.forEach((node, n) => {
      const weight = rule.weights[n]! / 2;
      const deviation = node * Math.sqrt(D2);
      const a = (sign * D2) / 2 + deviation;
      const m = combine(classMean, deviation / D2, mu);
      const sigma = 1 / (1 + Math.exp(-a));
      const first = sigma * (1 - sigma);
      const second = first * (1 - 2 * sigma);
      const size = dot(m, apply(form, m)) + restTrace;
      const turned = apply(restForm, m);
      for (let i = 0; i < d; i++) {
        bend[i]! += weight * second * (size * m[i]! + 2 * turned[i]!);
        for (let j = 0; j < d; j++) slopeSquare[i]![j]! += weight * first * (m[i]! * m[j]! + rest[i]![j]!);
      }
    });
  }
  return { slopeSquare, bend, spread: multiply(C, precision, slopeSquare) };
}
