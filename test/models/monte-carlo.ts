/** Measured risks, to be compared with closed forms by their z-score. */
import { expect } from 'vitest';
import { linearAttention } from '../../models/attention/linear-attention.ts';
import { identity, type Matrix } from '../../models/matrix.ts';
import { allocateBatch, type LabelledBatch } from '../../models/prompts.ts';
import { createGenerator, streams } from '../../models/random.ts';
import { referencePrediction } from '../../models/reference-ops.ts';
import { createSampler, type TaskSpec } from '../../models/tasks/index.ts';
import type { LayerMatrices } from '../../models/theory/zhang2023.ts';

export interface Measured {
  readonly mean: number;
  readonly standardError: number;
}

/** A predictor of all queries of a batch, `[B, Q]`. */
export type Predict = (batch: LabelledBatch) => ArrayLike<number>;

export interface Measurement {
  readonly task: TaskSpec;
  readonly context: number;
  readonly prompts: number;
  readonly seed?: number;
  readonly predict: Predict;
  /** Replaces responses and targets; `first` is the number of the batch's first prompt. */
  readonly relabel?: (batch: LabelledBatch, first: number) => void;
}

/** Mean squared error over fresh prompts, in blocks of 2000. */
export function measureRisk({ task, context, prompts, seed = 1, predict, relabel }: Measurement): Measured {
  const block = 2000;
  const batch = allocateBatch({ batch: block, context, queries: 1, dimension: task.dimension });
  const sampler = createSampler(task);
  let sum = 0;
  let squares = 0;
  for (let first = 0; first < prompts; first += block) {
    sampler.fill(createGenerator(seed, streams.evaluation), first, batch);
    relabel?.(batch, first);
    const predictions = predict(batch);
    for (let b = 0; b < block; b++) {
      const error = (predictions[b]! - batch.targets[b]!) ** 2;
      sum += error;
      squares += error ** 2;
    }
  }
  const mean = sum / prompts;
  return { mean, standardError: Math.sqrt((squares / prompts - mean ** 2) / prompts) };
}

/** Fails unless an exact value lies within `limit` standard errors of a measurement, which must be sharp. */
export function expectAgreement(measured: Measured, exact: number, relativeError = 0.02, limit = 4): void {
  const score = (measured.mean - exact) / measured.standardError;
  expect(Math.abs(score), `measured ${measured.mean} +- ${measured.standardError}, exact ${exact}`).toBeLessThan(limit);
  expect(measured.standardError / measured.mean, 'relative standard error').toBeLessThan(relativeError);
}

/** Predictions of a linear attention layer by the reference reading of its forward pass. */
export function layerPredictor({ projectionValue, keyQuery }: LayerMatrices, dimension: number): Predict {
  const parameters = { projection_value: projectionValue, key_query: keyQuery };
  return (batch) => referencePrediction(linearAttention, parameters, { dimension }, batch);
}

/** The matrices with blocks u12, u, U11, u21; what does not reach the prediction is filled with numbers too. */
export function layerOf(blocks: {
  readonly U11: Matrix;
  readonly u: number;
  readonly u12?: readonly number[];
  readonly u21?: readonly number[];
}): LayerMatrices {
  const d = blocks.U11.length;
  const zeros = new Array<number>(d).fill(0);
  const filler = identity(d).map((row, i) => [...row.map((value, j) => 5 * value + i - j), 3]);
  const projectionValue = [...filler, [...(blocks.u12 ?? zeros), blocks.u]];
  const keyQuery = [...blocks.U11, blocks.u21 ?? zeros].map((row, i) => [...row, 7 - i]);
  return { projectionValue: projectionValue.flat(), keyQuery: keyQuery.flat() };
}

/** The layer that predicts x_q^T P (1/M) sum y_i x_i. */
export function layerOfProduct(P: Matrix): LayerMatrices {
  return layerOf({ U11: P[0]!.map((_, j) => P.map((row) => row[j]!)), u: 1 });
}
