/**
 * The asymptotic theory of Lu et al. (2025) against numbers of an independent program (scipy, fsolve-free), against its own
 * closed forms and limits, and against the finite-dimensional definition of its ingredients.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createGenerator, fillNormals } from '../../../models/random.ts';
import { symmetricEigen } from '../../../models/symmetric-eigen.ts';
import * as lu from '../../../models/theory/lu2024.ts';

const inf = Number.POSITIVE_INFINITY;
const phase = (tau: number, alpha: number, kappa: number, rho: number, lambda = 0): lu.Phase => ({
  tau,
  alpha,
  kappa,
  rho,
  lambda,
});

test.each([
  [phase(0.5, 2, 0.5, 0.1, 0.01), 1.31213414, 0.78867108, 1.08878996, 0.00006653],
  [phase(1, 2, 0.5, 0.1, 0.01), 2.94698685, 1.55506892, 0.09884513, 0.01591619],
  [phase(2, 2, 0.5, 0.1, 0.01), 1.28581177, 0.56158165, 0.01956194, 0.14675366],
  [phase(1.5, 5, 3, 0.2, 0.5), 0.73033708, 0.63489938, 0.80985271, 0.24200973],
  [phase(0.3, 0.7, inf, 0.25, 1e-3), 1.52400805, 1.52400805, 6.50142848, 4e-8],
  [phase(8, 20, 1, 0.05, 1e-4), 0.25452251, 0.10486692, 0.00011428, 0.08029893],
])('errors at %o', (point, icl, idg, xi, train) => {
  const found = lu.asymptoticRisk(point);
  expect(found.iclRisk).toBeCloseTo(icl, 8);
  expect(found.idgRisk).toBeCloseTo(idg, 8);
  expect(found.xi).toBeCloseTo(xi, 8);
  expect(found.trainRisk).toBeCloseTo(train, 8);
});

const figure1 = [
  [1, [1.0385, 1.2611, 3.179, 3.6679, 1.6635, 1.234], [0.8012, 0.8018, 2.1165, 2.3367, 0.9143, 0.6096]],
  [10, [0.8643, 0.8208, 2.2279, 2.7748, 1.2236, 0.8912], [0.5507, 0.2463, 0.4265, 0.4309, 0.1686, 0.1124]],
  [100, [0.8202, 0.7016, 4.0872, 5.5651, 2.03, 1.2725], [0.5047, 0.1221, 0.1201, 0.115, 0.045, 0.03]],
] as const;

test.each(figure1)('figure 1, alpha = %d: double descent without a ridge', (alpha, icl, idg) => {
  for (const [i, tau] of [0.2, 0.5, 0.85, 1.15, 1.5, 2].entries()) {
    const found = lu.asymptoticRisk(phase(tau, alpha, 0.5, 0.01));
    expect(found.iclRisk).toBeCloseTo(icl[i]!, 4);
    expect(found.idgRisk).toBeCloseTo(idg[i]!, 4);
  }
});

test.each([
  [1e-5, [0.8538, 0.6576, 0.8141, 16.93, 0.7792, 0.3052, 0.2035]],
  [0.1, [0.8525, 0.6359, 0.4279, 0.3607, 0.3094, 0.2366, 0.1894]],
  [1, [0.8509, 0.6652, 0.544, 0.5116, 0.4865, 0.4456, 0.4109]],
])('figure 1C, lambda = %d: a ridge removes the peak', (lambda, icl) => {
  for (const [i, tau] of [0.2, 0.5, 0.85, 1, 1.15, 1.5, 2].entries()) {
    const { iclRisk } = lu.asymptoticRisk(phase(tau, 10, inf, 0.01, lambda));
    expect(iclRisk).toBeCloseTo(icl[i]!, icl[i]! > 10 ? 2 : 4);
  }
});

test('the best ridge with infinitely many tasks has a closed form; with few the two errors differ in it', () => {
  const q = 1.01 / 10;
  for (const [tau, lambda, risk] of [
    [0.2, 0.623, 0.8501],
    [0.5, 0.247, 0.6293],
    [1, 0.124, 0.3591],
    [1.5, 0.082, 0.2357],
    [3, 0.041, 0.1488],
  ] as const) {
    const best = lu.optimalRidge('iclRisk', phase(tau, 10, inf, 0.01));
    // The table's grid had steps of 5 %; the closed form is exact.
    expect(Math.abs(best.lambda / lambda - 1)).toBeLessThan(0.05);
    // A minimum is located to half the digits.
    expect(best.lambda * tau).toBeCloseTo((1 + q) ** 2 * 0.01 + q * (1 + q), 6);
    expect(best.risk).toBeCloseTo(risk, 4);
  }
  const few = phase(3, 10, 0.5, 0.01);
  expect(Math.abs(lu.optimalRidge('iclRisk', few).lambda / 0.171 - 1)).toBeLessThan(0.05);
  expect(Math.abs(lu.optimalRidge('idgRisk', few).lambda / 0.0745 - 1)).toBeLessThan(0.05);
  const at = (lambda: number) => lu.asymptoticRisk({ ...few, lambda }).iclRisk;
  const best = lu.optimalRidge('iclRisk', few);
  expect(at(best.lambda)).toBeCloseTo(best.risk, 10);
  expect(Math.min(at(0), at(best.lambda * 0.9), at(best.lambda * 1.1))).toBeGreaterThan(best.risk);
});

test('with the best ridge both errors fall in tau: no double descent', () => {
  for (const kappa of [0.5, 2, inf]) {
    for (const of of ['iclRisk', 'idgRisk'] as const) {
      const risks = [0.2, 0.5, 0.8, 1, 1.25, 2, 3].map((tau) => lu.optimalRidge(of, phase(tau, 10, kappa, 0.01)).risk);
      for (const [i, risk] of risks.slice(1).entries()) expect(risk).toBeLessThan(risks[i]!);
    }
  }
});

test.each([
  [
    'idgRisk',
    0.5,
    0.5,
    [
      [0.1, null],
      [0.3, 6.15, 1.4965],
      [0.5, 5.61, 1.6612],
      [0.7, 7.41, 1.7093],
      [2, null],
    ],
  ],
  [
    'iclRisk',
    0.5,
    0.1,
    [
      [0.2, 2.31, 1.3897],
      [0.4, 5.47, 1.2667],
      [0.5, 9.59, 1.1759],
      [0.6, 22.5, 1.0702],
      [1.5, null],
    ],
  ],
  [
    'iclRisk',
    20,
    0.5,
    [
      [0.25, 4.68, 1.4148],
      [0.75, 16.7, 0.9692],
      [1, 45, 0.7597],
      [1.1, 78.9, 0.6925],
      [2, null],
    ],
  ],
] as const)('figure 2, %s at tau = %d: the length from which on context hurts', (of, tau, rho, minima) => {
  for (const [kappa, alpha, risk] of minima) {
    const found = lu.lengthMinimum(of, { tau, kappa, rho });
    if (alpha === null) expect(found).toBeNull();
    else {
      // The table was read off a grid.
      expect(Math.abs(found!.alpha / alpha - 1)).toBeLessThan(0.01);
      expect(found!.risk).toBeCloseTo(risk!, 4);
    }
  }
});

test.each([
  [2.35, [1.39, 1.325, 1.283, 1.221]],
  [5.5, [1.482, 1.267, 1.147, 1.014]],
  [1000, [55.7, 19.3, 1.185, 0.752]],
])('figure 2B, alpha = %d', (alpha, icl) => {
  for (const [i, kappa] of [0.2, 0.4, 0.6, 1.5].entries()) {
    const { iclRisk } = lu.asymptoticRisk(phase(0.5, alpha, kappa, 0.1));
    expect(iclRisk).toBeCloseTo(icl[i]!, icl[i]! > 10 ? 0 : 3);
  }
});

test("the authors' quick figure: the gap between fresh and pretraining tasks", () => {
  const at = (kappa: number) => lu.asymptoticRisk(phase(10, 10, kappa, 0.01));
  for (const [kappa, gap] of [
    [0.2, 0.82533],
    [0.4, 0.63099],
    [0.6, 0.43848],
    [0.8, 0.27416],
    [1, 0.16356],
    [1.2, 0.10159],
    [1.6, 0.04924],
    [2, 0.03015],
    [4, 0.00923],
    [8, 0.00373],
    [16, 0.00169],
    [32, 0.00081],
  ] as const) {
    expect(lu.taskGap(at(kappa))).toBeCloseTo(gap, 5);
  }
  for (const [kappa, icl, idg] of [
    [0.2, 0.85833, 0.03301],
    [1, 0.25645, 0.09289],
    [2, 0.1367, 0.10656],
    [32, 0.11357, 0.11277],
  ] as const) {
    expect(at(kappa).iclRisk).toBeCloseTo(icl, 5);
    expect(at(kappa).idgRisk).toBeCloseTo(idg, 5);
  }
});

test('the Bayes-optimal ridge on a context', () => {
  expect(lu.contextRidgeRisk({ alpha: 1, rho: 0.01 })).toBeCloseTo(0.10512, 5);
  expect(lu.contextRidgeRisk({ alpha: 10, rho: 0.01 })).toBeCloseTo(0.01111, 5);
  expect(lu.contextRidgeRisk({ alpha: 5.5, rho: 0.1 })).toBeCloseTo(0.12164, 5);
  expect(lu.contextRidgeRisk({ alpha: 0.25, rho: 1e-10 })).toBeCloseTo(lu.contextRidgeRisk({ alpha: 0.25, rho: 0 }), 6);
});

const log = (low: number, high: number) =>
  fc.double({ min: Math.log(low), max: Math.log(high), noNaN: true }).map(Math.exp);
const points = fc.record({
  tau: fc.oneof(log(0.05, 0.9), log(1.1, 30)),
  alpha: log(0.2, 200),
  kappa: fc.oneof(log(0.1, 20), fc.constant(inf)),
  rho: log(0.01, 1),
});

test('random points: the general formulas meet the closed forms as the ridge vanishes', () => {
  fc.assert(
    fc.property(points, (point) => {
      const found = lu.asymptoticRisk({ ...point, lambda: 0 });
      const icl = lu.ridgelessIclRisk(point);
      const idg = lu.ridgelessIdgRisk(point);
      // 1e-8: the closed form for tau < 1 subtracts numbers that grow as kappa / tau.
      expect(Math.abs(found.iclRisk / icl - 1)).toBeLessThan(1e-8);
      expect(Math.abs(found.idgRisk / idg - 1)).toBeLessThan(1e-8);
      const near = lu.asymptoticRisk({ ...point, lambda: 1e-12 });
      expect(Math.abs(near.iclRisk / icl - 1)).toBeLessThan(1e-5);
      expect(Math.abs(near.idgRisk / idg - 1)).toBeLessThan(1e-5);
    }),
    { numRuns: 300, seed: 1 },
  );
});

test('random points: the resolvent solves its self-consistent equation, its derivative is its slope', () => {
  fc.assert(
    fc.property(log(1e-4, 100), log(0.05, 50), (s, kappa) => {
      const M = lu.resolventTrace(s, kappa);
      expect(Math.abs(M * (s + kappa / (kappa + M)) - 1)).toBeLessThan(1e-9);
      const h = 1e-5 * s;
      const slope = (lu.resolventTrace(s + h, kappa) - lu.resolventTrace(s - h, kappa)) / (2 * h);
      expect(Math.abs(lu.resolventTraceDerivative(s, kappa) / slope - 1)).toBeLessThan(1e-5);
    }),
    { numRuns: 300, seed: 2 },
  );
});

test('few tasks and a tiny s keep their digits', () => {
  // M_kappa(s) -> (1 - kappa) / s: R_k has that share of zero eigenvalues.
  for (const s of [1e-6, 1e-9, 1e-12]) expect(lu.resolventTrace(s, 0.3) * s).toBeCloseTo(0.7, 5);
});

test('the resolvent is that of a large sample covariance', () => {
  const d = 120;
  const k = 60;
  const draws = new Float32Array(k * d);
  fillNormals(createGenerator(5, 0), { prompt: 0, purpose: 0 }, draws, 0, draws.length);
  const R = Array.from({ length: d }, (_, i) =>
    Array.from({ length: d }, (_, j) => {
      let sum = 0;
      for (let t = 0; t < k; t++) sum += draws[t * d + i]! * draws[t * d + j]!;
      return sum / k;
    }),
  );
  const { values } = symmetricEigen(R);
  const mean = (f: (v: number) => number) => values.reduce((sum, v) => sum + f(v), 0) / d;
  // Linear statistics of eigenvalues fluctuate by order 1/d.
  expect(mean((v) => 1 / (v + 0.4))).toBeCloseTo(lu.resolventTrace(0.4, 0.5), 1);
  expect(Math.abs(mean((v) => 1 / (v + 0.4)) / lu.resolventTrace(0.4, 0.5) - 1)).toBeLessThan(2 / d);
  expect(Math.abs(-mean((v) => (v + 0.4) ** -2) / lu.resolventTraceDerivative(0.4, 0.5) - 1)).toBeLessThan(4 / d);
});

test('random points: infinitely many tasks make both errors one; other test lengths change one of them', () => {
  fc.assert(
    fc.property(points, log(1e-6, 10), log(0.5, 50), (point, lambda, testAlpha) => {
      const diverse = lu.asymptoticRisk({ ...point, kappa: inf, lambda });
      expect(Math.abs(diverse.iclRisk / diverse.idgRisk - 1)).toBeLessThan(1e-9);
      const usual = lu.asymptoticRisk({ ...point, lambda });
      const other = lu.asymptoticRisk({ ...point, lambda }, testAlpha);
      expect(other.idgRisk).toBe(usual.idgRisk);
      expect(Math.sign(other.iclRisk - usual.iclRisk)).toBe(Math.sign(point.alpha - testAlpha));
      expect(Math.abs(lu.ridgeOf(usual.xi, point) / lambda - 1)).toBeLessThan(1e-5);
      expect(usual.idgRisk).toBeGreaterThan(point.rho);
      expect(usual.trainRisk).toBeLessThan(usual.idgRisk);
    }),
    { numRuns: 300, seed: 3 },
  );
});

test('the double-descent peak has the residues of section 4.4 from either side', () => {
  expect(lu.peakResidues({ alpha: 10, kappa: 0.5, rho: 0.01 }).idg).toBeCloseTo(0.0562, 4);
  expect(lu.peakResidues({ alpha: 10, kappa: 0.5, rho: 0.01 }).icl).toBeCloseTo(0.3324, 4);
  for (const [alpha, kappa, rho] of [
    [10, 0.5, 0.01],
    [1, 2, 0.1],
  ] as const) {
    const residues = lu.peakResidues({ alpha, kappa, rho });
    for (const tau of [1 - 1e-6, 1 + 1e-6]) {
      const { iclRisk, idgRisk } = lu.asymptoticRisk(phase(tau, alpha, kappa, rho));
      expect(Math.abs((1e-6 * iclRisk) / residues.icl - 1)).toBeLessThan(1e-4);
      expect(Math.abs((1e-6 * idgRisk) / residues.idg - 1)).toBeLessThan(1e-4);
    }
    // A ridge leaves xi ~ sqrt(lambda / M(q)) at the peak.
    const xi = lu.effectiveRidge(phase(1, alpha, kappa, rho, 1e-10));
    expect(xi / Math.sqrt(1e-10 / lu.resolventTrace((1 + rho) / alpha, kappa))).toBeCloseTo(1, 3);
  }
});

test('many contexts, then long ones: the transition at one task per dimension', () => {
  for (const [alpha, kappa, rho] of [
    [10, 0.5, 0.01],
    [2, 3, 0.3],
  ] as const) {
    const limit = lu.infiniteContexts({ alpha, kappa, rho });
    const found = lu.asymptoticRisk(phase(1e7, alpha, kappa, rho));
    expect(found.iclRisk).toBeCloseTo(limit.iclRisk, 5);
    expect(found.idgRisk).toBeCloseTo(limit.idgRisk, 5);
  }
  expect(lu.infiniteContexts({ alpha: 1, kappa: inf, rho: 0.01 }).iclRisk).toBeCloseTo(0.512488, 6);
  for (const kappa of [0.3, 0.9, 1, 2]) {
    const found = lu.infiniteContexts({ alpha: 1e9, kappa, rho: 0.05 });
    expect(found.iclRisk).toBeCloseTo(lu.longContexts({ kappa, rho: 0.05 }).iclRisk, 4);
    expect(found.idgRisk).toBeCloseTo(0.05, 4);
  }
  // Infinitely many tasks, tau > 1: tau / (tau - 1) (rho + q / (1 + q)).
  const q = 1.01 / 10;
  const { idgRisk } = lu.asymptoticRisk(phase(2, 10, inf, 0.01));
  expect(idgRisk).toBeCloseTo(2 * (0.01 + q / (1 + q)), 12);
});

test('long contexts and many of them together: the gap and its decay', () => {
  const gapAt = (alpha: number, kappa: number) => lu.taskGap(lu.asymptoticRisk(phase(0.2 * alpha, alpha, kappa, 0.01)));
  expect(lu.jointGap({ kappa: 0.3, rho: 0.01 }, 0.2)).toBeCloseTo(0.734653, 6);
  expect(lu.jointGap({ kappa: 0.5, rho: 0.01 }, 0.2)).toBeCloseTo(0.524752, 6);
  expect(gapAt(1e6, 0.3)).toBeCloseTo(0.734655, 6);
  expect(gapAt(1e6, 0.5)).toBeCloseTo(0.524754, 6);
  for (const kappa of [1, 2, 5]) {
    const ratio = gapAt(1e8, kappa) / lu.jointGapDecay({ alpha: 1e8, kappa, rho: 0.01 }, 0.2);
    expect(Math.abs(ratio - 1)).toBeLessThan(1e-3);
  }
});

test('many tasks: the gap falls as 1 / kappa', () => {
  const point = { tau: 10, alpha: 10, rho: 0.01 };
  expect(lu.diverseGap(point)).toBeCloseTo(0.024612, 6);
  expect(1000 * lu.taskGap(lu.asymptoticRisk({ ...point, kappa: 1000, lambda: 0 }))).toBeCloseTo(0.024648, 6);
});

test('too long a context: the error grows with it where tasks are few', () => {
  for (const [tau, kappa] of [
    [0.5, 0.2],
    [3, 0.4],
    [20, 0.75],
  ] as const) {
    const slope = lu.longContextSlope({ tau, kappa, rho: 0.1 });
    expect(lu.asymptoticRisk(phase(tau, 1e7, kappa, 0.1)).iclRisk / 1e7 / slope).toBeCloseTo(1, 3);
  }
  expect(lu.longContextSlope({ tau: 0.5, kappa: 0.6, rho: 0.1 })).toBe(0);
  expect(lu.asymptoticRisk(phase(0.5, 1e7, 0.6, 0.1)).iclRisk).toBeLessThan(2);
});

test('the report names what it knows, and says what is undefined', () => {
  const report = lu.phaseReport(phase(2, 10, 0.5, 0.01, 1e-5));
  expect(report).toMatchObject({ zeroRisk: 1.01 });
  expect(Object.values(report).every(Number.isFinite)).toBe(true);
  expect(() => lu.phaseReport(phase(1, 10, 0.5, 0.01, 0))).toThrow(/tau: expected another value than 1/);
  expect(() => lu.phaseReport(phase(-1, 10, 0.5, 0.01, 0))).toThrow(/tau: expected a number above 0/);
  expect(Object.values(lu.phaseReport(phase(1, 10, inf, 0.01, 0.1))).every(Number.isFinite)).toBe(true);
});
