/** The classical estimators: their defining equations, exact dependence among pairs, and known risks. */
import fc from 'fast-check';
import { Matrix as MlMatrix, pseudoInverse } from 'ml-matrix';
import { describe, expect, it } from 'vitest';
import { createEstimator, estimators } from '../../models/estimators/index.ts';
import { inverse, multiply, transpose } from '../../models/matrix.ts';
import { allocateBatch, type PromptBatch } from '../../models/prompts.ts';
import { createGenerator } from '../../models/random.ts';
import type { Covariance } from '../../models/tasks/covariance.ts';
import { gaussianMixtureDefaults } from '../../models/tasks/gaussian-mixture.ts';
import { createSampler, type TaskSpec, usualEstimators } from '../../models/tasks/index.ts';
import { linearRegressionDefaults } from '../../models/tasks/linear-regression.ts';
import { linearRegressionBankDefaults } from '../../models/tasks/linear-regression-bank.ts';
import { expectClose } from '../tolerance.ts';
import { expectAgreement, measureRisk } from './monte-carlo.ts';

/** A prompt whose D queries are the unit vectors, so that the answers are w itself. */
function solve(name: string, x: readonly (readonly number[])[], y: readonly number[], options = {}): number[] {
  const dimension = x[0]!.length;
  const prompts: PromptBatch = {
    batch: 1,
    context: x.length,
    queries: dimension,
    dimension,
    covariates: Float32Array.from(x.flat()),
    responses: Float32Array.from(y),
    query: Float32Array.from({ length: dimension ** 2 }, (_, i) => (i % (dimension + 1) === 0 ? 1 : 0)),
  };
  const out = new Float64Array(dimension).fill(Number.NaN);
  make(name, options).predict(prompts, out);
  return [...out];
}

/** An estimator for linear regression in any dimension. */
const make = (name: string, options: Record<string, number> = {}) =>
  createEstimator(name, { task: { ...linearRegressionDefaults, dimension: 1 }, options });
const ofRegression = estimators.filter(({ tasks }) => tasks.includes('linear-regression')).map(({ name }) => name);

const tight = { relative: 1e-11, absolute: 1e-11 };

/** Small whole numbers, exact in float32, often dependent. */
const systems = fc
  .record({
    rows: fc.integer({ min: 1, max: 9 }),
    columns: fc.integer({ min: 1, max: 6 }),
    range: fc.constantFrom(1, 20),
  })
  .chain(({ rows, columns, range }) => {
    const entry = fc.integer({ min: -range, max: range });
    const row = (length: number) => fc.array(entry, { minLength: length, maxLength: length });
    return fc.record({
      x: fc.array(row(columns), { minLength: rows, maxLength: rows }),
      y: row(rows),
      repeat: fc.boolean(),
    });
  })
  // Half of them with a pair twice and a covariate twice.
  .map(({ x, y, repeat }) =>
    repeat ? { x: [...x, x[0]!].map((row) => [...row, row[0]!]), y: [...y, y[0]! + 3] } : { x, y },
  );

describe('least squares', () => {
  it('solves on paper', () => {
    expectClose(solve('least-squares', [[1, 0], [0, 2], [1, 2]], [1, 4, 2]), [0, 1.5], tight); // biome-ignore format: a matrix
    // One pair in two dimensions: along the covariate.
    expectClose(solve('least-squares', [[3, 4]], [50]), [6, 8], tight);
    // Twice the same covariate with two answers: their mean.
    expectClose(solve('least-squares', [[3, 4], [3, 4]], [40, 60]), [6, 8], tight); // biome-ignore format: a matrix
    expect(solve('least-squares', [[0, 0], [0, 0]], [1, 2])).toEqual([0, 0]); // biome-ignore format: a matrix
  });

  it('obeys the normal equations, and w is a combination of the covariates, whatever the rank', () => {
    fc.assert(
      fc.property(systems, ({ x, y }) => {
        const w = solve('least-squares', x, y).map((value) => [value]);
        const residual = multiply(x, w).map(([value], i) => [value! - y[i]!]);
        const size = 1 + Math.max(...x.flat().map(Math.abs), ...y.map(Math.abs)) ** 2;
        for (const [value] of multiply(transpose(x), residual)) expect(Math.abs(value!) / size).toBeLessThan(1e-9);
        // Minimum norm: the pseudo-inverse, by singular values.
        const expected = pseudoInverse(new MlMatrix(x as number[][]), 1e-9).mmul(MlMatrix.columnVector(y as number[]));
        expectClose(w.flat(), expected.to1DArray(), { relative: 1e-8, absolute: 1e-8 });
      }),
      { numRuns: 300 },
    );
  });

  it('answers 0 without a context', () => {
    for (const name of ofRegression) {
      const prompts = allocateBatch({ batch: 2, context: 0, queries: 2, dimension: 3 });
      prompts.query.fill(1);
      const out = new Float64Array(4).fill(9);
      make(name, name === 'ridge' ? { penalty: 1 } : {}).predict(prompts, out);
      expect([...out]).toEqual([0, 0, 0, 0]);
    }
  });

  it('handles sizes that change from call to call', () => {
    const estimator = make('least-squares');
    const ridge = make('ridge', { penalty: 0.5 });
    for (const [context, dimension] of [
      [7, 3],
      [2, 5],
      [9, 5],
      [1, 1],
      [7, 3],
    ] as const) {
      // biome-ignore format: a table
      const prompts = allocateBatch({ batch: 3, context, queries: 1, dimension });
      createSampler({ ...linearRegressionDefaults, dimension }).fill(createGenerator(4, 1), 0, prompts);
      for (const [reused, fresh] of [
        [estimator, make('least-squares')],
        [ridge, make('ridge', { penalty: 0.5 })],
      ] as const) {
        const [first, second] = [new Float64Array(3), new Float64Array(3)];
        reused.predict(prompts, first);
        fresh.predict(prompts, second);
        expect(first).toEqual(second);
      }
    }
  });
});

describe('ridge', () => {
  it('is (X^T X + penalty I)^-1 X^T y', () => {
    fc.assert(
      fc.property(systems, fc.constantFrom(0.01, 1, 30), ({ x, y }, penalty) => {
        const gram = multiply(transpose(x), x).map((row, i) => row.map((value, j) => value + (i === j ? penalty : 0)));
        const expected = multiply(
          inverse(gram),
          transpose(x),
          y.map((value) => [value]),
        ).flat();
        expectClose(solve('ridge', x, y, { penalty }), expected, { relative: 1e-8, absolute: 1e-8 });
      }),
      { numRuns: 200 },
    );
  });

  it('stays accurate as the penalty vanishes, where normal equations would not', () => {
    const x = [[1, 1], [1, 1.0009765625], [1, 0.9990234375]]; // biome-ignore format: a matrix
    const expected = solve('least-squares', x, [2, 2.0009765625, 1.9990234375]);
    expectClose(expected, [1, 1], { relative: 1e-10, absolute: 0 });
    expectClose(solve('ridge', x, [2, 2.0009765625, 1.9990234375], { penalty: 1e-15 }), expected, {
      relative: 1e-8,
      absolute: 0,
    });
  });

  it('takes noise variance over task variance as its penalty, and is least squares at 0', () => {
    expect(make('ridge', { noiseVariance: 0.5, taskVariance: 4 }).parameters).toEqual({ penalty: 0.125 });
    expect(make('ridge', { noiseVariance: 0.5, penalty: 2 }).parameters).toEqual({ penalty: 2 });
    expect(make('ridge').parameters).toEqual({ penalty: 0 });
    const x = [[1, 2, 3], [4, 5, 6]]; // biome-ignore format: a matrix
    expect(solve('ridge', x, [1, 2])).toEqual(solve('least-squares', x, [1, 2]));
    expect(make('ridge').name).toBe('ridge');
  });
});

describe('estimators by name', () => {
  it.each<[string, Record<string, number>, string | RegExp]>([
    [
      'least-square',
      {},
      expect.stringMatching(/^estimator: expected one of .*, got "least-square"\. Did you mean least-squares\?$/),
    ],
    [
      'ridge',
      { penaly: 1 },
      'ridge: option: expected one of noiseVariance, taskVariance, penalty, got "penaly". Did you mean penalty?',
    ],
    ['ridge', { penalty: -1 }, 'ridge: penalty: expected a penalty of 0 or more, got -1.'],
    ['ridge', { taskVariance: 0 }, 'ridge: taskVariance: expected a variance above 0, got 0.'],
    ['ridge', { noiseVariance: Number.NaN }, 'ridge: noiseVariance: expected a variance of 0 or more, got NaN.'],
    ['zero', { penalty: 1 }, 'zero: expected no options, got "penalty".'],
  ])('%s with %j is refused', (name, options, message) => {
    expect(() => make(name, options)).toThrow(expect.objectContaining({ name: 'UsageError', message }));
  });

  it('are for prompts of the tasks that they name', () => {
    const mixture = { task: { ...gaussianMixtureDefaults, dimension: 2 } };
    expect(() => createEstimator('ridge', mixture)).toThrow(
      /^estimator ridge: expected prompts of linear-regression.*, got gaussian-mixture\. Of that task: uniform, posterior/,
    );
    const prompts = allocateBatch({ batch: 1, context: 1, queries: 1, dimension: 2, parameterCount: 4 });
    prompts.taskParameters.set([-1, 0, 1, 0]);
    prompts.query.set([0.25, 3]);
    const out = new Float64Array(1);
    createEstimator('posterior', mixture).predict(prompts, out);
    expectClose(out, [1 / (1 + Math.exp(-0.5))], tight); // log-odds <mu_1 - mu_0, q>
    const { taskParameters: _, ...unlabelled } = prompts;
    expect(() => createEstimator('posterior', mixture).predict(unlabelled, out)).toThrow(
      'posterior: expected prompts with their task parameters, got prompts without.',
    );
    createEstimator('uniform', mixture).predict(unlabelled, out);
    expect([...out]).toEqual([0.5]);
    const shares = new Float64Array(5);
    createEstimator('uniform', mixture).predict({ ...unlabelled, classes: 5 }, shares);
    expect([...shares]).toEqual(new Array(5).fill(0.2));
  });

  it('are listed with what they take, and refuse an output of another length', () => {
    expect(ofRegression).toEqual(expect.arrayContaining(['zero', 'least-squares', 'ridge']));
    const prompts = allocateBatch({ batch: 2, context: 3, queries: 2, dimension: 2 });
    for (const { name, description } of estimators.filter(({ tasks }) => tasks.includes('linear-regression'))) {
      expect(description).not.toBe('');
      expect(() => make(name).predict(prompts, new Float64Array(3))).toThrow(
        `${name}: out: expected 2 x 2 numbers, got 3.`,
      );
    }
  });
});

describe('risk', () => {
  const dimension = 20;
  const risk = (
    name: string,
    options: Record<string, number>,
    covariance: Covariance,
    context: number,
    noiseVariance = 0,
  ) => {
    const task: TaskSpec = { ...linearRegressionDefaults, dimension, covariance, noiseVariance };
    const estimator = make(name, options);
    const out = new Float64Array(2000);
    const predict = (prompts: PromptBatch) => {
      estimator.predict(prompts, out);
      return out;
    };
    return measureRisk({ task, context, prompts: 6000, predict });
  };
  const identity: Covariance = { kind: 'identity' };
  const exponential: Covariance = { kind: 'exponential', scale: 1 };

  it('of predicting 0 is the trace', () => {
    expectAgreement(risk('zero', {}, identity, 5), 20, 0.03);
  });

  it.each([5, 10, 15])('of least squares is d (1 - M/d) at M = %i < d', (context) => {
    expectAgreement(risk('least-squares', {}, identity, context), 20 - context, 0.04);
  });

  it.each([
    [5, 0.591],
    [10, 0.315],
    [15, 0.117],
  ])('of least squares on exponential variances at M = %i is %f d', (context, expected) => {
    const { mean, standardError } = risk('least-squares', {}, exponential, context);
    expect(Math.abs(mean / dimension - expected)).toBeLessThan(4 * (standardError / dimension) + 5e-4);
  });

  it('of least squares without noise is rounding alone from M = d on', () => {
    expect(risk('least-squares', {}, identity, 25).mean).toBeLessThan(1e-11);
    expect(risk('least-squares', {}, identity, 40).mean).toBeLessThan(1e-12);
    expect(risk('least-squares', {}, exponential, 40).mean).toBeLessThan(1e-12);
  });

  it('of least squares with noise is s^2 (1 + d/(M - d - 1))', () => {
    expectAgreement(risk('least-squares', {}, identity, 40, 0.5), 0.5 * (1 + 20 / 19));
  });

  it('of ridge with the right penalty is below that of least squares', () => {
    const noiseVariance = 0.5;
    const bayes = risk('ridge', { noiseVariance }, identity, 30, noiseVariance);
    const other = risk('least-squares', {}, identity, 30, noiseVariance);
    expect(other.mean - bayes.mean).toBeGreaterThan(4 * Math.hypot(bayes.standardError, other.standardError));
  });
});

describe('the usual estimators of a law', () => {
  it.each([
    [{ tasks: 5, noiseVariance: 0.1 }, ['zero', 'dmmse', 'ridge']],
    [{ tasks: null, noiseVariance: 0.1 }, ['zero', 'ridge']],
    [{ tasks: 5, noiseVariance: 0 }, ['zero', 'ridge']],
  ])('of a bank %o can all be made', (law, names) => {
    const task: TaskSpec = { ...linearRegressionBankDefaults, dimension: 2, ...law };
    expect(usualEstimators(task)).toEqual(names);
    for (const name of names) expect(createEstimator(name, { task }).name).toBe(name);
  });
});
