/** A bank of tasks: the law of its prompts, of the features drawn in their place, and what Bayes makes of it. */
import { describe, expect, it } from 'vitest';
import { createEstimator } from '../../../models/estimators/index.ts';
import { allocateBatch, type LabelledBatch } from '../../../models/prompts.ts';
import { createGenerator } from '../../../models/random.ts';
import { fillContextFeatures } from '../../../models/tasks/context-features.ts';
import { createSampler } from '../../../models/tasks/index.ts';
import { drawBank, type LinearRegressionBankSpec } from '../../../models/tasks/linear-regression-bank.ts';
import { bankMoments, contextRidgeRisk, finiteRisk, freshTaskMoments } from '../../../models/theory/lu2024.ts';

const d = 5;
const l = 7;
const task: LinearRegressionBankSpec = {
  name: 'linear-regression-bank',
  dimension: d,
  tasks: 3,
  law: 'sphere',
  bankSeed: 4,
  noiseVariance: 0.3,
};
const fresh = { ...task, tasks: null };

function sample(spec: LinearRegressionBankSpec, batch: number, context = l, first = 0): LabelledBatch {
  const prompts = allocateBatch({ batch, context, queries: 1, dimension: spec.dimension });
  createSampler(spec).fill(createGenerator(2, 1), first, prompts);
  return prompts;
}

/** h of every prompt, from its pairs. */
function featuresOf({ batch, context, covariates, responses }: LabelledBatch): Float64Array {
  const h = new Float64Array(batch * (d + 1));
  for (let b = 0; b < batch; b++) {
    for (let i = 0; i < context; i++) {
      const y = responses[b * context + i]!;
      for (let j = 0; j < d; j++) h[b * (d + 1) + j]! += (d / context) * y * covariates[(b * context + i) * d + j]!;
      h[b * (d + 1) + d]! += (y * y) / context;
    }
  }
  return h;
}

/** Drawn features of as many contexts. */
function drawnFeatures(spec: LinearRegressionBankSpec, count: number, contextLength = l, first = 0) {
  const rows = {
    x: new Float64Array(count * d),
    xStride: d,
    h: new Float64Array(count * (d + 1)),
    hStride: d + 1,
    y: new Float64Array(count),
  };
  const generator = createGenerator(9, 0);
  fillContextFeatures({ task: spec, contextLength, design: 'uniform', generator, first, count }, rows);
  return rows;
}

/** Mean of f(row) and its standard error. */
function meanOf(rows: ArrayLike<number>, width: number, f: (row: number[]) => number): [number, number] {
  let sum = 0;
  let squares = 0;
  const count = rows.length / width;
  for (let at = 0; at < rows.length; at += width) {
    const value = f(Array.from({ length: width }, (_, j) => rows[at + j]!));
    sum += value;
    squares += value * value;
  }
  const mean = sum / count;
  return [mean, Math.sqrt((squares / count - mean * mean) / count)];
}

describe('prompts', () => {
  it('have tasks of the bank, each as often as the others', () => {
    const prompts = sample(task, 30_000);
    const bank = drawBank(task);
    const counts = [0, 0, 0];
    for (let b = 0; b < prompts.batch; b++) {
      const found = counts.findIndex((_, t) => bank[t * d] === prompts.taskParameters[b * d]);
      counts[found]! += 1;
    }
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(4.5 * Math.sqrt(30_000 * (2 / 9)));
    const norms = Array.from({ length: 3 }, (_, t) => Math.hypot(...bank.subarray(t * d, (t + 1) * d)));
    for (const norm of norms) expect(norm).toBeCloseTo(Math.sqrt(d), 5);
  });

  it('have covariates of variance 1/D and responses of variance 1 + rho', () => {
    for (const spec of [task, fresh, { ...fresh, law: 'gaussian' as const }]) {
      const { covariates, responses, targets } = sample(spec, 20_000);
      const [variance, error] = meanOf(covariates, 1, ([x]) => x! * x!);
      expect(Math.abs(variance - 1 / d)).toBeLessThan(4.5 * error);
      for (const y of [responses, targets]) {
        const [mean] = meanOf(y, 1, ([value]) => value! ** 2);
        // Pairs of a prompt share a task: 20,000 independent values, of which the spread of |w|^2 is the least.
        expect(Math.abs(mean / 1.3 - 1)).toBeLessThan(4.5 * Math.sqrt(4 / 20_000));
      }
    }
  });

  it('mix in fresh tasks', () => {
    const bank = drawBank(task);
    const known = (share: number) => {
      const { taskParameters } = sample({ ...task, freshShare: share }, 10_000);
      let count = 0;
      for (let at = 0; at < taskParameters.length; at += d) {
        if ([0, 1, 2].some((t) => bank[t * d] === taskParameters[at])) count++;
      }
      return count / 10_000;
    };
    expect(known(0)).toBe(1);
    expect(known(1)).toBe(0);
    expect(Math.abs(known(0.25) - 0.75)).toBeLessThan(4.5 * Math.sqrt(0.75 * 0.25 * 1e-4));
  });

  it('do not depend on the batch they are drawn in, nor a bank on its size', () => {
    const [all, later] = [sample(task, 40), sample(task, 10, l, 30)];
    expect(later.responses).toEqual(all.responses.subarray(30 * l));
    expect(drawBank({ ...task, tasks: 2 })).toEqual(drawBank(task).subarray(0, 2 * d));
    expect(drawnFeatures(task, 10, l, 700).h).toEqual(drawnFeatures(task, 710).h.subarray(700 * (d + 1)));
  });

  it('refuse the impossible', () => {
    expect(() => createSampler({ ...task, tasks: 0 })).toThrow(/tasks: expected a whole number from 1/);
    expect(() => createSampler({ ...task, noiseVariance: -1 })).toThrow(/rho/);
    expect(() => createSampler({ ...task, freshShare: 2 })).toThrow(/freshShare/);
    expect(() => drawBank(fresh)).toThrow(/infinitely many/);
  });
});

describe('features', () => {
  it.each([1, 2, l, 40])('have the law of those of real prompts, l = %d', (context) => {
    const drawn = drawnFeatures(task, 60_000, context).h;
    const real = featuresOf(sample(task, 60_000, context));
    // Second moments, and third and fourth ones in which the task, the context's noise and its length all take part.
    const statistics: ((h: number[]) => number)[] = [
      (h) => h[0]!,
      (h) => h[0]! * h[1]!,
      (h) => h[0]! ** 2,
      (h) => h[0]! * h[d]!,
      (h) => h[d]!,
      (h) => h[d]! ** 2,
      (h) => h[2]! ** 2 * h[d]!,
      (h) => h[1]! ** 2 * h[2]! ** 2,
    ];
    for (const [i, f] of statistics.entries()) {
      const [a, errorA] = meanOf(drawn, d + 1, f);
      const [b, errorB] = meanOf(real, d + 1, f);
      expect(Math.abs(a - b) / Math.hypot(errorA, errorB), `statistic ${i}: ${a} and ${b}`).toBeLessThan(4.5);
    }
  });

  it('are balanced on request', () => {
    const rows = {
      x: new Float64Array(12 * d),
      xStride: d,
      h: new Float64Array(12 * (d + 1)),
      hStride: d + 1,
      y: new Float64Array(12),
    };
    const generator = createGenerator(1, 0);
    const noiseless = { ...task, noiseVariance: 0 };
    fillContextFeatures(
      { task: noiseless, contextLength: 2000, design: 'balanced', generator, first: 0, count: 12 },
      rows,
    );
    const bank = drawBank(task);
    for (let i = 0; i < 12; i++) {
      // Long and without noise: h is the task, up to 1 / sqrt(l).
      for (let j = 0; j < d; j++) expect(rows.h[i * (d + 1) + j]! - bank[(i % 3) * d + j]!).toBeLessThan(0.4);
      const own = Array.from({ length: d }, (_, j) => rows.x[i * d + j]! * bank[(i % 3) * d + j]!);
      expect(rows.y[i]).toBeCloseTo(
        own.reduce((a, b) => a + b),
        6,
      );
    }
  });
});

describe('the exact error of a Gamma', () => {
  const gamma = Float64Array.from({ length: d * (d + 1) }, (_, i) => (i % (d + 2) === 0 ? 0.7 : 0.2 * Math.sin(3 * i)));
  it.each([
    ['the bank', task, bankMoments(drawBank(task), d)],
    ['fresh tasks', fresh, freshTaskMoments(d)],
  ])('is what it makes on prompts: %s', (_, spec, tasks) => {
    const prompts = sample(spec, 200_000);
    const h = featuresOf(prompts);
    const errors = new Float64Array(prompts.batch);
    for (let b = 0; b < prompts.batch; b++) {
      let prediction = 0;
      for (let i = 0; i < d; i++) {
        for (let j = 0; j <= d; j++)
          prediction += gamma[i * (d + 1) + j]! * prompts.query[b * d + i]! * h[b * (d + 1) + j]!;
      }
      errors[b] = (prompts.targets[b]! - prediction) ** 2;
    }
    const [mean, error] = meanOf(errors, 1, ([value]) => value!);
    const exact = finiteRisk(gamma, { dimension: d, contextLength: l, noiseVariance: 0.3, tasks });
    expect(Math.abs(mean - exact) / error).toBeLessThan(4);
  });
});

describe('estimators', () => {
  it('dMMSE weighs the tasks of the bank by their likelihood', () => {
    const prompts = sample({ ...task, freshShare: 0.5 }, 20);
    const out = new Float64Array(20);
    createEstimator('dmmse', { task }).predict(prompts, out);
    const bank = drawBank(task);
    for (let b = 0; b < 20; b++) {
      // Bayes by densities, pair by pair.
      const weights = [0, 1, 2].map((t) => {
        let product = 1;
        for (let i = 0; i < l; i++) {
          let residual = prompts.responses[b * l + i]!;
          for (let j = 0; j < d; j++) residual -= prompts.covariates[(b * l + i) * d + j]! * bank[t * d + j]!;
          product *= Math.exp((-residual * residual) / 0.6);
        }
        return product;
      });
      const total = weights.reduce((sum, value) => sum + value, 0);
      let expected = 0;
      for (let t = 0; t < 3; t++) {
        for (let j = 0; j < d; j++) expected += (weights[t]! / total) * bank[t * d + j]! * prompts.query[b * d + j]!;
      }
      expect(out[b]).toBeCloseTo(expected, 9);
    }
  });

  it('dMMSE on its own tasks errs by the noise alone; ridge by its theory', () => {
    const large: LinearRegressionBankSpec = { ...task, dimension: 60, tasks: 12, noiseVariance: 0.1 };
    const prompts = sample(large, 1200, 330);
    const out = new Float64Array(1200);
    createEstimator('dmmse', { task: large }).predict(prompts, out);
    const [known, knownError] = meanOf(
      out.map((value, b) => (value - prompts.targets[b]!) ** 2),
      1,
      ([value]) => value!,
    );
    expect(Math.abs(known - 0.1) / knownError).toBeLessThan(4);
    // Its default penalty is the bank's noise: Bayes for gaussian tasks, with a limit of large dimension.
    createEstimator('ridge', { task: large }).predict(prompts, out);
    const [ridge, ridgeError] = meanOf(
      out.map((value, b) => (value - prompts.targets[b]!) ** 2),
      1,
      ([value]) => value!,
    );
    expect(Math.abs(ridge - contextRidgeRisk({ alpha: 5.5, rho: 0.1 })) / ridgeError).toBeLessThan(4);
  });

  it('dMMSE needs a bank and noise', () => {
    expect(() => createEstimator('dmmse', { task: fresh })).toThrow(/Bayes is ridge/);
    expect(() => createEstimator('dmmse', { task: { ...task, noiseVariance: 0 } })).toThrow(/noise variance of 0/);
  });
});
