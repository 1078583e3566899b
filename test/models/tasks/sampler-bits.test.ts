/** Prompts stay the numbers they are: for either generator, any batch size, and from version to version. */
import { createHash } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { allocateBatch, type LabelledBatch } from '../../../models/prompts.ts';
import { createGenerator, type GeneratorImplementation, useGeneratorImplementation } from '../../../models/random.ts';
import type { Covariance } from '../../../models/tasks/covariance.ts';
import { createSampler, type TaskSpec } from '../../../models/tasks/index.ts';

const dimension = 3;
const sizes = { dimension, context: 7, queries: 2, batch: 11 };
const identity: Covariance = { kind: 'identity' };
const diagonal: Covariance = { kind: 'diagonal', spectrum: [1, 1 / 2, 1 / 3] };
const exponential: Covariance = { kind: 'exponential', scale: 1.5 };
const matrix: Covariance = {
  kind: 'matrix',
  matrix: [
    [2.5, 0.5, 0.25],
    [0.5, 2.5, 0.5],
    [0.25, 0.5, 2.5],
  ],
};
const base: TaskSpec = {
  name: 'linear-regression',
  dimension,
  covariance: identity,
  taskCovariance: identity,
  noiseVariance: 0,
};

/** Specifications and the SHA-256 of 11 prompts, made by the first sampler, which drew number by number. */
const cases: readonly [string, TaskSpec, string][] = [
  ['isotropic', base, '6cc3600cd55e3548'],
  ['with noise', { ...base, noiseVariance: 0.25 }, '169b56aa7d0a265c'],
  ['of a diagonal', { ...base, covariance: diagonal, taskCovariance: matrix }, '53092131b68110a3'],
  ['of a matrix', { ...base, covariance: matrix, queryCovariance: diagonal, noiseVariance: 0.1 }, '75c6a4217eb0b231'],
  ['of random variances', { ...base, covariance: exponential, noiseVariance: 0.1 }, '87c3b006ab3dcc10'],
  ['with another query', { ...base, covariance: exponential, queryCovariance: matrix }, '8bdeb00b6cc87dcf'],
];

const arrays = ({ covariates, responses, query, targets, taskParameters }: LabelledBatch) => [
  covariates,
  responses,
  query,
  targets,
  taskParameters,
];

function digest(batch: LabelledBatch): string {
  const hash = createHash('sha256');
  for (const values of arrays(batch)) hash.update(new Uint8Array(values.buffer));
  return hash.digest('hex').slice(0, 16);
}

afterEach(() => useGeneratorImplementation('simd'));

describe.each<GeneratorImplementation>(['simd', 'plain'])('prompts on the %s generator', (implementation) => {
  // The prompts' numbers pass 2^32 within the batch.
  const generator = createGenerator(2 ** 35 + 7, 1);
  const first = 2 ** 32 - 5;

  it.each(cases)('%s: the same bits as ever', (_, spec, expected) => {
    useGeneratorImplementation(implementation);
    const batch = allocateBatch(sizes);
    createSampler(spec).fill(generator, first, batch);
    expect(digest(batch)).toBe(expected);
  });

  it.each(cases)('%s: a batch is its prompts one by one', (_, spec) => {
    useGeneratorImplementation(implementation);
    const sampler = createSampler(spec);
    const batch = allocateBatch(sizes);
    sampler.fill(generator, first, batch);
    const single = allocateBatch({ ...sizes, batch: 1 });
    for (let b = 0; b < sizes.batch; b++) {
      sampler.fill(generator, first + b, single);
      for (const [i, values] of arrays(single).entries()) {
        const whole = arrays(batch)[i]!;
        expect(whole.slice(b * values.length, (b + 1) * values.length)).toEqual(values);
      }
    }
  });
});
