/**
 * The networks of Lu et al.'s Figures 5 and 6: a stack of single-head attention blocks on tokens e_i = (x_i, y_i) and
 * e_q = (x_q, 0), as wide as the covariates, D.
 *
 *   h = W_in e + b_in,   then in each block, with softmax attention of what stands before a token and itself,
 *   a = LN(h + Attention(h)),   h <- LN(a + MLP(a)),   prediction = w_out h(e_q) + b_out
 *
 * Scores are q . k / sqrt(D), query, key and value maps have no bias, and there is no projection after attention. With `mlp` 1
 * the MLP is one linear map with bias, as the authors' code has it: no nonlinearity. With `mlp` 0 it is the identity.
 * With `blocks` 0 the network is one layer of linear attention with biases in its three maps, D + 1 to D, no softmax, no
 * residual, no mask and no division by the length: `prediction = w_out sum_j (q . k_j / sqrt(D)) v_j + b_out`, the sum over the
 * pairs and the query.
 * A query is told from a pair by its 0 alone; queries see the context and themselves, and nobody sees a query.
 *
 * Shapes: B prompts, N pairs, Q queries, D covariate dimension.
 * Source: Lu et al. (2025), arXiv 2405.11751, section 6 and the code behind it (`transformerold.py`).
 */
import {
  type Architecture,
  type ModelSizes,
  type Parameters,
  type Prompt,
  type SizeOption,
  sizeOption,
} from '../architecture.ts';
import { type Ops, positionsAlong, scale } from '../ops.ts';
import type { Shape } from '../shape.ts';
import { drawNormals } from './starting-values.ts';

const sizeOptions: readonly SizeOption[] = [
  { name: 'blocks', description: 'softmax blocks; 0: linear attention alone', default: 2, minimum: 0, maximum: 12 },
  { name: 'mlp', description: '1: a linear map after attention; 0: none', default: 1, minimum: 0, maximum: 1 },
];

/** As optax and flax have it. */
const EPSILON = 1e-6;
/** What is added to the score of a token that must not be seen. */
const EXCLUDED = -1e9;

interface Model<T> {
  readonly ops: Ops<T>;
  readonly parameters: Parameters<T>;
  readonly dimension: number;
}

const parameter = <T>({ parameters }: Model<T>, name: string): T => parameters[name]!;

const dense = <T>(model: Model<T>, name: string, x: T): T =>
  model.ops.add(model.ops.matMul(x, parameter(model, `${name}_weight`)), parameter(model, `${name}_bias`));

const map = <T>(model: Model<T>, name: string, x: T): T => model.ops.matMul(x, parameter(model, name));

/** (x - mean) / sqrt(variance + epsilon) * gain + bias along the last axis. */
function norm<T>(model: Model<T>, name: string, x: T): T {
  const { ops, dimension } = model;
  const mean = scale(ops, ops.expandDims(ops.sum(x, -1), 2), 1 / dimension);
  const centred = ops.sub(x, mean);
  const variance = scale(ops, ops.expandDims(ops.sum(ops.mul(centred, centred), -1), 2), 1 / dimension);
  const scaled = ops.div(centred, ops.sqrt(ops.add(variance, ops.constant(EPSILON))));
  return ops.add(ops.mul(scaled, parameter(model, `${name}_gain`)), parameter(model, `${name}_bias`));
}

interface Tokens<T> {
  readonly context: T;
  readonly own: T;
}

/** `[B, N, D+1]` pairs and `[B, Q, D+1]` queries with 0 in place of the response. */
function tokensOf<T>(ops: Ops<T>, { covariates, responses, query }: Prompt<T>): Tokens<T> {
  const none = scale(ops, ops.slice(query, 2, 0, 1), 0);
  return {
    context: ops.concat([covariates, ops.expandDims(responses, 2)], 2),
    own: ops.concat([query, none], 2),
  };
}

/** Score of each token with itself, `[B, Q, 1]`. */
const ownScore = <T>({ ops, dimension }: Model<T>, q: T, k: T): T =>
  scale(ops, ops.expandDims(ops.sum(ops.mul(q, k), -1), 2), 1 / Math.sqrt(dimension));

const scores = <T>({ ops, dimension }: Model<T>, q: T, k: T): T =>
  scale(ops, ops.matMul(q, ops.transpose(k)), 1 / Math.sqrt(dimension));

function block<T>(model: Model<T>, i: number, { context, own }: Tokens<T>, mask: T, isLast: boolean): Tokens<T> {
  const { ops } = model;
  const [key, value] = [map(model, `key_${i}`, context), map(model, `value_${i}`, context)];
  const ask = (x: T) => map(model, `query_${i}`, x);
  const finish = (x: T, attended: T): T => {
    const a = norm(model, `norm_attention_${i}`, ops.add(x, attended));
    const branch = model.parameters[`mlp_${i}_weight`] === undefined ? a : dense(model, `mlp_${i}`, a);
    return norm(model, `norm_mlp_${i}`, ops.add(a, branch));
  };
  const q = ask(own);
  const all = ops.concat([scores(model, q, key), ownScore(model, q, map(model, `key_${i}`, own))], 2); // [B, Q, N+1]
  const weights = ops.softmax(all);
  const fromPairs = ops.matMul(ops.slice(weights, 2, 0, -1), value);
  const fromSelf = ops.mul(ops.slice(weights, 2, -1), map(model, `value_${i}`, own));
  const asked = finish(own, ops.add(fromPairs, fromSelf));
  if (isLast) return { context, own: asked }; // nobody asks for the context any more
  const seen = ops.softMeans(ops.add(scores(model, ask(context), key), mask), value);
  return { context: finish(context, seen), own: asked };
}

function linearLayer<T>(model: Model<T>, { context, own }: Tokens<T>): T {
  const { ops } = model;
  const q = dense(model, 'query', own);
  const attend = (tokens: T): readonly [T, T] => [dense(model, 'key', tokens), dense(model, 'value', tokens)];
  const [key, value] = attend(context);
  const [ownKey, ownValue] = attend(own);
  return ops.add(ops.matMul(scores(model, q, key), value), ops.mul(ownScore(model, q, ownKey), ownValue));
}

function forward<T>(ops: Ops<T>, parameters: Parameters<T>, prompt: Prompt<T>, sizes: ModelSizes): T {
  const model = { ops, parameters, dimension: sizes.dimension };
  const blocks = sizeOption(sizeOptions, sizes, 'blocks');
  let tokens = tokensOf(ops, prompt);
  if (blocks === 0) return ops.squeeze(dense(model, 'read_out', linearLayer(model, tokens)), 2);
  tokens = { context: dense(model, 'read_in', tokens.context), own: dense(model, 'read_in', tokens.own) };
  const places = positionsAlong(ops, prompt.covariates, 1);
  const isAfter = ops.less(ops.expandDims(places, 1), ops.expandDims(places, 0)); // row i, column j: i < j
  const mask = scale(ops, isAfter, EXCLUDED);
  for (let i = 0; i < blocks; i++) tokens = block(model, i, tokens, mask, i === blocks - 1);
  return ops.squeeze(dense(model, 'read_out', tokens.own), 2);
}

function parameterShapes(sizes: ModelSizes): Record<string, Shape> {
  const { dimension: D } = sizes;
  const blocks = sizeOption(sizeOptions, sizes, 'blocks');
  const hasMlp = sizeOption(sizeOptions, sizes, 'mlp') === 1;
  const shapes: Record<string, Shape> = {};
  const addDense = (name: string, from: number, to: number) => {
    shapes[`${name}_weight`] = [from, to];
    shapes[`${name}_bias`] = [to];
  };
  const addNorm = (name: string) => {
    shapes[`${name}_gain`] = [D];
    shapes[`${name}_bias`] = [D];
  };
  if (blocks === 0) for (const name of ['query', 'key', 'value']) addDense(name, D + 1, D);
  else addDense('read_in', D + 1, D);
  for (let i = 0; i < blocks; i++) {
    for (const name of ['query', 'key', 'value']) shapes[`${name}_${i}`] = [D, D];
    addNorm(`norm_attention_${i}`);
    if (hasMlp) addDense(`mlp_${i}`, D, D);
    addNorm(`norm_mlp_${i}`);
  }
  addDense('read_out', D, 1);
  return shapes;
}

export const stackedAttention = {
  name: 'stacked-attention',
  description:
    'single-head attention blocks without nonlinearities but softmax and norms, post-norm, as wide as the covariates',
  source: 'Lu et al. (2025), arXiv 2405.11751, Figures 5 and 6',
  minimumContext: 1,
  initSchemes: [
    {
      name: 'generic',
      description: 'weights of variance `scale`/(number of inputs), norms 1, biases 0 (LeCun)',
      defaults: { scale: 1 },
      initialise(sizes, options, generator) {
        const shapes = Object.entries(parameterShapes(sizes));
        return Object.fromEntries(
          shapes.map(([name, shape], i) => {
            if (shape.length === 2) {
              return [name, drawNormals(generator, i, shape, Math.sqrt(options['scale']! / shape[0]!))];
            }
            return [name, new Float32Array(shape[0]!).fill(name.endsWith('_gain') ? 1 : 0)];
          }),
        );
      },
    },
  ],
  sizeOptions,
  parameterShapes,
  forward,
} satisfies Architecture;
