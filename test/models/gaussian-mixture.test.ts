/** Classical classifiers and test laws of Gaussian mixtures, beside simulated numbers of an independent program. */
import { describe, expect, it } from 'vitest';
import { createEstimator } from '../../models/estimators/index.ts';
import { allocateBatch } from '../../models/prompts.ts';
import { createGenerator, streams } from '../../models/random.ts';
import { shiftNamed, shiftsFor } from '../../models/shifts/index.ts';
import { type GaussianMixtureSpec, gaussianMixtureDefaults } from '../../models/tasks/gaussian-mixture.ts';
import { createPosterior, createSampler } from '../../models/tasks/index.ts';
import { classificationRisks, latticeScores } from '../../models/theory/shen2024.ts';

const specOf = (classes: number, dimension = 20): GaussianMixtureSpec => ({
  ...gaussianMixtureDefaults,
  dimension,
  classes,
  labels: classes === 2 ? 'signs' : 'one-hot',
});

/** Chance that an estimator's likeliest class is the label, given the true probabilities; one query each. */
function accuracyOf(
  name: string,
  task: GaussianMixtureSpec,
  context: number,
  prompts: number,
  testTask = task,
): number {
  const sampler = createSampler(testTask);
  const batch = allocateBatch({ batch: prompts, context, queries: 1, ...sampler });
  sampler.fill(createGenerator(1, streams.evaluation), 0, batch);
  const width = Math.max(1, sampler.classes);
  const answers = new Float64Array(prompts * width);
  const truth = new Float64Array(prompts * width);
  createEstimator(name, { task, testTask }).predict(batch, answers);
  createPosterior(testTask)!(batch, truth);
  let sum = 0;
  for (let b = 0; b < prompts; b++) {
    if (width === 1) {
      sum += answers[b]! > 0.5 ? truth[b]! : 1 - truth[b]!;
      continue;
    }
    let best = 0;
    for (let k = 1; k < width; k++) if (answers[b * width + k]! > answers[b * width + best]!) best = k;
    sum += truth[b * width + best]!;
  }
  return sum / prompts;
}

describe('classifiers on d = 20, r = 2', () => {
  // 4000 prompts there: errors of some 0.01; 3000 here. With 2 pairs a class it matters what is done about classes without any.
  it.each([
    [2, 20, { 'linear-discriminant': 0.863, 'nearest-neighbours': 0.755 }],
    [2, 100, { 'linear-discriminant': 0.91, 'nearest-neighbours': 0.861 }],
    [10, 20, { 'linear-discriminant': 0.287, 'nearest-neighbours': 0.184 }],
    [10, 100, { 'linear-discriminant': 0.497, 'nearest-neighbours': 0.372 }],
  ] as const)('c = %d, M = %d', (classes, M, expected) => {
    for (const [name, accuracy] of Object.entries(expected)) {
      expect(Math.abs(accuracyOf(name, specOf(classes), M, 3000) - accuracy), name).toBeLessThan(
        classes > 2 && M === 20 ? 0.05 : 0.03,
      );
    }
  });

  it('logistic regression is between them', () => {
    const accuracy = accuracyOf('logistic', specOf(2), 100, 400);
    expect(accuracy).toBeGreaterThan(accuracyOf('nearest-neighbours', specOf(2), 100, 400));
    expect(accuracy).toBeLessThan(accuracyOf('posterior', specOf(2), 100, 400));
  });
});

describe('logistic regression', () => {
  it('is the minimum that plain descent finds', () => {
    const [dimension, classes, context, penalty] = [2, 3, 7, 0.8];
    const task = specOf(classes, dimension);
    const sampler = createSampler(task);
    const batch = allocateBatch({ batch: 1, context, queries: 3, ...sampler });
    sampler.fill(createGenerator(5, streams.evaluation), 0, batch);
    const out = new Float64Array(9);
    createEstimator('logistic', { task, options: { penalty } }).predict(batch, out);
    const V = Array.from({ length: classes }, () => [0, 0, 0]);
    const probabilities = (x: readonly number[]) => {
      const scores = V.map((row) => Math.exp(row.reduce((sum, value, j) => sum + value * x[j]!, 0)));
      return scores.map((value) => value / scores.reduce((a, b) => a + b, 0));
    };
    const point = (from: Float32Array, i: number) => [from[2 * i]!, from[2 * i + 1]!, 1];
    for (let step = 0; step < 20000; step++) {
      const gradient = V.map((row) => row.map((value) => penalty * value));
      for (let i = 0; i < context; i++) {
        const x = point(batch.covariates, i);
        probabilities(x).forEach((p, k) => {
          for (let j = 0; j < 3; j++) gradient[k]![j]! += (p - batch.responses[i * classes + k]!) * x[j]!;
        });
      }
      V.forEach((row, k) => {
        for (let j = 0; j < 3; j++) row[j]! -= 0.02 * gradient[k]![j]!;
      });
    }
    for (let q = 0; q < 3; q++) {
      probabilities(point(batch.query, q)).forEach((p, k) => {
        expect(out[q * classes + k]).toBeCloseTo(p, 2);
      });
    }
  });
});

describe('signs and one-hot labels', () => {
  it.each(['linear-discriminant', 'nearest-neighbours', 'logistic'])('%s answers both alike', (name) => {
    const signs = specOf(2, 3);
    const oneHot: GaussianMixtureSpec = { ...signs, labels: 'one-hot' };
    const answers = [signs, oneHot].map((task) => {
      const sampler = createSampler(task);
      const batch = allocateBatch({ batch: 5, context: 11, queries: 2, ...sampler });
      sampler.fill(createGenerator(3, streams.evaluation), 0, batch);
      const out = new Float64Array(10 * Math.max(1, sampler.classes));
      createEstimator(name, { task }).predict(batch, out);
      return out;
    }) as [Float64Array, Float64Array];
    answers[0].forEach((p, i) => {
      expect(answers[1][2 * i + 1]).toBeCloseTo(p, 12);
      expect(answers[1][2 * i]).toBeCloseTo(1 - p, 12);
    });
  });
});

describe('shifts', () => {
  const task = specOf(2);
  const fields: Readonly<Record<string, (level: number) => object>> = {
    'mean-scale': (f) => ({ radii: [2 * f, 2 * f] }),
    'mean-norm': (f) => ({ radii: [2, 2 * f] }),
    'class-prior': (p) => ({ radii: [2, 2], prior: [1 - p, p] }),
    'covariance-factor': (s) => ({ radii: [2, 2], covarianceScale: s }),
    'scale-mixture': (a) => ({ radii: [2, 2], scaleMixture: a }),
  };

  it('are those of the theory', () => {
    expect(shiftsFor(task).map(({ name }) => name)).toEqual(Object.keys(fields));
  });

  it.each([
    ['mean-scale', 0.5],
    ['mean-norm', 1.5],
    ['class-prior', 0.3],
    ['covariance-factor', 2],
    ['covariance-factor', 0.5],
    ['scale-mixture', 0.75],
  ] as const)('%s %d: drawn prompts have the Bayes accuracy of the theory', (name, level) => {
    const shifted = shiftNamed(name).apply(task, level);
    const accuracy = accuracyOf('posterior', task, 1, 20000, shifted);
    const law = { dimension: 20, contextLength: 1, radii: [2, 2], ...fields[name]!(level) };
    const { bayesAccuracy } = classificationRisks(latticeScores(law, { shifts: 2 }), 1);
    // The spread of max_k P_k is at most 0.2: 20000 prompts leave 0.0014.
    expect(Math.abs(accuracy - bayesAccuracy.mean)).toBeLessThan(0.006);
  });

  it('a scale mixture keeps both moments and makes the fourth larger', () => {
    const shifted = shiftNamed('scale-mixture').apply(specOf(2, 3), 0.6);
    const sampler = createSampler(shifted);
    const batch = allocateBatch({ batch: 4000, context: 5, queries: 1, ...sampler });
    sampler.fill(createGenerator(2, streams.evaluation), 0, batch);
    let [second, fourth, count] = [0, 0, 0];
    for (let b = 0; b < 4000; b++) {
      for (let i = 0; i < 5; i++) {
        const k = batch.responses[b * 5 + i]! > 0 ? 1 : 0;
        for (let j = 0; j < 3; j++) {
          const e = batch.covariates[(b * 5 + i) * 3 + j]! - batch.taskParameters[b * 6 + k * 3 + j]!;
          second += e ** 2;
          fourth += e ** 4;
          count++;
        }
      }
    }
    expect(second / count).toBeCloseTo(1, 1.5);
    expect(fourth / count / (3 * (1 + 0.36))).toBeCloseTo(1, 1);
  });

  it('refuse impossible levels', () => {
    expect(() => shiftNamed('class-prior').apply(task, 1)).toThrow(/between 0 and 1/);
    expect(() => shiftNamed('scale-mixture').apply(task, 1)).toThrow(/below 1/);
  });
});
