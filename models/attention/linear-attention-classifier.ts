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
 * The sizes' option `classes` is c; 0, its default, means signs. The option `full` 1 trains the whole layer, for ablations:
 *
 *   z = V ((1/N) sum_{i in {1..N, q}} e_i e_i^T) K x_q,   e_i = (x_i, y_i), e_q = (x_q, 0),
 *
 * with parameters `projection_value` = V, `[c, D+c]`, the label rows of W^V, and `key_query` = K, `[D+c, D]`, the first D columns
 * of W^KQ (c = 1 for signs). V = [0, I] and K = [W; 0] is the form above.
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
  type SizeOption,
  sizeOption,
} from '../architecture.ts';
import { lengthAlong, type Ops, positionsAlong, scale } from '../ops.ts';
import type { Shape } from '../shape.ts';
import { drawAll } from './starting-values.ts';

const sizeOptions: readonly SizeOption[] = [
  classesOption,
  { name: 'full', description: '1: trains V and K of the whole layer; 0: W alone', default: 0, minimum: 0, maximum: 1 },
];

const output = (sizes: ModelSizes): Output => (classesOf(sizes) === 0 ? 'sigmoid' : 'softmax');

/** One number per label: 1 of signs, c of classes. */
const labelWidth = (sizes: ModelSizes): number => Math.max(1, classesOf(sizes));

const isFull = (sizes: ModelSizes): boolean => sizeOption(sizeOptions, sizes, 'full') === 1;

/** `[B, Q, D]` or, of the full layer, `[B, Q, D+c]`: what stands with each pair in the score that the query gives it. */
const queryKeys = <T>(ops: Ops<T>, parameters: Parameters<T>, { query }: Prompt<T>): T =>
  ops.matMul(query, ops.transpose(parameters['key_query']!));

/** `[B, N, c]` */
const labelsOf = <T>(ops: Ops<T>, { responses }: Prompt<T>, sizes: ModelSizes): T =>
  classesOf(sizes) === 0 ? ops.expandDims(responses, 2) : responses;

/** What pairs and the query's own column add to the scores, before the division by N. */
interface FullTerms<T> {
  /** `[B, N, Q]`: e_i^T K x_q. */
  readonly weights: T;
  /** `[B, N, c]`: V e_i. */
  readonly values: T;
  /** `[B, Q, c]`: what the query's own column adds. */
  readonly own: T;
}

function fullTerms<T>(ops: Ops<T>, parameters: Parameters<T>, prompt: Prompt<T>, sizes: ModelSizes): FullTerms<T> {
  const { covariates, query } = prompt;
  const projection = ops.transpose(parameters['projection_value']!); // [D+c, c]
  const keys = queryKeys(ops, parameters, prompt); // [B, Q, D+c]
  const pairs = ops.concat([covariates, labelsOf(ops, prompt, sizes)], 2); // [B, N, D+c]
  const ownWeight = ops.sum(ops.mul(ops.slice(keys, 2, 0, sizes.dimension), query), 2); // [B, Q]
  const ownValue = ops.matMul(query, ops.slice(projection, 0, 0, sizes.dimension)); // [B, Q, c]
  return {
    weights: ops.matMul(pairs, ops.transpose(keys)),
    values: ops.matMul(pairs, projection),
    own: ops.mul(ops.expandDims(ownWeight, 2), ownValue),
  };
}

/** `[B, Q, c]`: N times the scores. */
function scoreSums<T>(ops: Ops<T>, parameters: Parameters<T>, prompt: Prompt<T>, sizes: ModelSizes): T {
  if (isFull(sizes)) {
    const { weights, values, own } = fullTerms(ops, parameters, prompt, sizes);
    return ops.add(ops.matMul(ops.transpose(weights), values), own);
  }
  // The pairs are summed to N p first: one pass over the prompt, whatever the number of queries, and none on the way back, since
  // p does not depend on W.
  const { covariates, responses } = prompt;
  const labels = classesOf(sizes) === 0 ? ops.expandDims(responses, 1) : ops.transpose(responses); // [B, c, N]
  const sums = ops.matMul(labels, covariates); // [B, c, D]
  return ops.matMul(queryKeys(ops, parameters, prompt), ops.transpose(sums));
}

/** `[B, Q]`, or `[B, Q, c]` */
function logits<T>(ops: Ops<T>, parameters: Parameters<T>, prompt: Prompt<T>, sizes: ModelSizes): T {
  const sums = scoreSums(ops, parameters, prompt, sizes);
  return ops.div(classesOf(sizes) === 0 ? ops.squeeze(sums, 2) : sums, lengthAlong(ops, prompt.responses, 1));
}

function forward<T>(ops: Ops<T>, parameters: Parameters<T>, prompt: Prompt<T>, sizes: ModelSizes): T {
  return link(ops, output(sizes), logits(ops, parameters, prompt, sizes));
}

/** `[B, N, Q, c]`: N times the scores from the first 1, 2, .., N pairs. */
function runningSums<T>(ops: Ops<T>, parameters: Parameters<T>, prompt: Prompt<T>, sizes: ModelSizes): T {
  const running = (weights: T, values: T) =>
    ops.cumulativeSum(ops.mul(ops.expandDims(weights, 3), ops.expandDims(values, 2)), 1);
  if (isFull(sizes)) {
    const { weights, values, own } = fullTerms(ops, parameters, prompt, sizes);
    return ops.add(running(weights, values), ops.expandDims(own, 1));
  }
  // x_i^T W x_q: what a pair adds to the score of its class.
  const weights = ops.matMul(prompt.covariates, ops.transpose(queryKeys(ops, parameters, prompt)));
  return running(weights, labelsOf(ops, prompt, sizes));
}

/** `[B, N + 1, Q]`, or `[B, N + 1, Q, c]`; from no pairs all classes are equally probable. */
function prefixForward<T>(ops: Ops<T>, parameters: Parameters<T>, prompt: Prompt<T>, sizes: ModelSizes): T {
  const lengths = positionsAlong(ops, prompt.responses, 1); // [N]: 1 .. N
  const divisors = ops.expandDims(ops.expandDims(lengths, 1), 2); // [N, 1, 1]
  const all = ops.div(runningSums(ops, parameters, prompt, sizes), divisors); // [B, N, Q, c]
  const scores = classesOf(sizes) === 0 ? ops.squeeze(all, 3) : all;
  const empty = scale(ops, ops.slice(scores, 1, 0, 1), 0);
  return link(ops, output(sizes), ops.concat([empty, scores], 1));
}

function parameterShapes(sizes: ModelSizes): Record<string, Shape> {
  const { dimension } = sizes;
  if (!isFull(sizes)) return { key_query: [dimension, dimension] };
  const width = labelWidth(sizes);
  return { projection_value: [width, dimension + width], key_query: [dimension + width, dimension] };
}

/** The loss is convex in W: any start will do. The full layer would not leave a start of zeros alone. */
const zero: InitScheme = {
  name: 'zero',
  description: 'W = 0, and V = [0, I]: every class is equally probable',
  defaults: {},
  initialise(sizes) {
    const { dimension } = sizes;
    const width = labelWidth(sizes);
    if (!isFull(sizes)) return { key_query: new Float32Array(dimension * dimension) };
    const projectionValue = new Float32Array(width * (dimension + width));
    for (let k = 0; k < width; k++) projectionValue[k * (dimension + width) + dimension + k] = 1;
    return { projection_value: projectionValue, key_query: new Float32Array((dimension + width) * dimension) };
  },
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
  sizeOptions,
  output,
  parameterShapes,
  logits,
  forward,
  prefixForward,
} satisfies Architecture;
