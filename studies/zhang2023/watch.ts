/** What is seen of a linear attention layer that is being trained: u U11 on its way to the limit, and its exact loss. */
import { linearAttention } from '../../models/attention/linear-attention.ts';
import { requireTask } from '../../models/tasks/index.ts';
import { exactTaskRisk } from '../../models/theory/zhang2023.ts';
import type { TrainingConfig } from '../../train/config.ts';
import { unknownTheory, type Watch } from '../watch-types.ts';
import { layerMatrices, limitsOf, productOf } from './law.ts';

export function watchRegression({ study, task: spec, contextLength: N, model }: TrainingConfig): Watch {
  if (model.name !== linearAttention.name) {
    return unknownTheory(
      `The theorems are about one layer of linear attention; for a ${model.name} there is no formula.`,
    );
  }
  const task = requireTask(study, spec, 'linear-regression');
  const { product, lossMinimum } = limitsOf(task, N);
  const isFixed = task.covariance.kind !== 'exponential';
  return {
    loss: {
      minimum: lossMinimum,
      curve: [],
      source: isFixed
        ? 'Least loss ½[tr Λ − tr(Λ² Γ⁻¹)], Zhang, Frei, Bartlett, proof of Theorem 4.1; with noise of variance s², Γ + (s²/N) I stands for Γ.'
        : 'Least loss at the limit of Theorem 4.5 of Zhang, Frei, Bartlett.',
    },
    matrix: {
      name: 'u U₁₁, trained',
      limitName: isFixed ? 'Γ⁻¹, Theorem 4.1' : 'G, Theorem 4.5',
      limit: product,
      beside: null,
      scale: 'diverging',
      axes: null,
      source: isFixed ? 'Γ = (1 + 1/N) Λ + (tr Λ / N) I, eq. (4.1).' : 'Theorem 4.5.',
    },
    tracks: null,
    remark: null,
    look: (_step, parameters) => ({
      matrix: productOf(parameters, task.dimension),
      tracks: [],
      exactLoss: exactTaskRisk(layerMatrices(parameters), task, N) / 2,
    }),
  };
}
