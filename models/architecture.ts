/**
 * What an attention model is to the rest of the house: named parameters with shapes, ways to initialise them, and a
 * forward pass written once against {@link Ops}. One file per architecture in `attention/`; `attention/index.ts` lists them.
 */
import type { Ops } from './ops.ts';
import type { Generator } from './random.ts';
import type { Shape } from './shape.ts';

/** The sizes that are fixed once a model is frozen. Batch, context and queries are not among them. */
export interface ModelSizes {
  /** Covariate dimension D. */
  readonly dimension: number;
}

/** A prompt as the forward pass sees it: B prompts, N pairs, Q queries, D covariate dimensions. */
export interface Prompt<T> {
  /** `[B, N, D]` */
  readonly covariates: T;
  /** `[B, N]` */
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

export interface Architecture {
  readonly name: string;
  readonly description: string;
  readonly source: string;
  /** Fewest context pairs for which a prediction is defined. */
  readonly minimumContext: number;
  readonly initSchemes: readonly InitScheme[];
  /** Shapes of all parameters, in the order in which checkpoints and graphs list them. */
  parameterShapes(sizes: ModelSizes): Record<string, Shape>;
  /** `[B, Q]` predictions. */
  forward<T>(ops: Ops<T>, parameters: Parameters<T>, prompt: Prompt<T>): T;
  /**
   * `[B, N + 1, Q]`: entry n is the prediction from the first n pairs. Absent where one pass cannot give it.
   * Entry 0 is 0 for an architecture with `minimumContext` 1.
   */
  readonly prefixForward?: <T>(ops: Ops<T>, parameters: Parameters<T>, prompt: Prompt<T>) => T;
}
