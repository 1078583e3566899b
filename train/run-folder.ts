/**
 * A run is a folder: which files are in it, how one is opened, and how it is read by those who did not train it. Every
 * file is replaced as a whole, so a folder can be read after a kill at any instant.
 */
import { accessSync, constants, existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ensureFolder, fileError, writeFileAtomic } from '../export/files.ts';
import { canonicalJson } from '../export/json.ts';
import { DataError, UsageError } from '../models/errors.ts';
import { type Checkpoint, readCheckpoint } from './checkpoint.ts';
import { parseConfig, type TrainingConfig } from './config.ts';
import { differingKeys } from './config-identity.ts';
import { formatMetrics, type MetricsRow } from './metrics.ts';

export type { MetricsRow } from './metrics.ts';

/** The files of a run by what they hold. */
export const runFiles = {
  config: 'config.json',
  metrics: 'metrics.jsonl',
  checkpoint: 'checkpoint.safetensors',
  model: 'model.onnx',
  evaluation: 'evaluation.jsonl',
  report: 'report.html',
} as const;

export type RunPaths = Readonly<Record<keyof typeof runFiles, string>>;

/** Where the files of a run are, or will be. */
export function runPaths(folder: string): RunPaths {
  return Object.fromEntries(Object.entries(runFiles).map(([key, name]) => [key, join(folder, name)])) as RunPaths;
}

/** Where the checkpoint of one step stands that was to be kept. */
export const keptPath = (folder: string, step: number): string => join(folder, `checkpoint-${step}.safetensors`);

/** All kept checkpoints of a run. */
export function keptPaths(folder: string): string[] {
  const isKept = (name: string) => /^checkpoint-\d+\.safetensors$/.test(name);
  return existsSync(folder)
    ? readdirSync(folder)
        .filter(isKept)
        .map((name) => join(folder, name))
    : [];
}

/**
 * The checkpoint of one step that training was told to keep.
 * @throws {DataError} if it is not there, is damaged, or belongs to another configuration.
 */
export const readKept = (folder: string, config: TrainingConfig, step: number): Checkpoint =>
  readCheckpoint(keptPath(folder, step), config);

/** A run as it is on disk. */
export interface Run {
  readonly folder: string;
  readonly paths: RunPaths;
  readonly config: TrainingConfig;
  /** Null if the run was killed before its first one. */
  readonly checkpoint: Checkpoint | null;
  /** Rows up to the checkpoint's step. */
  readonly metrics: readonly MetricsRow[];
  readonly isFinished: boolean;
}

/**
 * Reads a run.
 * @throws {UsageError} if the folder is not there or is no run. @throws {DataError} if a file in it is damaged.
 */
export function readRun(folder: string): Run {
  const content = inspectFolder(folder);
  if (content.kind !== 'run') {
    throw new UsageError({
      where: folder,
      expected: `a run: a folder with a ${runFiles.config}`,
      got: content.kind === 'missing' ? 'nothing there' : content.got,
    });
  }
  const config = readConfig(folder);
  const paths = runPaths(folder);
  const checkpoint = existsSync(paths.checkpoint) ? readCheckpoint(paths.checkpoint, config) : null;
  const step = checkpoint?.step ?? 0;
  // The metrics are written before the checkpoint they belong to: a kill in between leaves rows that are not done yet.
  const metrics = existsSync(paths.metrics) ? readMetrics(paths.metrics).filter((row) => row.step <= step) : [];
  return { folder, paths, config, checkpoint, metrics, isFinished: step >= config.steps };
}

function readConfig(folder: string): TrainingConfig {
  const path = join(folder, runFiles.config);
  const text = readText(path, 'a configuration');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new DataError({ where: path, expected: 'JSON', got: describeText(text), cause });
  }
  return parseConfig(path, value);
}

/** @throws {DataError} naming the line. */
export function readMetrics(path: string): MetricsRow[] {
  const lines = readText(path, 'metrics').split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines.map((line, i) => {
    const where = `${path}: line ${i + 1}`;
    let row: Partial<MetricsRow> | null;
    try {
      row = JSON.parse(line) as Partial<MetricsRow> | null;
    } catch (cause) {
      throw new DataError({ where, expected: 'JSON', got: describeText(line), cause });
    }
    if (typeof row?.step !== 'number' || typeof row.loss !== 'number') {
      throw new DataError({ where, expected: 'an object with step and loss', got: describeText(line) });
    }
    return row as MetricsRow;
  });
}

export function writeMetrics(path: string, rows: readonly MetricsRow[]): void {
  writeFileAtomic(path, formatMetrics(rows));
}

export interface OpenOptions {
  readonly folder: string;
  /** Absent: that of the run that is resumed. */
  readonly config?: TrainingConfig | undefined;
  readonly resume: boolean;
}

/**
 * Opens a folder for training: a new one, or with `resume` one that holds a run. Resuming where nothing is yet starts
 * from the beginning, so that the same command can be given again after any kill. The configuration must be the run's
 * own in all that changes numbers; with a constant schedule, `steps` may be raised.
 * @throws {UsageError} if the folder holds something else, another run, or a run that is not to be resumed.
 * @throws {DataError} if it cannot be written, or a file of the run is damaged.
 */
export function openRun({ folder, config, resume }: OpenOptions): Run {
  const content = inspectFolder(folder);
  if (content.kind === 'other') {
    throw new UsageError({
      where: folder,
      expected: 'a new folder, or one that holds a run',
      got: content.got,
      remedy: 'Choose another folder.',
    });
  }
  if (content.kind === 'run') return reopen(folder, config, resume);
  if (config === undefined) {
    throw new UsageError({ where: folder, expected: 'a run to resume', got: 'none' });
  }
  ensureFolder(folder);
  checkWritable(folder);
  removeLeftovers(folder);
  const paths = runPaths(folder);
  writeConfig(paths.config, config);
  return { folder, paths, config, checkpoint: null, metrics: [], isFinished: false };
}

function reopen(folder: string, config: TrainingConfig | undefined, resume: boolean): Run {
  const existing = readConfig(folder);
  const differing =
    config === undefined
      ? []
      : differingKeys(existing, config).map((key) => showDifference(key as keyof TrainingConfig, existing, config));
  if (!resume || differing.length > 0) {
    const isSame = differing.length === 0;
    throw new UsageError({
      where: folder,
      expected: resume ? 'the configuration of the run that is there' : 'a new folder',
      got: isSame ? 'a run with this configuration' : `a run that differs in ${differing.join(', ')}`,
      remedy: isSame
        ? 'Add --resume to continue it, or choose another folder.'
        : `Choose another folder, or continue the run as it is: ${resumeCommand(folder)}.`,
    });
  }
  checkWritable(folder);
  removeLeftovers(folder);
  const run = readRun(folder);
  if (config === undefined) return run;
  const step = run.checkpoint?.step ?? 0;
  if (config.steps < step) {
    throw new UsageError({
      where: 'steps',
      expected: `${step} or more: the run has done them`,
      got: `${config.steps}`,
    });
  }
  if (canonicalJson('config', run.config) !== canonicalJson('config', config)) writeConfig(run.paths.config, config);
  return { ...run, config, isFinished: step >= config.steps };
}

/** `steps (500 there, 1500 here)`; of what is no single value only the key. */
function showDifference(key: keyof TrainingConfig, there: TrainingConfig, here: TrainingConfig): string {
  const isSingle = (value: unknown) => value === null || typeof value !== 'object';
  return isSingle(there[key]) && isSingle(here[key]) ? `${key} (${there[key]} there, ${here[key]} here)` : key;
}

/** The command that continues a run, whatever it was started with: its configuration says everything. */
export function resumeCommand(folder: string): string {
  const quoted = (path: string) => (/^[\w./@%+=:,-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`);
  return `icl train ${quoted(runPaths(folder).config)} --out ${quoted(folder)} --resume`;
}

const writeConfig = (path: string, config: TrainingConfig): void =>
  writeFileAtomic(path, `${JSON.stringify(config, null, 2)}\n`);

type Content =
  | { readonly kind: 'missing' | 'empty' | 'run'; readonly got: string }
  | { readonly kind: 'other'; readonly got: string };

function inspectFolder(folder: string): Content {
  if (!existsSync(folder)) return { kind: 'missing', got: 'nothing' };
  try {
    if (!statSync(folder).isDirectory()) return { kind: 'other', got: 'a file' };
    const names = readdirSync(folder);
    if (names.includes(runFiles.config)) return { kind: 'run', got: 'a run' };
    const foreign = names.find((name) => !isLeftover(name));
    if (foreign === undefined) return { kind: 'empty', got: 'an empty folder' };
    return { kind: 'other', got: `a folder with ${foreign} and no ${runFiles.config}` };
  } catch (cause) {
    throw fileError(folder, 'a folder that can be read', cause);
  }
}

/** A temporary file that a killed process left. */
const isLeftover = (name: string): boolean =>
  Object.values(runFiles).some((file) => name.startsWith(`${file}.`) && /\.\d+\.tmp$/.test(name));

function removeLeftovers(folder: string): void {
  for (const name of readdirSync(folder).filter(isLeftover)) rmSync(join(folder, name), { force: true });
}

function checkWritable(folder: string): void {
  try {
    accessSync(folder, constants.W_OK);
  } catch (cause) {
    throw fileError(folder, 'a folder that can be written', cause);
  }
}

function readText(path: string, expected: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw fileError(path, expected, cause);
  }
}

const describeText = (text: string): string => (text.trim() === '' ? 'nothing' : JSON.stringify(text.slice(0, 60)));
