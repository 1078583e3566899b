/** What is seen of a linear attention classifier that is being trained: W Lambda on its way to w_N I. */
import { linearAttentionClassifier } from '../../models/attention/linear-attention-classifier.ts';
import { identity, scaleMatrix } from '../../models/matrix.ts';
import { requireTask } from '../../models/tasks/index.ts';
import type { TrainingConfig } from '../../train/config.ts';
import { unknownTheory, type Watch } from '../watch-types.ts';
import { learnedProduct, limitRisks, scaleOf, settingOf } from './law.ts';

export function watchMixture({ study, task: spec, contextLength: N, model }: TrainingConfig): Watch {
  if (model.name !== linearAttentionClassifier.name) {
    return unknownTheory(
      `The theorems are about one layer of linear attention; for a ${model.name} there is no formula.`,
    );
  }
  const task = requireTask(study, spec, 'gaussian-mixture');
  const w = scaleOf(settingOf(task), N).mean;
  return {
    loss: {
      minimum: limitRisks(task, N, task, N).crossEntropy.mean,
      curve: [],
      source: 'Least loss: expected cross entropy of W* = w_N Λ⁻¹ on prompts of N pairs, by quadrature.',
    },
    matrix: {
      name: 'W Λ, trained',
      limitName: `w_N I, w_N = ${w.toPrecision(4)}`,
      limit: scaleMatrix(identity(task.dimension), w),
      beside: null,
      scale: 'diverging',
      axes: null,
      source: 'W* = w_N Λ⁻¹, Shen, Zhou, Yang, Shen, Theorems 3.1 and 4.1; the number w_N is computed here.',
    },
    tracks: null,
    remark: null,
    look: (_step, parameters) => ({
      matrix: learnedProduct({ parameters, metadata: { task } }).product,
      tracks: [],
      exactLoss: null,
    }),
  };
}
