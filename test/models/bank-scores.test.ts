/** All tasks of a bank against all prompts: the same bits in WebAssembly and in TypeScript, and the residuals themselves. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createBankScorer } from '../../models/estimators/bank-scores.ts';
import { BankPosterior } from '../../models/estimators/dmmse.ts';
import { allocateBatch } from '../../models/prompts.ts';
import { createGenerator, fillNormals } from '../../models/random.ts';
import { createSampler } from '../../models/tasks/index.ts';
import { linearRegressionBankDefaults } from '../../models/tasks/linear-regression-bank.ts';

interface Sizes {
  readonly count: number;
  readonly context: number;
  readonly dimension: number;
  readonly tasks: number;
  readonly seed: number;
}

function gaussian({ count, context, dimension, tasks, seed }: Sizes) {
  const generator = createGenerator(seed, 1);
  const normals = (purpose: number, length: number) => {
    const out = new Float32Array(length);
    fillNormals(generator, { prompt: 0, purpose }, out, 0, length);
    return out;
  };
  const covariates = normals(0, count * context * dimension);
  const contexts = { covariates, responses: normals(1, count * context), count, context };
  return { contexts, bank: Float64Array.from(normals(2, tasks * dimension)) };
}

const sizes = fc.record({
  count: fc.integer({ min: 1, max: 9 }),
  context: fc.integer({ min: 0, max: 12 }),
  dimension: fc.integer({ min: 1, max: 9 }),
  tasks: fc.integer({ min: 1, max: 11 }),
  seed: fc.nat(1000),
});

it('gives the same bits in WebAssembly and in TypeScript', () => {
  fc.assert(
    fc.property(sizes, (given) => {
      const { contexts, bank } = gaussian(given);
      const read = (implementation: 'simd' | 'plain') => {
        const { scores, stride } = createBankScorer(bank, given.dimension, implementation)(contexts);
        return Array.from({ length: given.tasks }, (_, t) => [
          ...scores.subarray(t * stride, t * stride + given.count),
        ]);
      };
      expect(read('simd')).toEqual(read('plain'));
    }),
    { numRuns: 300 },
  );
});

it('differs between tasks as half the squared residuals do', () => {
  const given = { count: 5, context: 7, dimension: 3, tasks: 6, seed: 2 };
  const { contexts, bank } = gaussian(given);
  const { scores, stride } = createBankScorer(bank, 3)(contexts);
  const residuals = (t: number, b: number) => {
    let sum = 0;
    for (let i = b * 7; i < (b + 1) * 7; i++) {
      let residual = contexts.responses[i]!;
      for (let j = 0; j < 3; j++) residual -= contexts.covariates[i * 3 + j]! * bank[t * 3 + j]!;
      sum += residual ** 2;
    }
    return sum;
  };
  for (let b = 0; b < 5; b++) {
    for (let t = 1; t < 6; t++) {
      const difference = scores[t * stride + b]! - scores[b]!;
      expect(difference).toBeCloseTo((residuals(0, b) - residuals(t, b)) / 2, 10);
    }
  }
});

const law = { ...linearRegressionBankDefaults, dimension: 3, tasks: 5, noiseVariance: 0.3 };

it('keeps a prompt’s NaN to itself', () => {
  const prompts = allocateBatch({ batch: 6, context: 4, queries: 1, dimension: 3, parameterCount: 3 });
  createSampler(law).fill(createGenerator(1, 1), 0, prompts);
  const means = (implementation: 'simd' | 'plain') => {
    const out: number[] = [];
    new BankPosterior(law, implementation).solve(prompts, (block, _, count) =>
      out.push(...block.subarray(0, 3 * count)),
    );
    return out;
  };
  const clean = means('simd');
  prompts.responses[2 * 4 + 1] = Number.NaN; // of the third prompt
  const expected = clean.map((value, at) => (Math.floor(at / 3) === 2 ? Number.NaN : value));
  expect(means('simd')).toEqual(expected);
  expect(means('plain')).toEqual(expected);
});

it('answers prompts in blocks as it answers each alone', () => {
  const prompts = allocateBatch({ batch: 70, context: 4, queries: 1, dimension: 3, parameterCount: 3 });
  createSampler(law).fill(createGenerator(1, 1), 0, prompts);
  const posterior = new BankPosterior(law);
  const blocks: number[] = [];
  posterior.solve(prompts, (means, start, count) => {
    expect(start).toBe(blocks.length / 3);
    blocks.push(...means.subarray(0, 3 * count));
  });
  for (const b of [0, 31, 32, 69]) {
    const alone = {
      ...prompts,
      batch: 1,
      covariates: prompts.covariates.subarray(b * 12, (b + 1) * 12),
      responses: prompts.responses.subarray(b * 4, (b + 1) * 4),
    };
    posterior.solve(alone, (means) => expect([...means.subarray(0, 3)]).toEqual(blocks.slice(3 * b, 3 * b + 3)));
  }
});
