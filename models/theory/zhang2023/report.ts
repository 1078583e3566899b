/** All named numbers of the paper at one setting, as plain data: what `icl theory zhang2023` prints. */
import { identity, trace } from '../../matrix.ts';
import { createGenerator, type Generator, streams } from '../../random.ts';
import { type Covariance, covarianceMatrix, validateCovariance } from '../../tasks/covariance.ts';
import type { LinearRegressionSpec } from '../../tasks/linear-regression.ts';
import { type BayesRisk, bayesRisk, leastSquaresRisk } from './bayes-risk.ts';
import { gammaMatrix, initialisationThreshold, limits, lossMinimum } from './gamma.ts';
import { exponentialMoments, randomCovarianceLimits, randomCovarianceRisk } from './random-covariance.ts';
import { floorBound, risk, riskBound } from './risk.ts';

export interface TheorySettings {
  readonly d: number;
  /** Context length in training; may be Infinity. */
  readonly N: number;
  /** Context length at test; may be Infinity. */
  readonly M: number;
  readonly covariance: Covariance;
  /** Variance of the label noise at test. */
  readonly noiseVariance: number;
  /** Variance of the label noise in training, which the paper does not have. Default 0. */
  readonly trainingNoiseVariance?: number;
}

/** Quantities by name: numbers, words, and matrices as rows. What has no finite value at a setting is absent. */
export type TheoryReport = Readonly<Record<string, number | string | number[] | number[][]>> & {
  /** Mean squared error at test of the trained layer, exact. */
  readonly risk: number;
  /** risk - bayesRisk, a difference. */
  readonly excessRisk: number;
  /** Least population loss in training; half a mean squared error. */
  readonly lossMinimum: number;
  readonly bayesRisk: number;
  readonly bayesRiskStandardError: number;
  /** `exact` or `monte-carlo` */
  readonly bayesRiskMethod: string;
  /** The risk as M grows: what no test length removes. */
  readonly riskAtInfiniteLength: number;
  /** The risk of predicting 0. */
  readonly zeroRisk: number;
  /** Limit of the lower right entry of W^PV. */
  readonly u: number;
  /** Limit of u U11: Gamma^-1, or G for a random covariance. */
  readonly product: number[][];
};

/** @throws {UsageError} | {DataError} on impossible settings. */
export function theoryReport(
  settings: TheorySettings,
  generator: Generator = createGenerator(0, streams.theory),
): TheoryReport {
  const { d, covariance, M, noiseVariance } = settings;
  validateCovariance('covariance', covariance, d);
  const task: LinearRegressionSpec = {
    name: 'linear-regression',
    dimension: d,
    covariance,
    taskCovariance: { kind: 'identity' },
    noiseVariance,
  };
  const bayes = bayesRisk(task, M, generator);
  return covariance.kind === 'exponential'
    ? randomReport(settings, covariance.scale, bayes)
    : fixedReport(settings, covarianceMatrix(covariance, d)!, bayes);
}

function bayesEntries(totalRisk: number, bayes: BayesRisk) {
  return {
    risk: totalRisk,
    excessRisk: totalRisk - bayes.mean,
    bayesRisk: bayes.mean,
    bayesRiskStandardError: bayes.standardError,
    bayesRiskMethod: bayes.method,
  };
}

/** Leaves out what is infinite or has no closed form: JSON has no word for either. */
function finite(entries: Record<string, number | undefined>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(entries).filter((entry): entry is [string, number] => Number.isFinite(entry[1])),
  );
}

function fixedReport(settings: TheorySettings, matrix: number[][], bayes: BayesRisk): TheoryReport {
  const { N, M, noiseVariance, trainingNoiseVariance = 0 } = settings;
  const law = { covariance: matrix, N, noiseVariance, trainingNoiseVariance };
  const { u, U11, product } = limits(matrix, N, trainingNoiseVariance);
  return {
    ...bayesEntries(risk({ ...law, M }), bayes),
    lossMinimum: lossMinimum(matrix, N, trainingNoiseVariance),
    riskAtInfiniteLength: risk({ ...law, M: Number.POSITIVE_INFINITY }),
    zeroRisk: trace(matrix) + noiseVariance,
    ...finite({
      leastSquaresRisk: leastSquaresRisk({ contextCovariance: matrix, noiseVariance, M }),
      // The corollary is about training without noise.
      riskBound: trainingNoiseVariance > 0 ? undefined : riskBound({ ...law, M }),
      riskBoundAtInfiniteLength: trainingNoiseVariance > 0 ? undefined : floorBound(matrix, N) + noiseVariance,
      sigmaThreshold: initialisationThreshold(matrix, N),
    }),
    u,
    U11,
    product,
    gamma: gammaMatrix(matrix, N, trainingNoiseVariance),
  };
}

function randomReport(settings: TheorySettings, scale: number, bayes: BayesRisk): TheoryReport {
  const { d, N, M, noiseVariance, trainingNoiseVariance = 0 } = settings;
  const moments = new Array(d).fill(exponentialMoments(scale));
  const limit = randomCovarianceLimits({ moments, N, trainingNoiseVariance });
  const law = { P: limit.product, moments, noiseVariance };
  const total = scale * d;
  return {
    ...bayesEntries(randomCovarianceRisk({ ...law, M }), bayes),
    lossMinimum: limit.lossMinimum,
    riskAtInfiniteLength: randomCovarianceRisk({ ...law, M: Number.POSITIVE_INFINITY }),
    zeroRisk: total + noiseVariance,
    // From M = D on, least squares does not feel the covariance.
    ...finite({
      leastSquaresRisk: M >= d ? leastSquaresRisk({ contextCovariance: identity(d), noiseVariance, M }) : undefined,
    }),
    u: limit.u,
    U11: limit.U11,
    product: limit.product,
    G: limit.product,
  };
}
