/** Models, prompts and runs that the tests of this folder share. */
import { spawnSync } from 'node:child_process';
import * as ort from 'onnxruntime-node';
import type { ModelDescription } from '../../export/export-model.ts';
import { linearAttention } from '../../models/attention/linear-attention.ts';
import { allocateBatch, type BatchSizes, labelAxis, type PromptBatch } from '../../models/prompts.ts';
import { createGenerator, fillNormals } from '../../models/random.ts';
import { createSampler, type TaskSpec } from '../../models/tasks/index.ts';

export const taskOf = (dimension: number): TaskSpec => ({
  name: 'linear-regression',
  dimension,
  covariance: { kind: 'identity' },
  taskCovariance: { kind: 'identity' },
  noiseVariance: 0,
});

/** Numbers that are the same everywhere. */
export function normals(count: number, purpose: number): Float32Array {
  const values = new Float32Array(count);
  fillNormals(createGenerator(7, 0), { prompt: 0, purpose }, values, 0, count);
  return values;
}

/** A linear-attention model whose every parameter is random, so that none can be ignored unseen. */
export function randomModel(dimension: number): ModelDescription {
  const size = (dimension + 1) ** 2;
  return {
    architecture: linearAttention,
    sizes: { dimension },
    parameters: { projection_value: normals(size, 10), key_query: normals(size, 11) },
    study: 'zhang2023',
    task: taskOf(dimension),
    config: { schema: 1, seed: 7 },
    training: { steps: 100, loss: 0.5 },
  };
}

/**
 * The model of the prompt below, D = 1: W^PV = [[9, 9], [2, 3]], W^KQ = [[1, 9], [4, 9]]; the nines reach no prediction.
 * By hand: W^KQ e_q = 2 (1, 4) = (2, 8). Pair 1: score 1*2 + 2*8 = 18, value 2 + 6 = 8. Pair 2: score -2 + 24 = 22,
 * value -2 + 9 = 7. Query (2, 0): score 4, value 4. One pair: (144 + 16) / 1 = 160; two: (144 + 154 + 16) / 2 = 157.
 */
export const handModel: ModelDescription = {
  ...randomModel(1),
  parameters: { projection_value: Float32Array.of(9, 9, 2, 3), key_query: Float32Array.of(1, 9, 4, 9) },
};
export const handPrompt: PromptBatch = {
  batch: 1,
  context: 2,
  queries: 1,
  dimension: 1,
  covariates: Float32Array.of(1, -1),
  responses: Float32Array.of(2, 3),
  query: Float32Array.of(2),
};
export const handPrediction = 157;
export const handPrefixPrediction = [0, 160, 157];

export function randomPrompts(sizes: BatchSizes): PromptBatch {
  const batch = allocateBatch(sizes);
  createSampler(taskOf(sizes.dimension)).fill(createGenerator(3, 3), 0, batch);
  return batch;
}

/** Outputs of a model on ONNX Runtime's CPU provider. */
export async function runOnCpu(model: Uint8Array, prompts: PromptBatch): Promise<Record<string, ort.Tensor>> {
  const session = await ort.InferenceSession.create(model, { executionProviders: ['cpu'], logSeverityLevel: 3 });
  const { batch, context, queries, dimension } = prompts;
  const outputs = await session.run({
    covariates: new ort.Tensor('float32', prompts.covariates, [batch, context, dimension]),
    responses: new ort.Tensor('float32', prompts.responses, [batch, context, ...labelAxis(prompts)]),
    query: new ort.Tensor('float32', prompts.query, [batch, queries, dimension]),
  });
  await session.release();
  return { ...outputs };
}

/** Debian's Python, which has the official checker; another Python can be named in `ICL_PYTHON`. */
export const python = process.env['ICL_PYTHON'] ?? '/usr/bin/python3';

/** Runs a Python program; gives what it printed, or what went wrong. */
export function runPython(program: string, ...args: string[]): { readonly ok: boolean; readonly text: string } {
  const { status, stdout, stderr, error } = spawnSync(python, ['-c', program, ...args], { encoding: 'utf8' });
  if (error !== undefined) return { ok: false, text: error.message };
  return { ok: status === 0, text: status === 0 ? stdout : stderr.trim().split('\n').slice(-3).join(' ') };
}
