/**
 * Gaussian-mixture prompts: a label y of c classes, and x | y = k ~ N(mu_k, s Lambda) with fresh means per prompt,
 *
 *   mu_k = r f_k Lambda^{1/2} u_k,   u_k independent and uniform on the unit sphere,
 *
 * so that all means have the same norm r in the metric Lambda^{-1}, and the law of the means does not change under the
 * rotations of that metric: what the theorems ask for. Class priors, the norm factors f_k and the covariance factor s break
 * it, for test laws; so does a mixture of scales, whose covariates are not Gaussian. Query and context have the same classes, means and covariance.
 * Source: Shen, Zhou, Yang, Shen (2025), arXiv 2410.11778; this law of the means is a choice within its assumptions.
 */
import * as v from 'valibot';
import { UsageError } from '../errors.ts';
import { inverse } from '../matrix.ts';
import { type LabelledBatch, responseWidth } from '../prompts.ts';
import { fillExponentialsForPrompts, fillNormalsForPrompts } from '../random.ts';
import { belowOne, finite, positive, wholeNumber } from '../schema.ts';
import {
  type Covariance,
  covarianceMatrix,
  covarianceSchema,
  createTransform,
  scaledCovariance,
  validateCovariance,
} from './covariance.ts';
import type { Posterior, Sampler, Task } from './task.ts';

export interface GaussianMixtureSpec {
  readonly name: 'gaussian-mixture';
  /** D */
  readonly dimension: number;
  /** c, 2 or more. */
  readonly classes: number;
  /** `signs`: a response is -1 or +1 (two classes only); `one-hot`: c numbers, one of them 1. */
  readonly labels: 'signs' | 'one-hot';
  /** Lambda, which is the same for all classes and all prompts. */
  readonly covariance: Covariance;
  /** r, the means' norm in the metric Lambda^{-1}. */
  readonly radius: number;
  /** Probability of each class; absent: 1/c each. */
  readonly classPrior?: readonly number[];
  /** f_k, by which each mean is longer than r; absent: 1 each. */
  readonly normFactors?: readonly number[];
  /** s: covariates scatter about the means with s Lambda, the means stay; absent: 1. */
  readonly covarianceFactor?: number;
  /** a: each covariate has variance (1 - a) or (1 + a) times that, with equal chance; absent: 0, Gaussian classes. */
  readonly scaleMixture?: number;
}

export const gaussianMixtureDefaults = {
  name: 'gaussian-mixture',
  classes: 2,
  labels: 'signs',
  covariance: { kind: 'identity' },
  radius: 2,
} as const;

const schema = v.strictObject({
  name: v.literal('gaussian-mixture'),
  dimension: wholeNumber(1),
  classes: wholeNumber(2),
  labels: v.picklist(['signs', 'one-hot'], 'signs or one-hot'),
  covariance: covarianceSchema,
  radius: positive,
  classPrior: v.exactOptional(v.array(finite, 'a list of probabilities')),
  normFactors: v.exactOptional(v.array(finite, 'a list of factors')),
  covarianceFactor: v.exactOptional(positive),
  scaleMixture: v.exactOptional(belowOne),
});

/** What is drawn for a prompt; each has its own numbers, so a longer context begins with the shorter one's pairs. */
const purposes = { means: 0, covariates: 1, labels: 2, query: 3, queryLabels: 4, scales: 5, queryScales: 6 } as const;

/** More classes than this are a mistake, or a file that is not to be believed. */
const mostClasses = 1000;

function validate(spec: GaussianMixtureSpec): void {
  const { dimension, classes, labels, classPrior, normFactors } = spec;
  const fail = (where: string, expected: string, got: unknown) =>
    new UsageError({ where, expected, got: Array.isArray(got) ? JSON.stringify(got) : String(got) });
  if (!(Number.isInteger(dimension) && dimension >= 1)) throw fail('d', 'a whole number, 1 or more', dimension);
  if (!(Number.isInteger(classes) && classes >= 2 && classes <= mostClasses)) {
    throw fail('classes', `a whole number from 2 to ${mostClasses}`, classes);
  }
  if (labels === 'signs' && classes !== 2) throw fail('labels', 'one-hot for more than two classes', labels);
  if (!(spec.radius > 0 && Number.isFinite(spec.radius))) throw fail('radius', 'a norm above 0', spec.radius);
  validateCovariance('covariance', spec.covariance, dimension);
  if (spec.covariance.kind === 'exponential') throw fail('covariance', 'a fixed covariance', 'exponential');
  if (classPrior !== undefined) {
    const total = classPrior.reduce((sum, value) => sum + value, 0);
    if (classPrior.length !== classes || !classPrior.every((p) => p > 0) || Math.abs(total - 1) > 1e-9) {
      throw fail('classPrior', `${classes} probabilities above 0 with sum 1`, classPrior);
    }
  }
  if (normFactors !== undefined && !(normFactors.length === classes && normFactors.every((f) => f >= 0))) {
    throw fail('normFactors', `${classes} factors of 0 or more`, normFactors);
  }
  const { covarianceFactor = 1 } = spec;
  if (!(covarianceFactor > 0 && Number.isFinite(covarianceFactor))) {
    throw fail('covarianceFactor', 'a factor above 0', covarianceFactor);
  }
  const { scaleMixture = 0 } = spec;
  if (!(scaleMixture >= 0 && scaleMixture < 1)) throw fail('scaleMixture', 'a number from 0 to below 1', scaleMixture);
}

const priorOf = ({ classPrior, classes }: GaussianMixtureSpec): readonly number[] =>
  classPrior ?? new Array<number>(classes).fill(1 / classes);

/**
 * Where an exponential draw E changes class: class k if it lies from t_{k-1} up to t_k, P(E < t_k) = pi_0 + .. + pi_k. The
 * last class has no end.
 */
function classEnds(spec: GaussianMixtureSpec): Float64Array {
  let total = 0;
  return Float64Array.from(priorOf(spec).slice(0, -1), (p) => {
    total += p;
    return -Math.log1p(-total);
  });
}

/** `taskParameters` holds mu_1 .. mu_c, D numbers each: P = c D. Of two signs, the mean of -1 comes first. */
function createSampler(spec: GaussianMixtureSpec): Sampler {
  validate(spec);
  const { dimension, classes, labels, covariance, radius, covarianceFactor = 1, scaleMixture = 0 } = spec;
  const transformMeans = createTransform(covariance, dimension);
  const transform = createTransform(scaledCovariance(covariance, dimension, covarianceFactor), dimension);
  const radii = Float64Array.from({ length: classes }, (_, k) => radius * (spec.normFactors?.[k] ?? 1));
  const ends = classEnds(spec);
  const parameterCount = classes * dimension;
  /** Exponential draws, one per label; kept between batches. */
  let draws = new Float32Array(0);

  /** Each mean, drawn as normals, becomes a point of its sphere. */
  function project(means: Float32Array, batch: number): void {
    for (let row = 0, at = 0; row < batch * classes; row++, at += dimension) {
      let squares = 0;
      for (let j = at; j < at + dimension; j++) squares += means[j]! * means[j]!;
      const factor = radii[row % classes]! / Math.sqrt(squares);
      for (let j = at; j < at + dimension; j++) means[j] = means[j]! * factor;
    }
  }

  /** Each row is made narrower or wider, by `draws` below or above its median. */
  function scatter(x: Float32Array, rows: number): void {
    const [narrow, wide] = [Math.sqrt(1 - scaleMixture), Math.sqrt(1 + scaleMixture)];
    for (let row = 0, at = 0; row < rows; row++) {
      const factor = draws[row]! < Math.LN2 ? narrow : wide;
      for (const end = at + dimension; at < end; at++) x[at] = x[at]! * factor;
    }
  }

  /** Labels from `draws`, and each row's own mean added to what scatters about it. */
  function label(x: Float32Array, y: Float32Array, means: Float32Array, batch: number, rows: number): void {
    if (labels === 'one-hot') y.fill(0);
    for (let b = 0, row = 0; b < batch; b++) {
      for (const end = row + rows; row < end; row++) {
        let k = 0;
        while (k < classes - 1 && draws[row]! >= ends[k]!) k++;
        if (labels === 'one-hot') y[row * classes + k] = 1;
        else y[row] = 2 * k - 1;
        const mean = b * parameterCount + k * dimension;
        for (let j = 0; j < dimension; j++) {
          x[row * dimension + j] = x[row * dimension + j]! + means[mean + j]!;
        }
      }
    }
  }

  return {
    dimension,
    classes: labels === 'signs' ? 0 : classes,
    parameterCount,
    fill(generator, first, out) {
      const { batch, context, queries, covariates, responses, query, targets, taskParameters } = out;
      const at = (purpose: number) => ({ prompt: first, purpose });
      const rows = batch * Math.max(context, queries);
      if (draws.length < rows) draws = new Float32Array(rows);
      fillNormalsForPrompts(generator, at(purposes.means), batch, taskParameters, parameterCount);
      fillNormalsForPrompts(generator, at(purposes.covariates), batch, covariates, context * dimension);
      fillNormalsForPrompts(generator, at(purposes.query), batch, query, queries * dimension);
      project(taskParameters, batch);
      transformMeans?.(taskParameters, batch * classes);
      transform?.(covariates, batch * context);
      transform?.(query, batch * queries);
      if (scaleMixture > 0) {
        fillExponentialsForPrompts(generator, at(purposes.scales), batch, draws, context);
        scatter(covariates, batch * context);
        fillExponentialsForPrompts(generator, at(purposes.queryScales), batch, draws, queries);
        scatter(query, batch * queries);
      }
      fillExponentialsForPrompts(generator, at(purposes.labels), batch, draws, context);
      label(covariates, responses, taskParameters, batch, context);
      fillExponentialsForPrompts(generator, at(purposes.queryLabels), batch, draws, queries);
      label(query, targets, taskParameters, batch, queries);
    },
  };
}

/**
 * P(y = k | q, means) = softmax_k(mu_k' S^{-1} q - mu_k' S^{-1} mu_k / 2 + log pi_k), S = s Lambda: what nobody can beat, since
 * it knows the means. Of two signs, the probability of +1. With a mixture of scales the class densities are mixtures of two.
 */
function createPosterior(spec: GaussianMixtureSpec): Posterior {
  validate(spec);
  const { dimension, classes, labels, covariance, covarianceFactor = 1, scaleMixture = 0 } = spec;
  const precision = Float64Array.from(
    inverse(covarianceMatrix(scaledCovariance(covariance, dimension, covarianceFactor), dimension)!).flat(),
  );
  const logPrior = Float64Array.from(priorOf(spec), Math.log);
  const directions = new Float64Array(classes * dimension); // S^{-1} mu_k
  const offsets = new Float64Array(classes);
  const scores = new Float64Array(classes);

  function prepare(means: Float32Array, at: number): void {
    for (let k = 0; k < classes; k++) {
      const mean = at + k * dimension;
      let square = 0;
      for (let i = 0; i < dimension; i++) {
        let sum = 0;
        for (let j = 0; j < dimension; j++) sum += precision[i * dimension + j]! * means[mean + j]!;
        directions[k * dimension + i] = sum;
        square += sum * means[mean + i]!;
      }
      offsets[k] = logPrior[k]! - square / 2;
    }
  }

  /** q^T S^{-1} q for the query that begins at `at`. */
  function squareOf(query: Float32Array, at: number): number {
    let total = 0;
    for (let i = 0; i < dimension; i++) {
      let sum = 0;
      for (let j = 0; j < dimension; j++) sum += precision[i * dimension + j]! * query[at + j]!;
      total += sum * query[at + i]!;
    }
    return total;
  }

  /** log of the mean over v = 1 -+ a of v^{-D/2} exp(-square / 2 v): what stands for -square / 2 of one normal density. */
  function mixtureLogDensity(square: number): number {
    const of = (variance: number) => -square / (2 * variance) - (dimension / 2) * Math.log(variance);
    const [narrow, wide] = [of(1 - scaleMixture), of(1 + scaleMixture)];
    const largest = Math.max(narrow, wide);
    return largest + Math.log((Math.exp(narrow - largest) + Math.exp(wide - largest)) / 2);
  }

  return (prompts: LabelledBatch, out: Float64Array) => {
    const { batch, queries, query, taskParameters } = prompts;
    const width = responseWidth(prompts);
    for (let b = 0, row = 0; b < batch; b++) {
      prepare(taskParameters, b * classes * dimension);
      for (const end = row + queries; row < end; row++) {
        let largest = Number.NEGATIVE_INFINITY;
        const square = scaleMixture > 0 ? squareOf(query, row * dimension) : 0;
        for (let k = 0; k < classes; k++) {
          let score = offsets[k]!;
          for (let j = 0; j < dimension; j++) score += directions[k * dimension + j]! * query[row * dimension + j]!;
          // |q - mu_k|^2 = |q|^2 - 2 (score - log pi_k)
          if (scaleMixture > 0) score = logPrior[k]! + mixtureLogDensity(square - 2 * (score - logPrior[k]!));
          scores[k] = score;
          if (score > largest) largest = score;
        }
        let total = 0;
        for (let k = 0; k < classes; k++) {
          scores[k] = Math.exp(scores[k]! - largest);
          total += scores[k]!;
        }
        if (labels === 'signs') out[row] = scores[1]! / total;
        else for (let k = 0; k < classes; k++) out[row * width + k] = scores[k]! / total;
      }
    }
  };
}

export const gaussianMixture: Task<GaussianMixtureSpec> = {
  name: 'gaussian-mixture',
  description: 'a class of c, and x ~ N(mu_class, Lambda) with fresh means per prompt',
  source: 'Shen, Zhou, Yang, Shen (2025), arXiv 2410.11778',
  kind: 'classification',
  schema,
  estimators: ['uniform', 'posterior', 'linear-discriminant', 'nearest-neighbours'],
  createSampler,
  createPosterior,
};
