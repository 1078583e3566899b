/**
 * What a transformer's tokens go through, whichever tokens they are: the maps, norms, heads and attention of one layer. A layer
 * is `headsOf`, then `attend`, then `finishLayer`; for queries, which nobody sees but themselves, `askLayer` is the last two.
 * Knows nothing of prompts; who may see whom comes as a mask, and places as numbers.
 */
import {
  classesOf,
  classesOption,
  type ModelSizes,
  type Output,
  type Parameters,
  type SizeOption,
  sizeOption,
} from '../architecture.ts';
import { type Ops, positionsAlong, scale } from '../ops.ts';

export const sizeOptions: readonly SizeOption[] = [
  { name: 'layers', description: 'number of layers', default: 3, minimum: 1, maximum: 100 },
  { name: 'width', description: 'width W of a token, a multiple of heads', default: 64, minimum: 1, maximum: 16384 },
  { name: 'heads', description: 'attention heads H', default: 2, minimum: 1, maximum: 256 },
  { name: 'positions', description: '1: learned absolute positions; 0: none', default: 1, minimum: 0, maximum: 1 },
  { name: 'maxContext', description: 'pairs that have a position', default: 100, minimum: 1, maximum: 100000 },
  { name: 'preNorm', description: '1: norms before each part; 0: behind it', default: 1, minimum: 0, maximum: 1 },
  classesOption,
  { name: 'signs', description: '1: responses are -1 or +1, predictions P(+1)', default: 0, minimum: 0, maximum: 1 },
];

/** What is predicted: probabilities of the option `classes`, of the label +1 with `signs` 1, or else a value. */
export function outputFor(sizes: ModelSizes): Output {
  if (classesOf(sizes) > 0) return 'softmax';
  return option(sizes, 'signs') === 1 ? 'sigmoid' : 'value';
}

export const option = (sizes: ModelSizes, name: string): number => sizeOption(sizeOptions, sizes, name);

const normEpsilon = 1e-5;

/** What the parts of a pass share. */
export interface Model<T> {
  readonly ops: Ops<T>;
  readonly parameters: Parameters<T>;
  readonly sizes: ModelSizes;
}

/** A linear map of tokens. */
interface Affine<T> {
  /** Inputs by outputs. */
  readonly weights: T;
  /** Absent: none, or in the weights. */
  readonly bias?: T;
}

const affine = <T>({ parameters }: Model<T>, name: string): Required<Affine<T>> => ({
  weights: parameters[name]!,
  bias: parameters[`${name}_bias`]!,
});

function apply<T>(ops: Ops<T>, input: T, { weights, bias }: Affine<T>): T {
  const product = ops.matMul(input, weights);
  return bias === undefined ? product : ops.add(product, bias);
}

export const linear = <T>(model: Model<T>, name: string, input: T): T => apply(model.ops, input, affine(model, name));

const mapAffine = <T>({ weights, bias }: Affine<T>, change: (a: T) => T): Affine<T> => ({
  weights: change(weights),
  ...(bias !== undefined && { bias: change(bias) }),
});

/** (h - mean) / sqrt(variance + epsilon) along the last axis, times a gain, plus a bias. */
function layerNorm<T>(model: Model<T>, name: string, input: T): T {
  const { ops } = model;
  const { weights: gain, bias } = affine(model, name);
  return ops.add(ops.mul(ops.normalize(input, { epsilon: normEpsilon, shift: 0 }), gain), bias);
}

/**
 * What a map of normed tokens is for tokens that are only normalized and shifted by 1. Gain and bias of the norm cost a product
 * with weights, which are fewer than tokens: (n g + b) W + c = n (g W) + (b W + c) = n V + v. And v costs nothing: since the
 * numbers n of a token sum to 0, a row added to each of the rows of V is seen by the shift alone, once per row. So
 * n V + v = (n + 1) U with U = V + (v - sum V) / rows, the sum over the rows.
 */
function behindNorm<T>(model: Model<T>, norm: string, { weights, bias }: Required<Affine<T>>): Affine<T> {
  const { ops, sizes } = model;
  const { weights: gain, bias: shift } = affine(model, norm);
  const scaled = ops.mul(ops.expandDims(gain, 1), weights);
  const constant = ops.add(ops.squeeze(ops.matMul(ops.expandDims(shift, 0), weights), 0), bias);
  const row = scale(ops, ops.sub(constant, ops.sum(scaled, 0)), 1 / option(sizes, 'width'));
  return { weights: ops.add(scaled, row) };
}

/** A part of a layer takes its tokens normed or as they are; so does the read-out. Its own map, for what `input` gives it. */
function entering<T>(model: Model<T>, norm: string, name: string): { input: (tokens: T) => T; map: Affine<T> } {
  const own = affine(model, name);
  if (!isPreNorm(model.sizes)) return { input: (tokens) => tokens, map: own };
  const input = (tokens: T) => model.ops.normalize(tokens, { epsilon: normEpsilon, shift: 1 });
  return { input, map: behindNorm(model, norm, own) };
}

/**
 * W_down GELU(W_up h + b_up) + b_down, GELU(x) = x Phi(x) = u (1 + erf u) / sqrt(2) with u = x / sqrt(2). Both factors are given
 * to the weights, which are fewer than the 4 W numbers of each token.
 */
function feedForward<T>(model: Model<T>, layer: number, tokens: T): T {
  const { ops } = model;
  const scaled = (a: T) => scale(ops, a, Math.SQRT1_2);
  const { input, map: up } = entering(model, `norm2_${layer}`, `up_${layer}`);
  const down = affine(model, `down_${layer}`);
  const u = apply(ops, input(tokens), mapAffine(up, scaled));
  return apply(ops, ops.erfGate(u), { weights: scaled(down.weights), bias: down.bias });
}

/** Added to a score that must not count. */
export const excluded = -1e9;

/** `[n, m]`: 1 where a number of `wanted [n]` is one of `known [m]`, 0 elsewhere: what a product takes rows with. */
export function matches<T>(ops: Ops<T>, wanted: T, known: T): T {
  const [row, column] = [ops.expandDims(wanted, 1), ops.expandDims(known, 0)];
  return ops.sub(ops.constant(1), ops.add(ops.less(row, column), ops.less(column, row)));
}

/** `[n, W]`: the learned positions of places 1, 2, .., given as `[n]` numbers; zeros for a place that has none. */
export function positionsAt<T>({ ops, parameters }: Model<T>, places: T): T {
  const table = parameters['position']!;
  return ops.matMul(matches(ops, places, positionsAlong(ops, table, 0)), table);
}

/** Per head `[.., tokens, W/H]`. */
export interface Heads<T> {
  readonly queries: readonly T[];
  readonly keys: readonly T[];
  readonly values: readonly T[];
}

export const isPreNorm = (sizes: ModelSizes): boolean => option(sizes, 'preNorm') === 1;

/**
 * One product for all heads, which is then cut: a product of a few columns does not fill the cores, and its gradient would be
 * one more term of the tokens'.
 * @param askers Takes those of the tokens that ask; `all`; or `none`, and there are no queries.
 */
export function headsOf<T>(
  model: Model<T>,
  layer: number,
  tokens: T,
  askers: 'all' | 'none' | ((tokens: T) => T) = 'all',
): Heads<T> {
  const { ops, sizes } = model;
  const [width, heads] = [option(sizes, 'width'), option(sizes, 'heads')];
  const side = width / heads;
  const { input, map } = entering(model, `norm1_${layer}`, `qkv_${layer}`);
  const own = input(tokens);
  const project = (from: T, start: number, end: number): T[] => {
    const columns = (a: T): T => (end - start === 3 * width ? a : ops.slice(a, -1, start, end));
    const all = apply(ops, from, mapAffine(map, columns));
    return Array.from({ length: (end - start) / side }, (_, i) => ops.slice(all, -1, i * side, (i + 1) * side));
  };
  if (askers === 'all') {
    const parts = project(own, 0, 3 * width);
    return { queries: parts.slice(0, heads), keys: parts.slice(heads, 2 * heads), values: parts.slice(2 * heads) };
  }
  const parts = project(own, width, 3 * width);
  const queries = askers === 'none' ? [] : project(askers(own), 0, width);
  return { queries, keys: parts.slice(0, heads), values: parts.slice(heads) };
}

/** 1/sqrt(W/H): what a score is a product of q and k times. */
const scoreFactor = (sizes: ModelSizes): number => (option(sizes, 'width') / option(sizes, 'heads')) ** -0.5;

/** The rest of a layer: tokens, with what each head has seen for them. */
export function finishLayer<T>(model: Model<T>, layer: number, tokens: T, seen: readonly T[]): T {
  const { ops, sizes } = model;
  const normBehind = (number: 1 | 2, input: T) =>
    isPreNorm(sizes) ? input : layerNorm(model, `norm${number}_${layer}`, input);
  const joined = seen.length === 1 ? seen[0]! : ops.concat(seen, -1);
  const attended = normBehind(1, ops.add(tokens, linear(model, `out_${layer}`, joined)));
  return normBehind(2, ops.add(attended, feedForward(model, layer, attended)));
}

/**
 * Per head how much each query cares for each key: q k^T / sqrt(W/H) + mask, `[.., queries, keys]`.
 * @param mask Broadcasts to `[.., queries, keys]`; absent: all see all.
 */
function attentionScores<T>({ ops, sizes }: Model<T>, { queries, keys }: Heads<T>, mask?: T): T[] {
  return queries.map((q, h) => {
    const scores = scale(ops, ops.matMul(q, ops.transpose(keys[h]!)), scoreFactor(sizes));
    return mask === undefined ? scores : ops.add(scores, mask);
  });
}

/** Per head who looks at whom, `[.., queries, keys]`: rows sum to 1. */
export function attentionWeights<T>(model: Model<T>, heads: Heads<T>, mask?: T): T[] {
  return attentionScores(model, heads, mask).map(model.ops.softmax);
}

/** What each head sees: its weights times the values. */
export function attend<T>(model: Model<T>, heads: Heads<T>, mask?: T): T[] {
  return attentionScores(model, heads, mask).map((scores, h) => model.ops.softMeans(scores, heads.values[h]!));
}

/** What queries attend to besides themselves. */
export interface Asked<T> {
  /** The queries' own heads. */
  readonly asked: Heads<T>;
  /** Of the context, per head. */
  readonly keys: readonly T[];
  readonly values: readonly T[];
  /** Who of the context counts; absent: all. */
  readonly mask?: T;
}

/** A layer for queries: each sees the context and itself, and no other query. */
export function askLayer<T>(model: Model<T>, layer: number, tokens: T, { asked, keys, values, mask }: Asked<T>): T {
  const { ops, sizes } = model;
  const seen = asked.queries.map((query, h) => {
    const q = scale(ops, query, scoreFactor(sizes)); // fewer numbers than the scores
    const products = ops.matMul(q, ops.transpose(keys[h]!));
    const toContext = mask === undefined ? products : ops.add(products, mask);
    const toItself = ops.expandDims(ops.sum(ops.mul(q, asked.keys[h]!), -1), -1);
    const attention = ops.softmax(ops.concat([toItself, toContext], -1)); // [.., 1 + context]
    const fromItself = ops.mul(ops.slice(attention, -1, 0, 1), asked.values[h]!);
    return ops.add(fromItself, ops.matMul(ops.slice(attention, -1, 1), values[h]!));
  });
  return finishLayer(model, layer, tokens, seen);
}

/**
 * What is predicted from tokens `[.., W]`, before any link: the last norm, if norms stand before the parts, and the read-out.
 * @return `[..]`, or `[.., c]` for c classes.
 */
export function readOut<T>(model: Model<T>, tokens: T): T {
  const { ops, sizes } = model;
  const { input, map } = entering(model, 'norm', 'read_out');
  const scores = apply(ops, input(tokens), map);
  return classesOf(sizes) === 0 ? ops.squeeze(scores, -1) : scores;
}

/** Tokens of which only the first n coordinates are not 0, given as `[.., n]`, read in: n rows of W_in act on them. */
export function readIn<T>({ ops, parameters }: Model<T>, start: T, length: number): T {
  return ops.add(ops.matMul(start, ops.slice(parameters['read_in']!, 0, 0, length)), parameters['read_in_bias']!);
}
