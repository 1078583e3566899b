/**
 * Reduced linear attention: one layer of linear self-attention with all that reaches its prediction in one matrix,
 *
 *   prediction = <Gamma, x_q h^T> = x_q^T Gamma h,   h = ((D/N) sum_i y_i x_i ; (1/N) sum_i y_i^2)
 *
 * With V's last row (v21^T, v22), v21 = 0 (that term carries no label), and K^T Q = [[M11, m12], [m21^T, m22]] the full layer
 * is Gamma = v22 [M11^T / D, m21]: the model is linear in its one parameter, `gamma`, `[D, D+1]`, and its ridge regression has
 * a closed form. N is the *test* prompt's own length.
 *
 * Source: Lu et al. (2025), "Asymptotic theory of in-context learning by linear attention", section 2; covariates there have
 * variance 1/D, hence the factor D.
 * Shapes: B prompts, N context pairs, Q queries, D covariate dimension.
 */
import type { Architecture, InitScheme, ModelSizes, Parameters, Prompt } from '../architecture.ts';
import { lengthAlong, type Ops, positionsAlong, scale } from '../ops.ts';
import type { Shape } from '../shape.ts';
import { drawAll } from './starting-values.ts';

const gammaOf = <T>(parameters: Parameters<T>): T => parameters['gamma']!;

function forward<T>(ops: Ops<T>, parameters: Parameters<T>, prompt: Prompt<T>, { dimension }: ModelSizes): T {
  const { covariates, responses, query } = prompt;
  const length = lengthAlong(ops, responses, 1);
  const row = ops.expandDims(responses, 1); // [B, 1, N]
  const moment = scale(ops, ops.matMul(row, covariates), dimension); // [B, 1, D]
  const squares = ops.matMul(row, ops.transpose(row)); // [B, 1, 1]
  const h = ops.div(ops.concat([moment, squares], 2), length); // [B, 1, D+1]
  const weights = ops.matMul(h, ops.transpose(gammaOf(parameters))); // [B, 1, D]: (Gamma h)^T
  return ops.squeeze(ops.matMul(query, ops.transpose(weights)), 2); // [B, Q]
}

function prefixForward<T>(ops: Ops<T>, parameters: Parameters<T>, prompt: Prompt<T>, { dimension }: ModelSizes): T {
  const { covariates, responses, query } = prompt;
  const column = ops.expandDims(responses, 2); // [B, N, 1]
  const moments = scale(ops, ops.mul(covariates, column), dimension); // [B, N, D]
  const running = ops.cumulativeSum(ops.concat([moments, ops.mul(column, column)], 2), 1); // [B, N, D+1]
  const lengths = ops.expandDims(positionsAlong(ops, responses, 1), 1); // [N, 1]
  const weights = ops.matMul(ops.div(running, lengths), ops.transpose(gammaOf(parameters))); // [B, N, D]
  const predictions = ops.matMul(weights, ops.transpose(query)); // [B, N, Q]
  // Without any pair h would be 0/0; the layer then leaves the query's empty label slot as it is.
  const empty = scale(ops, ops.slice(predictions, 1, 0, 1), 0); // [B, 1, Q]
  return ops.concat([empty, predictions], 1); // [B, N+1, Q]
}

function parameterShapes({ dimension }: ModelSizes): Record<string, Shape> {
  return { gamma: [dimension, dimension + 1] };
}

const generic: InitScheme = {
  name: 'generic',
  description: 'independent normals of standard deviation `scale` in every entry',
  defaults: { scale: 0.05 },
  initialise: (sizes, options, generator) => drawAll(generator, parameterShapes(sizes), options['scale']!),
};

export const reducedLinearAttention = {
  name: 'reduced-linear-attention',
  description: 'linear self-attention whose prediction is linear in one matrix Gamma',
  source: 'Lu et al. (2025), arXiv 2405.11751, section 2',
  minimumContext: 1,
  initSchemes: [generic],
  parameterShapes,
  forward,
  prefixForward,
} satisfies Architecture;
