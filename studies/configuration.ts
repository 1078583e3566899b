/** From a study's settings, and what somebody chooses besides, to the configuration of a training. Needs no files. */
import { architectureNamed } from '../models/attention/index.ts';
import { UsageError, unknownName } from '../models/errors.ts';
import { parseConfig, type TrainingConfig } from '../train/config.ts';
import { type OptimizerSpec, optimizers } from '../train/optimizers.ts';
import { schedules } from '../train/schedule.ts';
import type { Settings, Study } from './study.ts';

/** What a caller may choose instead of the study; `model` is for another architecture on the study's prompts. */
export type TrainingOverrides = Partial<
  Pick<
    TrainingConfig,
    | 'model'
    | 'initialisation'
    | 'steps'
    | 'batch'
    | 'seed'
    | 'loss'
    | 'trainingPrompts'
    | 'optimizer'
    | 'schedule'
    | 'clipNorm'
    | 'logEvery'
    | 'checkpointEvery'
  >
> & { readonly engine?: string; readonly device?: string };

/**
 * A study's configuration at given settings, every default written out.
 * @param versions What will train, by name: for the record.
 * @throws {UsageError} naming a bad value.
 */
export function configOf(
  study: Study,
  settings: Settings,
  overrides: TrainingOverrides,
  versions: Readonly<Record<string, string>>,
): TrainingConfig {
  const { architecture, sizes, contextLength } = study.model(settings);
  return parseConfig(`study ${study.name}`, {
    study: study.name,
    settings,
    model: { name: architecture.name, ...sizes },
    task: study.task(settings),
    contextLength,
    ...study.trainingDefaults(settings),
    ...overrides,
    versions,
  });
}

/** What the command line may say about a training, as it says it. */
export interface RunOverrides {
  readonly steps?: number | undefined;
  readonly batch?: number | undefined;
  readonly seed?: number | undefined;
  /** Name; its other constants are the study's if the study has the same, else its defaults. */
  readonly optimizer?: string | undefined;
  readonly learningRate?: number | undefined;
  /** Of the optimizers that have it. */
  readonly momentum?: number | undefined;
  readonly weightDecay?: number | undefined;
  /** Name; its fractions are the study's if the study has the same, else its defaults. */
  readonly schedule?: string | undefined;
  /** Null: never clipped. */
  readonly clipNorm?: number | null | undefined;
  /** Name of an initialisation scheme, with its default options. */
  readonly init?: string | undefined;
  readonly engine?: string | undefined;
  readonly device?: string | undefined;
  readonly checkpointEvery?: number | undefined;
}

/** A configuration with what was chosen besides. @throws {UsageError} naming a bad value. */
export const withOverrides = (where: string, base: TrainingConfig, overrides: RunOverrides): TrainingConfig =>
  parseConfig(where, { ...base, ...overridesFor(base, overrides) });

function overridesFor(base: TrainingConfig, overrides: RunOverrides): TrainingOverrides {
  const { optimizer, learningRate, momentum, weightDecay, schedule, init, ...plain } = overrides;
  const isNew = (name: string | undefined, now: string): name is string => name !== undefined && name !== now;
  const chosen = isNew(optimizer, base.optimizer.name)
    ? kindNamed('--optimizer', optimizer, optimizers).defaults
    : base.optimizer;
  const constants = given({ momentum, weightDecay });
  for (const [flag, key] of [
    ['--momentum', 'momentum'],
    ['--weight-decay', 'weightDecay'],
  ] as const) {
    if (constants[key] !== undefined && !(key in chosen)) throw otherOptimizer(flag, key, chosen.name);
  }
  const { initSchemes } = architectureNamed(base.model.name);
  return {
    ...given(plain),
    optimizer: { ...chosen, ...given({ learningRate }), ...constants } as OptimizerSpec,
    ...(isNew(schedule, base.schedule.name) && { schedule: kindNamed('--schedule', schedule, schedules).defaults }),
    ...(isNew(init, base.initialisation.scheme) && {
      initialisation: { scheme: kindNamed('--init', init, initSchemes).name, options: {} },
    }),
  };
}

function otherOptimizer(flag: string, key: string, got: string): UsageError {
  const names = optimizers.filter(({ defaults }) => key in defaults).map(({ name }) => name);
  const expected = `an optimizer that has it: ${names.join(', ')}`;
  return new UsageError({ where: flag, expected, got, remedy: `Add --optimizer ${names[0]}.` });
}

/** What is not undefined. */
function given<T extends object>(values: T): { readonly [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> };
}

function kindNamed<Kind extends { readonly name: string }>(flag: string, name: string, kinds: readonly Kind[]): Kind {
  const found = kinds.find((kind) => kind.name === name);
  if (found !== undefined) return found;
  throw unknownName(
    flag,
    name,
    kinds.map((kind) => kind.name),
  );
}
