/**
 * Losses: what a training step minimises, as data. Each is a function of a model's parameters and of labelled prompts, written
 * once over {@link Ops}, with what predicting nothing would lose, by which the loop knows a run that has diverged.
 * Knows architectures; knows nothing of optimizers, graphs or engines.
 */
import { type Architecture, type ModelSizes, outputOf } from '../models/architecture.ts';
import type { ScalarFunction } from '../models/autodiff.ts';
import { UsageError, unknownName } from '../models/errors.ts';
import { type Ops, scale } from '../models/ops.ts';
import type { LabelledBatch } from '../models/prompts.ts';

export type LossName = 'squared-error' | 'sequence-squared-error' | 'cross-entropy';

export interface LossSpec {
  readonly name: LossName;
}

interface LossKind {
  readonly name: LossName;
  readonly description: string;
  /** What an architecture must have, in words; null if it has it. */
  missing(architecture: Architecture, sizes: ModelSizes): string | null;
  /** Whether the gradient cuts tokens apart by their number: then a graph is made for one context length. */
  readonly fixesContext: boolean;
  compute(architecture: Architecture, sizes: ModelSizes): ScalarFunction;
  /** The loss, on the same prompts, of predicting what knowing nothing gives: 0, or equal probabilities. */
  zeroLoss(prompts: LabelledBatch): number;
}

/** (1 / 2n) sum (prediction - target)^2 over all n entries. */
export function halfMeanSquare<T>(ops: Ops<T>, prediction: T, targets: T): T {
  const residual = ops.sub(prediction, targets);
  return scale(ops, ops.mean(ops.mul(residual, residual)), 0.5);
}

/** (1 / 2B) sum_b (prediction - y_q)^2. Source: Zhang, Frei, Bartlett (2024), eq. (3.5), for finitely many prompts. */
const squaredError: LossKind = {
  name: 'squared-error',
  description: 'half the mean squared error at the query',
  missing: (architecture, sizes) =>
    outputOf(architecture, sizes) === 'value' ? null : 'a model that predicts a value',
  fixesContext: false,
  compute:
    (architecture, sizes) =>
    (ops, parameters, { covariates, responses, query, targets }) => {
      const prompt = { covariates: covariates!, responses: responses!, query: query! };
      return halfMeanSquare(ops, architecture.forward(ops, parameters, prompt, sizes), targets!);
    },
  zeroLoss: ({ targets }) => sumOfSquares(targets) / (2 * targets.length),
};

/**
 * (1 / 2B(N+1)) sum_b sum_{i=1..N+1} (prediction_i - y_i)^2: prediction i sees the pairs before x_i, and x_{N+1} is the query.
 * Source: Garg et al. (2022), arXiv 2208.01066, section 2, with the mean over positions in place of their sum.
 */
const sequenceSquaredError: LossKind = {
  name: 'sequence-squared-error',
  description: 'half the mean squared error at x_1, x_2, .. and the query, each predicted from the pairs before it',
  missing: (architecture, sizes) =>
    architecture.sequenceForward === undefined || outputOf(architecture, sizes) !== 'value'
      ? 'an architecture whose predictions at x_1, x_2, .. are values and come from one pass'
      : null,
  fixesContext: true,
  compute:
    (architecture, sizes) =>
    (ops, parameters, { covariates, responses, query, targets }) => {
      const prompt = { covariates: covariates!, responses: responses!, query: query! };
      const prediction = architecture.sequenceForward!(ops, parameters, prompt, sizes); // [B, N + 1]
      return halfMeanSquare(ops, prediction, ops.concat([responses!, targets!], 1));
    },
  zeroLoss: ({ responses, targets }) =>
    (sumOfSquares(responses) + sumOfSquares(targets)) / (2 * (responses.length + targets.length)),
};

/**
 * Two classes, labels y = -1 or +1 and score z: mean log(1 + exp(-y z)). More, one-hot targets t and scores z_k:
 * mean (log sum_k exp(z_k) - sum_k t_k z_k). From scores, so that a sure and wrong model has a large loss and not an infinite one.
 * Source: Shen, Zhou, Yang, Shen (2025), arXiv 2410.11778.
 */
const crossEntropy: LossKind = {
  name: 'cross-entropy',
  description: 'mean cross-entropy of the probabilities at the query, in nats',
  missing: (architecture, sizes) =>
    outputOf(architecture, sizes) === 'value' ? 'a model that predicts probabilities' : null,
  fixesContext: false,
  compute:
    (architecture, sizes) =>
    (ops, parameters, { covariates, responses, query, targets }) => {
      const prompt = { covariates: covariates!, responses: responses!, query: query! };
      const scores = architecture.logits!(ops, parameters, prompt, sizes);
      return ops.mean(
        outputOf(architecture, sizes) === 'sigmoid'
          ? ops.softplus(scale(ops, ops.mul(targets!, scores), -1))
          : ops.sub(ops.logSumExp(scores), ops.sum(ops.mul(targets!, scores), -1)),
      );
    },
  zeroLoss: ({ classes = 0 }) => Math.log(Math.max(2, classes)),
};

export const losses: readonly LossKind[] = [squaredError, sequenceSquaredError, crossEntropy];

/** What an architecture is trained with unless a configuration says otherwise. */
export function defaultLoss(architecture: Architecture, sizes: ModelSizes): LossSpec {
  return { name: outputOf(architecture, sizes) === 'value' ? 'squared-error' : 'cross-entropy' };
}

/** @throws {UsageError} for an unknown loss, or one that the architecture does not have. */
export function lossFor({ name }: LossSpec, architecture: Architecture, sizes: ModelSizes, where = 'loss'): LossKind {
  const kind = losses.find((loss) => loss.name === name);
  if (kind === undefined) {
    throw unknownName(
      `${where}.name`,
      name,
      losses.map((loss) => loss.name),
    );
  }
  const missing = kind.missing(architecture, sizes);
  if (missing !== null) {
    throw new UsageError({ where: `${where}.name`, expected: missing, got: `${architecture.name} with ${name}` });
  }
  return kind;
}

/** The loss of an architecture of some sizes on labelled prompts, as a function of its parameters. */
export function trainingLoss(architecture: Architecture, sizes: ModelSizes, loss?: LossSpec): ScalarFunction {
  return lossFor(loss ?? defaultLoss(architecture, sizes), architecture, sizes).compute(architecture, sizes);
}

function sumOfSquares(values: Float32Array): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  return sum;
}
