/**
 * What the transformer's tokens go through, whoever they attend to: the maps, norms and heads of one layer. A layer is
 * `headsOf`, then attention, which is in `transformer.ts`, then `finishLayer`. Knows nothing of prompts, places or masks.
 */
import { type ModelSizes, type Parameters, type SizeOption, sizeOption } from '../architecture.ts';
import { type Ops, scale } from '../ops.ts';

export const sizeOptions: readonly SizeOption[] = [
  { name: 'layers', description: 'number of layers', default: 3, minimum: 1, maximum: 100 },
  { name: 'width', description: 'width W of a token, a multiple of heads', default: 64, minimum: 1, maximum: 16384 },
  { name: 'heads', description: 'attention heads H', default: 2, minimum: 1, maximum: 256 },
  { name: 'positions', description: '1: learned absolute positions; 0: none', default: 1, minimum: 0, maximum: 1 },
  { name: 'maxContext', description: 'pairs that have a position', default: 100, minimum: 1, maximum: 100000 },
  { name: 'preNorm', description: '1: norms before each part; 0: behind it', default: 1, minimum: 0, maximum: 1 },
];

export const option = (sizes: ModelSizes, name: string): number => sizeOption(sizeOptions, sizes, name);

const normEpsilon = 1e-5;

/** What the parts of a pass share. */
export interface Model<T> {
  readonly ops: Ops<T>;
  readonly parameters: Parameters<T>;
  readonly sizes: ModelSizes;
}

export function linear<T>({ ops, parameters }: Model<T>, name: string, input: T): T {
  return ops.add(ops.matMul(input, parameters[name]!), parameters[`${name}_bias`]!);
}

/** (h - mean) / sqrt(variance + epsilon) along the last axis, times a gain, plus a bias. */
export function layerNorm<T>({ ops, parameters, sizes }: Model<T>, name: string, input: T): T {
  const mean = (a: T) => ops.expandDims(scale(ops, ops.sum(a, -1), 1 / option(sizes, 'width')), -1);
  const centred = ops.sub(input, mean(input));
  const deviation = ops.sqrt(ops.add(mean(ops.mul(centred, centred)), ops.constant(normEpsilon)));
  return ops.add(ops.mul(ops.div(centred, deviation), parameters[name]!), parameters[`${name}_bias`]!);
}

/**
 * W_down GELU(W_up h + b_up) + b_down, GELU(x) = x Phi(x) = u (1 + erf u) / sqrt(2) with u = x / sqrt(2). Both factors are given
 * to the weights, which are fewer than the 4 W numbers of each token.
 */
function feedForward<T>({ ops, parameters }: Model<T>, layer: number, input: T): T {
  const scaled = (name: string) => scale(ops, parameters[name]!, Math.SQRT1_2);
  const u = ops.add(ops.matMul(input, scaled(`up_${layer}`)), scaled(`up_${layer}_bias`));
  const activated = ops.mul(u, ops.add(ops.erf(u), ops.constant(1)));
  return ops.add(ops.matMul(activated, scaled(`down_${layer}`)), parameters[`down_${layer}_bias`]!);
}

/** Per head `[.., tokens, W/H]`. */
export interface Heads<T> {
  readonly queries: readonly T[];
  readonly keys: readonly T[];
  readonly values: readonly T[];
}

export const isPreNorm = (sizes: ModelSizes): boolean => option(sizes, 'preNorm') === 1;

/** Head by head, with columns of the weights: to cut the product instead costs a copy of it, and its gradient one per part. */
export function headsOf<T>(model: Model<T>, layer: number, tokens: T): Heads<T> {
  const { ops, parameters, sizes } = model;
  const [width, heads] = [option(sizes, 'width'), option(sizes, 'heads')];
  const side = width / heads;
  const input = isPreNorm(sizes) ? layerNorm(model, `norm1_${layer}`, tokens) : tokens;
  const part = (from: number, factor: number) =>
    Array.from({ length: heads }, (_, h) => {
      const columns = (a: T) => {
        const own = ops.slice(a, -1, from + h * side, from + (h + 1) * side);
        return factor === 1 ? own : scale(ops, own, factor);
      };
      return ops.add(
        ops.matMul(input, columns(parameters[`qkv_${layer}`]!)),
        columns(parameters[`qkv_${layer}_bias`]!),
      );
    });
  // 1/sqrt(W/H) is in the queries' weights: fewer numbers than scores.
  return { queries: part(0, side ** -0.5), keys: part(width, 1), values: part(2 * width, 1) };
}

/** The rest of a layer: tokens, with what each head has seen for them. */
export function finishLayer<T>(model: Model<T>, layer: number, tokens: T, seen: readonly T[]): T {
  const { ops, sizes } = model;
  const isPre = isPreNorm(sizes);
  const norm = (number: 1 | 2, input: T) => layerNorm(model, `norm${number}_${layer}`, input);
  const joined = seen.length === 1 ? seen[0]! : ops.concat(seen, -1);
  const sum = ops.add(tokens, linear(model, `out_${layer}`, joined));
  const attended = isPre ? sum : norm(1, sum);
  const result = ops.add(attended, feedForward(model, layer, isPre ? norm(2, attended) : attended));
  return isPre ? result : norm(2, result);
}
