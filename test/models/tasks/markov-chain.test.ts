/** Markov-chain prompts: their moments against exact ones, their laws, and what counting and knowing make of them. */
import { createHash } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { createEstimator } from '../../../models/estimators/index.ts';
import { allocateBatch, type LabelledBatch } from '../../../models/prompts.ts';
import { createGenerator, type GeneratorImplementation, useGeneratorImplementation } from '../../../models/random.ts';
import { createSampler, type TaskSpec } from '../../../models/tasks/index.ts';
import { type MarkovChainSpec, markovChainDefaults } from '../../../models/tasks/markov-chain.ts';
import {
  correlatedStarts,
  knownKernelCeiling,
  lengthTwoRisk,
  minimise,
  populationRisk,
  promptFeatures,
  squaredDistance,
  uniformRowCeiling,
  zeroQueryProbability,
} from '../../../models/theory/ding2025.ts';

const generator = createGenerator(11, 1);

function draw(spec: MarkovChainSpec, sizes: { batch: number; context: number; queries?: number }): LabelledBatch {
  const sampler = createSampler(spec);
  const batch = allocateBatch({ queries: 1, ...sizes, ...sampler });
  sampler.fill(generator, 0, batch);
  return batch;
}

const binary = (dimension: number, p = 0.5): MarkovChainSpec => ({
  ...markovChainDefaults,
  dimension,
  start: { kind: 'bernoulli', p },
});

const uniformStart = (dimension: number, states: number, concentration = 1): MarkovChainSpec => ({
  name: 'markov-chain',
  dimension,
  states,
  concentration,
  start: { kind: 'uniform' },
});

/** Mean and standard error of numbers. */
function summarise(values: readonly number[]) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
  return { mean, standardError: Math.sqrt(variance / values.length) };
}

/** Fails unless the mean of independent numbers is within 4 standard errors of what it should be. */
function expectMean(values: readonly number[], expected: number, what = ''): void {
  const { mean, standardError } = summarise(values);
  const score = (mean - expected) / standardError;
  expect(Math.abs(score), `${what} ${mean} +- ${standardError} instead of ${expected}`).toBeLessThan(4);
}

/** <X, x (x) g> for every prompt. */
function predictions(prompts: LabelledBatch, X: ArrayLike<number>): number[] {
  const { batch, context, dimension: d, covariates, responses, query } = prompts;
  return Array.from({ length: batch }, (_, b) => {
    const rows = Array.from({ length: context }, (_, i) => {
      const at = (b * context + i) * d;
      return [...covariates.subarray(at, at + d), responses[b * context + i]!];
    });
    const features = promptFeatures(rows, [...query.subarray(b * d, (b + 1) * d)]);
    return features.reduce((sum, value, i) => sum + value * X[i]!, 0);
  });
}

describe('binary chains', () => {
  it('cost at X* what the exact risk says, for every d', () => {
    for (const [d, p] of [[1, 0.3], [2, 0.5], [3, 0.7]] as const) {
      const prompts = draw(binary(d, p), { batch: 6000, context: 20 });
      const { X, risk } = minimise(populationRisk({ d, p }, 20));
      const errors = predictions(prompts, X).map((value, b) => (value - prompts.targets[b]!) ** 2);
      expectMean(errors, risk, `d = ${d}`);
      expect(summarise(errors).standardError / risk).toBeLessThan(0.02);
    }
  }); // biome-ignore format: a table

  it('with correlated starts cost what Theorem 3.4 says', () => {
    const [p, n] = [0.3, 10];
    const prompts = draw({ ...binary(1), start: { kind: 'squared-distance', p } }, { batch: 8000, context: n });
    const { X, risk } = minimise(lengthTwoRisk(correlatedStarts(p, n, squaredDistance(p)), n));
    expectMean(
      predictions(prompts, X).map((value, b) => (value - prompts.targets[b]!) ** 2),
      risk,
    );
  });

  it('have kernels whose entries are uniform and shown as task parameters', () => {
    const prompts = draw(binary(1), { batch: 4000, context: 1 });
    for (const entry of [1, 3]) {
      const values = Array.from({ length: 4000 }, (_, b) => prompts.taskParameters[4 * b + entry]!);
      for (const power of [1, 2, 3])
        expectMean(
          values.map((value) => value ** power),
          1 / (power + 1),
        );
    }
    expectMean(
      Array.from({ length: 4000 }, (_, b) => prompts.taskParameters[4 * b + 1]! * prompts.taskParameters[4 * b + 3]!),
      1 / 4,
    );
  });

  it('are all zero at the query as often as said', () => {
    for (const d of [1, 3]) {
      const { query } = draw(binary(d), { batch: 8000, context: 1 });
      const isZero = Array.from({ length: 8000 }, (_, b) => +query.subarray(b * d, (b + 1) * d).every((x) => x === 0));
      expectMean(isZero, zeroQueryProbability({ d, p: 0.5 }));
    }
  });
});

describe('estimators', () => {
  function answers(name: string, spec: MarkovChainSpec, prompts: LabelledBatch): Float64Array {
    const out = new Float64Array(prompts.batch * prompts.queries);
    createEstimator(name, { task: spec }).predict(prompts, out);
    return out;
  }
  const isRight = (prompts: LabelledBatch, out: Float64Array) =>
    Array.from(out, (value, b) => +(Math.round(value) === prompts.targets[b]));

  it('the known kernel reaches its ceilings, and counting comes close with long prompts', () => {
    for (const d of [1, 3]) {
      const prompts = draw(binary(d), { batch: 8000, context: 100 });
      const ceiling = knownKernelCeiling({ d, p: 0.5 });
      const known = answers('known-kernel', binary(d), prompts);
      expectMean(isRight(prompts, known), ceiling.accuracy);
      expectMean(
        Array.from(known, (value, b) => (value - prompts.targets[b]!) ** 2),
        ceiling.risk,
      );
      const counted = answers('pooled-counts', binary(d), prompts);
      const loss = Array.from(
        counted,
        (value, b) => (value - prompts.targets[b]!) ** 2 - (known[b]! - prompts.targets[b]!) ** 2,
      );
      expect(summarise(loss).mean).toBeGreaterThan(0);
      expect(summarise(loss).mean).toBeLessThan(0.01);
    }
  });

  it('the likeliest state of a kernel over S states is right as often as the harmonic numbers say', () => {
    for (const states of [3, 4]) {
      const spec = uniformStart(1, states);
      const prompts = draw(spec, { batch: 8000, context: 1 });
      expectMean(isRight(prompts, answers('known-kernel-mode', spec, prompts)), uniformRowCeiling(states));
    }
  });

  it('counting is done on paper', () => {
    const prompts = {
      batch: 1,
      context: 2,
      queries: 1,
      dimension: 2,
      covariates: Float32Array.of(0, 1, 1, 1),
      responses: Float32Array.of(1, 0),
      query: Float32Array.of(0, 1),
    };
    const out = new Float64Array(1);
    createEstimator('pooled-counts', { task: binary(2) }).predict(prompts, out);
    // From state 1: to 0 once, to 1 twice, plus one each; the query's own step 0 -> 1 does not count for it.
    expect(out[0]).toBeCloseTo(3 / 5, 12);
  });
});

describe('chains over S states', () => {
  it('move by the kernel that is shown: transitions counted against it', () => {
    const states = 3;
    const prompts = draw(uniformStart(4, states), { batch: 300, context: 40 });
    const scores: number[] = [];
    for (let b = 0; b < prompts.batch; b++) {
      let [difference, variance] = [0, 0];
      for (let i = b * 40; i < (b + 1) * 40; i++) {
        const chain = [...prompts.covariates.subarray(4 * i, 4 * i + 4), prompts.responses[i]!];
        for (let t = 1; t < chain.length; t++) {
          const q = prompts.taskParameters[(b * states + chain[t - 1]!) * states + 2]!;
          difference += +(chain[t] === 2) - q;
          variance += q * (1 - q);
        }
      }
      scores.push(difference / Math.sqrt(variance));
    }
    expectMean(scores, 0);
    expectMean(
      scores.map((score) => score * score),
      1,
    );
  });

  it('have Dirichlet rows of any concentration: variance (S - 1) / (S^2 (S a + 1))', () => {
    for (const [states, a] of [[2, 0.05], [3, 0.5], [4, 2.5]] as const) {
      const prompts = draw(uniformStart(1, states, a), { batch: 3000, context: 1 });
      const entries = Array.from({ length: 3000 }, (_, b) => prompts.taskParameters[b * states * states]!);
      expectMean(entries, 1 / states, `a = ${a}`);
      const variance = (states - 1) / (states ** 2 * (states * a + 1));
      expectMean(entries.map((value) => (value - 1 / states) ** 2), variance, `variance, a = ${a}`);
      const sums = Array.from({ length: 3000 * states }, (_, row) =>
        prompts.taskParameters.subarray(row * states, (row + 1) * states).reduce((total, value) => total + value, 0),
      );
      expect(Math.max(...sums.map((sum) => Math.abs(sum - 1)))).toBeLessThan(1e-6);
    }
  }); // biome-ignore format: a table

  it('in groups: the last has the query’s kernel, the first another', () => {
    const spec = { ...uniformStart(6, 2, 0.2), groups: 2 };
    const prompts = draw(spec, { batch: 500, context: 20 });
    const scoreOf = (from: number) => {
      const gains: number[] = [];
      for (let b = 0; b < 500; b++) {
        let gain = 0;
        for (let i = b * 20 + from; i < b * 20 + from + 10; i++) {
          const last = prompts.covariates[6 * i + 5]!;
          gain += Math.abs(prompts.taskParameters[4 * b + 2 * last + 1]! - prompts.responses[i]!) / 10;
        }
        gains.push(gain);
      }
      return gains;
    };
    // Expected |q - y|: 2 E q(1-q) = 2 a / (2 (2a + 1)) = 1/7 under the own kernel, 1/2 under another.
    expectMean(scoreOf(10), 1 / 7);
    expectMean(scoreOf(0), 1 / 2);
  });
});

describe.each<GeneratorImplementation>(['simd', 'plain'])('on the %s generator', (implementation) => {
  afterEach(() => useGeneratorImplementation('simd'));

  it('prompts are the same numbers whatever the batch, and a longer context begins with the shorter one', () => {
    useGeneratorImplementation(implementation);
    const sampler = createSampler(uniformStart(3, 3));
    const fill = (first: number, batch: number, context: number) => {
      const out = allocateBatch({ batch, context, queries: 2, ...sampler });
      sampler.fill(generator, first, out);
      return out;
    };
    const all = fill(5, 7, 9);
    const one = fill(8, 1, 4);
    expect([...one.query]).toEqual([...all.query.subarray(3 * 6, 4 * 6)]);
    expect([...one.targets]).toEqual([...all.targets.subarray(6, 8)]);
    expect([...one.covariates]).toEqual([...all.covariates.subarray(3 * 27, 3 * 27 + 12)]);
    expect([...one.taskParameters]).toEqual([...all.taskParameters.subarray(27, 36)]);
    const hash = createHash('sha256');
    for (const values of [all.covariates, all.responses, all.query, all.targets, all.taskParameters]) {
      hash.update(new Uint8Array(values.buffer));
    }
    expect(hash.digest('hex').slice(0, 16)).toBe('1ae9afce55a41ff9');
  });
});

describe('a given kernel', () => {
  const kernel = [0.1, 0.9, 0, 0.3, 0.3, 0.4, 0, 0, 1];
  const prompts = draw({ ...uniformStart(4, 3), kernel }, { batch: 2000, context: 10 });

  it('is what all prompts say and follow', () => {
    const { batch, context, dimension, covariates, responses, taskParameters } = prompts;
    expect([...taskParameters.subarray(9 * 7, 9 * 8)]).toEqual(kernel.map(Math.fround));
    const seen = new Float64Array(9);
    for (let row = 0; row < batch * context; row++) {
      const chain = [...covariates.subarray(row * dimension, (row + 1) * dimension), responses[row]!];
      for (let t = 1; t < chain.length; t++) seen[chain[t - 1]! * 3 + chain[t]!]! += 1;
    }
    for (const [k, probability] of kernel.entries()) {
      const row = Math.floor(k / 3) * 3;
      const total = seen[row]! + seen[row + 1]! + seen[row + 2]!;
      const standardError = Math.sqrt((probability * (1 - probability)) / total);
      expect(Math.abs(seen[k]! / total - probability)).toBeLessThanOrEqual(4 * standardError);
    }
  });

  it('does not change the numbers that are drawn: the same start, and where it is the same, the same chains', () => {
    const other = draw(
      { ...uniformStart(4, 3), kernel: [0.1, 0.8, 0.1, ...kernel.slice(3)] },
      { batch: 2000, context: 10 },
    );
    const rows = Array.from({ length: 20_000 }, (_, row) => row);
    const differ = rows.filter((row) => prompts.responses[row] !== other.responses[row]);
    expect(rows.every((row) => prompts.covariates[row * 4] === other.covariates[row * 4])).toBe(true);
    // Only a chain that leaves state 0 can differ, and then with probability .1 a time.
    expect(differ.length).toBeGreaterThan(0);
    expect(differ.length).toBeLessThan(2000);
    for (const row of differ) expect([...prompts.covariates.subarray(row * 4, row * 4 + 4)]).toContain(0);
  });
});

describe('specifications', () => {
  it('refuse what is impossible', () => {
    const make = (changes: object) => () => createSampler({ ...binary(2), ...changes } as TaskSpec);
    expect(make({ dimension: 0 })).toThrow(/^d: expected/);
    expect(make({ states: 1, start: { kind: 'uniform' } })).toThrow(/^states: expected/);
    expect(make({ states: 3 })).toThrow(/^start: expected uniform for more than two states/);
    expect(make({ concentration: 0 })).toThrow(/^concentration: expected/);
    expect(make({ start: { kind: 'bernoulli', p: 1 } })).toThrow(/^p: expected a probability/);
    expect(make({ groups: 0 })).toThrow(/^groups: expected/);
    expect(make({ kernel: [0.5, 0.5] })).toThrow(/^kernel: expected 2 rows of 2 numbers, got 2/);
    expect(make({ kernel: [0.5, 0.5, 0.3, 0.6] })).toThrow(
      /^kernel: row 1: expected probabilities that sum to 1, got 0.3/,
    );
    expect(make({ kernel: [0.5, 0.5, -0.5, 1.5] })).toThrow(/^kernel: row 1/);
    expect(make({ kernel: [0.5, 0.5, 0.5, 0.5], groups: 2 })).toThrow(/^groups: expected 1 where the kernel is given/);
  });
});
