/**
 * Linear self-attention of which only what reaches the prediction is kept: layers that change labels alone.
 *
 *   y_j <- y_j + b_l' G_l A_l x_j    for every token j, context or query,   G_l = (1/N) sum_i z_i z_i',  z_i = (x_i, y_i),
 *
 * with y = 0 at the query to begin with; the prediction is s times the query's label after L layers, s = `outputSign`. It is
 * `multilayer-linear-attention` with P_l = [0; b_l'] and Q_l = [A_l, 0]. For one layer nothing is lost: other entries of P and
 * Q do not reach the output. For more it is the subspace in which layers are preconditioned descent on several objectives,
 * b_l and A_l = -[Abar_l; a_l'] (Theorem 4.1). A query of zeros is answered by exactly 0. No prefixes in one pass: from the
 * second layer on context tokens have seen later ones.
 *
 * Parameters: `value_row_l` = b_l' `[1, D+1]` and `key_query_l` = A_l `[D+1, D]`, l = 0 .. L-1.
 * Source: Ding et al. (2025), arXiv 2510.18638, section 3 (sparse form) and Theorem 4.1; sign: Ahn et al. (2023).
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
import { lengthAlong, type Ops } from '../ops.ts';
import type { Shape } from '../shape.ts';
import { outputSignOption, requireOutputSign, withOutputSign } from './output-sign.ts';
import { drawAll } from './starting-values.ts';

const sizeOptions: readonly SizeOption[] = [
  { name: 'layers', description: 'number of layers L', default: 1, minimum: 1, maximum: 100 },
  outputSignOption(1),
];

function forward<T>(ops: Ops<T>, parameters: Parameters<T>, prompt: Prompt<T>, sizes: ModelSizes): T {
  const layers = sizeOption(sizeOptions, sizes, 'layers');
  const { covariates, responses, query } = prompt;
  const length = lengthAlong(ops, responses, 1);
  let labels = ops.expandDims(responses, 2); // [B, N, 1]
  let answer: T | undefined; // [B, Q, 1]
  for (let layer = 0; layer < layers; layer++) {
    const tokens = ops.concat([covariates, labels], 2); // [B, N, D+1]
    const values = ops.matMul(tokens, ops.transpose(parameters[`value_row_${layer}`]!)); // [B, N, 1]: b' z_i
    const seen = ops.div(ops.matMul(ops.transpose(tokens), values), length); // [B, D+1, 1]: G b
    const move = ops.matMul(ops.transpose(parameters[`key_query_${layer}`]!), seen); // [B, D, 1]: A' G b
    const step = ops.matMul(query, move);
    answer = answer === undefined ? step : ops.add(answer, step);
    if (layer < layers - 1) labels = ops.add(labels, ops.matMul(covariates, move));
  }
  const label = ops.squeeze(answer!, 2); // [B, Q]
  return withOutputSign(ops, label, sizeOptions, sizes);
}

/** @throws {UsageError} if the sign is neither -1 nor 1. */
function parameterShapes(sizes: ModelSizes): Record<string, Shape> {
  const { dimension } = sizes;
  requireOutputSign(sizeOptions, sizes);
  const layers = Array.from({ length: sizeOption(sizeOptions, sizes, 'layers') }, (_, layer) => layer);
  return Object.fromEntries(
    layers.flatMap((layer): [string, Shape][] => [
      [`value_row_${layer}`, [1, dimension + 1]],
      [`key_query_${layer}`, [dimension + 1, dimension]],
    ]),
  );
}

const generic: InitScheme = {
  name: 'generic',
  description: 'independent normals of standard deviation `scale` in every entry; deep stacks explode above 0.1',
  defaults: { scale: 0.1 },
  initialise: (sizes, options, generator) => drawAll(generator, parameterShapes(sizes), options['scale']!),
};

/** b_l = e, the last unit vector, and A_l = [-rate s I; 0]: steps of gradient descent on the context, with either sign. */
const gradientDescent: InitScheme = {
  name: 'gradient-descent',
  description: 'each layer is a step of gradient descent on the context, of length `rate`',
  defaults: { rate: 0.1 },
  initialise(sizes, options) {
    const { dimension } = sizes;
    // A single layer has no later labels: its sign is free. Deeper ones turn labels into residuals only with -rate.
    const layers = sizeOption(sizeOptions, sizes, 'layers');
    const sign = layers === 1 ? sizeOption(sizeOptions, sizes, 'outputSign') : -1;
    return Object.fromEntries(
      Object.entries(parameterShapes(sizes)).map(([name, shape]) => {
        const values = new Float32Array(shape[0]! * shape[1]!);
        if (name.startsWith('value_row')) values[dimension] = 1;
        else for (let i = 0; i < dimension; i++) values[i * (dimension + 1)] = sign * options['rate']!;
        return [name, values];
      }),
    );
  },
};

export const sparseLinearAttention = {
  name: 'sparse-linear-attention',
  description: 'linear self-attention whose layers change labels only, b and A per layer, the query masked',
  source: 'Ding et al. (2025), arXiv 2510.18638, section 3 and Theorem 4.1',
  minimumContext: 1,
  initSchemes: [generic, gradientDescent],
  sizeOptions,
  parameterShapes,
  forward,
} satisfies Architecture;
