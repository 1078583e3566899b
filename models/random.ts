/**
 * The counter-based generator Philox4x32-10 and what is drawn from it.
 *
 * A number's value depends only on (seed, stream, prompt, purpose, index): not on batch size, order, threads, engine or
 * platform. So a resumed run continues exactly, and prompt 7 is prompt 7 everywhere. There is no state to save.
 *
 * Normals are made in float32 with polynomial logarithm, sine and cosine, each operation rounded: `Math.log` and `Math.cos`
 * may differ between engines, these may not. There are two implementations with the same bits: `simd` (WebAssembly, some
 * 20 times as fast) and `plain` (TypeScript), which takes over where the first cannot run.
 */
import { ProviderError, ShapeError, UsageError } from './errors.ts';
import { fillPlain } from './random-plain.ts';
import { createSimdFill } from './random-simd.ts';

export { philox } from './random-plain.ts';

/** Which numbers: a seed and a stream of it. Two streams of a seed are independent. */
export interface Generator {
  readonly seed: number;
  readonly stream: number;
}

/** Streams in use, so that no two parts of the house draw the same numbers for different ends. */
export const streams = {
  training: 0,
  evaluation: 1,
  initialisation: 2,
  verification: 3,
  validation: 4,
  theory: 5,
  taskBank: 6,
} as const;

/** Where in a stream: prompt number, and what of the prompt is drawn. */
export interface Position {
  /** 0 <= prompt < 2^53 */
  readonly prompt: number;
  /** 0 <= purpose < 256: task vector, covariates, noise, ... each have their own numbers. */
  readonly purpose: number;
}

/** @throws {UsageError} unless seed is an integer in [0, 2^53). */
export function createGenerator(seed: number, stream: number): Generator {
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new UsageError({ where: 'seed', expected: 'an integer from 0 to 2^53 - 1', got: String(seed) });
  }
  return { seed, stream };
}

/** What to draw: rows of `count` numbers, one row for each of `prompts` prompts from `position` on. */
export interface Draw {
  readonly distribution: 'normal' | 'exponential';
  readonly generator: Generator;
  /** Of the first row; the others are those of the following prompts. */
  readonly position: Position;
  readonly prompts: number;
  readonly count: number;
  /** Row r is written to `out[at + r * count ..]`. */
  readonly out: Float32Array;
  readonly at: number;
}

type Fill = (draw: Draw) => void;

/** Which code draws. The numbers are the same bits. */
export type GeneratorImplementation = 'simd' | 'plain';

let active: { readonly name: GeneratorImplementation; readonly fill: Fill } | undefined;

function implementation(): { readonly name: GeneratorImplementation; readonly fill: Fill } {
  if (active === undefined) {
    const simd = createSimdFill();
    active = simd === undefined ? { name: 'plain', fill: fillPlain } : { name: 'simd', fill: simd };
  }
  return active;
}

/** The implementation in use: `simd` unless WebAssembly SIMD is missing here or `plain` was asked for. */
export function generatorImplementation(): GeneratorImplementation {
  return implementation().name;
}

/**
 * Changes the implementation for the whole process: for tests and measurements.
 * @throws {ProviderError} if `simd` is asked for and this JavaScript engine cannot run it.
 */
export function useGeneratorImplementation(name: GeneratorImplementation): void {
  active = name === 'plain' ? { name, fill: fillPlain } : undefined;
  if (implementation().name !== name) {
    throw new ProviderError({ where: 'generator', expected: 'WebAssembly with SIMD', got: 'an engine without it' });
  }
}

/** Draws after checking that the rows lie within `out` and that the position is one. */
function fill(draw: Draw): void {
  const { position, prompts, count, out, at } = draw;
  const end = at + prompts * count;
  if (!(Number.isSafeInteger(end) && at >= 0 && prompts >= 0 && count >= 0 && end <= out.length)) {
    throw new ShapeError({
      where: `drawing ${draw.distribution} numbers`,
      expected: `room for ${prompts} x ${count} from ${at} on`,
      got: `${out.length} places`,
    });
  }
  if (end === at) return;
  const { prompt, purpose } = position;
  if (!(prompt >= 0 && Number.isSafeInteger(prompt + prompts - 1) && purpose === (purpose & 255))) {
    throw new UsageError({
      where: `drawing ${draw.distribution} numbers`,
      expected: 'prompts from 0 to 2^53 - 1 and a purpose from 0 to 255',
      got: `${prompts} prompts from ${prompt} on and purpose ${purpose}`,
    });
  }
  implementation().fill(draw);
}

/**
 * Writes `count` standard normals to `out[at..]`. Number i is the same whatever the count. Largest: 6.76.
 * @throws {ShapeError} if `out` is too short.
 */
export function fillNormals(
  generator: Generator,
  position: Position,
  out: Float32Array,
  at: number,
  count: number,
): void {
  fill({ distribution: 'normal', generator, position, prompts: 1, count, out, at });
}

/**
 * Writes `count` draws of the exponential distribution with mean 1. Largest: 22.9.
 * @throws {ShapeError} if `out` is too short.
 */
export function fillExponentials(
  generator: Generator,
  position: Position,
  out: Float32Array,
  at: number,
  count: number,
): void {
  fill({ distribution: 'exponential', generator, position, prompts: 1, count, out, at });
}

/**
 * Writes what {@link fillNormals} writes for each of `prompts` prompts from `first` on, one row after another: much faster
 * than one call for each prompt.
 * @param out `[prompts, count]`, or longer.   @throws {ShapeError} if it is shorter.
 */
export function fillNormalsForPrompts(
  generator: Generator,
  first: Position,
  prompts: number,
  out: Float32Array,
  count: number,
): void {
  fill({ distribution: 'normal', generator, position: first, prompts, count, out, at: 0 });
}

/** {@link fillNormalsForPrompts} of exponential draws. */
export function fillExponentialsForPrompts(
  generator: Generator,
  first: Position,
  prompts: number,
  out: Float32Array,
  count: number,
): void {
  fill({ distribution: 'exponential', generator, position: first, prompts, count, out, at: 0 });
}
