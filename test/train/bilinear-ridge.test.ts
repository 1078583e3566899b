/** Bilinear ridge regression: three ways to one answer, the normal equations, and the asymptotic theory of their errors. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createGenerator, fillNormals, streams } from '../../models/random.ts';
import { fillContextFeatures } from '../../models/tasks/context-features.ts';
import { drawBank, type LinearRegressionBankSpec } from '../../models/tasks/linear-regression-bank.ts';
import { bankMoments, finiteRisk, freshTaskMoments } from '../../models/theory/lu2024.ts';
import { expectedIterations, fitBilinearRidge, fitCosts, fitMethods } from '../../train/bilinear-ridge/fit.ts';
import { BilinearRows } from '../../train/bilinear-ridge/rows.ts';
import { requireOrSkip } from '../require.ts';

/** Random rows with no structure, y included. */
function randomRows(rows: number, columns: number, width: number, kernel: 'simd' | 'plain' = 'simd'): BilinearRows {
  const problem = new BilinearRows({ kernel });
  problem.resize({ rows, columns, width });
  const draw = (purpose: number, count: number) => {
    const values = new Float32Array(count);
    fillNormals(createGenerator(3, 0), { prompt: 0, purpose }, values, 0, count);
    return values;
  };
  const [x, h, y] = [draw(0, rows * columns), draw(1, rows * width), draw(2, rows)] as const;
  for (let i = 0; i < rows; i++) {
    problem.x.set(x.subarray(i * columns, (i + 1) * columns), i * problem.xStride);
    problem.h.set(h.subarray(i * width, (i + 1) * width), i * problem.hStride);
  }
  problem.y.set(y);
  return problem;
}

/** Largest entry of F^T (F G - y) + penalty G, which is 0 at the solution: written out, feature by feature. */
function gradientError(rows: BilinearRows, g: Float64Array, penalty: number): number {
  const { rows: n, columns, width } = rows.sizes;
  const gradient = Array.from(g, (value) => penalty * value);
  const { x, h, y, xStride, hStride } = rows;
  for (let i = 0; i < n; i++) {
    const feature = (c: number, j: number) => x[i * xStride + c]! * h[i * hStride + j]!;
    let residual = -y[i]!;
    for (let c = 0; c < columns; c++) for (let j = 0; j < width; j++) residual += g[c * width + j]! * feature(c, j);
    for (let c = 0; c < columns; c++) {
      for (let j = 0; j < width; j++) gradient[c * width + j]! += residual * feature(c, j);
    }
  }
  return Math.max(...gradient.map(Math.abs));
}

const largestDifference = (a: Float64Array, b: Float64Array) =>
  a.reduce((worst, value, i) => Math.max(worst, Math.abs(value - b[i]!)), 0);

describe('passes over rows', () => {
  it.each([
    [1, 1, 1],
    [5, 3, 2],
    [67, 4, 5],
    [130, 7, 8],
    [200, 9, 11],
  ])('agree between SIMD and TypeScript for %d rows of %d and %d', (n, columns, width) => {
    const [fast, plain] = [randomRows(n, columns, width), randomRows(n, columns, width, 'plain')];
    expect(plain.implementation).toBe('plain');
    const g = Float64Array.from({ length: fast.matrixLength }, (_, i) => Math.sin(i + 1));
    // Padding of G meets padding of rows, which is 0.
    const results = [fast, plain].map((rows) => {
      const gram = new Float64Array(rows.matrixLength);
      rows.applyGram(g, gram);
      const fitted = new Float64Array(n);
      rows.predict(g, fitted);
      const combined = new Float64Array(rows.matrixLength);
      rows.combine(rows.y, combined);
      return { gram, fitted, combined };
    });
    const [a, b] = results as [(typeof results)[number], (typeof results)[number]];
    const scale = Math.max(...a.gram.map(Math.abs), 1);
    expect(largestDifference(a.gram, b.gram)).toBeLessThan(1e-12 * scale);
    expect(largestDifference(a.fitted, b.fitted)).toBeLessThan(1e-12 * scale);
    expect(largestDifference(a.combined, b.combined)).toBeLessThan(1e-12 * scale);
  });

  it('forget the problem before', () => {
    const rows = randomRows(40, 6, 7);
    rows.resize({ rows: 9, columns: 3, width: 3 });
    expect(rows.x.every((value) => value === 0)).toBe(true);
    const out = new Float64Array(rows.matrixLength);
    rows.combine(new Float64Array(9).fill(1), out);
    expect(out.every((value) => value === 0)).toBe(true);
  });
});

describe('fits', () => {
  it.each([
    ['more rows than unknowns', 90, 5, 6, 0.3],
    ['many more', 400, 4, 5, 1e-3],
    ['fewer', 20, 5, 6, 0.3],
    ['fewer, nearly no penalty', 17, 5, 6, 1e-6],
  ])('are the same by all methods and solve the normal equations: %s', (_, n, columns, width, penalty) => {
    const rows = randomRows(n, columns, width);
    const fits = fitMethods.map((method) => fitBilinearRidge(rows, penalty, { method, tolerance: 1e-12 }));
    for (const { matrix, method, trainRisk } of fits) {
      // A tiny penalty leaves the dense systems a condition number of 1e8, and primal with a null space.
      const tolerance = penalty < 1e-5 ? 1e-4 : 1e-8;
      expect(largestDifference(matrix, fits[2]!.matrix), method).toBeLessThan(tolerance);
      expect(gradientError(rows, matrix, penalty), method).toBeLessThan(1e-7);
      expect(Math.abs(trainRisk - fits[2]!.trainRisk)).toBeLessThan(1e-7);
    }
  });

  it('without a penalty and with few rows are the interpolation of least norm', () => {
    const rows = randomRows(12, 4, 5);
    const dual = fitBilinearRidge(rows, 0, { method: 'dual' });
    const gradients = fitBilinearRidge(rows, 0, { method: 'conjugate-gradients', tolerance: 1e-12 });
    expect(dual.trainRisk).toBeLessThan(1e-20);
    expect(largestDifference(dual.matrix, gradients.matrix)).toBeLessThan(1e-9);
  });

  it('say what is wrong', () => {
    const rows = randomRows(12, 4, 5);
    expect(() => fitBilinearRidge(rows, -1)).toThrow(/penalty: expected a number, 0 or more/);
    expect(() => fitBilinearRidge(rows, 0, { method: 'primal' })).toThrow(/positive definite/);
    expect(() => rows.resize({ rows: 0, columns: 1, width: 1 })).toThrow(/sizes of 1 or more/);
  });

  it('stop when told', () => {
    const rows = randomRows(40, 5, 6);
    const signal = AbortSignal.abort();
    expect(() => fitBilinearRidge(rows, 1e-3, { method: 'conjugate-gradients', signal })).toThrow(/abort/i);
  });

  it('go the cheapest way', () => {
    const at = (rows: number, d: number, ridge: number) =>
      [...fitCosts({ rows, columns: d, width: d + 1 }, ridge, 1e-8)].sort((a, b) => a.seconds - b.seconds)[0]!.method;
    expect(at(3200, 40, 1e-5)).toBe('conjugate-gradients');
    expect(at(20, 40, 1e-5)).toBe('dual');
    expect(at(40, 3, 1e-12)).toBe('primal');
    expect(expectedIterations({ rows: 10560, columns: 32, width: 33 }, 1e-6, 1e-8)).toBeLessThan(25);
  });
});

/** Both errors of one draw at finite d, exact given the fit. */
function draw(
  point: { d: number; tau: number; alpha: number; kappa: number; rho: number; lambda: number },
  seed: number,
) {
  const { d, tau, alpha, kappa, rho, lambda } = point;
  const task: LinearRegressionBankSpec = {
    name: 'linear-regression-bank',
    dimension: d,
    tasks: Math.round(kappa * d),
    law: 'sphere',
    bankSeed: seed,
    noiseVariance: rho,
  };
  const n = Math.round(tau * d * d);
  const contextLength = Math.round(alpha * d);
  const rows = new BilinearRows();
  rows.resize({ rows: n, columns: d, width: d + 1 });
  const generator = createGenerator(seed, streams.training);
  fillContextFeatures({ task, contextLength, design: 'balanced', generator, first: 0, count: n }, rows);
  const fit = fitBilinearRidge(rows, (n / d) * lambda);
  const law = { dimension: d, contextLength, noiseVariance: rho };
  return {
    icl: finiteRisk(fit.matrix, { ...law, tasks: freshTaskMoments(d) }),
    idg: finiteRisk(fit.matrix, { ...law, tasks: bankMoments(drawBank(task), d) }),
    train: fit.trainRisk,
  };
}

describe('errors of fits', () => {
  it('are near theory at d = 20 with a ridge', () => {
    const point = { d: 20, tau: 2, alpha: 10, kappa: 0.5, rho: 0.01, lambda: 0.1 };
    const draws = Array.from({ length: 20 }, (_, seed) => draw(point, seed));
    const mean = (key: 'icl' | 'idg' | 'train') => draws.reduce((sum, value) => sum + value[key], 0) / draws.length;
    // An independent simulation at this size: .648, .0839, .0374; theory in the limit .6177, .0809, .0368.
    expect(Math.abs(mean('icl') / 0.6177 - 1)).toBeLessThan(0.08);
    expect(Math.abs(mean('idg') / 0.0809 - 1)).toBeLessThan(0.08);
    expect(Math.abs(mean('train') / 0.0368 - 1)).toBeLessThan(0.08);
  });
});

/** The build script; the compiler that it needs is not there without the development packages. */
const compiler = await import('../../scripts/build-simd.ts').catch((cause: Error) => cause);
const isMissing = compiler instanceof Error;
const mayRun = requireOrSkip('assemblyscript', !isMissing, isMissing ? compiler.message : '');
it.runIf(mayRun)('the SIMD kernel is what its source compiles to', async () => {
  const compiled = isMissing || (await compiler.compileKernel('bilinear'));
  expect(compiled).toBe(readFileSync('models/simd/bilinear-wasm.ts', 'utf8'));
});
