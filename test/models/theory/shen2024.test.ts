import { describe, expect, it } from 'vitest';
import { binomialQuantiles } from '../../../models/theory/shen2024/binomial.ts';
import {
  binaryLeadingOrder,
  binaryScores,
  classificationRisks,
  descentPath,
  errorBound,
  firstOrderError,
  firstOrderTotalVariation,
  hessianAt,
  latticeScores,
  leadingOrder,
  leadingOrderG,
  lossDerivative,
  type MixtureLaw,
  meanAbsoluteNormal,
  mixtureReport,
  optimalScale,
  optimalScaleAt,
  smoothnessForm,
  spectrumEnds,
  trainingScores,
} from '../../../models/theory/shen2024.ts';
import { simulateMixture, uniformCircleTasks } from './simulated-mixtures.ts';

const setting = (classes: number, dimension: number, radius: number) => ({ classes, dimension, radius });
const law = (classes: number, dimension: number, radius: number, contextLength: number): MixtureLaw => ({
  dimension,
  radii: new Array<number>(classes).fill(radius),
  contextLength,
});

describe('w_N, two classes', () => {
  const lengths = [10, 20, 50, 100, 400, 2000, 10000];
  // Simulated by an independent program on 20000 tasks, whose error is some 0.005 for w and 1 % for the limit.
  it.each([
    [3, 1, [1.027, 1.351, 1.67, 1.817, 1.95, 1.99, 1.998], -10.34],
    [5, 1, [0.856, 1.2, 1.579, 1.764, 1.935, 1.987, 1.997], -13.43],
    [5, 2, [1.018, 1.308, 1.622, 1.782, 1.938, 1.987, 1.997], -13.08],
    [10, 1, [0.6, 0.927, 1.372, 1.629, 1.893, 1.978, 1.996], -22.65],
    [20, 1, [0.377, 0.635, 1.078, 1.402, 1.808, 1.958, 1.992], -42.56],
    [20, 2, [0.801, 1.141, 1.534, 1.735, 1.926, 1.985, 1.997], -15.35],
  ])('d = %d, r = %d', (dimension, radius, expected, limit) => {
    lengths.forEach((N, i) => {
      const { mean } = optimalScaleAt(setting(2, dimension, radius), N);
      expect(Math.abs(mean - expected[i]!), `N = ${N}: ${mean}`).toBeLessThan(0.008);
      expect(mean).toBeLessThan(2);
    });
    expect(binaryLeadingOrder({ dimension, radius }) / limit).toBeCloseTo(1, 1.5);
  });

  it('tends to 2 as its leading order says', () => {
    const N = 1e5;
    for (const [dimension, radius] of [
      [1, 1],
      [2, 1.3],
      [7, 0.8],
      [20, 2],
    ] as const) {
      // biome-ignore format: a table
      const { mean } = optimalScaleAt(setting(2, dimension, radius), N);
      expect((N * (mean / 2 - 1)) / binaryLeadingOrder({ dimension, radius })).toBeCloseTo(1, 2);
    }
    expect(optimalScaleAt(setting(2, 3, 1), Number.POSITIVE_INFINITY).mean).toBe(2);
  });

  it.each([
    [3, 1, 10],
    [1, 1.5, 7],
    [2, 1, 5],
    [6, 2, 23],
  ] as const)('is stationary for drawn prompts, d = %d, r = %d, N = %d', (d, r, N) => {
    // biome-ignore format: a table
    // Draws means, covariates and labels themselves and uses drawn labels: shares no formula with the quadrature.
    const { mean: w } = optimalScaleAt(setting(2, d, r), N);
    const slope = simulateMixture({ dimension: d, classes: 2, radius: r, N, prompts: 40000, seed: 1 }, w);
    expect(Math.abs(slope.mean / slope.standardError)).toBeLessThan(4);
    // The same test would see an error of 2 % in w.
    const points = binaryScores({ dimension: d, radius: r, contextLength: N });
    expect(Math.abs(lossDerivative(points, 1.1 * w).mean) / slope.standardError).toBeGreaterThan(1.5);
  });

  it('agrees with lattice points, within their error', () => {
    for (const [d, r, N] of [
      [3, 1, 10],
      [20, 2, 100],
    ] as const) {
      // biome-ignore format: a table
      const lattice = optimalScale(latticeScores(law(2, d, r, N)));
      expect(lattice.standardError).toBeLessThan(0.003);
      expect(Math.abs(lattice.mean - optimalScaleAt(setting(2, d, r), N).mean)).toBeLessThan(4 * lattice.standardError);
    }
  });
});

describe('w_N, more classes', () => {
  // The independent program's numbers have an error of some 1 % (leading order) and 0.01 c (w).
  it.each([
    [3, 5, 1, -21.6],
    [5, 5, 1, -40.6],
    [10, 5, 1, -94.7],
    [5, 20, 2, -42.8],
    [10, 20, 2, -95.9],
    [20, 20, 2, -222],
  ])('leading order, c = %d, d = %d, r = %d', (c, d, r, expected) => {
    const { mean, standardError } = leadingOrder(setting(c, d, r), { shifts: 4 });
    expect(standardError).toBeLessThan(0.01 * Math.abs(expected));
    expect(Math.abs(mean / expected - 1)).toBeLessThan(0.02);
  });

  it('has the binary leading order at c = 2', () => {
    // Evaluated by the multi-class formula on lattice points, as if c were any number.
    expect(binaryLeadingOrder({ dimension: 5, radius: 1 })).toBeCloseTo(-13.44, 1);
    expect(leadingOrder(setting(2, 5, 1)).mean).toBe(binaryLeadingOrder({ dimension: 5, radius: 1 }));
  });

  it.each([
    [5, [0.96, 2.44, 3.5, 4.51]],
    [10, [1.03, 3.06, 5.19, 8.07]],
  ])('c = %d, d = 20, r = 2', (c, expected) => {
    [10, 40, 100, 400].forEach((N, i) => {
      const { mean, standardError } = optimalScaleAt(setting(c, 20, 2), N, { shifts: 4 });
      expect(standardError).toBeLessThan(0.004 * c);
      expect(Math.abs(mean - expected[i]!)).toBeLessThan(0.005 + 0.002 * c + 4 * standardError);
    });
  });

  it('is stationary for drawn prompts, c = 4', () => {
    const [d, r, N] = [3, 1.5, 11];
    const { mean: w, standardError } = optimalScaleAt(setting(4, d, r), N);
    const slope = simulateMixture({ dimension: d, classes: 4, radius: r, N, prompts: 40000, seed: 2 }, w);
    expect(Math.abs(slope.mean / slope.standardError)).toBeLessThan(4);
    expect(standardError / w).toBeLessThan(0.005);
  });
});

describe('a prior without invariance', () => {
  const covariance = [[2, 0.6], [0.6, 1]]; // biome-ignore format: a table
  // Angles of mu_0 uniform on [0, 1.2], of mu_1 0.5 to 2 further, whitened norm 1.2.
  const cone = uniformCircleTasks({ covariance, radius: 1.2, first: [0, 1.2], further: [0.5, 2] });

  it('gives the G of the independent program', () => {
    const G = leadingOrderG(covariance, cone).flat();
    // Its formula on 400000 tasks and its optimum at N = 6400 differ by 0.2; both have some 1 % of error.
    [-3.5, 4.79, 0.18, -39.9].forEach((expected, i) => {
      expect(Math.abs(G[i]! - expected)).toBeLessThan(0.3);
    });
  });

  it('gives gamma Lambda^{-1} for an invariant prior', () => {
    const all = uniformCircleTasks({ covariance, radius: 1.2, first: [0, 2 * Math.PI], further: [0, 2 * Math.PI] });
    const gamma = binaryLeadingOrder({ dimension: 2, radius: 1.2 });
    const determinant = 2 - 0.36;
    const expected = [1, -0.6, -0.6, 2].map((value) => (gamma * value) / determinant);
    leadingOrderG(covariance, all).flat().forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i]!, 3);
    }); // biome-ignore format: short
  });

  it('refuses means of different norms', () => {
    expect(() => leadingOrderG(covariance, [{ means: [[1, 0], [2, 1]], weight: 1 }])).toThrow(/equal norm/); // biome-ignore format: short
  });
});

describe('inference error', () => {
  // c, d, r, Bayes accuracy, N, then TV at M = 10, 40, 100, 400, 2000; errors of some 0.002, half a unit for rounding.
  const table = [
    [2, 20, 2, 0.917, 10, [0.185, 0.14, 0.128, 0.121, 0.118]],
    [2, 20, 2, 0.917, 40, [0.161, 0.088, 0.062, 0.042, 0.035]],
    [2, 20, 2, 0.917, 100, [0.16, 0.083, 0.054, 0.029, 0.018]],
    [2, 20, 2, 0.917, 400, [0.161, 0.082, 0.052, 0.026, 0.012]],
    [2, 20, 1, 0.758, 100, [0.249, 0.153, 0.109, 0.073, 0.058]],
    [2, 5, 1, 0.751, 100, [0.167, 0.092, 0.061, 0.035, 0.022]],
    [5, 20, 2, 0.775, 100, [0.468, 0.292, 0.206, 0.131, 0.1]],
    [10, 20, 2, 0.651, 100, [0.651, 0.467, 0.367, 0.283, 0.252]],
  ] as const;
  const accuracies = {
    '2 20 2': [0.815, 0.883, 0.902, 0.914, 0.917],
    '2 20 1': [0.62, 0.687, 0.721, 0.747, 0.755],
    '2 5 1': [0.674, 0.723, 0.738, 0.747, 0.75],
    '5 20 2': [0.452, 0.611, 0.692, 0.749, 0.769],
    '10 20 2': [0.244, 0.371, 0.473, 0.587, 0.636],
  };

  it.each(table)('c = %d, d = %d, r = %d (Bayes %d), N = %d', (c, d, r, bayes, N, expected) => {
    const w = optimalScaleAt(setting(c, d, r), N, { shifts: 4 }).mean;
    [10, 40, 100, 400, 2000].forEach((M, i) => {
      const risks = classificationRisks(latticeScores(law(c, d, r, M), { shifts: 2 }), w);
      expect(Math.abs(risks.totalVariation.mean - expected[i]!), `TV at ${M}`).toBeLessThan(0.005);
      const accuracy = accuracies[`${c} ${d} ${r}` as keyof typeof accuracies][i]!;
      // Two shifts leave some 0.002, the independent simulation as much.
      expect(Math.abs(risks.accuracy.mean - accuracy), `accuracy at ${M}`).toBeLessThan(0.01);
      expect(Math.abs(risks.bayesAccuracy.mean - bayes)).toBeLessThan(0.006);
    });
  });

  it('scales as 1/sqrt(M) and 1/N', () => {
    const scaled = (c: number, d: number, r: number, M: number) =>
      Math.sqrt(M) * classificationRisks(latticeScores(law(c, d, r, M), { shifts: 4 }), c).totalVariation.mean;
    // Errors of some 1 % in the independent simulation.
    [
      [2, 5, 1, [0.615, 0.619, 0.618, 0.624, 0.623]],
      [10, 20, 2, [3.71, 4.04, 4.12, 4.14, 4.15]],
    ].forEach((row) => {
      // biome-ignore format: a table
      const [c, d, r, expected] = row as [number, number, number, number[]];
      [100, 400, 1600, 6400, 25600].forEach((M, i) => {
        expect(scaled(c, d, r, M) / expected[i]!).toBeCloseTo(1, 1.6);
      });
    });
    const long = latticeScores(law(2, 5, 1, Number.POSITIVE_INFINITY));
    // The independent run at M = 1e7 has 3 % of error; it decreases the floor by nothing.
    [1.71, 1.87, 1.87, 1.99, 1.95].forEach((expected, i) => {
      const N = 50 * 2 ** i;
      const { mean } = classificationRisks(long, optimalScaleAt(setting(2, 5, 1), N).mean).totalVariation;
      expect(Math.abs((N * mean) / expected - 1)).toBeLessThan(0.04);
    });
    const ten = latticeScores(law(10, 20, 2, Number.POSITIVE_INFINITY), { shifts: 4 });
    [18.7, 24.2, 28.1, 30, 31.3].forEach((expected, i) => {
      const N = 50 * 2 ** i;
      const { mean } = classificationRisks(
        ten,
        optimalScaleAt(setting(10, 20, 2), N, { shifts: 4 }).mean,
      ).totalVariation;
      expect(Math.abs((N * mean) / expected - 1)).toBeLessThan(0.03);
    });
  });

  it('meets its first order', () => {
    for (const [c, d, r] of [
      [2, 5, 1],
      [5, 20, 2],
    ] as const) {
      // biome-ignore format: a table
      const [gamma, M] = [-1e-3, 40000];
      const exact = classificationRisks(latticeScores(law(c, d, r, M)), c * (1 + gamma)).totalVariation.mean;
      const first = firstOrderTotalVariation(setting(c, d, r), { gamma, M });
      expect(exact / first.mean).toBeCloseTo(1, 1.8);
    }
    expect(meanAbsoluteNormal(0, 1)).toBeCloseTo(Math.sqrt(2 / Math.PI), 12);
    expect(meanAbsoluteNormal(-30, 0.5)).toBeCloseTo(30, 12);
    expect(meanAbsoluteNormal(2, 0)).toBe(2);
  });

  it('stays below the bound of the theorem, by a factor of 3 at least', () => {
    // Diagonal covariance 1..5, w_200; the independent simulation found ratios up to 0.32 over 40 tasks.
    const variances = [1, 2, 3, 4, 5];
    const covariance = variances.map((v, i) => variances.map((_, j) => (i === j ? v : 0)));
    const gamma = optimalScaleAt(setting(2, 5, 1), 200).mean / 2 - 1;
    const G = covariance.map((row) => row.map((v) => (v === 0 ? 0 : gamma / v)));
    const means = [
      [1, 0, 0, 0, 0],
      [0, 1, -0.5, 0.3, 0.2],
    ].map((u) => {
      // biome-ignore format: short
      const norm = Math.hypot(...u);
      return u.map((value, i) => (value / norm) * Math.sqrt(variances[i]!));
    }) as [number[], number[]];
    for (const M of [50, 1000]) {
      const prompt = { covariance, means, query: [1.2, -0.4, 2, 0.1, -1], G, M };
      expect(firstOrderError(prompt)).toBeLessThan(0.34 * errorBound(prompt));
      expect(firstOrderError(prompt)).toBeGreaterThan(0.01 * errorBound(prompt));
    }
  });
});

describe('shifts, d = 20, r = 2, N = 100', () => {
  // TV, accuracy and Bayes accuracy at M = 1e5 and TV at M = 100, errors of some 0.002.
  it.each([
    ['none', { radii: [2, 2] }, 0.0135, 0.9175, 0.9175, 0.053],
    ['unequal norms', { radii: [2, 3] }, 0.0799, 0.925, 0.961, 0.084],
    ['class prior', { radii: [2, 2], prior: [0.7, 0.3] }, 0.0593, 0.906, 0.927, 0.07],
    ['twice the covariance', { radii: [2, 2], covarianceScale: 2 }, 0.0635, 0.838, 0.838, 0.11],
    ['half the covariance', { radii: [2, 2], covarianceScale: 0.5 }, 0.054, 0.974, 0.974, 0.063],
  ])('%s', (_name, shifted, tv, accuracy, bayes, shortTv) => {
    const w = optimalScaleAt(setting(2, 20, 2), 100).mean;
    const at = (contextLength: number) =>
      classificationRisks(latticeScores({ dimension: 20, contextLength, ...shifted }, { shifts: 4 }), w);
    const long = at(1e5);
    expect(Math.abs(long.totalVariation.mean - tv)).toBeLessThan(0.0025);
    expect(Math.abs(long.accuracy.mean - accuracy)).toBeLessThan(0.005);
    expect(Math.abs(long.bayesAccuracy.mean - bayes)).toBeLessThan(0.003);
    expect(Math.abs(at(100).totalVariation.mean - shortTv)).toBeLessThan(0.0025);
  });

  it('a scale mixture moves the truth, not the limit of the logits', () => {
    const plain = latticeScores({ dimension: 5, radii: [1, 1], contextLength: 50 }, { shifts: 1 });
    const none = latticeScores({ dimension: 5, radii: [1, 1], contextLength: 50, scaleMixture: 1e-12 }, { shifts: 1 });
    for (let i = 0; i < 50; i++) {
      expect(none.scores[2 * i]).toBeCloseTo(plain.scores[2 * i]!, 9);
      expect(none.posterior[2 * i]).toBeCloseTo(plain.posterior[2 * i]!, 9);
    }
    const mixed = latticeScores({ dimension: 5, radii: [1, 1], contextLength: 1e4, scaleMixture: 0.6 }, { shifts: 2 });
    const q2 = mixed.squaredNorm.reduce((sum, value) => sum + value, 0) / mixed.count;
    expect(q2).toBeCloseTo(6, 1); // d + r^2: the second moments are the same.
  });
});

describe('convergence', () => {
  it('has the Hessian that the independent program found', () => {
    // d = 5, N = 50, r = 1, Lambda = diag(1..5) on 2e5 drawn prompts: 1 % of sampling error at the ends of the spectrum.
    const variances = [1, 2, 3, 4, 5];
    const points = trainingScores(setting(2, 5, 1), 50);
    const w = optimalScale(points).mean;
    const { least, largest } = spectrumEnds(hessianAt(points, 5, w), variances);
    const smoothness = spectrumEnds(smoothnessForm(setting(2, 5, 1), 50), variances).largest;
    expect(least / 0.0196).toBeCloseTo(1, 1.6);
    expect(largest / 0.494).toBeCloseTo(1, 1.6);
    expect(smoothness / 0.983).toBeCloseTo(1, 1.6);
    expect(1 - least / smoothness).toBeCloseTo(0.98001, 3);
  });

  it.each([
    [2, 4, 1.2, 9],
    [4, 3, 1.5, 11],
  ] as const)('has the Hessian of drawn prompts, c = %d', (classes, d, r, N) => {
    // biome-ignore format: a table
    const points = trainingScores(setting(classes, d, r), N);
    const simulated = simulateMixture({ dimension: d, classes, radius: r, N, prompts: 40000, seed: 3 }, 0.7 * classes);
    const form = hessianAt(points, d, 0.7 * classes);
    expect(form.scalar / simulated.hessian.scalar).toBeCloseTo(1, 1.3);
    expect(form.antisymmetric / simulated.hessian.antisymmetric).toBeCloseTo(1, 1.3);
    expect(form.symmetric / simulated.hessian.symmetric).toBeCloseTo(1, 1.3);
    const bound = smoothnessForm(setting(classes, d, r), N);
    expect(bound.scalar / simulated.bound.scalar).toBeCloseTo(1, 1.3);
    expect(bound.antisymmetric / simulated.bound.antisymmetric).toBeCloseTo(1, 1.3);
    expect(bound.symmetric / simulated.bound.symmetric).toBeCloseTo(1, 1.3);
    expect(bound.scalar).toBeGreaterThan(form.scalar);
  });

  it('has the spectrum of the full d^2 x d^2 matrix', () => {
    // By power iteration on W -> Lambda^{1/2} F(Lambda^{1/2} W Lambda^{1/2}) Lambda^{1/2}.
    const form = { scalar: 0.3, symmetric: 0.11, antisymmetric: 0.13 };
    const variances = [0.5, 2, 3];
    const act = (W: number[][]) => {
      const V = W.map((row, i) => row.map((value, j) => Math.sqrt(variances[i]! * variances[j]!) * value));
      const mean = V.reduce((sum, row, i) => sum + row[i]!, 0) / 3;
      const F = V.map((row, i) =>
        row.map((value, j) => {
          const [even, odd] = [(value + V[j]![i]!) / 2, (value - V[j]![i]!) / 2];
          const onDiagonal = i === j ? mean : 0;
          return form.symmetric * (even - onDiagonal) + form.antisymmetric * odd + form.scalar * onDiagonal;
        }),
      );
      return F.map((row, i) => row.map((value, j) => Math.sqrt(variances[i]! * variances[j]!) * value));
    };
    let W = [[1, 0.3, 0.2], [0.1, 1.1, -0.4], [0.5, 0.2, 0.9]]; // biome-ignore format: a table
    let norm = 0;
    for (let i = 0; i < 200; i++) {
      const next = act(W);
      norm = Math.hypot(...next.flat());
      W = next.map((row) => row.map((value) => value / norm));
    }
    expect(spectrumEnds(form, variances).largest).toBeCloseTo(norm, 9);
  });

  it('predicts descent along multiples of the identity', () => {
    const points = trainingScores(setting(2, 5, 1), 50);
    const w = optimalScale(points).mean;
    const rate = 1 / spectrumEnds(smoothnessForm(setting(2, 5, 1), 50), new Array(5).fill(1)).largest;
    const path = descentPath(points, 5, rate, 30);
    const ratio = (path[30]! - w) / (path[29]! - w);
    expect(ratio).toBeCloseTo(1 - rate * hessianAt(points, 5, w).scalar, 2);
  });
});

describe('report and parts', () => {
  it('names its numbers', () => {
    const report = mixtureReport({ ...setting(2, 20, 2), N: 100, M: 100, variances: new Array(20).fill(1) });
    expect(report['wN']).toBeCloseTo(1.735, 2);
    expect(report['gamma']).toBeCloseTo(report['wN']! / 2 - 1, 12);
    expect(report['gammaLeadingOrder']).toBeCloseTo(-0.1535, 2);
    expect(report['bayesAccuracy']).toBeCloseTo(0.917, 2);
    expect(Object.values(report).every(Number.isFinite)).toBe(true);
  });

  it('inverts binomial laws', () => {
    const quantile = binomialQuantiles();
    // Binomial(4, 1/4): 81/256, 189/256, 243/256, 255/256.
    expect([0.3, 0.32, 0.73, 0.75, 0.94, 0.96, 0.999].map((u) => quantile(4, 0.25, u))).toEqual([0, 1, 1, 2, 2, 3, 4]);
    expect([quantile(0, 0.5, 0.7), quantile(9, 0, 0.7), quantile(9, 1, 0.2)]).toEqual([0, 0, 9]);
    const draws = Array.from({ length: 999 }, (_, i) => quantile(20000, 0.05, (i + 0.5) / 999));
    expect(draws.reduce((sum, n) => sum + n, 0) / 999).toBeCloseTo(1000, 0);
    expect(draws.every((n, i) => i === 0 || n >= draws[i - 1]!)).toBe(true);
  });
});
