/** Sampled prompts have the law that their specification says. */
import { describe, expect, it } from 'vitest';
import { identity, type Matrix, scaleMatrix } from '../../../models/matrix.ts';
import { allocateBatch, type LabelledBatch } from '../../../models/prompts.ts';
import { createGenerator } from '../../../models/random.ts';
import { type Covariance, covarianceMatrix } from '../../../models/tasks/covariance.ts';
import { createSampler, type TaskSpec } from '../../../models/tasks/index.ts';
import { type LinearRegressionSpec, linearRegressionDefaults } from '../../../models/tasks/linear-regression.ts';

const dimension = 3;
const base: LinearRegressionSpec = { ...linearRegressionDefaults, dimension };
const skewed: Covariance = { kind: 'matrix', matrix: [[2, 0.5, 0.3], [0.5, 1, -0.2], [0.3, -0.2, 0.7]] }; // biome-ignore format: a matrix
const spectrum: Covariance = { kind: 'diagonal', spectrum: [0.5, 2, 0] };

function sample(spec: TaskSpec, batch: number, context = 4, queries = 2): LabelledBatch {
  const prompts = allocateBatch({ batch, context, queries, dimension });
  createSampler(spec).fill(createGenerator(8, 1), 0, prompts);
  return prompts;
}

/** Fails unless the rows' second moments are those of the matrix, within 4.5 standard errors. */
function expectSecondMoments(rows: Float32Array, matrix: Matrix, independentRows = rows.length / dimension): void {
  const count = rows.length / dimension;
  for (let i = 0; i < dimension; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = 0;
      let squares = 0;
      for (let row = 0; row < rows.length; row += dimension) {
        const product = rows[row + i]! * rows[row + j]!;
        sum += product;
        squares += product * product;
      }
      const error = Math.sqrt((squares / count - (sum / count) ** 2) / independentRows) + 1e-12;
      expect(Math.abs(sum / count - matrix[i]![j]!) / error, `entry (${i}, ${j}): ${sum / count}`).toBeLessThan(4.5);
    }
  }
}

const residuals = (prompts: LabelledBatch) => {
  const { batch, context, covariates, responses, taskParameters } = prompts;
  return Float64Array.from({ length: batch * context }, (_, row) => {
    let value = responses[row]!;
    const w = Math.floor(row / context) * dimension;
    for (let j = 0; j < dimension; j++) value -= covariates[row * dimension + j]! * taskParameters[w + j]!;
    return value;
  });
};

describe('linear-regression prompts', () => {
  it.each([
    ['identity', { kind: 'identity' } as Covariance],
    ['diagonal', spectrum],
    ['matrix', skewed],
  ])('have covariates, queries and tasks of the %s covariance', (_, covariance) => {
    const matrix = covarianceMatrix(covariance, dimension)!;
    const prompts = sample({ ...base, covariance, taskCovariance: covariance }, 20_000);
    expectSecondMoments(prompts.covariates, matrix);
    expectSecondMoments(prompts.query, matrix);
    expectSecondMoments(prompts.taskParameters, matrix);
  });

  it('have queries of their own covariance, independent of the context', () => {
    const prompts = sample({ ...base, covariance: spectrum, queryCovariance: skewed }, 20_000, 2, 2);
    expectSecondMoments(prompts.covariates, covarianceMatrix(spectrum, dimension)!);
    expectSecondMoments(prompts.query, covarianceMatrix(skewed, dimension)!);
    const products = prompts.query.map((value, i) => value * prompts.covariates[i]!);
    const mean = products.reduce((a, b) => a + b, 0) / products.length;
    const deviation = Math.sqrt(products.reduce((a, b) => a + b * b, 0)) / products.length;
    expect(Math.abs(mean) / deviation).toBeLessThan(4);
  });

  it('have exponential variances, one set for each prompt and shared by its query', () => {
    const batch = 20_000;
    const prompts = sample({ ...base, covariance: { kind: 'exponential', scale: 2 } }, batch);
    // Rows of one prompt share their variances: count prompts.
    expectSecondMoments(prompts.covariates, scaleMatrix(identity(dimension), 2), batch);
    // E[x^2 x_q^2] = E[lambda^2] = 2 scale^2 = 8, where independent variances would give 4.
    let sum = 0;
    let squares = 0;
    for (let b = 0; b < batch; b++) {
      const product = prompts.covariates[b * 4 * dimension]! ** 2 * prompts.query[b * 2 * dimension]! ** 2;
      sum += product;
      squares += product ** 2;
    }
    const error = Math.sqrt((squares / batch - (sum / batch) ** 2) / batch);
    expect(Math.abs(sum / batch - 8) / error).toBeLessThan(4);
    expect((sum / batch - 4) / error).toBeGreaterThan(4);
  });

  it('have exact responses without noise', () => {
    const prompts = sample({ ...base, covariance: skewed }, 200);
    for (const value of residuals(prompts)) expect(Math.abs(value)).toBeLessThan(2e-6);
    for (let b = 0; b < 200; b++) {
      for (let q = 2 * b; q < 2 * b + 2; q++) {
        let target = 0;
        for (let j = 0; j < dimension; j++) target += prompts.query[q * 3 + j]! * prompts.taskParameters[b * 3 + j]!;
        expect(Math.abs(target - prompts.targets[q]!)).toBeLessThan(2e-6);
      }
    }
  });

  it('have noise of the given variance on responses and targets', () => {
    const noiseVariance = 0.3;
    const prompts = sample({ ...base, noiseVariance }, 20_000);
    const asContext = { ...prompts, context: 2, covariates: prompts.query, responses: prompts.targets };
    for (const noise of [residuals(prompts), residuals(asContext)]) {
      const mean = noise.reduce((a, b) => a + b, 0) / noise.length;
      const variance = noise.reduce((a, b) => a + b * b, 0) / noise.length;
      expect(Math.abs(mean) / Math.sqrt(noiseVariance / noise.length)).toBeLessThan(4);
      expect(Math.abs(variance - noiseVariance) / (noiseVariance * Math.sqrt(2 / noise.length))).toBeLessThan(4);
    }
  });

  it('differ only by their noise when the noise changes, and begin alike whatever the length', () => {
    const clean = sample(base, 30);
    const noisy = sample({ ...base, noiseVariance: 1 }, 30);
    expect(noisy.covariates).toEqual(clean.covariates);
    expect(noisy.taskParameters).toEqual(clean.taskParameters);
    const longer = sample({ ...base, noiseVariance: 1 }, 30, 9, 2);
    for (let b = 0; b < 30; b++) {
      expect(longer.responses.subarray(b * 9, b * 9 + 4)).toEqual(noisy.responses.subarray(b * 4, b * 4 + 4));
      expect(longer.covariates.subarray(b * 27, b * 27 + 12)).toEqual(noisy.covariates.subarray(b * 12, b * 12 + 12));
    }
    expect(longer.query).toEqual(noisy.query);
  });
});

describe('specifications that are refused', () => {
  it.each<[string, Partial<LinearRegressionSpec>, string]>([
    ['no dimension', { dimension: 0 }, 'd: expected a whole number of dimensions, 1 or more, got 0.'],
    ['half a dimension', { dimension: 2.5 }, 'd: expected a whole number of dimensions, 1 or more, got 2.5.'],
    ['negative noise', { noiseVariance: -1 }, 'noiseVariance: expected a variance of 0 or more, got -1.'],
    ['endless noise', { noiseVariance: Number.POSITIVE_INFINITY }, 'got Infinity.'],
    ['a wrong covariance', { covariance: { kind: 'diagonal', spectrum: [1] } }, 'covariance: expected 3 dimensions'],
    ['a random task', { taskCovariance: { kind: 'exponential', scale: 1 } }, 'taskCovariance: expected a fixed'],
    ['a random query', { queryCovariance: { kind: 'exponential', scale: 1 } }, 'queryCovariance: expected a fixed'],
    ['an unknown task', { name: 'linear-regresion' as 'linear-regression' }, 'Did you mean linear-regression?'],
  ])('%s', (_, change, message) => {
    expect(() => createSampler({ ...base, ...change })).toThrow(message);
  });
});
