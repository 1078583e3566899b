/**
 * Sessions by formula, for tests of what is around a session: linear attention at its optimum,
 * prediction = x_q^T P (1/N) sum_i y_i x_i, with P = factor I.
 */
import type { FrozenModel } from '../../export/read-model.ts';
import type { InferenceSession, Predictions } from '../../infer/session.ts';
import { linearAttention } from '../../models/attention/linear-attention.ts';
import type { PromptBatch } from '../../models/prompts.ts';

export interface FakeOptions {
  readonly dimension: number;
  readonly factor: number;
  readonly hasPrefixes?: boolean;
  /** Whether the session gives the prefixes its model has. */
  readonly givesPrefixes?: boolean;
  /** Milliseconds that a run takes. */
  readonly delay?: number;
  /** Called with every batch, before it is answered. */
  readonly onRun?: (prompts: PromptBatch) => void;
}

export function createFakeSession(options: FakeOptions): InferenceSession {
  const { dimension, factor, hasPrefixes = false, givesPrefixes = hasPrefixes, delay = 0, onRun } = options;
  const metadata = { study: 'zhang2023', model: 'linear-attention' };
  return {
    report: { provider: 'cpu', adapter: null, runtime: 'a formula', opset: 17, threads: 1 },
    model: { architecture: linearAttention, sizes: { dimension }, hasPrefixes, metadata } as unknown as FrozenModel,
    async run(prompts) {
      onRun?.(prompts);
      if (delay > 0) await new Promise((resolve) => setTimeout(resolve, delay));
      return answer(prompts, factor, givesPrefixes);
    },
    close: () => Promise.resolve(),
  };
}

/** The formula for every prefix; the last is the prediction. */
function answer(prompts: PromptBatch, factor: number, givesPrefixes: boolean): Predictions {
  const { batch, context, queries, dimension, covariates, responses, query } = prompts;
  const prediction = new Float32Array(batch * queries);
  const prefixPrediction = new Float32Array(batch * (context + 1) * queries);
  const moment = new Float64Array(dimension);
  for (let b = 0; b < batch; b++) {
    moment.fill(0);
    for (let n = 1; n <= context; n++) {
      const pair = b * context + n - 1;
      for (let j = 0; j < dimension; j++) moment[j]! += responses[pair]! * covariates[pair * dimension + j]!;
      for (let q = 0; q < queries; q++) {
        let sum = 0;
        for (let j = 0; j < dimension; j++) sum += query[(b * queries + q) * dimension + j]! * moment[j]!;
        prefixPrediction[(b * (context + 1) + n) * queries + q] = (factor * sum) / n;
        if (n === context) prediction[b * queries + q] = (factor * sum) / n;
      }
    }
  }
  return givesPrefixes ? { prediction, prefixPrediction } : { prediction };
}
