/**
 * Linear self-attention in L layers, on all tokens.
 *
 *   Z_0 = [[x_1 .. x_N  x_q], [y_1 .. y_N  0]],   Z_{l+1} = Z_l + (1/N) P_l Z_l M (Z_l^T Q_l Z_l),   M = diag(1, .., 1, 0)
 *
 * and the prediction is s [Z_L]_{D+1, N+1}, s = `outputSign`. By M the query is no key: context tokens see all context
 * tokens, a query sees the context, and nothing sees a query. So the context passes through the layers once, whatever the
 * number of queries. With rows z_j^T for the columns of Z_l, and G_l = (1/N) sum_i z_i z_i^T over the context,
 *
 *   z_j^T <- z_j^T + z_j^T (Q_l^T G_l P_l^T)       for every token j, context or query:
 *
 * one matrix `[D+1, D+1]` per prompt and layer, which costs O(N D^2); the N x N scores would cost O(N^2 D), more where N > D.
 * In the last layer only queries move. One layer of it is `linear-attention` but for that model's term of the query itself.
 * No prefixes in one pass: context tokens see later ones, so each length is a pass of its own.
 *
 * The sign: layers that do gradient descent turn y_j into residuals y_j - <w_l, x_j>, and the query's slot into
 * 0 - <w_l, x_q>. With s = -1 the prediction is then <w_L, x_q>. Ding et al. print s = +1.
 *
 * Parameters: `projection_value_l` = P_l and `key_query_l` = Q_l, both `[D+1, D+1]`, l = 0 .. L-1.
 * Source: Ding et al. (2025), arXiv 2510.18638, section 2 and Theorem 4.1; the sign of Ahn et al. (2023), arXiv 2306.00297.
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
import { lengthAlong, type Ops, scale } from '../ops.ts';
import type { Shape } from '../shape.ts';
import { outputSignOption, requireOutputSign, withOutputSign } from './output-sign.ts';
import { drawAll } from './starting-values.ts';

const sizeOptions: readonly SizeOption[] = [
  { name: 'layers', description: 'number of layers L', default: 3, minimum: 1, maximum: 100 },
  outputSignOption(-1),
];

function forward<T>(ops: Ops<T>, parameters: Parameters<T>, prompt: Prompt<T>, sizes: ModelSizes): T {
  const layers = sizeOption(sizeOptions, sizes, 'layers');
  const { covariates, responses, query } = prompt;
  const length = lengthAlong(ops, responses, 1);
  const emptySlot = scale(ops, ops.slice(query, 2, 0, 1), 0); // [B, Q, 1]
  let context = ops.concat([covariates, ops.expandDims(responses, 2)], 2); // [B, N, D+1]
  let queries = ops.concat([query, emptySlot], 2); // [B, Q, D+1]
  for (let layer = 0; layer < layers; layer++) {
    const projectionValue = parameters[`projection_value_${layer}`]!;
    const keyQuery = parameters[`key_query_${layer}`]!;
    const gram = ops.div(ops.gram(context), length); // [B, D+1, D+1]: G_l
    const keyed = ops.matMul(ops.transpose(keyQuery), gram); // Q_l^T G_l
    const move = ops.matMul(keyed, ops.transpose(projectionValue)); // Q_l^T G_l P_l^T
    queries = ops.add(queries, ops.matMul(queries, move));
    if (layer < layers - 1) context = ops.add(context, ops.matMul(context, move));
  }
  const label = ops.squeeze(ops.slice(queries, 2, -1), 2); // [B, Q]
  return withOutputSign(ops, label, sizeOptions, sizes);
}

/** @throws {UsageError} if the sign is neither -1 nor 1. */
function parameterShapes(sizes: ModelSizes): Record<string, Shape> {
  const side = sizes.dimension + 1;
  requireOutputSign(sizeOptions, sizes);
  const layers = Array.from({ length: sizeOption(sizeOptions, sizes, 'layers') }, (_, layer) => layer);
  const names = layers.flatMap((layer) => [`projection_value_${layer}`, `key_query_${layer}`]);
  return Object.fromEntries(names.map((name) => [name, [side, side]]));
}

const generic: InitScheme = {
  name: 'generic',
  description: 'independent normals of standard deviation `scale` in every entry; deep stacks explode above 0.1',
  defaults: { scale: 0.05 },
  initialise: (sizes, options, generator) => drawAll(generator, parameterShapes(sizes), options['scale']!),
};

/** P_l = e e^T (e the last unit vector), Q_l = [[-rate I, 0], [0, 0]]: w <- w + rate/N sum_j (y_j - <w, x_j>) x_j. */
const gradientDescent: InitScheme = {
  name: 'gradient-descent',
  description: 'each layer is a step of gradient descent on the context, of length `rate` (with outputSign -1)',
  defaults: { rate: 0.1 },
  initialise(sizes, options) {
    const { dimension } = sizes;
    const start = (name: string): Float32Array => {
      const values = new Float32Array((dimension + 1) ** 2);
      if (name.startsWith('projection_value')) values[values.length - 1] = 1;
      else for (let i = 0; i < dimension; i++) values[i * (dimension + 2)] = -options['rate']!;
      return values;
    };
    return Object.fromEntries(Object.keys(parameterShapes(sizes)).map((name) => [name, start(name)]));
  },
};

export const multilayerLinearAttention = {
  name: 'multilayer-linear-attention',
  description: 'linear self-attention in several layers on all tokens, the query masked',
  source: 'Ding et al. (2025), arXiv 2510.18638, section 2; Ahn et al. (2023), arXiv 2306.00297',
  minimumContext: 1,
  initSchemes: [generic, gradientDescent],
  sizeOptions,
  parameterShapes,
  forward,
} satisfies Architecture;
