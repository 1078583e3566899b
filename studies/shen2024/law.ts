/** The study's settings as a law of prompts, and the theory's numbers at them. */
import type { FrozenModel } from '../../export/read-model.ts';
import type { MeasureName } from '../../infer/measures.ts';
import { UsageError } from '../../models/errors.ts';
import { multiply, trace } from '../../models/matrix.ts';
import { symmetricEigen } from '../../models/symmetric-eigen.ts';
import { covarianceMatrix, parseCovariance } from '../../models/tasks/covariance.ts';
import type { GaussianMixtureSpec } from '../../models/tasks/gaussian-mixture.ts';
import type { TaskSpec } from '../../models/tasks/index.ts';
import {
  type ClassificationRisks,
  classificationRisks,
  type Estimate,
  hessianAt,
  latticeScores,
  type MixtureLaw,
  type MixtureSetting,
  matrixRisks,
  optimalScale,
  optimalScaleAt,
  smoothnessForm,
  spectrumEnds,
  trainingScores,
} from '../../models/theory/shen2024.ts';
import { numberOf } from '../settings.ts';
import type { ModelTheory, Settings } from '../study.ts';

/** Two classes are signs, as in the paper's binary task; more are one-hot. */
export function taskOf(settings: Settings): GaussianMixtureSpec {
  const [dimension, classes, radius] = ['d', 'c', 'r'].map((name) => numberOf(settings, name)) as [
    number,
    number,
    number,
  ];
  if (!(radius > 0)) throw new UsageError({ where: '--set r', expected: 'a norm above 0', got: String(radius) });
  return {
    name: 'gaussian-mixture',
    dimension,
    classes,
    labels: classes === 2 ? 'signs' : 'one-hot',
    covariance: parseCovariance('--set covariance', String(settings['covariance']), dimension),
    radius,
  };
}

export const settingOf = ({ dimension, classes, radius }: GaussianMixtureSpec): MixtureSetting => ({
  dimension,
  classes,
  radius,
});

/** Eigenvalues of Lambda. */
export function variancesOf({ covariance, dimension }: GaussianMixtureSpec): number[] {
  return symmetricEigen(covarianceMatrix(covariance, dimension)!).values;
}

/** A test law in the whitened coordinates of training. */
export function lawOf(task: GaussianMixtureSpec, contextLength: number): MixtureLaw {
  const { dimension, classes, radius, normFactors, classPrior, covarianceFactor, scaleMixture } = task;
  return {
    dimension,
    radii: Array.from({ length: classes }, (_, k) => radius * (normFactors?.[k] ?? 1)),
    contextLength,
    ...(classPrior === undefined ? {} : { prior: classPrior }),
    ...(covarianceFactor === undefined ? {} : { covarianceScale: covarianceFactor }),
    ...(scaleMixture === undefined ? {} : { scaleMixture }),
  };
}

const scales = new Map<string, Estimate>();

/** w_N, remembered: figures and claims ask for the same few. */
export function scaleOf(setting: MixtureSetting, N: number): Estimate {
  const key = JSON.stringify([setting.dimension, setting.classes, setting.radius, N]);
  const known = scales.get(key) ?? optimalScaleAt(setting, N);
  scales.set(key, known);
  return known;
}

/** 1 / l, l a bound on the curvature that holds everywhere: the rate at which full-batch descent provably descends. */
export function safeRate(settings: Settings): number {
  const task = taskOf(settings);
  const bound = spectrumEnds(smoothnessForm(settingOf(task), numberOf(settings, 'N')), variancesOf(task)).largest;
  return Number((1 / bound).toPrecision(6));
}

/** e^-7 is left of the start's distance to the optimum. */
const DECAYS = 7;

/**
 * The rate of descent on fresh prompts over so many steps of a cosine schedule, whose mean is half of it: as low as reaches
 * the optimum, since the noise of prompts grows with the rate, and W with noise is best where it is too long.
 */
export function descentRate(settings: Settings, steps: number): number {
  const task = taskOf(settings);
  const setting = settingOf(task);
  const points = trainingScores(setting, numberOf(settings, 'N'), { shifts: 2 });
  const { least } = spectrumEnds(hessianAt(points, task.dimension, optimalScale(points).mean), variancesOf(task));
  return Number(Math.min(safeRate(settings), (2 * DECAYS) / (least * steps)).toPrecision(4));
}

/** The risks of the limit of training with N pairs, on a test law. */
export function limitRisks(training: GaussianMixtureSpec, N: number, test: GaussianMixtureSpec, M: number, shifts = 4) {
  return classificationRisks(latticeScores(lawOf(test, M), { shifts }), scaleOf(settingOf(training), N).mean);
}

/** Of a frozen model, or of one that is still being trained. */
type ModelOfTask = Pick<FrozenModel, 'parameters'> & { readonly metadata: { readonly task: TaskSpec } };

/** What a model's matrix is: W Lambda as rows, and the scalar w that it is close to. */
export function learnedProduct({ parameters, metadata }: ModelOfTask) {
  const task = metadata.task as GaussianMixtureSpec;
  const d = task.dimension;
  const W = Array.from({ length: d }, (_, i) => Array.from(parameters['key_query']!.slice(i * d, (i + 1) * d)));
  const product = multiply(W, covarianceMatrix(task.covariance, d)!);
  const w = trace(product) / d;
  const variance = product.reduce((sum, row, i) => sum + (row[i]! - w) ** 2, 0) / Math.max(1, d - 1);
  // Entries of the diagonal are independent up to terms of order 1/d: their spread is the training noise.
  return { product, w, standardError: Math.sqrt(variance / d) };
}

const riskBy: Readonly<Partial<Record<MeasureName, (risks: ClassificationRisks) => number>>> = {
  'cross-entropy': ({ crossEntropy }) => crossEntropy.mean,
  'error-rate': ({ accuracy }) => 1 - accuracy.mean,
  'total-variation': ({ totalVariation }) => totalVariation.mean,
};

/** The risks of a frozen one-layer classifier's own matrix, training noise included. */
export function ownTheory({ parameters }: FrozenModel): ModelTheory {
  const known = new Map<string, ClassificationRisks>();
  return (task: TaskSpec, contextLength, measure) => {
    const value = riskBy[measure];
    if (value === undefined || task.name !== 'gaussian-mixture') return null;
    const key = JSON.stringify([task, contextLength]);
    const risks = known.get(key) ?? matrixRisks({ matrix: parameters['key_query']!, task, contextLength });
    known.set(key, risks);
    return value(risks);
  };
}
