/**
 * The discrete minimum mean squared error estimator (dMMSE): Bayes' answer for someone who knows the bank of tasks and takes
 * every prompt's task to be one of them,
 *   w_hat = sum_j p_j w_j,   p_j proportional to exp(-||y - X w_j||^2 / (2 rho)).
 * It is the best there is on pretraining tasks, and pure memory: a fresh task it mistakes for the nearest one known.
 * Source: Raventos et al. (2023), arXiv 2306.15063; Lu et al. (2025), section 5 of its supplement.
 */
import { UsageError } from '../errors.ts';
import { drawBank, type LinearRegressionBankSpec } from '../tasks/linear-regression-bank.ts';
import { answerQueries, checkOut, type EstimatorKind } from './estimator.ts';

const name = 'dmmse';
const description = 'posterior mean over the bank of pretraining tasks: Bayes for whoever has memorised them';

/** Posterior means over a bank, without allocation from prompt to prompt. */
export class BankPosterior {
  private readonly bank: Float64Array;
  private readonly dimension: number;
  private readonly precision: number;
  private readonly scores: Float64Array;
  private readonly gram: Float64Array;
  private readonly moment: Float64Array;
  private readonly mean: Float64Array;

  /** @throws {UsageError} without a bank, or without noise: then any posterior is a single task or none. */
  constructor(task: LinearRegressionBankSpec) {
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
    this.precision = 1 / noiseVariance;
    this.scores = new Float64Array(task.tasks);
    this.gram = new Float64Array(dimension * dimension);
    this.moment = new Float64Array(dimension);
    this.mean = new Float64Array(dimension);
  }

  /**
   * w_hat for the pairs whose numbers start at `covariates[xAt]` and `responses[yAt]`. The squares are expanded,
   * -||y - X w||^2 = const + 2 w . X^T y - w^T X^T X w, so that the cost per task does not grow with the context.
   */
  solve(covariates: Float32Array, xAt: number, responses: Float32Array, yAt: number, context: number): Float64Array {
    const { bank, dimension: d, scores, gram, moment, mean } = this;
    gram.fill(0);
    moment.fill(0);
    for (let i = 0; i < context; i++) {
      const at = xAt + i * d;
      const y = responses[yAt + i]!;
      for (let a = 0; a < d; a++) {
        const x = covariates[at + a]!;
        moment[a] = moment[a]! + y * x;
        for (let b = 0; b <= a; b++) gram[a * d + b] = gram[a * d + b]! + x * covariates[at + b]!;
      }
    }
    let best = Number.NEGATIVE_INFINITY;
    for (let t = 0; t < scores.length; t++) {
      let score = 0;
      for (let a = 0; a < d; a++) {
        const w = bank[t * d + a]!;
        // Each product of two different entries occurs twice in w^T X^T X w.
        let row = 0.5 * gram[a * d + a]! * w - moment[a]!;
        for (let b = 0; b < a; b++) row += gram[a * d + b]! * bank[t * d + b]!;
        score -= row * w;
      }
      scores[t] = score * this.precision;
      if (scores[t]! > best) best = scores[t]!;
    }
    mean.fill(0);
    let total = 0;
    for (let t = 0; t < scores.length; t++) {
      const weight = Math.exp(scores[t]! - best);
      if (weight < 1e-20) continue;
      total += weight;
      for (let a = 0; a < d; a++) mean[a] = mean[a]! + weight * bank[t * d + a]!;
    }
    for (let a = 0; a < d; a++) mean[a] = mean[a]! / total;
    return mean;
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
        const { batch, context, dimension, covariates, responses } = prompts;
        for (let b = 0; b < batch; b++) {
          const w = posterior.solve(covariates, b * context * dimension, responses, b * context, context);
          answerQueries(prompts, b, w, out);
        }
      },
    };
  },
};
