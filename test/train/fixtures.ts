/** Small runs, folders that vanish, and the numbers a trained layer is judged by. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { linearAttention } from '../../models/attention/linear-attention.ts';
import { frobeniusNorm, type Matrix, scaleMatrix, subtract } from '../../models/matrix.ts';
import { allocateBatch, type LabelledBatch } from '../../models/prompts.ts';
import { referencePrediction } from '../../models/reference-ops.ts';
import type { Covariance } from '../../models/tasks/covariance.ts';
import { createSampler } from '../../models/tasks/index.ts';
import { parseConfig, type TrainingConfig } from '../../train/config.ts';

/** A folder for one test. A concurrent test has an `onTestFinished` of its own. */
export function temporaryFolder(atEnd: typeof onTestFinished = onTestFinished): string {
  const folder = mkdtempSync(join(tmpdir(), 'icl-train-'));
  atEnd(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export interface SmallConfig extends Partial<Omit<TrainingConfig, 'schema'>> {
  readonly dimension?: number;
  readonly covariance?: Covariance;
}

/** A linear attention layer on linear regression; by default one that trains in a blink. */
export function smallConfig({ dimension = 2, covariance, ...overrides }: SmallConfig = {}): TrainingConfig {
  return parseConfig('test', {
    study: 'zhang2023',
    settings: { d: dimension },
    model: { name: 'linear-attention', dimension },
    task: {
      name: 'linear-regression',
      dimension,
      covariance: covariance ?? { kind: 'identity' },
      taskCovariance: { kind: 'identity' },
      noiseVariance: 0,
    },
    contextLength: 5,
    steps: 40,
    batch: 16,
    seed: 7,
    engine: 'tfjs',
    device: 'cpu',
    logEvery: 4,
    checkpointEvery: 10,
    ...overrides,
  });
}

/** Prompts of a run's own task. */
export function samplePrompts(config: TrainingConfig, batch: number, first = 0): LabelledBatch {
  const { contextLength, model } = config;
  const prompts = allocateBatch({ batch, context: contextLength, queries: 1, dimension: model.dimension });
  createSampler(config.task).fill({ seed: config.seed, stream: 0 }, first, prompts);
  return prompts;
}

export type LayerParameters = Readonly<Record<string, ArrayLike<number>>>;

/** (1 / 2B) sum (prediction - target)^2 in float64. */
export function referenceLoss(parameters: LayerParameters, prompts: LabelledBatch): number {
  const { dimension } = prompts;
  const prediction = referencePrediction(linearAttention, parameters, { dimension }, prompts);
  let sum = 0;
  prediction.forEach((value, i) => {
    sum += (value - prompts.targets[i]!) ** 2;
  });
  return sum / (2 * prediction.length);
}

/** ||u U11 - target|| / ||target||, Frobenius norms. */
export function productError(parameters: LayerParameters, dimension: number, target: Matrix): number {
  const side = dimension + 1;
  const u = parameters['projection_value']![side * side - 1]!;
  const keyQuery = parameters['key_query']!;
  const U11 = Array.from({ length: dimension }, (_, i) =>
    Array.from({ length: dimension }, (_, j) => keyQuery[i * side + j]!),
  );
  return frobeniusNorm(subtract(scaleMatrix(U11, u), target)) / frobeniusNorm(target);
}
