/**
 * What a task is to the rest of the house: a law of prompts as data. One file per task beside this one exports its
 * specification, the schema that checks one from outside, and the sampler that draws; `index.ts` lists them.
 */
import type { GenericSchema } from 'valibot';
import type { LabelledBatch } from '../prompts.ts';
import type { Generator } from '../random.ts';

/** What all specifications have. A specification is plain data: a configuration and the metadata of a file hold it. */
export interface AnyTaskSpec {
  readonly name: string;
  /** D */
  readonly dimension: number;
}

/** Fills batches with fresh prompts. */
export interface Sampler {
  /** D */
  readonly dimension: number;
  /** c >= 2: responses are one of c classes, one-hot. 0: they are one number. */
  readonly classes: number;
  /** P: numbers in a prompt's row of `taskParameters`. */
  readonly parameterCount: number;
  /** Fills `out` with the prompts numbered `first`, `first + 1`, .. of the generator's stream. */
  fill(generator: Generator, first: number, out: LabelledBatch): void;
}

/**
 * The true probabilities of the classes at every query, given what the task drew (`taskParameters`).
 * @param out `[B, Q]` probabilities of +1, or `[B, Q, c]`; overwritten.
 */
export type Posterior = (prompts: LabelledBatch, out: Float64Array) => void;

/** A kind of task. */
export interface Task<Spec extends AnyTaskSpec = AnyTaskSpec> {
  readonly name: Spec['name'];
  readonly description: string;
  /** The paper that it stands in. */
  readonly source: string;
  /** `regression`: a prediction is a number, judged by its square; `classification`: it is a probability. */
  readonly kind: 'regression' | 'classification';
  /** Of a regression whose responses are whole numbers: how many there are, 0 .. levels - 1. Absent: any number. */
  levels?(spec: Spec): number;
  /** A `strictObject` whose `name` is a literal: the check of what comes from outside. */
  readonly schema: GenericSchema<unknown, Spec>;
  /** Names of the estimators that stand beside a model unless others are asked for. */
  readonly estimators: readonly string[];
  /** Those of `estimators` that a law has: absent where every law has them all. */
  estimatorsOf?(spec: Spec): readonly string[];
  /** @throws {UsageError} | {DataError} if the numbers of the specification are impossible. */
  createSampler(spec: Spec): Sampler;
  /** Absent for regression, and where nobody knows. */
  createPosterior?(spec: Spec): Posterior;
}
