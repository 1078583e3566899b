/** From a study's settings, and what somebody chooses besides, to the configuration of a training. Needs no files. */
import { unknownName } from '../models/errors.ts';
import { parseConfig, type TrainingConfig } from '../train/config.ts';
import { optimizers } from '../train/optimizers.ts';
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
  const { optimizer, learningRate, init, ...plain } = overrides;
  const given = Object.fromEntries(Object.entries(plain).filter(([, value]) => value !== undefined));
  const chosen =
    optimizer === undefined || optimizer === base.optimizer.name ? base.optimizer : optimizerNamed(optimizer);
  return {
    ...given,
    optimizer: learningRate === undefined ? chosen : { ...chosen, learningRate },
    ...(init === undefined || init === base.initialisation.scheme
      ? {}
      : { initialisation: { scheme: init, options: {} } }),
  };
}

function optimizerNamed(name: string) {
  const found = optimizers.find((kind) => kind.name === name);
  if (found !== undefined) return found.defaults;
  throw unknownName(
    '--optimizer',
    name,
    optimizers.map((kind) => kind.name),
  );
}
