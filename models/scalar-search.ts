/** Roots and minima of functions of one number, bracketed: no start to guess, no spurious answer. */
import { DataError } from './errors.ts';

/**
 * The root of a continuous f between low and high, where its signs differ: Brent's method, to full precision.
 * @throws {DataError} if f has one sign at both ends.
 * Source: Brent (1973), Algorithms for Minimization without Derivatives, chapter 4.
 */
export function findRoot(f: (x: number) => number, low: number, high: number): number {
  let [a, b] = [low, high];
  let [fa, fb] = [f(a), f(b)];
  if (fa === 0) return a;
  if (fb === 0) return b;
  if (!(fa < 0 !== fb < 0)) {
    throw new DataError({ where: 'findRoot', expected: 'a change of sign', got: `${fa} at ${a} and ${fb} at ${b}` });
  }
  let [c, fc] = [a, fa];
  let step = b - a;
  let previousStep = step;
  for (let iteration = 0; iteration < 400; iteration++) {
    if (Math.abs(fc) < Math.abs(fb)) {
      [a, b, c] = [b, c, b];
      [fa, fb, fc] = [fb, fc, fb];
    }
    const tolerance = 2 * Number.EPSILON * Math.abs(b);
    const half = (c - b) / 2;
    if (Math.abs(half) <= tolerance || fb === 0) return b;
    const proposal = Math.abs(previousStep) >= tolerance && Math.abs(fa) > Math.abs(fb);
    const next = proposal ? interpolate(a, b, c, fa, fb, fc) : half;
    const isGood = Math.abs(2 * next) < Math.min(3 * Math.abs(half), Math.abs(previousStep)) && next * half > 0;
    previousStep = isGood ? step : half;
    step = isGood ? next : half;
    [a, fa] = [b, fb];
    b += Math.abs(step) > tolerance ? step : Math.sign(half) * tolerance;
    fb = f(b);
    if (fb < 0 === fc < 0) {
      [c, fc] = [a, fa];
      step = b - a;
      previousStep = step;
    }
  }
  return b;
}

/** The step from b that inverse quadratic (three points) or linear interpolation proposes. */
function interpolate(a: number, b: number, c: number, fa: number, fb: number, fc: number): number {
  const s = fb / fa;
  if (a === c) return ((c - b) * s) / (1 - s);
  const q = fa / fc;
  const r = fb / fc;
  return (s * ((c - b) * q * (q - r) - (b - a) * (r - 1))) / ((q - 1) * (r - 1) * (s - 1));
}

const GOLDEN = (Math.sqrt(5) - 1) / 2;

/** Where f, which falls and then rises between low and high, is least: golden sections, to half the digits. */
export function findMinimum(f: (x: number) => number, low: number, high: number): number {
  let [a, b] = [low, high];
  let x1 = b - GOLDEN * (b - a);
  let x2 = a + GOLDEN * (b - a);
  let [f1, f2] = [f(x1), f(x2)];
  while (b - a > 1e-9 * (Math.abs(a) + Math.abs(b))) {
    if (f1 <= f2) {
      [b, x2, f2] = [x2, x1, f1];
      x1 = b - GOLDEN * (b - a);
      f1 = f(x1);
    } else {
      [a, x1, f1] = [x1, x2, f2];
      x2 = a + GOLDEN * (b - a);
      f2 = f(x2);
    }
    if (x1 >= x2) break;
  }
  return (a + b) / 2;
}
