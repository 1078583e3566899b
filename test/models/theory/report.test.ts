/** The Bayes risk, the risk of least squares, and the report that names them all. */
import { describe, expect, it } from 'vitest';
import { createEstimator } from '../../../models/estimators/index.ts';
import { diagonal, identity, type Matrix, scaleMatrix } from '../../../models/matrix.ts';
import type { PromptBatch } from '../../../models/prompts.ts';
import { createGenerator, streams } from '../../../models/random.ts';
import type { Covariance } from '../../../models/tasks/covariance.ts';

import { type LinearRegressionSpec, linearRegressionDefaults } from '../../../models/tasks/linear-regression.ts';
import { bayesRisk, leastSquaresRisk, risk, theoryReport } from '../../../models/theory/zhang2023.ts';
import { expectClose, float64, printed } from '../../tolerance.ts';
import { expectAgreement, measureRisk } from '../monte-carlo.ts';

const infinite = Number.POSITIVE_INFINITY;
const generator = createGenerator(3, streams.theory);
const base = (dimension: number): LinearRegressionSpec => ({ ...linearRegressionDefaults, dimension });
const variances = [2, 1.5, 1, 0.5, 0.25];
const spectrum: Covariance = { kind: 'diagonal', spectrum: variances };

const measureEstimator = (
  name: string,
  options: Record<string, number>,
  task: LinearRegressionSpec,
  context: number,
  prompts: number,
) => {
  const estimator = createEstimator(name, { task, options });
  const out = new Float64Array(2000);
  const predict = (batch: PromptBatch) => {
    estimator.predict(batch, out);
    return out;
  };
  return measureRisk({ task, context, prompts, predict });
};

describe('the Bayes risk', () => {
  it.each<[string, LinearRegressionSpec, number, number]>([
    ['no noise, M >= d', base(5), 5, 0],
    ['no noise, isotropic, M < d', base(20), 5, 15],
    [
      'no noise, isotropic of variance 3',
      { ...base(20), covariance: { kind: 'diagonal', spectrum: new Array(20).fill(3) } },
      5,
      45,
    ],
    [
      'no noise, M < d, tasks scaled by 2',
      { ...base(20), taskCovariance: { kind: 'diagonal', spectrum: new Array(20).fill(4) } },
      5,
      60,
    ],
    ['no context', { ...base(5), covariance: spectrum, noiseVariance: 0.3 }, 0, 5.55],
    ['no context, random variances', { ...base(5), covariance: { kind: 'exponential', scale: 2 } }, 0, 10],
    ['an infinite context', { ...base(5), noiseVariance: 0.3 }, infinite, 0.3],
    ['random variances, M >= d', { ...base(3), covariance: { kind: 'exponential', scale: 2 } }, 4, 0],
    [
      'queries where the context never goes',
      { ...base(2), covariance: { kind: 'diagonal', spectrum: [1, 0] }, queryCovariance: { kind: 'identity' } },
      7,
      1,
    ],
  ])('is exact: %s', (_, task, M, expected) => {
    const { mean, ...rest } = bayesRisk(task, M, generator);
    expectClose([mean], [expected], float64);
    expect(rest).toEqual({ standardError: 0, method: 'exact', draws: 0 });
  });

  it.each<[string, LinearRegressionSpec, number]>([
    ['noise', { ...base(5), covariance: spectrum, noiseVariance: 0.5 }, 8],
    ['noise, M < d', { ...base(5), noiseVariance: 0.5 }, 3],
    [
      'noise and random variances',
      { ...base(5), covariance: { kind: 'exponential', scale: 1 }, noiseVariance: 0.25 },
      8,
    ],
  ])('is that of ridge with the right penalty: %s', (_, task, M) => {
    const { mean, standardError, method, draws } = bayesRisk(task, M, generator);
    expect(method).toBe('monte-carlo');
    expect(draws).toBeGreaterThan(100);
    const measured = measureEstimator('ridge', { noiseVariance: task.noiseVariance }, task, M, 40_000);
    expectAgreement({ ...measured, standardError: Math.hypot(measured.standardError, standardError) }, mean, 0.03);
  });

  it.each<[string, LinearRegressionSpec, number]>([
    ['a spectrum', { ...base(5), covariance: spectrum }, 3],
    ['random variances', { ...base(5), covariance: { kind: 'exponential', scale: 1 } }, 2],
    ['queries of their own', { ...base(5), covariance: spectrum, queryCovariance: { kind: 'identity' } }, 3],
  ])('without noise and with M < d is that of least squares: %s', (_, task, M) => {
    const { mean, standardError, method } = bayesRisk(task, M, generator);
    expect(method).toBe('monte-carlo');
    const measured = measureEstimator('least-squares', {}, task, M, 40_000);
    expectAgreement({ ...measured, standardError: Math.hypot(measured.standardError, standardError) }, mean, 0.04);
  });

  it('takes a task covariance that is not isotropic into account', () => {
    // Scaling w by L turns a task of covariance L L^T on x into an isotropic one on L^T x.
    const taskCovariance: Covariance = { kind: 'diagonal', spectrum: [4, 1, 0.25] };
    const task: LinearRegressionSpec = {
      ...base(3),
      covariance: { kind: 'diagonal', spectrum: [1, 2, 3] },
      noiseVariance: 0.4,
    };
    const folded: LinearRegressionSpec = { ...task, covariance: { kind: 'diagonal', spectrum: [4, 2, 0.75] } };
    const [a, b] = [bayesRisk({ ...task, taskCovariance }, 4, generator, 3000), bayesRisk(folded, 4, generator, 3000)];
    expectClose([a.mean], [b.mean], { relative: 1e-9, absolute: 0 });
  });

  it('falls with the context and stays below the trained layer', () => {
    const task: LinearRegressionSpec = { ...base(5), covariance: spectrum, noiseVariance: 0.5 };
    const values = [0, 1, 3, 5, 10, 40].map((M) => bayesRisk(task, M, generator).mean);
    for (let i = 1; i < values.length; i++) expect(values[i]!).toBeLessThan(values[i - 1]!);
    for (const M of [1, 5, 20, 100]) {
      const { mean, standardError } = bayesRisk(task, M, generator);
      const covariance = diagonal(variances);
      for (const N of [5, 20, 100]) {
        expect(risk({ covariance, N, M, noiseVariance: 0.5 })).toBeGreaterThan(mean - 3 * standardError);
      }
    }
  });

  it('is the same every time', () => {
    const task: LinearRegressionSpec = { ...base(3), noiseVariance: 1 };
    expect(bayesRisk(task, 4, generator)).toEqual(bayesRisk(task, 4, generator));
    expect(() => bayesRisk(task, 1.5, generator)).toThrow('M: expected a whole number of pairs');
  });
});

describe('the risk of least squares', () => {
  it.each<[string, Matrix, number, number, number | undefined]>([
    ['no noise, M >= d', identity(5), 5, 0, 0],
    ['no noise, M < d', identity(5), 2, 0, 3],
    ['noise, M near d', identity(5), 6, 1, infinite],
    ['noise, M just below d', identity(5), 4, 1, infinite],
    ['noise, M > d + 1', diagonal([1, 2, 3, 4, 5]), 11, 2, 2 + (2 * 5) / 5],
    ['a spectrum, M < d', diagonal([1, 2]), 1, 0, undefined],
    ['a singular covariance', diagonal([1, 0]), 9, 1, undefined],
  ])('%s', (_, contextCovariance, M, noiseVariance, expected) => {
    expect(leastSquaresRisk({ contextCovariance, M, noiseVariance })).toBe(expected);
  });

  it('with noise and M < d agrees with sampled prompts', () => {
    const variance: Covariance = { kind: 'diagonal', spectrum: new Array(8).fill(2) };
    const task: LinearRegressionSpec = { ...base(8), covariance: variance, noiseVariance: 0.5 };
    const contextCovariance = scaleMatrix(identity(8), 2);
    const measured = measureEstimator('least-squares', {}, task, 4, 60_000);
    expectAgreement(measured, leastSquaresRisk({ contextCovariance, M: 4, noiseVariance: 0.5 })!);
  });
});

describe('the report', () => {
  it('has the numbers of the paper at d = 20, N = 40, M = 100', () => {
    const report = theoryReport({ d: 20, N: 40, M: 100, covariance: { kind: 'identity' }, noiseVariance: 0 });
    expectClose(
      [report.risk, report.excessRisk, report.riskAtInfiniteLength, report.lossMinimum],
      [4.176297, 4.176297, 2.370331, 3.442623],
      printed,
    );
    expect(report.bayesRisk).toBe(0);
    expect(report.bayesRiskStandardError).toBe(0);
    expect(report.bayesRiskMethod).toBe('exact');
    expect(report.zeroRisk).toBe(20);
    expect(report['leastSquaresRisk']).toBe(0);
    expectClose([report['riskBound'] as number], [(21 * 20) / 100 + (441 * 20) / 1600], float64);
    expectClose((report['gamma'] as number[][]).flat(), scaleMatrix(identity(20), 1.525).flat(), float64);
    expectClose(report.product.flat(), scaleMatrix(identity(20), 1 / 1.525).flat(), float64);
    expectClose([report.u], [20 ** 0.25 / Math.sqrt(1.525)], float64);
  });

  it('has those of random covariances', () => {
    const report = theoryReport({
      d: 20,
      N: 100,
      M: 100,
      covariance: { kind: 'exponential', scale: 1 },
      noiseVariance: 0,
    });
    expectClose([report.risk / 20, report.product[0]![0]!], [0.384615, 0.307692], printed);
    expect(report['G']).toEqual(report.product);
    expect(report).not.toHaveProperty('gamma');
    expect(report).not.toHaveProperty('riskBound');
  });

  it.each<[string, Parameters<typeof theoryReport>[0]]>([
    ['noise', { d: 3, N: 10, M: 5, covariance: { kind: 'identity' }, noiseVariance: 0.5 }],
    ['noise at M = d', { d: 3, N: 10, M: 3, covariance: { kind: 'identity' }, noiseVariance: 0.5 }],
    ['infinite lengths', { d: 3, N: infinite, M: infinite, covariance: { kind: 'identity' }, noiseVariance: 0.5 }],
    [
      'a singular covariance',
      { d: 3, N: 10, M: 5, covariance: { kind: 'diagonal', spectrum: [1, 1, 0] }, noiseVariance: 0 },
    ],
    [
      'training noise',
      { d: 3, N: 10, M: 5, covariance: { kind: 'identity' }, noiseVariance: 0.5, trainingNoiseVariance: 0.5 },
    ],
    [
      'few pairs of random variances',
      { d: 3, N: 10, M: 2, covariance: { kind: 'exponential', scale: 2 }, noiseVariance: 0.1 },
    ],
  ])('survives JSON: %s', (_, settings) => {
    const report = theoryReport(settings);
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
    expect(report.excessRisk).toBeGreaterThan(-3 * report.bayesRiskStandardError - 1e-12);
    expectClose([report.excessRisk], [report.risk - report.bayesRisk], float64);
  });

  it('with training noise at M = N is twice the least loss', () => {
    const settings = {
      d: 3,
      N: 10,
      M: 10,
      covariance: { kind: 'identity' },
      noiseVariance: 0.5,
      trainingNoiseVariance: 0.5,
    } as const;
    const report = theoryReport(settings);
    expectClose([report.risk], [2 * report.lossMinimum], float64);
    // The best layer for these prompts: one trained without noise does worse on them.
    expect(theoryReport({ ...settings, trainingNoiseVariance: 0 }).risk).toBeGreaterThan(report.risk);
  });

  it('refuses impossible settings', () => {
    const settings = { d: 3, N: 10, M: 10, covariance: { kind: 'identity' }, noiseVariance: 0 } as const;
    expect(() => theoryReport({ ...settings, N: 0 })).toThrow('N: expected a whole number of pairs');
    expect(() => theoryReport({ ...settings, M: -1 })).toThrow('M: expected a whole number of pairs');
    expect(() => theoryReport({ ...settings, covariance: { kind: 'diagonal', spectrum: [1] } })).toThrow(
      '3 dimensions',
    );
  });
});
