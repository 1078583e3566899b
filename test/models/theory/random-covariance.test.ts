/** Random diagonal covariances: every number of the specification's 2.3, the flow, and sampled prompts. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { diagonal, frobeniusNorm, identity, type Matrix, scaleMatrix } from '../../../models/matrix.ts';
import { linearRegressionDefaults } from '../../../models/tasks/linear-regression.ts';
import {
  expectationOverDiagonal,
  exponentialMoments,
  exponentialMultiplier,
  exponentialTrainingRisk,
  gradientFlow,
  limits,
  lossMinimum,
  multiplierRiskOnExponential,
  multiplierRiskOnIdentity,
  randomCovarianceFlow,
  randomCovarianceLimits,
  randomCovarianceRisk,
  shiftRisk,
} from '../../../models/theory/zhang2023.ts';
import { expectClose, float64, printed } from '../../tolerance.ts';
import { expectAgreement, layerOfProduct, layerPredictor, measureRisk } from '../monte-carlo.ts';

const infinite = Number.POSITIVE_INFINITY;
const exponential = (dimension: number, scale = 1) => new Array(dimension).fill(exponentialMoments(scale));
/** Moments of a Gamma(k) variable. */
const gammaMoments = (k: number) => ({ first: k, second: k * (k + 1), third: k * (k + 1) * (k + 2) });
const fixed = (value: number) => ({ first: value, second: value ** 2, third: value ** 3 });

describe('the expectation over a diagonal', () => {
  it('is exact for every polynomial of degree 3', () => {
    const laws = fc.array(
      fc.tuple(fc.double({ min: 0, max: 3, noNaN: true }), fc.double({ min: 0, max: 3, noNaN: true }), fc.double({ min: 0.05, max: 0.95, noNaN: true })),
      { minLength: 1, maxLength: 4 },
    ); // biome-ignore format: short
    fc.assert(
      fc.property(
        laws,
        fc.array(fc.double({ min: -2, max: 2, noNaN: true }), { minLength: 20, maxLength: 20 }),
        (two, c) => {
          // Variables with two values each: their joint law can be summed.
          const moment = ([a, b, p]: [number, number, number], k: number) => p * a ** k + (1 - p) * b ** k;
          const moments = two.map((law) => ({ first: moment(law, 1), second: moment(law, 2), third: moment(law, 3) }));
          const f = (x: readonly number[]) => {
            const forms = [0, 1, 2].map((k) => x.reduce((sum, value, i) => sum + c[4 * k + i]! * value, c[12 + k]!));
            const cubes = x.reduce((sum, value) => sum + value ** 3, 0);
            return forms[0]! * forms[1]! * forms[2]! + c[15]! * forms[0]! * forms[1]! + c[16]! * cubes;
          };
          let exact = 0;
          for (let choice = 0; choice < 2 ** two.length; choice++) {
            const isFirst = (i: number) => ((choice >> i) & 1) === 1;
            const weight = two.reduce((product, [, , p], i) => product * (isFirst(i) ? p : 1 - p), 1);
            exact += weight * f(two.map(([a, b], i) => (isFirst(i) ? a : b)));
          }
          expectClose([expectationOverDiagonal(moments, f)], [exact], { relative: 1e-9, absolute: 1e-7 });
        },
      ),
    );
  });
});

describe('limits of training on random covariances (Theorem 4.5)', () => {
  it.each([
    [3, 10, 0.263158, 0.473684],
    [20, 40, 0.275862, 0.448276],
    [20, 70, 0.297872, 0.404255],
    [20, 100, 0.307692, 0.384615],
    [20, infinite, 1 / 3, 1 / 3],
  ])('Exp(1), d = %i, N = %d: g = %f, risk/d = %f', (d, N, g, normalised) => {
    const limit = randomCovarianceLimits({ moments: exponential(d), N });
    expectClose([exponentialMultiplier(d, N), exponentialTrainingRisk(d, N) / d], [g, normalised], printed);
    expectClose(limit.product.flat(), scaleMatrix(identity(d), exponentialMultiplier(d, N)).flat(), float64);
    expectClose([limit.gamma[0]!], [6 + (2 * d + 10) / N], float64);
    expectClose([2 * limit.lossMinimum], [exponentialTrainingRisk(d, N)], float64);
    expectClose(
      [randomCovarianceRisk({ P: limit.product, moments: exponential(d), M: N })],
      [exponentialTrainingRisk(d, N)],
      float64,
    );
    expectClose([limit.u ** 2], [frobeniusNorm(limit.product)], float64);
  });

  it('are those of a fixed covariance when nothing is random', () => {
    const spectrum = [2, 1, 0.5];
    const noise = 0.3;
    const random = randomCovarianceLimits({ moments: spectrum.map(fixed), N: 7, trainingNoiseVariance: noise });
    const { u, product } = limits(diagonal(spectrum), 7, noise);
    expectClose([random.u, ...random.product.flat()], [u, ...product.flat()], float64);
    expectClose([random.lossMinimum], [lossMinimum(diagonal(spectrum), 7, noise)], float64);
    const start = { N: 7, U11: scaleMatrix(identity(3), 0.1), u: 0.2, times: [0.5, 3], trainingNoiseVariance: noise };
    const [a, b] = [
      randomCovarianceFlow({ moments: spectrum.map(fixed), ...start }),
      gradientFlow({ covariance: diagonal(spectrum), ...start }),
    ];
    expectClose([...a.u, ...a.loss, ...a.U11.flat(2)], [...b.u, ...b.loss, ...b.U11.flat(2)], {
      relative: 1e-8,
      absolute: 1e-10,
    });
  });

  it('zeta is the expectation that defines it', () => {
    const moments = [0.7, 1.5, 3].map(gammaMoments);
    const N = 10;
    const { zeta, xi } = randomCovarianceLimits({ moments, N });
    for (let i = 0; i < 3; i++) {
      expectClose([xi[i]!], [expectationOverDiagonal(moments, (x) => x[i]! ** 2)], float64);
      for (let j = 0; j < 3; j++) {
        const expected = expectationOverDiagonal(moments, (x) => {
          const total = x.reduce((sum, value) => sum + value, 0);
          return (1 + 1 / N) * x[i]! ** 2 * x[j]! + (x[i]! * x[j]! * total) / N;
        });
        expectClose([zeta[i]![j]!], [expected], float64);
      }
    }
  });

  it('are where the flow ends, for laws that differ by coordinate', () => {
    const moments = [0.7, 1.5, 3].map(gammaMoments);
    const U11: Matrix = [[0.03, 0.01, 0], [0.01, 0.025, -0.01], [0, -0.01, 0.03]]; // biome-ignore format: a matrix
    const flow = randomCovarianceFlow({ moments, N: 10, U11, u: frobeniusNorm(U11), times: [0, 10, 2000] });
    const limit = randomCovarianceLimits({ moments, N: 10 });
    expectClose(
      [flow.u[2]!, ...flow.U11[2]!.flat(), flow.loss[2]!],
      [limit.u, ...limit.U11.flat(), limit.lossMinimum],
      { relative: 0, absolute: 1e-8 },
    );
    expect(flow.loss[0]).toBeGreaterThan(flow.loss[1]!);
  });
});

describe('the risk of a multiple of the identity at N = 100, d = 20', () => {
  const lengths = [5, 10, 20, 40, 70, 100, infinite];
  const [onIdentity, onRandom] = [1 / (1 + 21 / 100), exponentialMultiplier(20, 100)];

  it.each<[string, number, number | undefined, readonly number[]]>([
    ['fixed-trained on I', onIdentity, undefined, [2.8988, 1.4644, 0.7473, 0.3887, 0.235, 0.1736, 0.0301]],
    ['random-trained on I', onRandom, undefined, [0.8769, 0.6781, 0.5787, 0.529, 0.5077, 0.4992, 0.4793]],
    ['random-trained on Exp, c=1', onRandom, 1, [1.284, 0.8107, 0.574, 0.4556, 0.4049, 0.3846, 0.3373]],
    ['fixed-trained on Exp, c=1', onIdentity, 1, [8.6224, 5.2074, 3.4998, 2.6461, 2.2802, 2.1338, 1.7923]],
    ['random-trained on Exp, c=4', onRandom, 4, [81.25, 50.96, 35.81, 28.24, 24.99, 23.69, 20.66]],
  ])('%s', (_, multiplier, scale, expected) => {
    const P = scaleMatrix(identity(20), multiplier);
    lengths.forEach((M, i) => {
      const closed =
        scale === undefined
          ? multiplierRiskOnIdentity(multiplier, 20, M)
          : multiplierRiskOnExponential({ multiplier, scale, dimension: 20, M });
      expectClose([closed / 20], [expected[i]!], { relative: 0, absolute: scale === 4 ? 6e-3 : 6e-5 });
      const general =
        scale === undefined
          ? shiftRisk({ P, contextCovariance: identity(20), M })
          : randomCovarianceRisk({ P, moments: exponential(20, scale), M });
      expectClose([closed], [general], { relative: 1e-9, absolute: 0 });
    });
  });

  it('for N and M infinite is c - (4/3) c^2 + (2/3) c^3, and c - 4 c^2 + 6 c^3 if trained on I', () => {
    const at = (multiplier: number) => (scale: number) =>
      multiplierRiskOnExponential({ multiplier, scale, dimension: 20, M: infinite }) / 20;
    expectClose([1, 4, 9].map(at(1 / 3)), [1 / 3, 25 + 1 / 3, 387], float64);
    expectClose([1, 4, 9].map(at(1)), [3, 324, 4059], float64);
    expectClose([multiplierRiskOnIdentity(1 / 3, 20, infinite) / 20], [4 / 9], float64);
  });

  it('the averaged prediction tends to a third of <w, x_q>', () => {
    // E over Lambda of G Lambda, at N infinite.
    expectClose([exponentialMultiplier(20, infinite) * exponentialMoments().first], [1 / 3], float64);
  });
});

describe('the risk of any matrix under exponential covariances', () => {
  const P: Matrix = [[0.35, 0.1, -0.05], [-0.1, 0.25, 0.1], [0.05, 0.15, 0.3]]; // biome-ignore format: a matrix
  const C: Matrix = [[1, 0.4, 0], [0.4, 2, -0.3], [0, -0.3, 0.5]]; // biome-ignore format: a matrix
  const task = {
    ...linearRegressionDefaults,
    dimension: 3,
    covariance: { kind: 'exponential', scale: 1.5 },
    taskCovariance: { kind: 'matrix', matrix: C },
    noiseVariance: 0.3,
  } as const;
  const law = { P, moments: exponential(3, 1.5), taskCovariance: C, noiseVariance: 0.3, M: 6 };
  const sample = { context: 6, prompts: 100_000, predict: layerPredictor(layerOfProduct(P), 3) };

  it('agrees with sampled prompts', () => {
    expectAgreement(measureRisk({ ...sample, task }), randomCovarianceRisk(law), 0.05);
  });

  it('agrees with sampled prompts when the query has a covariance of its own', () => {
    const queryCovariance = diagonal([2, 1, 0.5]);
    const measured = measureRisk({
      ...sample,
      task: { ...task, queryCovariance: { kind: 'diagonal', spectrum: [2, 1, 0.5] } },
    });
    expectAgreement(measured, randomCovarianceRisk({ ...law, queryCovariance }), 0.05);
  });
});
