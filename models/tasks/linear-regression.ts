/**
 * Linear-regression prompts: y_i = <w, x_i> + noise, and y_q = <w, x_q> + noise.
 *
 * Per prompt w ~ N(0, C), context covariates x_i ~ N(0, Lambda), query x_q ~ N(0, Q), independent; noise of variance s^2 on
 * all responses, the query's too. `exponential` covariances are drawn once per prompt and shared by context and query.
 * Source: Zhang, Frei, Bartlett (2024), section 3.1 and 4.2.
 */
import * as v from 'valibot';
import { UsageError } from '../errors.ts';
import { fillExponentialsForPrompts, fillNormalsForPrompts } from '../random.ts';
import { nonNegative, wholeNumber } from '../schema.ts';
import { type Covariance, covarianceSchema, createTransform, validateCovariance } from './covariance.ts';
import { respondLinearly } from './inner-products.ts';
import type { Sampler, Task } from './task.ts';

export interface LinearRegressionSpec {
  readonly name: 'linear-regression';
  /** D */
  readonly dimension: number;
  /** Lambda, of the context's covariates. */
  readonly covariance: Covariance;
  /** Q, of the queries; absent: as the context's. */
  readonly queryCovariance?: Covariance;
  /** C = E[w w^T]. */
  readonly taskCovariance: Covariance;
  /** s^2, in squared response units. */
  readonly noiseVariance: number;
}

export const linearRegressionDefaults = {
  name: 'linear-regression',
  covariance: { kind: 'identity' },
  taskCovariance: { kind: 'identity' },
  noiseVariance: 0,
} as const;

/** What is drawn for a prompt; each has its own numbers, so a longer context begins with the shorter one's pairs. */
const purposes = { taskVector: 0, covariates: 1, noise: 2, query: 3, queryNoise: 4, variances: 5 } as const;

const schema = v.strictObject({
  name: v.literal('linear-regression'),
  dimension: wholeNumber(1),
  covariance: covarianceSchema,
  queryCovariance: v.exactOptional(covarianceSchema),
  taskCovariance: covarianceSchema,
  noiseVariance: nonNegative,
});

/** @throws {UsageError} | {DataError} if the numbers of the specification are impossible. */
export function validateLinearRegression(spec: LinearRegressionSpec): void {
  const { dimension, noiseVariance } = spec;
  if (!Number.isInteger(dimension) || dimension < 1) {
    throw new UsageError({ where: 'd', expected: 'a whole number of dimensions, 1 or more', got: String(dimension) });
  }
  if (!(noiseVariance >= 0 && Number.isFinite(noiseVariance))) {
    throw new UsageError({ where: 'noiseVariance', expected: 'a variance of 0 or more', got: String(noiseVariance) });
  }
  validateCovariance('covariance', spec.covariance, dimension);
  validateCovariance('taskCovariance', spec.taskCovariance, dimension);
  if (spec.taskCovariance.kind === 'exponential') {
    throw new UsageError({ where: 'taskCovariance', expected: 'a fixed covariance', got: 'exponential' });
  }
  if (spec.queryCovariance !== undefined) {
    validateCovariance('queryCovariance', spec.queryCovariance, dimension);
    if (spec.queryCovariance.kind === 'exponential') {
      throw new UsageError({ where: 'queryCovariance', expected: 'a fixed covariance', got: 'exponential' });
    }
  }
}

/** `taskParameters` holds w: P = D. */
function createSampler(spec: LinearRegressionSpec): Sampler {
  validateLinearRegression(spec);
  const { dimension, covariance, queryCovariance } = spec;
  const isRandom = covariance.kind === 'exponential';
  const transformContext = isRandom ? undefined : createTransform(covariance, dimension);
  const transformQuery = queryCovariance === undefined ? transformContext : createTransform(queryCovariance, dimension);
  const transformTask = createTransform(spec.taskCovariance, dimension);
  const noiseDeviation = Math.sqrt(spec.noiseVariance);
  /** `[B, D]`, of a random covariance; kept between batches. */
  let deviations = new Float32Array(0);

  return {
    dimension,
    classes: 0,
    parameterCount: dimension,
    fill(generator, first, out) {
      const { batch, context, queries, covariates, responses, query, targets, taskParameters } = out;
      const draw = (purpose: number, values: Float32Array, count: number) =>
        fillNormalsForPrompts(generator, { prompt: first, purpose }, batch, values, count);
      draw(purposes.taskVector, taskParameters, dimension);
      draw(purposes.covariates, covariates, context * dimension);
      draw(purposes.query, query, queries * dimension);
      if (noiseDeviation > 0) {
        draw(purposes.noise, responses, context);
        draw(purposes.queryNoise, targets, queries);
      }
      transformTask?.(taskParameters, batch);
      if (isRandom) {
        if (deviations.length < batch * dimension) deviations = new Float32Array(batch * dimension);
        const position = { prompt: first, purpose: purposes.variances };
        fillExponentialsForPrompts(generator, position, batch, deviations, dimension);
        for (let i = 0; i < batch * dimension; i++) deviations[i] = Math.sqrt(covariance.scale * deviations[i]!);
        scaleByPrompt(covariates, deviations, batch, context);
        if (queryCovariance === undefined) scaleByPrompt(query, deviations, batch, queries);
      }
      transformContext?.(covariates, batch * context);
      transformQuery?.(query, batch * queries);
      const common = { taskVectors: taskParameters, batch, dimension, noiseDeviation };
      respondLinearly({ ...common, covariates, responses, rows: context });
      respondLinearly({ ...common, covariates: query, responses: targets, rows: queries });
    },
  };

  /** Multiplies each of a prompt's `rows` rows by the prompt's own deviations. */
  function scaleByPrompt(x: Float32Array, deviations: Float32Array, batch: number, rows: number): void {
    for (let b = 0, at = 0; b < batch; b++) {
      for (let row = 0; row < rows; row++, at += dimension) {
        for (let j = 0; j < dimension; j++) x[at + j] = x[at + j]! * deviations[b * dimension + j]!;
      }
    }
  }
}

export const linearRegression: Task<LinearRegressionSpec> = {
  name: 'linear-regression',
  description: 'y = <w, x> + noise with a fresh w per prompt',
  source: 'Zhang, Frei, Bartlett (2024), arXiv 2306.09927',
  kind: 'regression',
  schema,
  estimators: ['zero', 'least-squares', 'ridge'],
  createSampler,
};
