/** Many systems at once: the same bits in WebAssembly and in TypeScript, and an honest bound on the condition number. */
import fc from 'fast-check';
import { EVD, Matrix } from 'ml-matrix';
import { expect, it } from 'vitest';
import { createEstimator } from '../../models/estimators/index.ts';
import { createLinearSolver, type LinearSystems } from '../../models/estimators/linear-systems.ts';
import { createGenerator, fillNormals } from '../../models/random.ts';

/** Gaussian systems; in each the last column is `dependence` parts the first one. */
function gaussian(count: number, rows: number, columns: number, dependence: number, seed: number): LinearSystems {
  const generator = createGenerator(seed, 1);
  const covariates = new Float32Array(count * rows * columns);
  const responses = new Float32Array(count * rows);
  fillNormals(generator, { prompt: 0, purpose: 0 }, covariates, 0, covariates.length);
  fillNormals(generator, { prompt: 0, purpose: 1 }, responses, 0, responses.length);
  for (let at = 0; columns > 1 && at < covariates.length; at += columns) {
    const last = at + columns - 1;
    covariates[last] = dependence * covariates[at]! + (1 - dependence) * covariates[last]!;
  }
  return { covariates, responses, count, rows, columns, penalty: 0 };
}

const systems = fc
  .record({
    count: fc.integer({ min: 1, max: 7 }),
    columns: fc.integer({ min: 1, max: 11 }),
    rows: fc.integer({ min: 0, max: 23 }),
    dependence: fc.constantFrom(0, 0.9, 0.9999, 1),
    penalty: fc.constantFrom(0, 0, 1e-12, 0.3, 70),
    seed: fc.nat(1000),
  })
  .map(({ count, columns, rows, dependence, penalty, seed }) => ({
    ...gaussian(count, rows, columns, dependence, seed),
    penalty,
  }));

it('gives the same bits in WebAssembly and in TypeScript, whatever the neighbours', () => {
  const [simd, plain] = [createLinearSolver(), createLinearSolver('plain')];
  fc.assert(
    fc.property(systems, (given) => {
      const { covariates, responses, count, rows, columns } = given;
      const fast = simd(given);
      const w = [...fast.w];
      const conditions = [...fast.conditions];
      const expected = plain(given);
      expect(w).toEqual([...expected.w.subarray(0, count * columns)]);
      expect(conditions).toEqual([...expected.conditions.subarray(0, count)]);
      const alone = simd({
        ...given,
        covariates: covariates.subarray((count - 1) * rows * columns),
        responses: responses.subarray((count - 1) * rows),
        count: 1,
      });
      expect([...alone.w]).toEqual(w.slice(-columns));
      expect(alone.conditions[0]).toEqual(conditions.at(-1));
    }),
    { numRuns: 500 },
  );
});

it.each([
  [9, 4, 0],
  [4, 9, 0],
  [4, 9, 0.5],
  [9, 4, 0.5],
])('keeps a prompt’s NaN to itself: %i pairs, %i dimensions, penalty %f', (rows, columns, penalty) => {
  const given = { ...gaussian(4, rows, columns, 0, 5), penalty };
  for (const solve of [createLinearSolver(), createLinearSolver('plain')]) {
    const clean = [...solve(given).w];
    const covariates = given.covariates.slice();
    covariates[2 * rows * columns + 1] = Number.NaN; // of the third prompt
    const { w } = solve({ ...given, covariates });
    for (let at = 0; at < 4 * columns; at++) {
      if (Math.floor(at / columns) === 2) expect(w[at]).toBeNaN();
      else expect(w[at]).toBe(clean[at]);
    }
  }
});

it.each([
  [40, 20],
  [11, 20],
])('gives the magnitude of the condition number: %i pairs, %i dimensions', (rows, columns) => {
  const given = gaussian(200, rows, columns, 0, 3);
  const { conditions } = createLinearSolver()(given);
  for (let b = 0; b < given.count; b++) {
    const row = (i: number) => given.covariates.subarray((b * rows + i) * columns, (b * rows + i + 1) * columns);
    const x = new Matrix(Array.from({ length: rows }, (_, i) => [...row(i)]));
    const gram = rows < columns ? x.mmul(x.transpose()) : x.transpose().mmul(x);
    const values = new EVD(gram, { assumeSymmetric: true }).realEigenvalues;
    const condition = Math.sqrt(Math.max(...values) / Math.min(...values));
    // In the other norm it may be a D-th of this one; it is rather larger, and a bound besides.
    expect(conditions[b]!).toBeGreaterThan(condition);
    expect(conditions[b]!).toBeLessThan(40 * condition);
  }
});

it('finds no bound where columns depend on one another, where least squares then has the answer of minimum norm', () => {
  const given = gaussian(5, 9, 4, 1, 8);
  for (const condition of createLinearSolver()(given).conditions) expect(condition < 1e6).toBe(false);
  const task = {
    name: 'linear-regression',
    dimension: 4,
    covariance: { kind: 'identity' },
    taskCovariance: { kind: 'identity' },
    noiseVariance: 0,
  } as const;
  const query = new Float32Array(5 * 2 * 4);
  for (let b = 0; b < 5; b++) for (const q of [0, 1]) query[b * 8 + q * 4 + (q === 0 ? 0 : 3)] = 1;
  const out = new Float64Array(10);
  const { covariates, responses } = given;
  const prompts = { batch: 5, context: 9, queries: 2, dimension: 4, covariates, responses, query };
  createEstimator('least-squares', { task }).predict(prompts, out);
  // The same covariate twice gets the same weight twice.
  for (let b = 0; b < 5; b++) expect(out[2 * b]).toBeCloseTo(out[2 * b + 1]!, 10);
});

it('leaves a residual that is orthogonal to every column, even where columns nearly depend', () => {
  const given = gaussian(64, 12, 6, 0.9999, 4);
  const { w, conditions } = createLinearSolver()(given);
  for (let b = 0; b < given.count; b++) {
    const x = new Matrix(
      Array.from({ length: 12 }, (_, i) => [...given.covariates.subarray((b * 12 + i) * 6, (b * 12 + i + 1) * 6)]),
    );
    const y = Matrix.columnVector([...given.responses.subarray(b * 12, (b + 1) * 12)]);
    const residual = x.mmul(Matrix.columnVector([...w.subarray(b * 6, (b + 1) * 6)])).sub(y);
    for (const value of x.transpose().mmul(residual).to1DArray()) expect(Math.abs(value)).toBeLessThan(1e-9);
    expect(conditions[b]!).toBeGreaterThan(1e3);
  }
});
