/**
 * One layer of softmax attention with a single trainable matrix.
 *
 *   attn_i = exp(x_i^T Q x_q) / sum_{j in 1..N} exp(x_j^T Q x_q),     prediction = nu sum_{i in 1..N} attn_i y_i
 *
 * Key and query matrices are merged to Q, `[D, D]`, the only parameter; the value matrix is fixed and picks the response, nu = 1
 * (options: another nu, or a trained one, then the parameter `value_weight`, `[1]`); the
 * query is no key (its own column is masked). No 1/sqrt(D), and no residual: the query's label slot is 0, so a
 * residual would add nothing. Only covariates decide the attention, so with orthonormal features it is the same for all pairs
 * that show the same feature.
 *
 * Source: Huang, Cheng, Liang (2024), "In-context Convergence of Transformers", section 2.
 * Shapes: B prompts, N context pairs, Q queries, D covariate dimension.
 */
import {
  type Architecture,
  type InitScheme,
  type ModelSizes,
  type Parameters,
  type Prompt,
  type SizeOption,
  sizeOption,
} from '../architecture.ts';
import { type Ops, positionsAlong, scale } from '../ops.ts';
import type { Shape } from '../shape.ts';
import { drawAll } from './starting-values.ts';

/** What is added to a score that must not count: exp of it is 0 in float32 and in float64, and it is no infinity. */
const excluded = -1e9;

/** `[B, Q, N]`: x_i^T Q x_q. */
function scoresOf<T>(ops: Ops<T>, parameters: Parameters<T>, { covariates, query }: Prompt<T>): T {
  const keyQuery = parameters['key_query']!;
  const queryKeys = ops.matMul(query, ops.transpose(keyQuery)); // [B, Q, D]: (Q x_q)^T
  return ops.matMul(queryKeys, ops.transpose(covariates));
}

/** nu times the attention's mean of the responses. */
function weighted<T>(ops: Ops<T>, parameters: Parameters<T>, predictions: T, sizes: ModelSizes): T {
  const trained = parameters['value_weight'];
  if (trained !== undefined) return ops.mul(predictions, trained);
  const nu = sizeOption(sizeOptions, sizes, 'valueWeight');
  return nu === 1 ? predictions : scale(ops, predictions, nu);
}

function forward<T>(ops: Ops<T>, parameters: Parameters<T>, prompt: Prompt<T>, sizes: ModelSizes): T {
  const scores = scoresOf(ops, parameters, prompt); // [B, Q, N]
  const means = ops.squeeze(ops.softMeans(scores, ops.expandDims(prompt.responses, 2)), 2);
  return weighted(ops, parameters, means, sizes);
}

/**
 * One softmax per length, over the pairs that are there by then: N times the work of a single length. Running sums of
 * exponentials would be cheaper, and would divide 0 by 0 where a later score is larger by 90.
 */
function prefixForward<T>(ops: Ops<T>, parameters: Parameters<T>, prompt: Prompt<T>, sizes: ModelSizes): T {
  const scores = scoresOf(ops, parameters, prompt);
  const positions = positionsAlong(ops, prompt.responses, 1); // [N]
  const lengths = ops.expandDims(positions, 1); // [N, 1]
  const mask = scale(ops, ops.less(lengths, ops.expandDims(positions, 0)), excluded); // [N, N]: pair j from length n < j
  const attention = ops.softmax(ops.add(ops.expandDims(scores, 2), mask)); // [B, Q, N, N]
  const responses = ops.expandDims(ops.expandDims(prompt.responses, 1), 1); // [B, 1, 1, N]
  const predictions = ops.transpose(ops.sum(ops.mul(attention, responses), -1)); // [B, N, Q]
  const empty = scale(ops, ops.slice(predictions, 1, 0, 1), 0); // [B, 1, Q]: there is nothing to attend to
  return weighted(ops, parameters, ops.concat([empty, predictions], 1), sizes);
}

/** Every x asks as a query does and attends to the pairs before it. */
function sequenceForward<T>(
  ops: Ops<T>,
  parameters: Parameters<T>,
  { covariates, responses, query }: Prompt<T>,
  sizes: ModelSizes,
): T {
  const asked = ops.concat([covariates, query], 1); // [B, N+1, D]
  const scores = scoresOf(ops, parameters, { covariates, responses, query: asked }); // [B, N+1, N]
  const places = positionsAlong(ops, asked, 1); // [N+1]: 1 .. N+1
  const isBefore = ops.less(positionsAlong(ops, responses, 1), ops.expandDims(places, 1)); // [N+1, N]
  const mask = scale(ops, ops.sub(ops.constant(1), isBefore), excluded);
  const predictions = ops.squeeze(ops.softMeans(ops.add(scores, mask), ops.expandDims(responses, 2)), 2); // [B, N+1]
  // x_1 has nothing to attend to.
  return weighted(ops, parameters, ops.mul(predictions, ops.less(ops.constant(1.5), places)), sizes);
}

const sizeOptions: readonly SizeOption[] = [
  {
    name: 'valueWeight',
    description: 'nu, what the attended mean is multiplied by; where training begins if it is trained',
    default: 1,
    minimum: 0.01,
    maximum: 100,
    isReal: true,
  },
  { name: 'trainedValue', description: '1: nu is trained as well', default: 0, minimum: 0, maximum: 1 },
];

const hasTrainedValue = (sizes: ModelSizes): boolean => sizeOption(sizeOptions, sizes, 'trainedValue') === 1;

function parameterShapes(sizes: ModelSizes): Record<string, Shape> {
  const { dimension } = sizes;
  return { key_query: [dimension, dimension], ...(hasTrainedValue(sizes) ? { value_weight: [1] } : {}) };
}

/** The start of nu, where it is trained. */
const valueStart = (sizes: ModelSizes): Record<string, Float32Array> =>
  hasTrainedValue(sizes) ? { value_weight: Float32Array.of(sizeOption(sizeOptions, sizes, 'valueWeight')) } : {};

/** The paper's start: attention is the same for all pairs. */
const zero: InitScheme = {
  name: 'zero',
  description: 'Q = 0: uniform attention (the start of the theorems)',
  defaults: {},
  initialise: (sizes) => ({ key_query: new Float32Array(sizes.dimension ** 2), ...valueStart(sizes) }),
};

const generic: InitScheme = {
  name: 'generic',
  description: 'independent normals of standard deviation `scale` in every entry',
  defaults: { scale: 0.05 },
  initialise: (sizes, options, generator) => ({
    ...drawAll(generator, parameterShapes(sizes), options['scale']!),
    ...valueStart(sizes),
  }),
};

export const softmaxAttention = {
  name: 'softmax-attention',
  description: 'one layer of softmax attention over the context with one matrix Q',
  source: 'Huang, Cheng, Liang (2024), arXiv 2310.05249, section 2',
  minimumContext: 1,
  initSchemes: [zero, generic],
  sizeOptions,
  parameterShapes,
  forward,
  prefixForward,
  sequenceForward,
} satisfies Architecture;
