/**
 * The parameters that transformers share, whatever their tokens are: names, shapes and starting values.
 *
 * `read_in`, `position`; in layer l `qkv_l`, `out_l`, `up_l`, `down_l`, inputs by outputs, with biases `.._bias`, and norms `norm1_l`,
 * `norm2_l` with theirs; `norm`, `read_out`.
 */
import { classesOf, type InitScheme, type ModelSizes } from '../architecture.ts';
import { UsageError } from '../errors.ts';
import type { Generator } from '../random.ts';
import { type Shape, sizeOf } from '../shape.ts';
import { drawNormals } from './starting-values.ts';
import { isPreNorm, option } from './transformer-layers.ts';

/** What differs between transformers. */
export interface TokenSizes {
  /** Numbers in a token before it is read in. */
  readonly inputs: number;
  /** Places that have a learned position. */
  readonly places: number;
}

/** @throws {UsageError} if the width is no multiple of the heads, or there are classes and signs. */
export function transformerShapes(sizes: ModelSizes, { inputs, places }: TokenSizes): Record<string, Shape> {
  const [width, heads] = [option(sizes, 'width'), option(sizes, 'heads')];
  if (width % heads !== 0) {
    throw new UsageError({ where: 'options.width', expected: `a multiple of heads, ${heads}`, got: String(width) });
  }
  const classes = classesOf(sizes);
  if (classes > 0 && option(sizes, 'signs') === 1) {
    throw new UsageError({ where: 'options.signs', expected: `0 for ${classes} classes`, got: '1' });
  }
  const dense = (name: string, from: number, to: number) => ({ [name]: [from, to], [`${name}_bias`]: [to] });
  const norm = (name: string) => ({ [name]: [width], [`${name}_bias`]: [width] });
  const layers = Array.from({ length: option(sizes, 'layers') }, (_, l) => ({
    ...norm(`norm1_${l}`),
    ...dense(`qkv_${l}`, width, 3 * width),
    ...dense(`out_${l}`, width, width),
    ...norm(`norm2_${l}`),
    ...dense(`up_${l}`, width, 4 * width),
    ...dense(`down_${l}`, 4 * width, width),
  }));
  return {
    ...dense('read_in', inputs, width),
    ...(option(sizes, 'positions') === 1 ? { position: [places, width] } : {}),
    ...Object.assign({}, ...layers),
    ...(isPreNorm(sizes) ? norm('norm') : {}),
    ...dense('read_out', width, Math.max(1, classes)),
  };
}

type ParameterShapes = (sizes: ModelSizes) => Record<string, Shape>;

/** Biases 0, gains 1, positions by `positions`; weights by a standard deviation that may depend on the inputs. */
function initialise(
  shapes: Readonly<Record<string, Shape>>,
  generator: Generator,
  deviation: (inputs: number) => number,
  positions: number,
) {
  const start = ([name, shape]: [string, Shape], index: number): [string, Float32Array] => {
    if (name.endsWith('_bias')) return [name, new Float32Array(sizeOf(shape))];
    if (name.startsWith('norm')) return [name, new Float32Array(sizeOf(shape)).fill(1)];
    return [name, drawNormals(generator, index, shape, name === 'position' ? positions : deviation(shape[0]!))];
  };
  return Object.fromEntries(Object.entries(shapes).map(start));
}

/** The ways in which a transformer with these parameters may start. */
export function startsFor(parameterShapes: ParameterShapes): InitScheme[] {
  return [
    {
      name: 'generic',
      description: 'weights and positions normal of standard deviation `scale`, biases 0 (GPT-2)',
      defaults: { scale: 0.02 },
      initialise: (sizes, { scale }, generator) => initialise(parameterShapes(sizes), generator, () => scale!, scale!),
    },
    {
      name: 'fan-in',
      description: 'weights normal of variance 1/(3 inputs), positions of deviation `positionScale`, biases 0',
      defaults: { positionScale: 0.02 },
      initialise: (sizes, { positionScale }, generator) =>
        initialise(parameterShapes(sizes), generator, (inputs) => 1 / Math.sqrt(3 * inputs), positionScale!),
    },
  ];
}
