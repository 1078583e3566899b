/**
 * A transformer whose tokens are pairs: e_i = (x_i, y_i) for the context, e_q = (x_q, 0) for a query.
 *
 *   h = W_in e + b_in,    then in each layer
 *   h <- h + Attention(LN_1 h),  h <- h + W_down GELU(W_up LN_2 h + b_up) + b_down,
 *   prediction = w_out LN_f(h at e_q) + b_out
 *
 * with softmax attention, GELU and norms as in `transformer.ts`. The sizes' option `classes` c > 0: a response is one-hot in its token,
 * and the read-out has a score per class, of which the prediction is the softmax; `signs` 1: responses are -1 or +1, and the
 * prediction is the probability of +1, the sigmoid of the score. By default there are no positions and every pair sees every other, so that their order does not matter; `causal` 1 lets a
 * pair see those before it and itself, `positions` 1 adds learned ones (a query stands behind the last pair; pairs
 * beyond `maxContext` have none). Queries see the context and themselves, and nobody sees a query.
 *
 * Since a pair's token may see later pairs, and holds its own response, one pass gives neither prefixes nor predictions at x_1, x_2, ..
 *
 * Shapes: B prompts, N pairs, Q queries, D covariate dimension, c classes (1 for a response that is a number), W width, H heads.
 * Source: the tokens of Zhang, Frei, Bartlett (2024), section 3.2, and of Shen et al. (2024), in nanoGPT's blocks.
 */
import {
  type Architecture,
  classesOf,
  link,
  type ModelSizes,
  type Parameters,
  type Prompt,
  type SizeOption,
} from '../architecture.ts';
import { lengthAlong, type Ops, positionsAlong, scale } from '../ops.ts';
import type { Shape } from '../shape.ts';
import {
  askLayer,
  attend,
  attentionWeights,
  excluded,
  finishLayer,
  headsOf,
  linear,
  type Model,
  outputFor,
  positionsAt,
  readIn,
  readOut,
  sizeOptions as shared,
  option as sharedOption,
} from './transformer-layers.ts';
import { startsFor, transformerShapes } from './transformer-parameters.ts';

const sizeOptions: readonly SizeOption[] = [
  ...shared.map((option) => (option.name === 'positions' ? { ...option, default: 0 } : option)),
  { name: 'causal', description: '1: a pair sees those before it; 0: all see all', default: 0, minimum: 0, maximum: 1 },
];

const option = (sizes: ModelSizes, name: string): number =>
  sizes.options?.[name] ?? sizeOptions.find((known) => known.name === name)!.default;

/** The context before the first layer, `[B, N, W]`, and who of it may see whom: `[N, N]`, or nothing where all may. */
function start<T>(model: Model<T>, { covariates, responses }: Prompt<T>): { context: T; mask: T | undefined } {
  const { ops, sizes } = model;
  const places = positionsAlong(ops, covariates, 1); // [N]: 1 .. N
  const labels = classesOf(sizes) === 0 ? ops.expandDims(responses, 2) : responses; // [B, N, c]
  const read = linear(model, 'read_in', ops.concat([covariates, labels], 2));
  const isAfter = () => ops.less(ops.expandDims(places, 1), ops.expandDims(places, 0)); // row i, column j: i < j
  return {
    context: option(sizes, 'positions') === 1 ? ops.add(read, positionsAt(model, places)) : read,
    mask: option(sizes, 'causal') === 1 ? scale(ops, isAfter(), excluded) : undefined,
  };
}

/** `[B, Q, W]`: a query's token has zeros in place of the response, so that only the covariates' rows of W_in act on it. */
function startQueries<T>(model: Model<T>, { covariates, query }: Prompt<T>): T {
  const { ops, sizes } = model;
  const read = readIn(model, query, sizes.dimension);
  if (option(sizes, 'positions') === 0) return read;
  const behind = ops.add(lengthAlong(ops, covariates, 1), ops.constant(1));
  return ops.add(read, positionsAt(model, ops.expandDims(behind, 0)));
}

/** `[B, Q]`, or `[B, Q, c]`: what the link turns into predictions. */
function logits<T>(ops: Ops<T>, parameters: Parameters<T>, prompt: Prompt<T>, sizes: ModelSizes): T {
  const model = { ops, parameters, sizes };
  let { context, mask } = start(model, prompt);
  let own = startQueries(model, prompt);
  const layers = sharedOption(sizes, 'layers');
  for (let layer = 0; layer < layers; layer++) {
    const isLast = layer === layers - 1; // nobody asks for the context any more
    const pairs = headsOf(model, layer, context, isLast ? 'none' : 'all');
    own = askLayer(model, layer, own, { ...pairs, asked: headsOf(model, layer, own) });
    if (isLast) break;
    context = finishLayer(model, layer, context, attend(model, pairs, mask));
  }
  return readOut(model, own);
}

function forward<T>(ops: Ops<T>, parameters: Parameters<T>, prompt: Prompt<T>, sizes: ModelSizes): T {
  return link(ops, outputFor(sizes), logits(ops, parameters, prompt, sizes));
}

/**
 * Who of the context looks at whom: per layer and head `[B, N, N]`, row i what pair i sees, rows sum to 1. Not part of a
 * prediction: for figures, with the reference's arrays.
 */
export function pairAttention<T>(ops: Ops<T>, parameters: Parameters<T>, prompt: Prompt<T>, sizes: ModelSizes): T[][] {
  const model = { ops, parameters, sizes };
  let { context, mask } = start(model, prompt);
  return Array.from({ length: sharedOption(sizes, 'layers') }, (_, layer) => {
    const pairs = headsOf(model, layer, context);
    const weights = attentionWeights(model, pairs, mask);
    context = finishLayer(model, layer, context, attend(model, pairs, mask));
    return weights;
  });
}

const parameterShapes = (sizes: ModelSizes): Record<string, Shape> =>
  transformerShapes(
    { ...sizes, options: { ...sizes.options, positions: option(sizes, 'positions') } },
    { inputs: sizes.dimension + Math.max(1, classesOf(sizes)), places: sharedOption(sizes, 'maxContext') + 1 },
  );

export const pairedTransformer = {
  name: 'paired-transformer',
  description: 'transformer on tokens (x_1, y_1), (x_2, y_2), .., without positions unless asked for',
  source: 'Zhang, Frei, Bartlett (2024), section 3.2 (tokens); Shen et al. (2024), arXiv 2410.11778',
  minimumContext: 0,
  initSchemes: startsFor(parameterShapes),
  sizeOptions,
  output: outputFor,
  parameterShapes,
  logits,
  forward,
} satisfies Architecture;
