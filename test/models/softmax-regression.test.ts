/** Softmax regression of many contexts: the same bits in WebAssembly and in TypeScript, whatever the neighbours. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createRegression, type LabelledContexts, tolerance } from '../../models/estimators/softmax-regression.ts';
import { kernelExp } from '../../models/estimators/softmax-regression-plain.ts';
import { createGenerator, fillNormals } from '../../models/random.ts';
import { expectClose } from '../tolerance.ts';

interface Sizes extends Pick<LabelledContexts, 'count' | 'context' | 'dimension' | 'classes' | 'penalty'> {
  readonly seed: number;
}

/** Classes that the first covariates tell, and noise. */
function drawn({ seed, ...sizes }: Sizes): LabelledContexts {
  const { count, context, dimension, classes } = sizes;
  const covariates = new Float32Array(count * context * dimension);
  fillNormals(createGenerator(seed, 1), { prompt: 0, purpose: 0 }, covariates, 0, covariates.length);
  const labels = Int32Array.from({ length: count * context }, (_, i) => (i * 7 + (i >> 2)) % classes);
  for (let i = 0; i < labels.length; i++) covariates[i * dimension] = covariates[i * dimension]! + 2 * labels[i]!;
  return { ...sizes, covariates, labels };
}

const contexts = fc
  .record({
    count: fc.integer({ min: 1, max: 5 }),
    context: fc.integer({ min: 0, max: 13 }),
    dimension: fc.integer({ min: 1, max: 9 }),
    classes: fc.integer({ min: 2, max: 4 }),
    penalty: fc.constantFrom(0.01, 1, 30),
    seed: fc.nat(1000),
  })
  .map(drawn);

it('gives the same bits in WebAssembly and in TypeScript, whatever the neighbours', () => {
  const [simd, plain] = [createRegression('simd'), createRegression('plain')];
  fc.assert(
    fc.property(contexts, (given) => {
      const { covariates, labels, count, context, dimension, classes } = given;
      const size = classes * (dimension + 1);
      const fast = [...simd(given)];
      expect(fast).toEqual([...plain(given).subarray(0, count * size)]);
      const alone = simd({
        ...given,
        covariates: covariates.subarray((count - 1) * context * dimension),
        labels: labels.subarray((count - 1) * context),
        count: 1,
      });
      expect([...alone]).toEqual(fast.slice(-size));
    }),
    { numRuns: 200 },
  );
});

it('makes the gradient 0, as far as its tolerance goes, and the classes’ weights sum to 0', () => {
  const given = drawn({ count: 3, context: 11, dimension: 3, classes: 3, penalty: 1, seed: 4 });
  const weights = createRegression()(given);
  for (let b = 0; b < 3; b++) {
    const w = (k: number, j: number) => weights[(b * 3 + k) * 4 + j]!;
    const gradient = Array.from({ length: 3 }, (_, k) => [0, 1, 2, 3].map((j) => w(k, j)));
    const rows = Array.from({ length: 11 }, (_, i) => {
      const at = (b * 11 + i) * 3;
      return [...given.covariates.subarray(at, at + 3), 1];
    });
    rows.forEach((x, i) => {
      const shares = [0, 1, 2].map((k) => Math.exp(x.reduce((sum, value, j) => sum + w(k, j) * value, 0)));
      const total = shares.reduce((sum, share) => sum + share, 0);
      shares.forEach((share, k) => {
        const residual = share / total - (given.labels[b * 11 + i] === k ? 1 : 0);
        for (let j = 0; j < 4; j++) gradient[k]![j] = gradient[k]![j]! + residual * x[j]!;
      });
    });
    // It was the bound B times a last step d, and after that is (B - H) d, 0 <= H <= B: at most |B| |d|.
    const squares = rows.flat().reduce((sum, value) => sum + value ** 2, 0);
    const most = (squares / 2 + given.penalty) * tolerance * Math.sqrt(12);
    expect(Math.hypot(...gradient.flat())).toBeLessThan(most);
    for (let j = 0; j < 4; j++) expect(w(0, j) + w(1, j) + w(2, j)).toBeCloseTo(0, 14);
  }
});

it('keeps a prompt’s NaN to itself', () => {
  const given = drawn({ count: 4, context: 6, dimension: 2, classes: 2, penalty: 1, seed: 9 });
  for (const regress of [createRegression(), createRegression('plain')]) {
    const clean = [...regress(given).subarray(0, 24)];
    const covariates = given.covariates.slice();
    covariates[2 * 12 + 5] = Number.NaN; // of the third prompt
    const expected = clean.map((value, at) => (Math.floor(at / 6) === 2 ? Number.NaN : value));
    expect([...regress({ ...given, covariates }).subarray(0, 24)]).toEqual(expected);
  }
});

it('has an exponential that is good to some units of the last digit', () => {
  const points = Array.from({ length: 20_000 }, (_, i) => -i * 0.0349);
  expectClose(points.map(kernelExp), points.map(Math.exp), { relative: 1e-15, absolute: 0 });
  expect(kernelExp(0)).toBe(1);
  expect(kernelExp(Number.NEGATIVE_INFINITY)).toBeLessThan(1e-300);
  expect(kernelExp(Number.NaN)).toBeNaN();
});
