/**
 * The discrete minimum mean squared error estimator (dMMSE): Bayes' answer for someone who knows the bank of tasks and takes
 * every prompt's task to be one of them,
 *   w_hat = sum_j p_j w_j,   p_j proportional to exp(-||y - X w_j||^2 / (2 rho)).
 * It is the best there is on pretraining tasks, and pure memory: a fresh task it mistakes for the nearest one known.
 * Source: Raventos et al. (2023), arXiv 2306.15063; Lu et al. (2025), section 5 of its supplement.
 */
import { UsageError } from '../errors.ts';
import type { PromptBatch } from '../prompts.ts';
import { drawBank, type LinearRegressionBankSpec } from '../tasks/linear-regression-bank.ts';
import { type BankScorer, type BankScores, createBankScorer } from './bank-scores.ts';
import { answerQueries, checkOut, type EstimatorKind } from './estimator.ts';

const name = 'dmmse';
const description = 'posterior mean over the bank of pretraining tasks: Bayes for whoever has memorised them';

/** Prompts that are solved at once, four by four: fewer where the bank is so large that memory would be full of their scores. */
const mostAtOnce = 32;
const scoresAtOnce = 2 ** 20;

/** Weights of less than this share of the largest one count as 0; the logarithm of the share. */
const NEGLIGIBLE = Math.log(1e-20);

/** Posterior means over a bank, without allocation from prompt to prompt. */
export class BankPosterior {
  private readonly bank: Float64Array;
  private readonly dimension: number;
  private readonly tasks: number;
  private readonly precision: number;
  private readonly score: BankScorer;
  private readonly best: Float64Array;
  private readonly totals: Float64Array;
  private readonly means: Float64Array;

  /**
   * @param implementation Of the scores; default: `simd` where it runs.
   * @throws {UsageError} without a bank, or without noise: then any posterior is a single task or none.
   */
  constructor(task: LinearRegressionBankSpec, implementation?: 'simd' | 'plain') {
    const { dimension, noiseVariance } = task;
    if (task.tasks === null || !(noiseVariance > 0)) {
      throw new UsageError({
        where: `estimator ${name}`,
        expected: 'a bank of tasks, and label noise',
        got: task.tasks === null ? 'infinitely many tasks' : `a noise variance of ${noiseVariance}`,
        ...(task.tasks === null ? { remedy: 'With infinitely many tasks Bayes is ridge.' } : {}),
      });
    }
    this.bank = Float64Array.from(drawBank(task));
    this.dimension = dimension;
    this.tasks = task.tasks;
    this.precision = 1 / noiseVariance;
    this.score = createBankScorer(this.bank, dimension, implementation);
    const atOnce = Math.max(4, Math.min(mostAtOnce, 4 * Math.floor(scoresAtOnce / task.tasks / 4)));
    this.best = new Float64Array(atOnce);
    this.totals = new Float64Array(atOnce);
    this.means = new Float64Array(atOnce * dimension);
  }

  /**
   * Solves all prompts, some at a time. `take` gets w_hat `[count, dimension]` of `count` of them, of which `start` is the first; it is
   * good until `take` returns.
   */
  solve(
    { batch, context, covariates, responses }: PromptBatch,
    take: (means: Float64Array, start: number, count: number) => void,
  ): void {
    const pairs = context * this.dimension;
    const atOnce = this.best.length;
    for (let start = 0; start < batch; start += atOnce) {
      const count = Math.min(atOnce, batch - start);
      const scores = this.score({
        covariates: covariates.subarray(start * pairs, (start + count) * pairs),
        responses: responses.subarray(start * context, (start + count) * context),
        count,
        context,
      });
      this.average(scores, count);
      take(this.means, start, count);
    }
  }

  /** Writes the means of `count` prompts. */
  private average({ scores, stride }: BankScores, count: number): void {
    const { bank, dimension: d, tasks, precision, best, totals, means } = this;
    best.fill(Number.NEGATIVE_INFINITY);
    for (let t = 0; t < tasks; t++) {
      for (let b = 0; b < count; b++) if (scores[t * stride + b]! > best[b]!) best[b] = scores[t * stride + b]!;
    }
    totals.fill(0);
    means.fill(0);
    for (let t = 0; t < tasks; t++) {
      for (let b = 0; b < count; b++) {
        const exponent = (scores[t * stride + b]! - best[b]!) * precision;
        if (exponent < NEGLIGIBLE) continue;
        const weight = Math.exp(exponent);
        totals[b] = totals[b]! + weight;
        for (let a = 0; a < d; a++) means[b * d + a] = means[b * d + a]! + weight * bank[t * d + a]!;
      }
    }
    for (let b = 0; b < count; b++) {
      for (let a = b * d; a < (b + 1) * d; a++) means[a] = means[a]! / totals[b]!;
    }
  }
}

export const dmmse: EstimatorKind = {
  name,
  description,
  tasks: ['linear-regression-bank'],
  options: [],
  create(_options, { task }) {
    // The bank and the noise of training: a test law with other ones is what this estimator does not know.
    const posterior = new BankPosterior(task as LinearRegressionBankSpec);
    return {
      name,
      description,
      parameters: {},
      needsTaskParameters: false,
      predict(prompts, out) {
        checkOut(name, prompts, out);
        const { dimension } = prompts;
        posterior.solve(prompts, (means, start, count) => {
          for (let i = 0; i < count; i++) answerQueries(prompts, start + i, means, out, i * dimension);
        });
      },
    };
  },
};
