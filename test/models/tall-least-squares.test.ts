/** Many tall systems at once: the same bits in WebAssembly and in TypeScript, and an honest bound on the condition number. */
import fc from 'fast-check';
import { EVD, Matrix } from 'ml-matrix';
import { expect, it } from 'vitest';
import { createEstimator } from '../../models/estimators/index.ts';
import { createTallSolver, type TallSystems } from '../../models/estimators/tall-least-squares.ts';
import { createGenerator, fillNormals } from '../../models/random.ts';

/** Gaussian systems; in each the last column is `dependence` parts the first one. */
function gaussian(count: number, rows: number, columns: number, dependence: number, seed: number): TallSystems {
  const generator = createGenerator(seed, 1);
  const covariates = new Float32Array(count * rows * columns);
  const responses = new Float32Array(count * rows);
  fillNormals(generator, { prompt: 0, purpose: 0 }, covariates, 0, covariates.length);
  fillNormals(generator, { prompt: 0, purpose: 1 }, responses, 0, responses.length);
  for (let at = 0; columns > 1 && at < covariates.length; at += columns) {
    const last = at + columns - 1;
    covariates[last] = dependence * covariates[at]! + (1 - dependence) * covariates[last]!;
  }
  return { covariates, responses, count, rows, columns };
}

const systems = fc
  .record({
    count: fc.integer({ min: 1, max: 7 }),
    columns: fc.integer({ min: 1, max: 11 }),
    more: fc.integer({ min: 0, max: 12 }),
    dependence: fc.constantFrom(0, 0.9, 0.9999, 1),
    seed: fc.nat(1000),
  })
  .map(({ count, columns, more, dependence, seed }) => gaussian(count, columns + more, columns, dependence, seed));

it('gives the same bits in WebAssembly and in TypeScript, whatever the neighbours', () => {
  const [simd, plain] = [createTallSolver(), createTallSolver('plain')];
  fc.assert(
    fc.property(systems, (given) => {
      const fast = simd(given);
      const w = [...fast.w];
      const conditions = [...fast.conditions];
      const expected = plain(given);
      expect(w).toEqual([...expected.w]);
      expect(conditions).toEqual([...expected.conditions]);
      const { covariates, responses, count, rows, columns } = given;
      const alone = simd({
        ...given,
        covariates: covariates.subarray((count - 1) * rows * columns),
        responses: responses.subarray((count - 1) * rows),
        count: 1,
      });
      expect([...alone.w]).toEqual(w.slice(-columns));
      expect(alone.conditions[0]).toEqual(conditions.at(-1));
    }),
    { numRuns: 300 },
  );
});

it('gives the magnitude of the condition number', () => {
  const given = gaussian(200, 40, 20, 0, 3);
  const { conditions } = createTallSolver()(given);
  for (let b = 0; b < given.count; b++) {
    const x = new Matrix(
      Array.from({ length: 40 }, (_, i) => [...given.covariates.subarray((b * 40 + i) * 20, (b * 40 + i + 1) * 20)]),
    );
    const values = new EVD(x.transpose().mmul(x), { assumeSymmetric: true }).realEigenvalues;
    const condition = Math.sqrt(Math.max(...values) / Math.min(...values));
    // In the other norm it may be a D-th of this one; it is rather larger, and a bound besides.
    expect(conditions[b]!).toBeGreaterThan(condition);
    expect(conditions[b]!).toBeLessThan(40 * condition);
  }
});

it('finds no bound where columns depend on one another, where least squares then has the answer of minimum norm', () => {
  const given = gaussian(5, 9, 4, 1, 8);
  for (const condition of createTallSolver()(given).conditions) expect(condition < 1e6).toBe(false);
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
  const { w, conditions } = createTallSolver()(given);
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
