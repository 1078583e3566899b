/**
 * The configuration of a run: what `config.json` holds. A run is a pure function of it. Reading it refuses unknown keys,
 * fills in every default, and checks what belongs together.
 */
import * as v from 'valibot';
import { type ModelSizes, resolveSizes } from '../models/architecture.ts';
import { architectureNamed } from '../models/attention/index.ts';
import { UsageError, unknownName } from '../models/errors.ts';
import { belowOne, finite, fraction, nonNegative, parseWith, positive, text, wholeNumber } from '../models/schema.ts';
import { samplerFor } from '../models/task-fit.ts';
import { type TaskSpec, taskSchema } from '../models/tasks/index.ts';
import {
  checkEngineDevice,
  type DeviceName,
  deviceNames,
  type EngineName,
  type ExactEngine,
  engineNames,
  exactEngine,
} from './engine-table.ts';
import { defaultLoss, type LossSpec, losses, lossFor } from './losses.ts';
import { type AdamSpec, type AdamWSpec, type OptimizerSpec, optimizers } from './optimizers.ts';
import { type ScheduleSpec, schedules } from './schedule.ts';

export interface TrainingConfig {
  readonly schema: 1;
  /** Name of the study that this run belongs to. */
  readonly study: string;
  /** The study's settings, in the paper's notation. */
  readonly settings: Readonly<Record<string, string | number>>;
  /** Name of an architecture and its sizes. */
  readonly model: { readonly name: string } & ModelSizes;
  /** The law of training prompts. */
  readonly task: TaskSpec;
  /** Pairs in each training prompt. */
  readonly contextLength: number;
  readonly initialisation: { readonly scheme: string; readonly options: Readonly<Record<string, number>> };
  readonly steps: number;
  /** Prompts per step. Prompt b of step s is number s * batch + b of the stream `training`. */
  readonly batch: number;
  /** Null: all prompts are fresh. P: there are P prompts, numbers 0 to P - 1, and s * batch + b is taken modulo P. */
  readonly trainingPrompts: number | null;
  readonly seed: number;
  readonly loss: LossSpec;
  readonly optimizer: OptimizerSpec;
  readonly schedule: ScheduleSpec;
  /** Gradients of a larger norm are scaled down to it; null: never. */
  readonly clipNorm: number | null;
  /** `exact`: solved for, where the study can; `auto`: so where it can, otherwise trained. */
  readonly engine: EngineName | ExactEngine | 'auto';
  readonly device: DeviceName | 'auto';
  /** Steps per row of `metrics.jsonl`. */
  readonly logEvery: number;
  /** Steps between two checkpoints. */
  readonly checkpointEvery: number;
  /** What made the run, by name: for the record. */
  readonly versions: Readonly<Record<string, string>>;
}

const defaultsOf = <T>(kinds: readonly { readonly name: string; readonly defaults: unknown }[], name: string): T =>
  kinds.find((kind) => kind.name === name)!.defaults as T;

const adamDefaults = defaultsOf<AdamSpec>(optimizers, 'adam');
const adamwDefaults = defaultsOf<AdamWSpec>(optimizers, 'adamw');
const sgdDefaults = defaultsOf<OptimizerSpec & { name: 'sgd' }>(optimizers, 'sgd');
const cosineDefaults = defaultsOf<ScheduleSpec & { name: 'cosine' }>(schedules, 'cosine');
const stepDefaults = defaultsOf<ScheduleSpec & { name: 'step' }>(schedules, 'step');

/** What a configuration need not say. */
export const configDefaults = {
  schema: 1,
  initialisation: { scheme: 'generic', options: {} },
  steps: 1000,
  batch: 512,
  trainingPrompts: null,
  seed: 0,
  optimizer: { ...adamDefaults, learningRate: 0.02 },
  schedule: cosineDefaults,
  clipNorm: null,
  engine: 'auto',
  device: 'auto',
  logEvery: 10,
  checkpointEvery: 250,
  versions: {},
} as const satisfies Partial<TrainingConfig>;

const optimizer = v.variant(
  'name',
  [
    v.strictObject({
      name: v.literal('sgd'),
      learningRate: v.optional(positive, sgdDefaults.learningRate),
      momentum: v.optional(belowOne, sgdDefaults.momentum),
    }),
    v.strictObject({
      name: v.literal('adam'),
      learningRate: v.optional(positive, adamDefaults.learningRate),
      beta1: v.optional(belowOne, adamDefaults.beta1),
      beta2: v.optional(belowOne, adamDefaults.beta2),
      epsilon: v.optional(positive, adamDefaults.epsilon),
    }),
    v.strictObject({
      name: v.literal('adamw'),
      learningRate: v.optional(positive, adamwDefaults.learningRate),
      beta1: v.optional(belowOne, adamwDefaults.beta1),
      beta2: v.optional(belowOne, adamwDefaults.beta2),
      epsilon: v.optional(positive, adamwDefaults.epsilon),
      weightDecay: v.optional(nonNegative, adamwDefaults.weightDecay),
    }),
  ],
  `an optimizer with a name: ${optimizers.map(({ name }) => name).join(', ')}`,
);

const schedule = v.variant(
  'name',
  [
    v.strictObject({ name: v.literal('constant') }),
    v.strictObject({
      name: v.literal('cosine'),
      warmup: v.optional(fraction, cosineDefaults.warmup),
      final: v.optional(fraction, cosineDefaults.final),
    }),
    v.strictObject({
      name: v.literal('step'),
      at: v.optional(fraction, stepDefaults.at),
      factor: v.optional(positive, stepDefaults.factor),
    }),
  ],
  `a schedule with a name: ${schedules.map(({ name }) => name).join(', ')}`,
);

const oneOf = <Name extends string>(names: readonly Name[]) => {
  const known = ['auto', ...names] as const;
  return v.picklist(known, `one of ${known.join(', ')}`);
};

const lossNames = losses.map(({ name }) => name);

const schema = v.strictObject({
  schema: v.optional(v.literal(1, 'schema 1'), 1),
  study: text,
  settings: v.record(text, v.union([text, finite], 'a text or a number')),
  model: v.strictObject({
    name: text,
    dimension: wholeNumber(1),
    options: v.exactOptional(v.record(text, finite)),
  }),
  task: taskSchema,
  contextLength: wholeNumber(1),
  initialisation: v.optional(
    v.strictObject({ scheme: text, options: v.optional(v.record(text, finite), {}) }),
    configDefaults.initialisation,
  ),
  steps: v.optional(wholeNumber(1), configDefaults.steps),
  batch: v.optional(wholeNumber(1), configDefaults.batch),
  trainingPrompts: v.optional(v.nullable(wholeNumber(1)), configDefaults.trainingPrompts),
  seed: v.optional(wholeNumber(0), configDefaults.seed),
  // The default is the architecture's.
  loss: v.exactOptional(v.strictObject({ name: v.picklist(lossNames, `one of ${lossNames.join(', ')}`) })),
  optimizer: v.optional(optimizer, configDefaults.optimizer),
  schedule: v.optional(schedule, configDefaults.schedule),
  clipNorm: v.optional(v.nullable(positive), configDefaults.clipNorm),
  engine: v.optional(oneOf([...engineNames, exactEngine] as const), configDefaults.engine),
  device: v.optional(oneOf(deviceNames), configDefaults.device),
  logEvery: v.optional(wholeNumber(1), configDefaults.logEvery),
  checkpointEvery: v.optional(wholeNumber(1), configDefaults.checkpointEvery),
  versions: v.optional(v.record(text, text), configDefaults.versions),
});

/**
 * A configuration with every default written out.
 * @param where What was read, for errors: a file, a command.
 * @throws {UsageError} naming the key; for an unknown key, the nearest known one.
 * @throws {DataError} if a covariance is not positive definite.
 */
export function parseConfig(where: string, value: unknown): TrainingConfig {
  return checkTogether(where, parseWith(where, schema, value) as ReadConfig);
}

/** A configuration whose loss may be that of its architecture. */
type ReadConfig = Omit<TrainingConfig, 'loss'> & { readonly loss?: LossSpec };

/** What does not follow from the single values. */
function checkTogether(where: string, config: ReadConfig): TrainingConfig {
  const { model, task: spec, contextLength, initialisation, batch, trainingPrompts } = config;
  const architecture = architectureNamed(model.name, `${where}: model.name`);
  const sizes = resolveSizes(`${where}: model`, architecture, model);
  samplerFor(`${where}: task`, architecture, sizes, spec); // throws if its numbers are impossible
  if (contextLength < architecture.minimumContext) {
    throw new UsageError({
      where: `${where}: contextLength`,
      expected: `${architecture.minimumContext} or more for ${architecture.name}`,
      got: String(contextLength),
    });
  }
  const scheme = architecture.initSchemes.find(({ name }) => name === initialisation.scheme);
  if (scheme === undefined) {
    const names = architecture.initSchemes.map(({ name }) => name);
    throw unknownName(`${where}: initialisation.scheme`, initialisation.scheme, names);
  }
  const known = Object.keys(scheme.defaults);
  const unknown = Object.keys(initialisation.options).find((option) => !known.includes(option));
  if (unknown !== undefined) throw unknownName(`${where}: initialisation.options`, unknown, known);
  const loss = config.loss ?? defaultLoss(architecture, sizes);
  lossFor(loss, architecture, sizes, `${where}: loss`);
  if (trainingPrompts !== null && batch > trainingPrompts) {
    throw new UsageError({
      where: `${where}: batch`,
      expected: `at most trainingPrompts, ${trainingPrompts}: a step takes no prompt twice`,
      got: String(batch),
    });
  }
  // What is solved for exactly has no device to choose: `exact-fit.ts` says so where it matters.
  checkEngineDevice(where, config.engine === exactEngine ? 'auto' : config.engine, config.device);
  return {
    ...config,
    loss,
    model: { name: architecture.name, ...sizes },
    initialisation: { scheme: scheme.name, options: { ...scheme.defaults, ...initialisation.options } },
  };
}
