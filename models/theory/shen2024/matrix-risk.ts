/**
 * The expected scores of one given matrix W, not of the best one: what a trained model of finite training should measure.
 *
 * Contexts are not drawn. Given means and query, the scores of a class depend on its count n_k and one normal number,
 *
 *   p_k^T W q = ( n_k mu_k^T W q + sqrt(n_k) |Lambda^{1/2} W q| g_k ) / M,
 *
 * so that a draw costs d^2 whatever M, and enough of them leave less error than a measurement on full prompts has.
 */
import { allocateBatch } from '../../prompts.ts';
import { createGenerator, fillExponentialsForPrompts, fillNormalsForPrompts, streams } from '../../random.ts';
import { covarianceMatrix } from '../../tasks/covariance.ts';
import type { GaussianMixtureSpec } from '../../tasks/gaussian-mixture.ts';
import { createPosterior, createSampler } from '../../tasks/index.ts';
import { binomialQuantiles } from './binomial.ts';
import { type ClassificationRisks, classificationRisks } from './inference-error.ts';
import { allocateScores } from './scores.ts';

export interface MatrixLaw {
  /** W, `[D, D]` row-major. */
  readonly matrix: ArrayLike<number>;
  /** The law of test prompts, shifted or not. */
  readonly task: GaussianMixtureSpec;
  readonly contextLength: number;
  /** Default 20000, in 10 groups for the standard error. */
  readonly draws?: number;
  readonly seed?: number;
}

const GROUPS = 10;
/** Purposes of the stream `theory`, beyond those of the task. */
const purposes = { noise: 32, counts: 33 } as const;

/** Risks of the model W on prompts of a law, by drawing what its scores depend on. */
export function matrixRisks({
  matrix,
  task,
  contextLength: M,
  draws = 20000,
  seed = 0,
}: MatrixLaw): ClassificationRisks {
  const { dimension: d, classes: c, covarianceFactor = 1, scaleMixture = 0 } = task;
  const sampler = createSampler({ ...task, labels: 'one-hot' });
  const computePosterior = createPosterior({ ...task, labels: 'one-hot' })!;
  const size = draws / GROUPS;
  const batch = allocateBatch({ batch: size, context: 1, queries: 1, ...sampler });
  const generator = createGenerator(seed, streams.theory);
  const out = allocateScores(c, draws, GROUPS);
  const noise = new Float32Array(size * c);
  const uniforms = new Float32Array(size * 2 * c);
  const covariance = Float64Array.from(covarianceMatrix(task.covariance, d)!.flat());
  const isIdentity = task.covariance.kind === 'identity';
  const key = new Float64Array(d);
  const quantile = binomialQuantiles();
  const prior = task.classPrior ?? new Array<number>(c).fill(1 / c);
  for (let group = 0; group < GROUPS; group++) {
    const prompt = group * size;
    sampler.fill(generator, prompt, batch);
    computePosterior(batch, out.posterior.subarray(prompt * c, (prompt + size) * c));
    fillNormalsForPrompts(generator, { prompt, purpose: purposes.noise }, size, noise, c);
    fillExponentialsForPrompts(generator, { prompt, purpose: purposes.counts }, size, uniforms, 2 * c);
    for (let b = 0; b < size; b++) {
      const point = prompt + b;
      for (let i = 0; i < d; i++) {
        let sum = 0;
        for (let j = 0; j < d; j++) sum += matrix[i * d + j]! * batch.query[b * d + j]!;
        key[i] = sum;
      }
      let spread = 0;
      for (let i = 0; i < d; i++) {
        if (isIdentity) spread += key[i]! * key[i]!;
        else for (let j = 0; j < d; j++) spread += key[i]! * covariance[i * d + j]! * key[j]!;
      }
      out.weights[point] = 1 / size;
      let [left, chanceLeft] = [M, 1];
      for (let k = 0; k < c; k++) {
        const at = 2 * (b * c + k);
        const n = k === c - 1 ? left : quantile(left, Math.min(1, prior[k]! / chanceLeft), Math.exp(-uniforms[at]!));
        left -= n;
        chanceLeft -= prior[k]!;
        const wide = scaleMixture > 0 ? quantile(n, 0.5, Math.exp(-uniforms[at + 1]!)) : n;
        const variance = scaleMixture > 0 ? n + scaleMixture * (2 * wide - n) : n;
        let product = 0;
        for (let j = 0; j < d; j++) product += batch.taskParameters[(b * c + k) * d + j]! * key[j]!;
        const deviation = Math.sqrt(variance * covarianceFactor * spread);
        out.scores[point * c + k] = (n * product + deviation * noise[b * c + k]!) / M;
      }
    }
  }
  return classificationRisks(out, 1);
}
