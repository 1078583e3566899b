/**
 * What an attention model is to the rest of the house: named parameters with shapes, ways to initialise them, and a
 * forward pass written once against {@link Ops}. One file per architecture in `attention/`; `attention/index.ts` lists them.
 */
import { UsageError, unknownName } from './errors.ts';
import type { Ops } from './ops.ts';
import type { Generator } from './random.ts';
import type { Shape } from './shape.ts';

/** The sizes that are fixed once a model is frozen. Batch, context and queries are not among them. */
export interface ModelSizes {
  /** Covariate dimension D. */
  readonly dimension: number;
  /** By name, a number for each of the architecture's {@link SizeOption}s; absent where it has none. */
  readonly options?: Readonly<Record<string, number>>;
}

/** A size besides the dimension that a model is built with, such as its number of layers. */
export interface SizeOption {
  readonly name: string;
  readonly description: string;
  readonly default: number;
  /** Whole numbers from `minimum` to `maximum`; a file that claims more is not believed. */
  readonly minimum: number;
  readonly maximum: number;
  /** Any number in the range, not only a whole one. */
  readonly isReal?: true;
}

/** A prompt as the forward pass sees it: B prompts, N pairs, Q queries, D covariate dimensions. */
export interface Prompt<T> {
  /** `[B, N, D]` */
  readonly covariates: T;
  /** `[B, N]`, or `[B, N, c]` for c classes */
  readonly responses: T;
  /** `[B, Q, D]`: queries of one context do not see one another. */
  readonly query: T;
}

/** Parameters by name. In the ONNX file each is an initializer of this name. */
export type Parameters<T> = Readonly<Record<string, T>>;

/** A way to choose starting values. `options` holds plain numbers, such as `sigma`. */
export interface InitScheme {
  readonly name: string;
  readonly description: string;
  readonly defaults: Readonly<Record<string, number>>;
  initialise(
    sizes: ModelSizes,
    options: Readonly<Record<string, number>>,
    generator: Generator,
  ): Record<string, Float32Array>;
}

/** What those who ask a model for predictions know of it. */
export interface ModelContract {
  readonly name: string;
  readonly description: string;
  readonly source: string;
  /** Fewest context pairs for which a prediction is defined. */
  readonly minimumContext: number;
  /** What a prediction is. Absent: a `value`. */
  readonly output?: (sizes: ModelSizes) => Output;
}

export interface Architecture extends ModelContract {
  readonly initSchemes: readonly InitScheme[];
  /** Absent: the dimension is the only size. */
  readonly sizeOptions?: readonly SizeOption[];
  /** Shapes of all parameters, in the order in which checkpoints and graphs list them. */
  parameterShapes(sizes: ModelSizes): Record<string, Shape>;
  /**
   * `[B, Q]`, or `[B, Q, c]` for c classes: the scores that {@link link} turns into probabilities. Where predictions are
   * probabilities, since their cross-entropy is computed from scores.
   */
  readonly logits?: <T>(ops: Ops<T>, parameters: Parameters<T>, prompt: Prompt<T>, sizes: ModelSizes) => T;
  /** `[B, Q]` predictions, or `[B, Q, c]` for c classes. */
  forward<T>(ops: Ops<T>, parameters: Parameters<T>, prompt: Prompt<T>, sizes: ModelSizes): T;
  /**
   * `[B, N + 1, Q]`, or `[B, N + 1, Q, c]`: entry n is the prediction from the first n pairs. Absent where one pass cannot
   * give it. For an architecture with `minimumContext` 1, entry 0 is what knowing nothing gives: 0, or equal probabilities.
   */
  readonly prefixForward?: <T>(ops: Ops<T>, parameters: Parameters<T>, prompt: Prompt<T>, sizes: ModelSizes) => T;
  /**
   * `[B, N + 1]`: entry i is the prediction at x_{i+1} from the first i pairs, the last one that at the only query. What
   * training on every position needs. Absent where one pass cannot give it: where a pair's token sees later ones.
   */
  readonly sequenceForward?: <T>(ops: Ops<T>, parameters: Parameters<T>, prompt: Prompt<T>, sizes: ModelSizes) => T;
}

/**
 * What a prediction is: a `value`; by `sigmoid` the probability of the label +1 (responses are -1 or +1); by `softmax` a
 * probability for each of c classes (responses are one-hot).
 */
export type Output = 'value' | 'sigmoid' | 'softmax';

/** What the architecture's predictions are at these sizes. */
export const outputOf = (architecture: ModelContract, sizes: ModelSizes): Output =>
  architecture.output?.(sizes) ?? 'value';

/** c: numbers in a response and in a prediction, if they are classes; 0: both are one number. By the option `classes`. */
export const classesOf = (sizes: ModelSizes): number => sizes.options?.['classes'] ?? 0;

/** The axes of classes, if there are any: what stands behind `[B, N]` and `[B, Q]`. */
export const classAxis = (sizes: ModelSizes): readonly number[] => (classesOf(sizes) === 0 ? [] : [classesOf(sizes)]);

/** Scores as predictions. */
export function link<T>(ops: Ops<T>, output: Output, logits: T): T {
  if (output === 'value') return logits;
  return output === 'sigmoid' ? ops.sigmoid(logits) : ops.softmax(logits);
}

/** The option of an architecture that can have classes. */
export const classesOption: SizeOption = {
  name: 'classes',
  description: 'c of one-hot responses, 2 or more; 0: responses are one number',
  default: 0,
  minimum: 0,
  maximum: 1000,
};

/**
 * Sizes with every option filled in.
 * @throws {UsageError} naming an unknown option or one that is out of range; also for options that do not go together.
 */
export function resolveSizes(where: string, architecture: Architecture, sizes: ModelSizes): ModelSizes {
  const known = architecture.sizeOptions ?? [];
  const given = sizes.options ?? {};
  const names = known.map(({ name }) => name);
  for (const name of Object.keys(given)) {
    if (names.includes(name)) continue;
    if (names.length > 0) throw unknownName(`${where}: options`, name, names);
    const expected = `no options for ${architecture.name}`;
    throw new UsageError({ where: `${where}: options`, expected, got: JSON.stringify(name) });
  }
  if (known.length === 0) return { dimension: sizes.dimension };
  const options = known.map(({ name, default: usual, minimum, maximum, isReal = false }) => {
    const value = given[name] ?? usual;
    if (!((isReal || Number.isInteger(value)) && minimum <= value && value <= maximum)) {
      throw new UsageError({
        where: `${where}: options.${name}`,
        expected: `a ${isReal ? '' : 'whole '}number from ${minimum} to ${maximum}`,
        got: JSON.stringify(value),
      });
    }
    return [name, value] as const;
  });
  const resolved = { dimension: sizes.dimension, options: Object.fromEntries(options) };
  if (classesOf(resolved) === 1) {
    throw new UsageError({
      where: `${where}: options.classes`,
      expected: '2 or more, or 0 for responses of one number',
      got: '1',
    });
  }
  architecture.parameterShapes(resolved); // throws if they do not go together
  return resolved;
}

/** One of the architecture's options; its default where the sizes name none. */
export function sizeOption(options: readonly SizeOption[], sizes: ModelSizes, name: string): number {
  return sizes.options?.[name] ?? options.find((option) => option.name === name)!.default;
}
