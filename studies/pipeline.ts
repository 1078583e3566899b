/**
 * From a configuration to a verified ONNX file in a run folder: train, export, verify, record. The same for every study;
 * knows no paper.
 */
import { readFileSync } from 'node:fs';
import { type ExportOptions, exportModel } from '../export/export-model.ts';
import { fileError, writeFileAtomic } from '../export/files.ts';
import { type FrozenModel, readModel, withParity } from '../export/read-model.ts';
import { type ProviderName, resolveProvider } from '../infer/providers.ts';
import { type VerifyOptions, type VerifyResult, verifyModel } from '../infer/verify.ts';
import { UsageError } from '../models/errors.ts';
import type { TrainingConfig } from '../train/config.ts';
import type { FitOf } from '../train/exact-fit.ts';
import { finalLoss } from '../train/metrics.ts';
import { keptPath, type MetricsRow, readKept, readRun, resumeCommand, runPaths } from '../train/run-folder.ts';
import { type TrainingProgress, type TrainingResult, train } from '../train/train.ts';
import { configOf, type TrainingOverrides } from './configuration.ts';
import { studies } from './index.ts';
import type { Settings, Study } from './study.ts';
import { describeTrained } from './trained-model.ts';
import { versionsHere } from './versions.ts';

export type { TrainingOverrides } from './configuration.ts';

/** A study's configuration at given settings, every default written out. @throws {UsageError} naming a bad value. */
export const resolveConfig = (study: Study, settings: Settings, overrides: TrainingOverrides): TrainingConfig =>
  configOf(study, settings, overrides, versionsHere());

export interface RunRequest {
  /** May be left out when a run is resumed. */
  readonly config?: TrainingConfig;
  readonly folder: string;
  /** Continue the run that is in the folder; one that has all its steps is exported again and verified. */
  readonly resume: boolean;
  readonly verifyProviders: readonly (ProviderName | 'auto')[];
  /** Export with predictions from every prefix. Default false. */
  readonly hasPrefixes?: boolean;
  /** Sizes to verify at, where not all of {@link verifyModel}'s own. */
  readonly verification?: Partial<VerifyOptions>;
  /** Steps at which the parameters are kept, for {@link FinishedRun.kept}. */
  readonly keepSteps?: readonly number[];
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: TrainingProgress) => void;
}

/** The parameters at one step of the training. */
export interface KeptParameters {
  readonly step: number;
  readonly parameters: Readonly<Record<string, Float32Array>>;
}

export interface FinishedRun {
  readonly interrupted: false;
  readonly folder: string;
  readonly config: TrainingConfig;
  /** Path of the ONNX file. */
  readonly model: string;
  readonly frozen: FrozenModel;
  readonly steps: number;
  /** Mean over the last tenth of the steps. */
  readonly loss: number;
  readonly engine: string;
  readonly device: string;
  readonly seconds: number;
  readonly promptsPerSecond: number;
  /** The run had all its steps already: it was only exported and verified. */
  readonly wasFinished: boolean;
  readonly metrics: readonly MetricsRow[];
  readonly parity: readonly VerifyResult[];
  /** At the steps that were asked for, in that order. */
  readonly kept: readonly KeptParameters[];
  /** All files of the run. */
  readonly files: readonly string[];
}

/** A run that was told to stop: it has a checkpoint and no model. */
export interface InterruptedRun {
  readonly interrupted: true;
  readonly folder: string;
  readonly steps: number;
}

/** A run that is trained and exported; its verification is under way. */
export interface ExportedRun {
  readonly interrupted: false;
  /** Settles when the file has been verified and says so. */
  readonly finished: Promise<FinishedRun>;
}

/**
 * Trains into a folder, exports `model.onnx`, verifies it and writes the worst errors into it.
 * @throws {UsageError} | {DataError} about the folder. @throws {TrainingError} if the loss diverges.
 * @throws {ProviderError} if a device or a provider does not work.
 */
export async function trainAndExport(request: RunRequest): Promise<FinishedRun | InterruptedRun> {
  const run = await startRun(request);
  return run.interrupted ? run : run.finished;
}

/** The same, but comes back as soon as the file is there: the caller may train the next model while this one is verified. */
export async function startRun(request: RunRequest): Promise<ExportedRun | InterruptedRun> {
  const { folder, config, resume, keepSteps, signal, onProgress } = request;
  const trained = await train({ folder, config, resume, keepSteps, fitOf: exactFitFor, signal, onProgress });
  if (trained.interrupted) return { interrupted: true, folder, steps: trained.steps };
  const path = runPaths(folder).model;
  const prefixes = request.hasPrefixes === true;
  const finished = finishRun(request, trained, exportRun(folder, { prefixes }, path));
  finished.catch(() => {}); // Thrown where it is awaited.
  return { interrupted: false, finished };
}

/** What a configuration's study can solve for instead of training. */
const exactFitFor: FitOf = (config) => studies.find(({ name }) => name === config.study)?.exactFit?.(config) ?? null;

async function finishRun(request: RunRequest, trained: TrainingResult, exported: FrozenModel): Promise<FinishedRun> {
  const { folder, verifyProviders, verification, keepSteps = [], signal } = request;
  // Side by side: while one provider's library loads, another one computes.
  const parity = await Promise.all(
    verifyProviders.map(async (name) =>
      verifyModel(exported, await resolveProvider(name), { ...verification, signal: signal ?? null }),
    ),
  );
  const { metrics, paths } = readRun(folder);
  const { steps, engine, device, seconds, promptsPerSecond, wasFinished } = trained;
  return {
    interrupted: false,
    folder,
    config: trained.config,
    model: paths.model,
    frozen: parity.length === 0 ? exported : recordParity(paths.model, parity),
    steps,
    loss: finalLoss(metrics, steps),
    engine,
    device,
    seconds,
    promptsPerSecond,
    wasFinished,
    metrics,
    parity,
    kept: keepSteps.map((step) => ({ step, parameters: readKept(folder, trained.config, step).state.parameters })),
    files: [
      paths.config,
      paths.metrics,
      paths.checkpoint,
      ...keepSteps.map((step) => keptPath(folder, step)),
      paths.model,
    ],
  };
}

/**
 * Writes the parameters of a run as an ONNX file.
 * @throws {UsageError} if the run has no parameters yet.
 */
export function exportRun(folder: string, options: Partial<ExportOptions>, output: string): FrozenModel {
  const { config, checkpoint, metrics } = readRun(folder);
  if (checkpoint === null || checkpoint.step === 0) {
    throw new UsageError({
      where: folder,
      expected: 'a run with trained parameters',
      got: 'one that has done no step',
      remedy: `Continue it: ${resumeCommand(folder)}.`,
    });
  }
  const bytes = exportModel(describeTrained(config, { ...checkpoint, ...checkpoint.state, metrics }), options);
  writeFileAtomic(output, bytes);
  return readModel(output, bytes);
}

/** Writes what `verify` found into a file's metadata, as `icl.parity`. */
export function recordParity(path: string, results: readonly VerifyResult[]): FrozenModel {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    throw fileError(path, 'an ONNX file', cause);
  }
  const parity = results.map(({ provider, adapter, runtime, maxAbsolute, maxRelative, cases, ok }) => ({
    provider,
    adapter,
    runtime,
    maxAbsolute: Number.isFinite(maxAbsolute) ? maxAbsolute : null,
    maxRelative: Number.isFinite(maxRelative) ? maxRelative : null,
    cases,
    ok,
  }));
  const recorded = withParity(bytes, parity);
  writeFileAtomic(path, recorded);
  return readModel(path, recorded);
}
