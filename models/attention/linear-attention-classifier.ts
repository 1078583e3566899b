/**
 * One-layer linear self-attention that classifies, in the form that training keeps: one matrix W.
 *
 *   two classes, y_i = -1 or +1:   z = p^T W x_q,       p = (1/N) sum_i y_i x_i,            P(y_q = +1) = sigmoid(z)
 *   c classes, y_i one-hot:        z_k = p_k^T W x_q,   p_k = (1/N) sum_{i: y_i = e_k} x_i,   P(y_q = e_k) = softmax_k(z)
 *
 * It is the layer E + W^V E (E^T W^KQ E) / N on columns (x_i, y_i) and (x_q, 0), with W^V = [[0, 0], [0, I]] fixed and
 * W^KQ = [[W, 0], [0, 0]]; the query drops out, since its label is 0. N is the *test* prompt's own length. Two classes written
 * one-hot give the probabilities of the signs with the same W. Parameter: `key_query` = W, `[D, D]`.
 *
 * The sizes' option `classes` is c; 0, its default, means signs.
 * Source: Shen, Zhou, Yang, Shen (2025), arXiv 2410.11778.
 * Shapes: B prompts, N pairs, Q queries, D covariate dimension.
 */
import {
  type Architecture,
  classesOf,
  classesOption,
  type InitScheme,
  link,
  type ModelSizes,
  type Output,
  type Parameters,
  type Prompt,
} from '../architecture.ts';
import { lengthAlong, type Ops, positionsAlong, scale } from '../ops.ts';
import type { Shape } from '../shape.ts';
import { drawAll } from './starting-values.ts';

const output = (sizes: ModelSizes): Output => (classesOf(sizes) === 0 ? 'sigmoid' : 'softmax');

/** `[B, Q, D]`: (W x_q)^T. */
const queryKeys = <T>(ops: Ops<T>, parameters: Parameters<T>, { query }: Prompt<T>): T =>
  ops.matMul(query, ops.transpose(parameters['key_query']!));

/**
 * `[B, Q]`, or `[B, Q, c]`. The pairs are summed to N p first: one pass over the prompt, whatever the number of queries, and none
 * on the way back, since p does not depend on W.
 */
function logits<T>(ops: Ops<T>, parameters: Parameters<T>, prompt: Prompt<T>, sizes: ModelSizes): T {
  const { covariates, responses } = prompt;
  const isSign = classesOf(sizes) === 0;
  const labels = isSign ? ops.expandDims(responses, 1) : ops.transpose(responses); // [B, c, N]
  const sums = ops.matMul(labels, covariates); // [B, c, D]
  const scores = ops.matMul(queryKeys(ops, parameters, prompt), ops.transpose(sums)); // [B, Q, c]
  return ops.div(isSign ? ops.squeeze(scores, 2) : scores, lengthAlong(ops, responses, 1));
}

function forward<T>(ops: Ops<T>, parameters: Parameters<T>, prompt: Prompt<T>, sizes: ModelSizes): T {
  return link(ops, output(sizes), logits(ops, parameters, prompt, sizes));
}

/** `[B, N + 1, Q]`, or `[B, N + 1, Q, c]`; from no pairs all classes are equally probable. */
function prefixForward<T>(ops: Ops<T>, parameters: Parameters<T>, prompt: Prompt<T>, sizes: ModelSizes): T {
  // x_i^T W x_q: what each pair adds to its class's score before the division by the length.
  const scores = ops.matMul(prompt.covariates, ops.transpose(queryKeys(ops, parameters, prompt))); // [B, N, Q]
  const lengths = positionsAlong(ops, prompt.responses, 1); // [N]: 1 .. N
  const isSign = classesOf(sizes) === 0;
  const shares = isSign
    ? ops.mul(scores, ops.expandDims(prompt.responses, 2)) // [B, N, Q]
    : ops.mul(ops.expandDims(scores, 3), ops.expandDims(prompt.responses, 2)); // [B, N, Q, c]
  const divisors = ops.expandDims(isSign ? lengths : ops.expandDims(lengths, 1), -1); // [N, 1] or [N, 1, 1]
  const all = ops.div(ops.cumulativeSum(shares, 1), divisors);
  const empty = scale(ops, ops.slice(all, 1, 0, 1), 0);
  return link(ops, output(sizes), ops.concat([empty, all], 1));
}

const parameterShapes = ({ dimension }: ModelSizes): Record<string, Shape> => ({ key_query: [dimension, dimension] });

/** The loss is convex in W: any start will do. */
const zero: InitScheme = {
  name: 'zero',
  description: 'W = 0: every class is equally probable',
  defaults: {},
  initialise: ({ dimension }) => ({ key_query: new Float32Array(dimension * dimension) }),
};

const generic: InitScheme = {
  name: 'generic',
  description: 'independent normals of standard deviation `scale` in every entry',
  defaults: { scale: 0.05 },
  initialise: (sizes, options, generator) => drawAll(generator, parameterShapes(sizes), options['scale']!),
};

export const linearAttentionClassifier = {
  name: 'linear-attention-classifier',
  description: 'one layer of linear self-attention with one matrix W, that gives probabilities of classes',
  source: 'Shen, Zhou, Yang, Shen (2025), arXiv 2410.11778',
  minimumContext: 1,
  initSchemes: [zero, generic],
  sizeOptions: [classesOption],
  output,
  parameterShapes,
  logits,
  forward,
  prefixForward,
} satisfies Architecture;
