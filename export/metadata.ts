/**
 * What a frozen model says about itself: the `metadata_props` of the file, and the checks on the way back.
 *
 *   icl.schema      version of this contract, 1
 *   icl.version     version of icl-onnx that wrote the file
 *   icl.study       the paper whose setting it was trained in
 *   icl.model       name of the architecture
 *   icl.sizes       JSON: sizes besides the dimension, such as the number of layers; absent where the model has none
 *   icl.task        JSON: the training law of the prompts
 *   icl.config      JSON: the resolved training configuration
 *   icl.training    JSON: how the training ended
 *   icl.parity      JSON: largest differences between providers and the float64 reference, once verified
 *   author, license, converted_from: what Netron shows
 */
import type { ModelSizes } from '../models/architecture.ts';
import { DataError } from '../models/errors.ts';
import type { TaskSpec } from '../models/tasks/index.ts';
import { version } from '../models/version.ts';
import { canonicalJson, type JsonValue } from './json.ts';

export const schemaVersion = 1;

/** `icl.model` of a model that was made elsewhere and stands behind an adapter. */
export const adaptedName = 'adapted';

export interface ModelMetadata {
  readonly schema: typeof schemaVersion;
  readonly version: string;
  readonly study: string;
  readonly model: string;
  /** Sizes besides the dimension; null where the file names none. Checked by `readModel`. */
  readonly sizes: JsonValue;
  readonly task: TaskSpec;
  readonly config: JsonValue;
  readonly training: JsonValue;
  /** Null until the file has been verified. */
  readonly parity: JsonValue;
  readonly author: string;
  readonly license: string;
  readonly convertedFrom: string;
}

/** What the writer of a file has to say; the rest of {@link ModelMetadata} follows. */
export interface MetadataDescription {
  readonly study: string;
  readonly model: string;
  readonly sizes?: ModelSizes;
  readonly task: TaskSpec;
  /** JSON; an interface is fine too, it is checked when it is written. */
  readonly config: JsonValue | object;
  readonly training: JsonValue | object;
  readonly parity?: JsonValue | object;
  readonly author: string;
  readonly license: string;
  readonly convertedFrom: string;
}

/** @throws {ExportError} if a value is not JSON. */
export function metadataProps(description: MetadataDescription): Record<string, string> {
  const { study, model, sizes, task, config, training, parity, author, license, convertedFrom } = description;
  return {
    'icl.schema': String(schemaVersion),
    'icl.version': version,
    'icl.study': study,
    'icl.model': model,
    ...(sizes?.options === undefined ? {} : { 'icl.sizes': canonicalJson('sizes', sizes.options) }),
    'icl.task': canonicalJson('task', task),
    'icl.config': canonicalJson('config', config),
    'icl.training': canonicalJson('training', training),
    ...(parity === undefined ? {} : parityProp(parity)),
    author,
    license,
    converted_from: convertedFrom,
  };
}

/** Whether a file was written by another tool: nothing of its metadata is ours. */
export const isForeign = (props: Readonly<Record<string, string>>): boolean =>
  !Object.keys(props).some((key) => key.startsWith('icl.'));

/** The one entry that is written after the fact. */
export function parityProp(parity: JsonValue | object): Record<string, string> {
  return { 'icl.parity': canonicalJson('parity', parity) };
}

/**
 * Reads the entries of a file. The task is checked to be JSON here, and to be a task by `readModel`.
 * @throws {DataError} if the file was not written by icl-onnx, is of another schema, or lacks an entry.
 */
export function readMetadata(where: string, props: Readonly<Record<string, string>>): ModelMetadata {
  const schema = props['icl.schema'];
  if (schema === undefined && props['icl.training_step'] !== undefined) {
    throw new DataError({
      where,
      expected: 'a frozen model',
      got: 'a training step',
      remedy: 'Export the run without --training-step to get a model that predicts.',
    });
  }
  if (schema === undefined) {
    throw new DataError({
      where,
      expected: `an ONNX file exported by icl-onnx (icl.schema ${schemaVersion})`,
      got: 'one without icl.schema in its metadata',
      remedy: 'Models from elsewhere are not read as they are: icl inspect says whether an adapter fits.',
    });
  }
  if (schema !== String(schemaVersion)) {
    throw new DataError({
      where,
      expected: `icl.schema ${schemaVersion}`,
      got: `icl.schema ${JSON.stringify(schema)}`,
      remedy: `The file was written by icl-onnx ${props['icl.version'] ?? '(unknown version)'}, this is ${version}: use that version, or export the run again.`,
    });
  }
  const text = (key: string): string => {
    const value = props[key];
    if (value !== undefined) return value;
    throw new DataError({
      where: `${where}: metadata`,
      expected: `an entry ${key}`,
      got: 'none',
      remedy: 'The file is damaged or was changed by another tool: export it again.',
    });
  };
  return {
    schema: schemaVersion,
    version: text('icl.version'),
    study: text('icl.study'),
    model: text('icl.model'),
    sizes: parseJson(where, 'icl.sizes', props['icl.sizes'] ?? 'null'),
    task: parseJson(where, 'icl.task', text('icl.task')) as unknown as TaskSpec,
    config: parseJson(where, 'icl.config', text('icl.config')),
    training: parseJson(where, 'icl.training', text('icl.training')),
    parity: parseJson(where, 'icl.parity', props['icl.parity'] ?? 'null'),
    author: text('author'),
    license: text('license'),
    convertedFrom: text('converted_from'),
  };
}

function parseJson(where: string, key: string, text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch (cause) {
    throw new DataError({
      where: `${where}: metadata`,
      expected: `JSON in ${key}`,
      got: JSON.stringify(text.slice(0, 60)),
      remedy: 'The file is damaged or was changed by another tool: export it again.',
      cause,
    });
  }
}

/** Pairs in each training prompt, if the configuration says so. */
export function trainingLengthOf({ config }: Pick<ModelMetadata, 'config'>): number | undefined {
  const length =
    typeof config === 'object' && config !== null && !Array.isArray(config)
      ? (config as { readonly contextLength?: unknown }).contextLength
      : undefined;
  return typeof length === 'number' ? length : undefined;
}
