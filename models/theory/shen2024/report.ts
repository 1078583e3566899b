/** All named numbers of the paper at one setting, as plain data: what `icl theory shen2024` prints. */
import { hessianAt, smoothnessForm, spectrumEnds } from './convergence.ts';
import { classificationRisks, firstOrderTotalVariation } from './inference-error.ts';
import { leadingOrder, type MixtureSetting, optimalScale, trainingScores } from './optimum.ts';
import { latticeScores } from './scores.ts';

export interface MixtureReportSettings extends MixtureSetting {
  /** Pairs in training, finite. */
  readonly N: number;
  /** Pairs at test; may be Infinity. */
  readonly M: number;
  /** Eigenvalues of the covariance about the means: they matter for how fast training is, not for where it ends. */
  readonly variances: readonly number[];
}

/** Closed forms by name; a standard error of 0 stands beside what quadrature gives. */
export function mixtureReport(settings: MixtureReportSettings): Record<string, number> {
  const { dimension, classes, radius, N, M, variances } = settings;
  const points = trainingScores(settings, N);
  const w = optimalScale(points);
  const gamma = w.mean / classes - 1;
  const limit = leadingOrder(settings);
  const radii = new Array<number>(classes).fill(radius);
  const risksAt = (contextLength: number) =>
    classificationRisks(latticeScores({ dimension, radii, contextLength }), w.mean);
  const test = risksAt(M);
  const long = risksAt(Number.POSITIVE_INFINITY);
  const curvature = spectrumEnds(hessianAt(points, dimension, w.mean), variances);
  const smoothness = spectrumEnds(smoothnessForm(settings, N), variances).largest;
  return {
    wN: w.mean,
    wNStandardError: w.standardError,
    gamma,
    gammaLeadingOrder: limit.mean / N,
    gammaLeadingOrderStandardError: limit.standardError / N,
    totalVariation: test.totalVariation.mean,
    totalVariationStandardError: test.totalVariation.standardError,
    totalVariationFirstOrder: firstOrderTotalVariation(settings, { gamma, M }).mean,
    totalVariationAtInfiniteLength: long.totalVariation.mean,
    accuracy: test.accuracy.mean,
    accuracyStandardError: test.accuracy.standardError,
    bayesAccuracy: long.bayesAccuracy.mean,
    bayesAccuracyStandardError: long.bayesAccuracy.standardError,
    crossEntropy: test.crossEntropy.mean,
    hessianLeast: curvature.least,
    hessianLargest: curvature.largest,
    smoothnessBound: smoothness,
    // Per step of gradient descent at the rate 1 / smoothnessBound, near the end.
    contraction: 1 - curvature.least / smoothness,
  };
}
