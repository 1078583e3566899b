/**
 * Linear-regression prompts whose task vectors come from a bank of k: y_i = <w, x_i> + noise, x_i ~ N(0, I/D), and w is one of
 * w_1 .. w_k, each as likely as the others. The bank is fixed by a seed in the specification, so that training, tests and
 * whoever reads the file know the same one; without a bank every prompt has a task of its own.
 * `sphere`: w is uniform on the sphere of radius sqrt(D); `gaussian`: w ~ N(0, I). Either way the signal has variance 1.
 * Source: Lu et al. (2025), arXiv 2405.11751; the setting of Raventos et al. (2023), arXiv 2306.15063.
 */
import * as v from 'valibot';
import { UsageError } from '../errors.ts';
import {
  createGenerator,
  fillExponentialsForPrompts,
  fillNormalsForPrompts,
  type Generator,
  streams,
} from '../random.ts';
import { fraction, nonNegative, wholeNumber } from '../schema.ts';
import { respondLinearly } from './inner-products.ts';
import type { Sampler, Task } from './task.ts';

export interface LinearRegressionBankSpec {
  readonly name: 'linear-regression-bank';
  /** D */
  readonly dimension: number;
  /** k; null: infinitely many. */
  readonly tasks: number | null;
  /** What the tasks of the bank, and fresh ones, are drawn from. */
  readonly law: 'sphere' | 'gaussian';
  /** Which bank. */
  readonly bankSeed: number;
  /** rho, in squared response units. */
  readonly noiseVariance: number;
  /** Share of prompts with a fresh task in place of one of the bank's; absent: 0. */
  readonly freshShare?: number;
}

export const linearRegressionBankDefaults = {
  name: 'linear-regression-bank',
  law: 'sphere',
  bankSeed: 0,
  noiseVariance: 0.01,
} as const;

/** What is drawn for a prompt; each has its own numbers, so a longer context begins with the shorter one's pairs. */
const purposes = { taskVector: 0, covariates: 1, noise: 2, query: 3, queryNoise: 4, index: 5 } as const;

/** More numbers than this in a bank are a mistake, or a file that is not to be believed. */
const LARGEST_BANK = 1e8;

const schema = v.strictObject({
  name: v.literal('linear-regression-bank'),
  dimension: wholeNumber(1),
  tasks: v.nullable(wholeNumber(1)),
  law: v.picklist(['sphere', 'gaussian'], 'sphere or gaussian'),
  bankSeed: wholeNumber(0),
  noiseVariance: nonNegative,
  freshShare: v.exactOptional(fraction),
});

function validate({ dimension, tasks, noiseVariance, freshShare = 0 }: LinearRegressionBankSpec): void {
  const require = (isGood: boolean, where: string, expected: string, got: unknown) => {
    if (!isGood) throw new UsageError({ where, expected, got: String(got) });
  };
  require(Number.isInteger(dimension) && dimension >= 1, 'd', 'a whole number, 1 or more', dimension);
  const most = Math.floor(LARGEST_BANK / dimension);
  const isGoodCount = tasks === null || (Number.isInteger(tasks) && tasks >= 1 && tasks <= most);
  require(isGoodCount, 'tasks', `a whole number from 1 to ${most}, or null`, tasks);
  require(noiseVariance >= 0 && Number.isFinite(noiseVariance), 'rho', 'a variance of 0 or more', noiseVariance);
  require(freshShare >= 0 && freshShare <= 1, 'freshShare', 'a share from 0 to 1', freshShare);
}

/** Turns `count` rows of D normals into tasks, in place. */
export function normalsToTasks(
  { dimension, law }: Pick<LinearRegressionBankSpec, 'dimension' | 'law'>,
  w: Float32Array,
  count: number,
): void {
  if (law === 'gaussian') return;
  for (let at = 0; at < count * dimension; at += dimension) {
    let squares = 0;
    for (let j = 0; j < dimension; j++) squares += w[at + j]! * w[at + j]!;
    const scale = Math.sqrt(dimension / squares);
    for (let j = 0; j < dimension; j++) w[at + j] = w[at + j]! * scale;
  }
}

/**
 * The bank `[k, D]`: row t depends on the seed and t alone, so that a larger bank begins with a smaller one.
 * @throws {UsageError} if the specification has no bank.
 */
export function drawBank(spec: LinearRegressionBankSpec): Float32Array {
  validate(spec);
  const { tasks, dimension, bankSeed } = spec;
  if (tasks === null) throw new UsageError({ where: 'tasks', expected: 'a bank', got: 'infinitely many tasks' });
  const bank = new Float32Array(tasks * dimension);
  const generator = createGenerator(bankSeed, streams.taskBank);
  fillNormalsForPrompts(generator, { prompt: 0, purpose: 0 }, tasks, bank, dimension);
  normalsToTasks(spec, bank, tasks);
  return bank;
}

/** `taskParameters` holds w: P = D. */
function createSampler(spec: LinearRegressionBankSpec): Sampler {
  validate(spec);
  const { dimension, tasks, freshShare = 0 } = spec;
  const bank = tasks === null ? new Float32Array(0) : drawBank(spec);
  const noiseDeviation = Math.sqrt(spec.noiseVariance);
  const scale = 1 / Math.sqrt(dimension);
  /** `[B, 2]`: which task of the bank, and whether a fresh one instead. */
  let choices = new Float32Array(0);

  return {
    dimension,
    classes: 0,
    parameterCount: dimension,
    fill(generator, first, out) {
      const { batch, context, queries, covariates, responses, query, targets, taskParameters } = out;
      const draw = (purpose: number, values: Float32Array, count: number) =>
        fillNormalsForPrompts(generator, { prompt: first, purpose }, batch, values, count);
      if (tasks === null || freshShare > 0) {
        draw(purposes.taskVector, taskParameters, dimension);
        normalsToTasks(spec, taskParameters, batch);
      }
      if (tasks !== null) chooseTasks(generator, first, batch, tasks, taskParameters);
      draw(purposes.covariates, covariates, context * dimension);
      draw(purposes.query, query, queries * dimension);
      if (noiseDeviation > 0) {
        draw(purposes.noise, responses, context);
        draw(purposes.queryNoise, targets, queries);
      }
      for (let i = 0; i < batch * context * dimension; i++) covariates[i] = covariates[i]! * scale;
      for (let i = 0; i < batch * queries * dimension; i++) query[i] = query[i]! * scale;
      const common = { taskVectors: taskParameters, batch, dimension, noiseDeviation };
      respondLinearly({ ...common, covariates, responses, rows: context });
      respondLinearly({ ...common, covariates: query, responses: targets, rows: queries });
    },
  };

  /** Overwrites the tasks of those prompts that have one of the bank's. */
  function chooseTasks(generator: Generator, first: number, batch: number, k: number, w: Float32Array): void {
    if (choices.length < 2 * batch) choices = new Float32Array(2 * batch);
    fillExponentialsForPrompts(generator, { prompt: first, purpose: purposes.index }, batch, choices, 2);
    for (let b = 0; b < batch; b++) {
      // exp(-E) is uniform on (0, 1].
      if (Math.exp(-choices[2 * b + 1]!) < freshShare || freshShare === 1) continue;
      const index = Math.min(k - 1, Math.floor(k * Math.exp(-choices[2 * b]!)));
      for (let j = 0; j < dimension; j++) w[b * dimension + j] = bank[index * dimension + j]!;
    }
  }
}

const estimators = ['zero', 'dmmse', 'ridge'];

export const linearRegressionBank: Task<LinearRegressionBankSpec> = {
  name: 'linear-regression-bank',
  description: 'y = <w, x> + noise with w one of k fixed task vectors, x ~ N(0, I/D)',
  source: 'Lu et al. (2025), arXiv 2405.11751',
  kind: 'regression',
  schema,
  estimators,
  // The posterior over the tasks of a bank: there must be a bank, and noise.
  estimatorsOf: ({ tasks, noiseVariance }) =>
    estimators.filter((name) => name !== 'dmmse' || (tasks !== null && noiseVariance > 0)),
  createSampler,
};
