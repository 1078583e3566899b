/** Random covariances of any shape: the matrix form of the dynamics against the per-coordinate system, and what lies beyond it. */
import { expect, test } from 'vitest';
import { add, diagonal, frobeniusNorm, identity, inverse, type Matrix, multiply, scaleMatrix, subtract, trace, transpose } from '../../../models/matrix.ts'; // biome-ignore format: one import
import { integrate } from '../../../models/theory/ode.ts';
import {
  gammaMatrix,
  initialisationThreshold,
  randomCovarianceFlow,
  randomCovarianceLimits,
  randomInitialisationThreshold,
  rotationInvariantMultiplier,
  shiftRisk,
  stationaryProduct,
} from '../../../models/theory/zhang2023.ts';
import { expectClose, float64 } from '../../tolerance.ts';

const N = 10;
/** Three independent variances with two equally likely values each: their joint law can be enumerated. */
const values = [[0.2, 1.2], [0.5, 2.5], [1, 5]] as const; // biome-ignore format: a table
const draws = Array.from({ length: 8 }, (_, k) => diagonal(values.map((pair, i) => pair[(k >> i) & 1]!)));
const moments = values.map(([a, b]) => ({ first: (a + b) / 2, second: (a ** 2 + b ** 2) / 2, third: (a ** 3 + b ** 3) / 2 })); // biome-ignore format: a formula

const mean = (f: (Lambda: Matrix) => Matrix, law: readonly Matrix[] = draws): Matrix =>
  law.map((Lambda) => scaleMatrix(f(Lambda), 1 / law.length) as Matrix).reduce(add);
const productFormula = (law: readonly Matrix[]) =>
  multiply(
    inverse(mean((L) => multiply(gammaMatrix(L, N), L, L), law)),
    mean((L) => multiply(L, L), [...law]),
  );
/** Half the risk at M = N: the population loss, of which a stationary point has no slope. */
const loss = (P: Matrix, law: readonly Matrix[]) =>
  law.reduce((sum, contextCovariance) => sum + shiftRisk({ P: transpose(P), contextCovariance, M: N }) / 2, 0) /
  law.length;

test('the per-coordinate system is the flow of the matrices, averaged over the law', () => {
  const U11: Matrix = [[0.03, 0.01, 0], [0.01, 0.025, -0.01], [0, -0.01, 0.03]]; // biome-ignore format: a matrix
  const times = [0, 1, 4, 60];
  const unpack = (state: ArrayLike<number>) => [0, 3, 6].map((at) => Array.from({ length: 3 }, (_, j) => state[at + j]!)); // biome-ignore format: short
  const states = integrate(
    (x, out) => {
      const [U, u] = [unpack(x), x[9]!];
      const A = mean((L) => multiply(gammaMatrix(L, N), L, U, L));
      const S = mean((L) => multiply(L, L));
      add(scaleMatrix(A, -u * u), scaleMatrix(S, u))
        .flat()
        .forEach((slope, i) => {
          out[i] = slope;
        });
      out[9] = -u * trace(multiply(A, transpose(U))) + trace(multiply(S, transpose(U)));
    },
    [...U11.flat(), frobeniusNorm(U11)],
    times,
  );
  const flow = randomCovarianceFlow({ moments, N, U11, u: frobeniusNorm(U11), times });
  const tolerance = { relative: 1e-7, absolute: 1e-9 }; // both integrators' own accuracy
  states.forEach((state, i) => {
    expectClose([...flow.U11[i]!.flat(), flow.u[i]!], [...state], tolerance);
    expectClose([flow.loss[i]!], [loss(scaleMatrix(unpack(state), state[9]!), draws)], tolerance);
  });
  expectClose(flow.U11[3]!.flat(), randomCovarianceLimits({ moments, N }).U11.flat(), { relative: 0, absolute: 1e-6 });
});

test('independent diagonal entries give G of Theorem 4.5', () => {
  const { product } = randomCovarianceLimits({ moments, N });
  expectClose(stationaryProduct({ draws, N }).flat(), product.flat(), float64);
  expectClose(productFormula(draws).flat(), product.flat(), float64);
});

test('other laws have another product, at which the loss has no slope', () => {
  const turned: Matrix[] = [[[2, 0.9], [0.9, 0.5]], [[0.4, -0.1], [-0.1, 1.7]], [[1, 0], [0, 0.2]]]; // biome-ignore format: matrices
  const product = stationaryProduct({ draws: turned, N });
  const step = 1e-5;
  for (const [i, j] of [
    [0, 0],
    [0, 1],
    [1, 0],
    [1, 1],
  ] as const) {
    const moved = (by: number) => product.map((row, k) => row.map((value, l) => value + (k === i && l === j ? by : 0)));
    // The loss is quadratic: a central difference has no error but rounding.
    expect(Math.abs(loss(moved(step), turned) - loss(moved(-step), turned)) / (2 * step)).toBeLessThan(1e-9);
  }
  const formula = productFormula(turned);
  expect(frobeniusNorm(subtract(formula, product)) / frobeniusNorm(product)).toBeGreaterThan(0.05);
  expect(loss(formula, turned)).toBeGreaterThan(loss(product, turned));
});

test('a law that quarter turns do not change has a multiple of the identity', () => {
  const Lambda: Matrix = [[2, 0.6], [0.6, 0.7]]; // biome-ignore format: a matrix
  const turn: Matrix = [[0, -1], [1, 0]]; // biome-ignore format: a matrix
  const flip: Matrix = [[1, 0], [0, -1]]; // biome-ignore format: a matrix
  const both = [Lambda, multiply(turn, Lambda, transpose(turn))];
  const law = { draws: [...both, ...both.map((L) => multiply(flip, L, flip))], N };
  expectClose(
    stationaryProduct(law).flat(),
    scaleMatrix(identity(2), rotationInvariantMultiplier(law)).flat(),
    float64,
  );
});

test('the size condition is that of a fixed covariance when nothing is random and isotropic', () => {
  const thetaSquare = scaleMatrix(identity(4), 1 / 2); // Frobenius norm 1
  const law = { draws: [scaleMatrix(identity(4), 0.7)], N };
  // ||Lambda Theta||_F^2 / ||Lambda||_F^2 = tr(Theta Theta^T) / D = 1 / sqrt(D)
  const expected = initialisationThreshold(law.draws[0]!, N) / Math.sqrt(2);
  expectClose([randomInitialisationThreshold(law, thetaSquare)], [expected], float64);
});
