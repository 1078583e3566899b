/** Gaussian-mixture prompts have the law that their specification says; the posterior is Bayes' rule. */
import { describe, expect, it } from 'vitest';
import { choleskyFactor, inverse, type Matrix, multiply, transpose } from '../../../models/matrix.ts';
import { allocateBatch, type LabelledBatch } from '../../../models/prompts.ts';
import { createGenerator } from '../../../models/random.ts';
import { type GaussianMixtureSpec, gaussianMixtureDefaults } from '../../../models/tasks/gaussian-mixture.ts';
import { createPosterior, createSampler, parseTask } from '../../../models/tasks/index.ts';
import { expectClose, float64 } from '../../tolerance.ts';

const dimension = 3;
const matrix = [[2, 0.5, 0.3], [0.5, 1, -0.2], [0.3, -0.2, 0.7]]; // biome-ignore format: a matrix
const binary: GaussianMixtureSpec = { ...gaussianMixtureDefaults, dimension, covariance: { kind: 'matrix', matrix } };
const fourfold: GaussianMixtureSpec = { ...binary, classes: 4, labels: 'one-hot' };

function sample(spec: GaussianMixtureSpec, batch: number, context = 5, queries = 2, first = 0): LabelledBatch {
  const sampler = createSampler(spec);
  const prompts = allocateBatch({ batch, context, queries, ...sampler });
  sampler.fill(createGenerator(8, 1), first, prompts);
  return prompts;
}

/** Number of the class that a response says. */
const classAt = (values: Float32Array, row: number, classes: number): number =>
  classes === 0 ? (values[row]! + 1) / 2 : values.subarray(row * classes, (row + 1) * classes).indexOf(1);

/** x - mu_class of every context row. */
function deviations(spec: GaussianMixtureSpec, prompts: LabelledBatch): Float64Array {
  const { context, covariates, responses, taskParameters } = prompts;
  const count = spec.classes * dimension;
  return Float64Array.from(covariates, (value, i) => {
    const row = Math.floor(i / dimension);
    const k = classAt(responses, row, prompts.classes ?? 0);
    const b = Math.floor(row / context);
    return value - taskParameters[b * count + k * dimension + (i % dimension)]!;
  });
}

/** Mean of products of two columns of rows `[n, D]`, with its standard error. */
function moment(rows: ArrayLike<number>, i: number, j: number): [mean: number, error: number] {
  const count = rows.length / dimension;
  let [sum, squares] = [0, 0];
  for (let row = 0; row < rows.length; row += dimension) {
    const product = rows[row + i]! * rows[row + j]!;
    sum += product;
    squares += product * product;
  }
  return [sum / count, Math.sqrt((squares / count - (sum / count) ** 2) / count)];
}

function expectSecondMoments(rows: ArrayLike<number>, expected: Matrix): void {
  for (let i = 0; i < dimension; i++) {
    for (let j = 0; j <= i; j++) {
      const [mean, error] = moment(rows, i, j);
      expect(Math.abs(mean - expected[i]![j]!), `entry (${i}, ${j})`).toBeLessThan(4.5 * error);
    }
  }
}

describe('gaussian-mixture prompts', () => {
  it('write labels as signs or one-hot, and say how much they need', () => {
    expect(createSampler(binary)).toMatchObject({ dimension: 3, classes: 0, parameterCount: 6 });
    expect(createSampler(fourfold)).toMatchObject({ dimension: 3, classes: 4, parameterCount: 12 });
    const signs = sample(binary, 50);
    expect(new Set(signs.responses)).toEqual(new Set([-1, 1]));
    expect(new Set(signs.targets)).toEqual(new Set([-1, 1]));
    const hot = sample(fourfold, 50);
    expect(hot.responses).toHaveLength(50 * 5 * 4);
    for (let row = 0; row < 250; row++) {
      const label = [...hot.responses.subarray(row * 4, row * 4 + 4)];
      expect(label.toSorted()).toEqual([0, 0, 0, 1]);
    }
  });

  it.each([
    ['even', { ...fourfold }, [0.25, 0.25, 0.25, 0.25]],
    ['uneven', { ...fourfold, classPrior: [0.1, 0.2, 0.3, 0.4] }, [0.1, 0.2, 0.3, 0.4]],
    ['two uneven signs', { ...binary, classPrior: [0.3, 0.7] }, [0.3, 0.7]],
  ] as const)('have classes of %s probabilities, in the context and at the query', (_, spec, prior) => {
    const prompts = sample(spec, 8000, 5, 5);
    for (const values of [prompts.responses, prompts.targets]) {
      const counts = new Array<number>(spec.classes).fill(0);
      for (let row = 0; row < 40_000; row++) counts[classAt(values, row, prompts.classes ?? 0)]!++;
      for (const [k, p] of prior.entries()) {
        expect(Math.abs(counts[k]! / 40_000 - p)).toBeLessThan(4.5 * Math.sqrt((p * (1 - p)) / 40_000));
      }
    }
  });

  it('have means of one norm in the metric of the covariance, in every direction alike', () => {
    const { taskParameters } = sample(fourfold, 5000, 1, 1);
    const precision = inverse(matrix);
    for (let row = 0; row < 40; row++) {
      const mean = [...taskParameters.subarray(row * 3, row * 3 + 3)];
      const square = multiply([mean], precision, transpose([mean]))[0]![0]!;
      expectClose([Math.sqrt(square)], [2], { relative: 1e-5, absolute: 0 });
    }
    // E[mu mu'] = r^2 Lambda / D for a uniform direction.
    expectSecondMoments(
      taskParameters,
      matrix.map((values) => values.map((value) => (4 * value) / dimension)),
    );
    // Means of one prompt are independent: E <mu_0, mu_1> = 0.
    const dots = Array.from({ length: 5000 }, (_, b) =>
      [0, 1, 2].reduce((sum, j) => sum + taskParameters[b * 12 + j]! * taskParameters[b * 12 + 3 + j]!, 0),
    );
    const mean = dots.reduce((a, b) => a + b, 0) / 5000;
    const error = Math.sqrt(dots.reduce((sum, dot) => sum + dot * dot, 0)) / 5000;
    expect(Math.abs(mean)).toBeLessThan(4.5 * error);
  });

  it('scatter about their means by the covariance, and by its factor alone under that shift', () => {
    expectSecondMoments(deviations(fourfold, sample(fourfold, 8000)), matrix);
    const wide: GaussianMixtureSpec = { ...binary, covarianceFactor: 2 };
    const [plain, shifted] = [sample(binary, 8000), sample(wide, 8000)];
    expectSecondMoments(
      deviations(wide, shifted),
      matrix.map((values) => values.map((value) => 2 * value)),
    );
    expect(shifted.taskParameters).toEqual(plain.taskParameters);
    expect(shifted.responses).toEqual(plain.responses);
  });

  it('lengthen single means by norm factors', () => {
    const plain = sample(binary, 10);
    const longer = sample({ ...binary, normFactors: [1, 1.5] }, 10);
    for (let i = 0; i < 60; i++) {
      const factor = i % 6 < 3 ? 1 : 1.5;
      expectClose([longer.taskParameters[i]!], [factor * plain.taskParameters[i]!], { relative: 1e-6, absolute: 0 });
    }
  });

  it('are the same whatever the batch, and begin with the shorter prompt', () => {
    const all = sample(fourfold, 12, 9, 3);
    const one = sample(fourfold, 1, 4, 2, 7);
    expect(one.taskParameters).toEqual(all.taskParameters.subarray(7 * 12, 8 * 12));
    expect(one.covariates).toEqual(all.covariates.subarray(7 * 27, 7 * 27 + 12));
    expect(one.responses).toEqual(all.responses.subarray(7 * 36, 7 * 36 + 16));
    expect(one.query).toEqual(all.query.subarray(7 * 9, 7 * 9 + 6));
    expect(one.targets).toEqual(all.targets.subarray(7 * 12, 7 * 12 + 8));
  });
});

describe('the posterior', () => {
  /** log N(x; mean, S), but for what is the same for all means, by the Cholesky factor and not the inverse. */
  function logDensity(x: number[], mean: number[], S: Matrix): number {
    const factor = choleskyFactor('test', S);
    const white: number[] = [];
    for (let i = 0; i < dimension; i++) {
      let value = x[i]! - mean[i]!;
      for (let j = 0; j < i; j++) value -= factor[i]![j]! * white[j]!;
      white.push(value / factor[i]![i]!);
    }
    return -white.reduce((sum, value) => sum + value * value, 0) / 2;
  }

  it.each([
    ['two signs', binary],
    ['two classes, one-hot', { ...binary, labels: 'one-hot' }],
    [
      'four classes of all shifts',
      { ...fourfold, classPrior: [0.1, 0.2, 0.3, 0.4], normFactors: [1, 2, 0.5, 1], covarianceFactor: 0.5 },
    ],
  ] as const)("is Bayes' rule: %s", (_, spec: GaussianMixtureSpec) => {
    const prompts = sample(spec, 20, 1, 3);
    const width = spec.labels === 'signs' ? 1 : spec.classes;
    const out = new Float64Array(60 * width);
    createPosterior(spec)!(prompts, out);
    const S = matrix.map((row) => row.map((value) => value * (spec.covarianceFactor ?? 1)));
    for (let row = 0; row < 60; row++) {
      const b = Math.floor(row / 3);
      const x = [...prompts.query.subarray(row * 3, row * 3 + 3)];
      const weights = Array.from({ length: spec.classes }, (_unused, k) => {
        const at = (b * spec.classes + k) * 3;
        const prior = spec.classPrior?.[k] ?? 1 / spec.classes;
        return prior * Math.exp(logDensity(x, [...prompts.taskParameters.subarray(at, at + 3)], S));
      });
      const total = weights.reduce((a, c) => a + c, 0);
      const expected = width === 1 ? [weights[1]! / total] : weights.map((weight) => weight / total);
      expectClose(out.subarray(row * width, (row + 1) * width), expected, float64);
    }
  });

  it('is as probable as it says', () => {
    // E[1{y = k} - P_k] = 0, and so with every function of the query: here P_k itself.
    const spec: GaussianMixtureSpec = { ...fourfold, classPrior: [0.1, 0.2, 0.3, 0.4] };
    const prompts = sample(spec, 20_000, 1, 1);
    const out = new Float64Array(80_000);
    createPosterior(spec)!(prompts, out);
    for (const weigh of [() => 1, (p: number) => p]) {
      const residuals = out.map((p, i) => weigh(p) * (prompts.targets[i]! - p));
      for (let k = 0; k < 4; k++) {
        const own = residuals.filter((_, i) => i % 4 === k);
        const mean = own.reduce((a, b) => a + b, 0) / 20_000;
        const error = Math.sqrt(own.reduce((a, b) => a + b * b, 0)) / 20_000;
        expect(Math.abs(mean)).toBeLessThan(4.5 * error);
      }
    }
  });
});

describe('specifications that are refused', () => {
  it.each<[Partial<GaussianMixtureSpec>, string]>([
    [{ dimension: 0 }, 'd: expected a whole number, 1 or more, got 0.'],
    [{ classes: 1 }, 'classes: expected a whole number from 2 to 1000, got 1.'],
    [{ classes: 3 }, 'labels: expected one-hot for more than two classes, got signs.'],
    [{ radius: 0 }, 'radius: expected a norm above 0, got 0.'],
    [{ classPrior: [0.5, 0.6] }, 'classPrior: expected 2 probabilities above 0 with sum 1, got [0.5,0.6].'],
    [{ classPrior: [0, 1] }, 'classPrior'],
    [{ normFactors: [1] }, 'normFactors: expected 2 factors of 0 or more, got [1].'],
    [{ covarianceFactor: -1 }, 'covarianceFactor: expected a factor above 0, got -1.'],
    [{ covariance: { kind: 'exponential', scale: 1 } }, 'covariance: expected a fixed covariance, got exponential.'],
    [{ covariance: { kind: 'diagonal', spectrum: [1] } }, 'covariance: expected 3 dimensions'],
  ])('%j', (change, message) => {
    expect(() => createSampler({ ...binary, ...change })).toThrow(message);
  });

  it.each([
    [{ ...binary, labels: 'words' }, 'task: labels: expected signs or one-hot, got "words".'],
    [{ ...binary, radios: 2 }, 'Did you mean radius?'],
    [{ ...binary, classes: 2.5 }, 'task: classes: expected a whole number, 2 or more, got 2.5.'],
    [{ name: 'gaussian-mixtures' }, 'Did you mean gaussian-mixture?'],
    [{}, 'task: name'],
    [7, 'task: expected'],
  ])('from outside: %j', (value, message) => {
    expect(() => parseTask('task', value)).toThrow(expect.objectContaining({ name: 'UsageError' }));
    expect(() => parseTask('task', value)).toThrow(message);
  });
});
