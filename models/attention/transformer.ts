/**
 * A GPT-style transformer on interleaved tokens x_1, y_1, x_2, y_2, .., x_q.
 *
 *   h = W_in (token) + b_in + position,    then in each layer
 *   h <- h + Attention(LN_1 h),  h <- h + W_down GELU(W_up LN_2 h + b_up) + b_down,
 *   prediction = w_out LN_f(h at x_q) + b_out
 *
 * where a response stands in the first coordinate of its token, zeros behind it (a class: in the first c, one-hot; there is then a
 * score per class, of which the prediction is the softmax; with `signs` 1 it is the sigmoid of the one score); attention is softmax(q k^T / sqrt(W/H)) over
 * the tokens up to one's own; GELU is exact; layer norm has epsilon 1e-5. `preNorm` 0: h <- LN_1(h + ..), h <- LN_2(h + ..), and no LN_f.
 *
 * Attention does not mind in which order tokens lie in memory: here first all x_i, then all y_i; the mask and the positions
 * know that x_i stands at place 2i - 1, y_i at 2i and a query at 2N + 1. Nobody sees a query but itself, so the context passes
 * once, and each query is one more token. Places beyond `maxContext` pairs and a query have no position: zeros are added.
 *
 * Parameters: `read_in`, `position [2 (maxContext + 1), W]`; in layer l `qkv_l`, `out_l`, `up_l`, `down_l`, inputs by outputs, with
 * biases `.._bias`, and norms `norm1_l`, `norm2_l` with theirs; `norm`, `read_out`.
 * Shapes: B prompts, N pairs, Q queries, D covariate dimension, T = 2N context tokens, W width, H heads.
 * Source: Garg et al. (2022), arXiv 2208.01066; Zhang, Frei, Bartlett (2024), section 5; nanoGPT's blocks.
 */
import { type Architecture, classesOf, link, type ModelSizes, type Parameters, type Prompt } from '../architecture.ts';
import { lengthAlong, type Ops, positionsAlong, scale } from '../ops.ts';
import type { Shape } from '../shape.ts';
import {
  askLayer,
  attend,
  excluded,
  finishLayer,
  headsOf,
  type Model,
  matches,
  option,
  outputFor,
  positionsAt,
  readIn,
  readOut,
  sizeOptions,
} from './transformer-layers.ts';
import { startsFor, transformerShapes } from './transformer-parameters.ts';

/** Tokens (x_i, 0, .., 0), read in: `[.., W]`. Zeros are there only if classes are more than dimensions. */
const readCovariates = <T>(model: Model<T>, covariates: T): T => readIn(model, covariates, model.sizes.dimension);

/** Numbers in a token before it is read in: D, or one for each class if these are more. */
const tokenWidth = (sizes: ModelSizes): number => Math.max(sizes.dimension, classesOf(sizes));

/**
 * `[B, T, ..]`: all x_i, then all y_i, filled up with zeros. Joined before they are read in: to join what parameters have had an
 * influence on would need the context's length on the way back.
 */
function contextTokens<T>(ops: Ops<T>, { covariates, responses }: Prompt<T>, sizes: ModelSizes): T {
  const fill = (a: T, width: number): T => {
    const zero = scale(ops, ops.slice(a, 2, 0, 1), 0);
    const zeros = Array.from({ length: tokenWidth(sizes) - width }, () => zero);
    return zeros.length === 0 ? a : ops.concat([a, ...zeros], 2);
  };
  const classes = classesOf(sizes);
  const labels = classes === 0 ? fill(ops.expandDims(responses, 2), 1) : fill(responses, classes);
  return ops.concat([fill(covariates, sizes.dimension), labels], 1);
}

/**
 * Predictions at the queries, before any link.
 * @param queries `[B, Q, W]`, read in; or `[B, Q, 1, W]` for predictions at several lengths of context.
 * @param at `[1]` or `[n]`: the places where the queries stand.
 * @return `[B, Q]` or `[B, Q, n]`, with classes `[B, Q, c]` or `[B, Q, n, c]`.
 */
function predict<T>(model: Model<T>, prompt: Prompt<T>, queries: T, at: T, isShared: boolean): T {
  const { ops, sizes } = model;
  const numbers = scale(ops, positionsAlong(ops, prompt.responses, 1), 2); // [N]: 2, 4, .., 2N
  const places = ops.concat([ops.sub(numbers, ops.constant(1)), numbers], 0); // [T]
  const maskFor = (rows: T) => scale(ops, ops.less(ops.expandDims(rows, 1), ops.expandDims(places, 0)), excluded);
  const contextMask = maskFor(places); // [T, T]
  const queryMask = maskFor(ops.sub(at, ops.constant(1))); // [1, T] or [n, T]: x_{n+1} has the query's place, and is no key
  const beside = (a: T) => (isShared ? a : ops.expandDims(a, 1));

  let context = readIn(model, contextTokens(ops, prompt, sizes), tokenWidth(sizes));
  // Without positions a query is the same at every place, but it must be there at each.
  const hasPositions = option(sizes, 'positions') === 1;
  let own = ops.add(queries, hasPositions ? positionsAt(model, at) : scale(ops, ops.expandDims(at, 1), 0));
  if (hasPositions) context = ops.add(context, positionsAt(model, places));

  const layers = option(sizes, 'layers');
  for (let layer = 0; layer < layers; layer++) {
    const isLast = layer === layers - 1; // nobody asks for the context any more
    const pairs = headsOf(model, layer, context, isLast ? 'none' : 'all');
    const asked = headsOf(model, layer, own);
    own = askLayer(model, layer, own, {
      asked,
      keys: pairs.keys.map(beside),
      values: pairs.values.map(beside),
      mask: queryMask,
    });
    if (isLast) break;
    context = finishLayer(model, layer, context, attend(model, pairs, contextMask));
  }
  return readOut(model, own);
}

/** `[B, Q]`, or `[B, Q, c]`: what the link turns into predictions. */
function logits<T>(ops: Ops<T>, parameters: Parameters<T>, prompt: Prompt<T>, sizes: ModelSizes): T {
  const model = { ops, parameters, sizes };
  const length = lengthAlong(ops, prompt.responses, 1);
  const at = ops.expandDims(ops.add(scale(ops, length, 2), ops.constant(1)), 0); // [1]: 2N + 1
  return predict(model, prompt, readCovariates(model, prompt.query), at, true);
}

function forward<T>(ops: Ops<T>, parameters: Parameters<T>, prompt: Prompt<T>, sizes: ModelSizes): T {
  return link(ops, outputFor(sizes), logits(ops, parameters, prompt, sizes));
}

/** The context passes once; a query asks at every length, as N + 1 tokens. Entry 0 is the prediction from nothing. */
function prefixForward<T>(ops: Ops<T>, parameters: Parameters<T>, prompt: Prompt<T>, sizes: ModelSizes): T {
  const model = { ops, parameters, sizes };
  const numbers = scale(ops, positionsAlong(ops, prompt.responses, 1), 2); // [N]
  const at = ops.add(ops.concat([ops.expandDims(ops.constant(0), 0), numbers], 0), ops.constant(1)); // 1, 3, .., 2N + 1
  const queries = ops.expandDims(readCovariates(model, prompt.query), 2); // [B, Q, 1, W]
  const scores = predict(model, prompt, queries, at, false); // [B, Q, N+1] or [B, Q, N+1, c]
  const classes = classesOf(sizes);
  const swapped = Array.from({ length: classes }, (_, k) =>
    ops.expandDims(ops.transpose(ops.squeeze(ops.slice(scores, 3, k, k + 1), 3)), 3),
  );
  return link(ops, outputFor(sizes), classes === 0 ? ops.transpose(scores) : ops.concat(swapped, 3));
}

/** `[B, N+1]`, or `[B, N+1, c]`: predictions at x_1, x_2, .. and the query, which here is a token as the x_i are: nobody comes after it. */
function sequenceForward<T>(ops: Ops<T>, parameters: Parameters<T>, prompt: Prompt<T>, sizes: ModelSizes): T {
  const model = { ops, parameters, sizes };
  const covariates = ops.concat([prompt.covariates, prompt.query], 1); // [B, N+1, D]
  const numbers = scale(ops, positionsAlong(ops, covariates, 1), 2); // [N+1]: 2, 4, .., 2N+2
  const xPlaces = ops.sub(numbers, ops.constant(1)); // 1, 3, .., 2N+1
  const places = ops.concat([xPlaces, scale(ops, positionsAlong(ops, prompt.responses, 1), 2)], 0); // [2N+1]
  const maskFor = (rows: T) => scale(ops, ops.less(ops.expandDims(rows, 1), ops.expandDims(places, 0)), excluded);
  let tokens = readIn(model, contextTokens(ops, { ...prompt, covariates }, sizes), tokenWidth(sizes)); // [B, 2N+1, W]
  if (option(sizes, 'positions') === 1) tokens = ops.add(tokens, positionsAt(model, places));
  const layers = option(sizes, 'layers');
  for (let layer = 0; layer < layers - 1; layer++) {
    tokens = finishLayer(model, layer, tokens, attend(model, headsOf(model, layer, tokens), maskFor(places)));
  }
  // Nobody asks for the y_i any more. Places are as many as lengths, which no operation is given: hence a product with zeros and ones.
  const selection = matches(ops, xPlaces, places); // [N+1, 2N+1]
  const takeX = (a: T) => ops.matMul(selection, a);
  const heads = headsOf(model, layers - 1, tokens, takeX);
  return readOut(model, finishLayer(model, layers - 1, takeX(tokens), attend(model, heads, maskFor(xPlaces))));
}

const parameterShapes = (sizes: ModelSizes): Record<string, Shape> =>
  transformerShapes(sizes, {
    inputs: Math.max(sizes.dimension, classesOf(sizes)),
    places: 2 * (option(sizes, 'maxContext') + 1),
  });

export const transformer = {
  name: 'transformer',
  description: 'GPT-style transformer on interleaved tokens x_1, y_1, x_2, y_2, ..',
  source: 'Garg et al. (2022), arXiv 2208.01066; Zhang, Frei, Bartlett (2024), section 5',
  minimumContext: 0,
  initSchemes: startsFor(parameterShapes),
  sizeOptions,
  output: outputFor,
  parameterShapes,
  logits,
  forward,
  prefixForward,
  sequenceForward,
} satisfies Architecture;
