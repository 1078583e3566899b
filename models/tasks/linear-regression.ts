/**
 * Linear-regression prompts: y_i = <w, x_i> + noise, and y_q = <w, x_q> + noise.
 *
 * Per prompt w ~ N(0, C), context covariates x_i ~ N(0, Lambda), query x_q ~ N(0, Q), independent; noise of variance s^2 on
 * all responses, the query's too. `exponential` covariances are drawn once per prompt and shared by context and query.
 * Source: Zhang, Frei, Bartlett (2024), section 3.1 and 4.2.
 */
import { UsageError } from '../errors.ts';
import type { LabelledBatch } from '../prompts.ts';
import { fillExponentials, fillNormals, type Generator } from '../random.ts';
import { type Covariance, createTransform, validateCovariance } from './covariance.ts';

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

/** Fills batches with fresh prompts. */
export interface Sampler {
  /** Fills `out` with the prompts numbered `first`, `first + 1`, .. of the generator's stream. */
  fill(generator: Generator, first: number, out: LabelledBatch): void;
}

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

export function createLinearRegressionSampler(spec: LinearRegressionSpec): Sampler {
  validateLinearRegression(spec);
  const { dimension, covariance, queryCovariance } = spec;
  const isRandom = covariance.kind === 'exponential';
  const deviations = new Float32Array(dimension);
  const scaleByDeviations = (x: Float32Array, at: number) => {
    for (let j = 0; j < dimension; j++) x[at + j] = x[at + j]! * deviations[j]!;
  };
  const transformContext = isRandom ? scaleByDeviations : createTransform(covariance, dimension);
  const transformQuery = queryCovariance === undefined ? transformContext : createTransform(queryCovariance, dimension);
  const transformTask = createTransform(spec.taskCovariance, dimension);
  const noiseDeviation = Math.sqrt(spec.noiseVariance);

  return {
    fill(generator, first, out) {
      const { batch, context, queries, covariates, responses, query, targets, taskVectors } = out;
      for (let b = 0; b < batch; b++) {
        const at = (purpose: number) => ({ prompt: first + b, purpose });
        const w = b * dimension;
        fillNormals(generator, at(purposes.taskVector), taskVectors, w, dimension);
        transformTask(taskVectors, w);
        if (isRandom) {
          fillExponentials(generator, at(purposes.variances), deviations, 0, dimension);
          for (let j = 0; j < dimension; j++) deviations[j] = Math.sqrt(covariance.scale * deviations[j]!);
        }
        fillNormals(generator, at(purposes.covariates), covariates, b * context * dimension, context * dimension);
        fillNormals(generator, at(purposes.query), query, b * queries * dimension, queries * dimension);
        if (noiseDeviation > 0) {
          fillNormals(generator, at(purposes.noise), responses, b * context, context);
          fillNormals(generator, at(purposes.queryNoise), targets, b * queries, queries);
        }
        respond(covariates, transformContext, responses, b * context, context, taskVectors, w);
        respond(query, transformQuery, targets, b * queries, queries, taskVectors, w);
      }
    },
  };

  /** Transforms `count` rows and writes <w, x> + noise; the noise stands in `y` already. */
  function respond(
    x: Float32Array,
    transform: (x: Float32Array, at: number) => void,
    y: Float32Array,
    firstRow: number,
    count: number,
    taskVectors: Float32Array,
    w: number,
  ): void {
    for (let row = firstRow; row < firstRow + count; row++) {
      const at = row * dimension;
      transform(x, at);
      let sum = 0;
      for (let j = 0; j < dimension; j++) sum += x[at + j]! * taskVectors[w + j]!;
      y[row] = noiseDeviation > 0 ? sum + noiseDeviation * y[row]! : sum;
    }
  }
}
