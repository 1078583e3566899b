/** The exact quadratic risk: against enumeration of chains, closed forms for d = 1, and numbers of an independent program. */
import { expect, test } from 'vitest';
import { allocateBatch } from '../../../../models/prompts.ts';
import { createGenerator } from '../../../../models/random.ts';
import { symmetricEigen } from '../../../../models/symmetric-eigen.ts';
import { createSampler } from '../../../../models/tasks/index.ts';
import {
  correlatedStarts,
  discriminant,
  featureIndex,
  independentLengthTwoRisk,
  independentStarts,
  knownKernelCeiling,
  lengthTwoLimit,
  lengthTwoRisk,
  minimise,
  phi,
  populationRisk,
  promptFeatures,
  recoverLengthTwo,
  riskAt,
  sampledMinimum,
  sampledRisk,
  shortestRealisable,
  solveSemidefinite,
  squaredDistance,
  theoryReport,
  trianglePairs,
  triangleSize,
  uniformRowCeiling,
  zeroQueryProbability,
} from '../../../../models/theory/ding2025.ts';
import { gaussLegendre } from '../../../../models/theory/gauss-legendre.ts';
import { expectClose, float64 } from '../../../tolerance.ts';
import { enumerateChains, randomChains, randomLayer } from './fixtures.ts';

/** Printed to four, five or six digits by an independent numpy program. */
const digits = (count: number) => ({ relative: 0, absolute: 0.51 * 10 ** -count });

test('features stand where the index says, and <phi(b, A), x (x) g> is b G A x', () => {
  for (const d of [1, 2, 3, 4, 5, 6]) {
    const pairs = trianglePairs(d);
    const indices = Array.from({ length: d }, (_, j) => pairs.map(([k, l]) => featureIndex(d, j, k, l))).flat();
    expect(indices).toEqual(Array.from({ length: d * triangleSize(d) }, (_, i) => i));
    const { b, A } = randomLayer(d, d);
    const [query, ...context] = randomChains(d, 8, d + 1, 0.5, 0.3, 0.8);
    const x = query!.slice(0, d);
    // b' G A x written out, G = (1/n) sum z z'.
    const Ax = A.map((row) => row.reduce((sum, value, j) => sum + value * x[j]!, 0));
    const along = (z: readonly number[], v: readonly number[]) => z.reduce((sum, value, i) => sum + value * v[i]!, 0);
    const direct = context.reduce((sum, z) => sum + along(z, b) * along(z, Ax), 0) / context.length;
    const features = promptFeatures(context, x);
    const X = phi({ b, A });
    const throughFeatures = X.reduce((sum, value, i) => sum + value * features[i]!, 0);
    expect(Math.abs(direct - throughFeatures)).toBeLessThan(1e-12);
  }
});

test('H and h are those of enumerating all chains, by quadrature over the kernel', () => {
  for (const [d, p, n] of [[1, 0.3, 30], [2, 0.5, 7], [3, 0.8, 100]] as const) {
    const pairs = trianglePairs(d);
    const [m, size] = [pairs.length, d * pairs.length];
    const H = new Float64Array(size * size);
    const h = new Float64Array(size);
    const { nodes, weights } = gaussLegendre(3 * d + 2);
    nodes.forEach((p01, i) => {
      nodes.forEach((p11, j) => {
        const weight = weights[i]! * weights[j]!;
        const chains = enumerateChains(d + 1, p, p01, p11);
        const mean = (f: (z: readonly number[]) => number) =>
          chains.reduce((sum, { states, probability }) => sum + probability * f(states), 0);
        const g = pairs.map(([k, l]) => mean((z) => z[k]! * z[l]!));
        const gg = pairs.map(([k, l], r) =>
          pairs.map(([s, t], c) => mean((z) => z[k]! * z[l]! * z[s]! * z[t]!) / n + (1 - 1 / n) * g[r]! * g[c]!),
        );
        for (let a = 0; a < d; a++) {
          for (let r = 0; r < m; r++) {
            h[a * m + r] = h[a * m + r]! + weight * mean((z) => z[a]! * z[d]!) * g[r]!;
            for (let c = 0; c < d; c++) {
              const xx = weight * mean((z) => z[a]! * z[c]!);
              for (let s = 0; s < m; s++) {
                const at = (a * m + r) * size + c * m + s;
                H[at] = H[at]! + xx * gg[r]![s]!;
              }
            }
          }
        }
      });
    });
    const risk = populationRisk({ d, p }, n);
    expectClose(risk.H, H, float64);
    expectClose(risk.h, h, float64);
    expect(risk.constant).toBeCloseTo(0.5, 12);
  }
}); // biome-ignore format: a table

test('averaging query and context moments over kernels separately is wrong from d = 2 on', () => {
  // What a careless reading of the proof of Lemma 3.2 gives, and what its "optimum" costs.
  for (const [d, cost] of [[2, 0.2741], [3, 0.245]] as const) {
    const [n, p] = [100, 0.5];
    const pairs = trianglePairs(d);
    const m = pairs.length;
    const zeros = (rows: number, columns: number) => Array.from({ length: rows }, () => new Array<number>(columns).fill(0));
    const [xx, gg, xy, g] = [zeros(d, d), zeros(m, m), zeros(1, d)[0]!, zeros(1, m)[0]!];
    const { nodes, weights } = gaussLegendre(3 * d + 2);
    nodes.forEach((p01, i) => {
      nodes.forEach((p11, j) => {
        const weight = weights[i]! * weights[j]!;
        const chains = enumerateChains(d + 1, p, p01, p11);
        const mean = (...times: readonly number[]) =>
          chains.reduce((sum, { states, probability }) => (times.every((t) => states[t] === 1) ? sum + probability : sum), 0);
        for (let r = 0; r < m; r++) {
          g[r]! += weight * mean(...pairs[r]!);
          for (let s = 0; s < m; s++) {
            const joint = mean(...pairs[r]!, ...pairs[s]!) / n + (1 - 1 / n) * mean(...pairs[r]!) * mean(...pairs[s]!);
            gg[r]![s]! += weight * joint;
          }
        }
        for (let a = 0; a < d; a++) {
          xy[a]! += weight * mean(a, d);
          for (let c = 0; c < d; c++) xx[a]![c]! += weight * mean(a, c);
        }
      });
    });
    const size = d * m;
    const risk = populationRisk({ d, p }, n);
    const H = Float64Array.from({ length: size * size }, (_, at) => {
      const [row, column] = [Math.floor(at / size), at % size];
      return xx[Math.floor(row / m)]![Math.floor(column / m)]! * gg[row % m]![column % m]!;
    });
    const h = Float64Array.from({ length: size }, (_, row) => xy[Math.floor(row / m)]! * g[row % m]!);
    expectClose([riskAt(risk, solveSemidefinite(H, h).x)], [cost], digits(4));
    if (d === 2) expect(Math.max(...H.map((value, i) => Math.abs(value - risk.H[i]!)))).toBeCloseTo(0.042, 3);
  }
}); // biome-ignore format: a table

test('sampled over kernels, the risk for two states is the exact one, and that for three the measured one', () => {
  const generator = createGenerator(1, 77);
  const exact = populationRisk({ d: 2, p: 0.5 }, 20);
  const sampled = sampledRisk({ d: 2, states: 2 }, 20, { generator, first: 0, count: 3000 });
  // Entries are means of 3000 numbers between 0 and 1: standard errors below .006.
  expectClose(sampled.H, exact.H, { relative: 0, absolute: 0.024 });
  expectClose(sampled.h, exact.h, { relative: 0, absolute: 0.024 });
  const binary = sampledMinimum({ d: 2, states: 2 }, 20, generator, 3000);
  expect(Math.abs(binary.risk - minimise(exact).risk) / binary.standardError).toBeLessThan(4);
  // Three states, by drawing prompts: X* of these kernels on prompts that share nothing with them.
  const ternary = sampledMinimum({ d: 2, states: 3 }, 20, generator, 1000);
  const { X } = minimise(sampledRisk({ d: 2, states: 3 }, 20, { generator, first: 0, count: 500 }));
  const task = { name: 'markov-chain', dimension: 2, states: 3, concentration: 1, start: { kind: 'uniform' } } as const;
  const sampler = createSampler(task);
  const prompts = allocateBatch({ batch: 4000, context: 20, queries: 1, ...sampler });
  sampler.fill(createGenerator(5, 1), 0, prompts);
  const errors = Array.from({ length: 4000 }, (_, b) => {
    const rows = Array.from({ length: 20 }, (__, i) => {
      const at = 2 * (b * 20 + i);
      return [prompts.covariates[at]!, prompts.covariates[at + 1]!, prompts.responses[b * 20 + i]!];
    });
    const features = promptFeatures(rows, [prompts.query[2 * b]!, prompts.query[2 * b + 1]!]);
    return (features.reduce((sum, value, i) => sum + value * X[i]!, 0) - prompts.targets[b]!) ** 2;
  });
  const mean = errors.reduce((sum, value) => sum + value, 0) / 4000;
  const variance = errors.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 3999 / 4000;
  expect(Math.abs(mean - ternary.risk) / Math.sqrt(variance + ternary.standardError ** 2)).toBeLessThan(4);
});

test('H is as ill-conditioned as printed', () => {
  const expected = [67, 4.3e3, 4.3e4, 1.2e5];
  for (const [i, condition] of expected.entries()) {
    const { H, h } = populationRisk({ d: i + 1, p: 0.5 }, 100);
    const rows = Array.from({ length: h.length }, (_, k) => [...H.subarray(k * h.length, (k + 1) * h.length)]);
    const { values } = symmetricEigen(rows);
    expect(Math.abs(values.at(-1)! / values[0]! / condition - 1)).toBeLessThan(0.02); // printed to two digits
  }
});

test('at d = 1 both closed forms are the quadrature', () => {
  for (const p of [0.1, 0.5, 0.83]) {
    for (const n of [1, 5, 100, Number.POSITIVE_INFINITY]) {
      const exact = populationRisk({ d: 1, p }, n);
      for (const closed of [independentLengthTwoRisk(p, n), lengthTwoRisk(independentStarts(p, n), n)]) {
        expectClose(closed.H, exact.H, { relative: 0, absolute: 1e-12 });
        expectClose(closed.h, exact.h, { relative: 0, absolute: 1e-12 });
      }
      expect(exact.constant).toBeCloseTo(0.5, 12);
    }
  }
});

test('the least risk at d = 1 is the table’s', () => {
  const lengths = [5, 10, 30, 100, 1000, Number.POSITIVE_INFINITY];
  const table: Record<number, number[]> = {
    0.1: [0.4799, 0.4778, 0.474, 0.4701, 0.4671, 0.4667],
    0.3: [0.427, 0.4194, 0.4096, 0.4036, 0.4004, 0.4],
    0.5: [0.3646, 0.3538, 0.3423, 0.3364, 0.3337, 0.3333],
    0.7: [0.2969, 0.2853, 0.2742, 0.2692, 0.2669, 0.2667],
    0.9: [0.2264, 0.2155, 0.2059, 0.2019, 0.2002, 0.2],
  };
  for (const [p, expected] of Object.entries(table)) {
    const risks = lengths.map((n) => minimise(populationRisk({ d: 1, p: Number(p) }, n)).risk);
    expectClose(risks, expected, digits(4));
    expect(lengthTwoLimit(Number(p))).toBeCloseTo(risks.at(-1)!, 12);
  }
  expectClose(minimise(independentLengthTwoRisk(0.3, 30)).X, [-0.03367, 2.2793, 0.2848], digits(5));
  expectClose(minimise(independentLengthTwoRisk(0.5, 100)).X, [-0.0121, 1.80311, 0.10165], digits(5));
  expectClose(minimise(independentLengthTwoRisk(0.5, 10)).X, [0.07018, 0.91228, 0.42105], digits(5));
  expectClose(minimise(independentLengthTwoRisk(0.25, Number.POSITIVE_INFINITY)).X, [0, 4, 0], float64);
});

test('the least risk for d = 1 to 8 is the table’s, and falls with n towards its limit', () => {
  const least = (d: number, n: number) => minimise(populationRisk({ d, p: 0.5 }, n)).risk;
  const expected = [0.336429, 0.233093, 0.206832, 0.195873, 0.188256, 0.183859];
  expectClose(
    expected.map((_, i) => least(i + 1, 100)),
    expected,
    digits(6),
  );
  expectClose([least(8, 100)], [0.1779], digits(5));
  for (const d of [2, 3, 5]) {
    const limit = least(d, Number.POSITIVE_INFINITY);
    expect(least(d, 1e6)).toBeGreaterThan(limit);
    expect(least(d, 1e6) - limit).toBeLessThan(2e-6);
    expect(minimise(populationRisk({ d, p: 0.5 }, 100)).rank).toBe(d * triangleSize(d));
  }
});

test('X* at d = 2 is the printed one and a minimum: the risk rises by H_ii t^2 along every coordinate', () => {
  const risk = populationRisk({ d: 2, p: 0.5 }, 100);
  const { X, risk: least } = minimise(risk);
  const expected = [-0.0365, -0.5895, 0.6527, 1.0096, -1.1774, 0.2579, 0.1496, 1.1769, 0.0208, -0.4638, 0.7097, 0.0553];
  expectClose(X, expected, digits(4));
  expect(riskAt(risk, X)).toBeCloseTo(least, 13);
  for (let i = 0; i < 12; i++) {
    const moved = X.map((value, j) => (i === j ? value + 0.3 : value));
    expect(riskAt(risk, moved) - least).toBeCloseTo(0.09 * risk.H[i * 13]!, 12);
  }
});

test('correlated starts: H and h are those of summing over the first states', () => {
  // n = 3 context chains of two states: all first states and responses written out, the kernel by quadrature.
  const [p, n] = [0.4, 3];
  const g = squaredDistance(p);
  const { nodes, weights } = gaussLegendre(6);
  const H = new Float64Array(9);
  const h = new Float64Array(3);
  nodes.forEach((p01, i) => {
    nodes.forEach((p11, j) => {
      for (let bits = 0; bits < 2 ** (2 * n + 1); bits++) {
        const bit = (at: number) => (Math.floor(bits / 2 ** at) % 2) as 0 | 1;
        const x = bit(0);
        let weight = weights[i]! * weights[j]! * (x === 1 ? p : 1 - p);
        const sums = [0, 0, 0];
        for (let c = 0; c < n; c++) {
          const [xc, yc] = [bit(1 + 2 * c), bit(2 + 2 * c)];
          const one = xc === 1 ? p11 : p01;
          weight *= (xc === 1 ? g(x) : 1 - g(x)) * (yc === 1 ? one : 1 - one);
          sums[0]! += xc / n;
          sums[1]! += (xc * yc) / n;
          sums[2]! += yc / n;
        }
        for (let r = 0; r < 3; r++) {
          h[r]! += weight * x * (x === 1 ? p11 : p01) * sums[r]!;
          for (let s = 0; s < 3; s++) H[3 * r + s]! += weight * x * sums[r]! * sums[s]!;
        }
      }
    });
  });
  const closed = lengthTwoRisk(correlatedStarts(p, n, g), n);
  expectClose(closed.H, H, float64);
  expectClose(closed.h, h, float64);
});

test('recovery at d = 1 reproduces X* where its discriminant allows, and says so where not', () => {
  for (const [p, n] of [[0.3, 30], [0.5, 100], [0.5, 10]] as const) {
    const { X } = minimise(independentLengthTwoRisk(p, n));
    expectClose(phi(recoverLengthTwo(X)!), X, { relative: 0, absolute: 1e-10 });
  }
  const { b, A } = recoverLengthTwo(minimise(independentLengthTwoRisk(0.3, 30)).X)!;
  expectClose([...b, ...A.flat()], [1, 0.1247, -0.0337, 2.2835], digits(4));
  const short = minimise(independentLengthTwoRisk(0.5, 3)).X;
  expect(discriminant(short)).toBeLessThan(0);
  expect(recoverLengthTwo(short)).toBeNull();
  const shortest = [0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 0.95].map(shortestRealisable);
  expect(shortest).toEqual([5, 5, 5, 6, 6, 7, 9, 10]);
}); // biome-ignore format: a table

test('recovery at d = 1 covers the corners: no first, no last and no middle coordinate', () => {
  for (const X of [[0, 2, 3], [2, 3, 0], [0, 2, 0], [0, 0, 3], [3, 0, 0], [1, 0, -4], [0, 0, 0]]) {
    expectClose(phi(recoverLengthTwo(X)!), X, float64);
  }
}); // biome-ignore format: a table

test('ceilings of the known kernel, and how often the query is all zero', () => {
  const dimensions = [1, 2, 3, 5, 8];
  expectClose(
    dimensions.map((d) => zeroQueryProbability({ d, p: 0.5 })),
    [0.502, 0.251, 0.168, 0.098, 0.063],
    {
      relative: 0,
      absolute: 0.003, // counted on some 10^5 simulated prompts
    },
  );
  const ceilings = dimensions.map((d) => knownKernelCeiling({ d, p: 0.5 }));
  expect(ceilings[0]!.accuracy).toBeCloseTo(3 / 4, 12);
  expect(ceilings[0]!.risk).toBeCloseTo(1 / 6, 12);
  expect(ceilings.at(-1)!.accuracy).toBeCloseTo(0.763, 3);
  expect(ceilings.at(-1)!.risk).toBeCloseTo(0.16, 3);
  expectClose([2, 3, 4].map(uniformRowCeiling), [0.75, 0.6111, 0.5208], digits(4));
});

test('the report has what it says at d = 1 and at d = 2', () => {
  const one = theoryReport({ d: 1, p: 0.5, n: 100 });
  expect(one.realisabilityGap).toBeLessThan(1e-12);
  expect(one['shortestRealisable']).toBe(6);
  const two = theoryReport({ d: 2, p: 0.5, n: 100 });
  expectClose([two.riskMinimum, two.bestLinearAttentionRisk, two.zeroRisk], [0.233093, 0.234724, 0.5], digits(6));
  expect(two['discriminant']).toBeUndefined();
  expect(() => theoryReport({ d: 0, p: 0.5, n: 10 })).toThrow(/^d: expected/);
  expect(() => theoryReport({ d: 2, p: 1, n: 10 })).toThrow(/^p: expected/);
});
