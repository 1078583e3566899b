/** What is seen of linear attention on Markov chains that is being trained: its enlarged parameters X beside the optimum X*. */
import { requireTask } from '../../models/tasks/index.ts';
import { bestLinearAttention, minimise, phi, riskAt, triangleSize } from '../../models/theory/ding2025.ts';
import type { TrainingConfig } from '../../train/config.ts';
import { unknownTheory, type Watch } from '../watch-types.ts';
import { enlarged, riskOf } from './law.ts';

export function watchChains({ study, task: spec, contextLength: n, model }: TrainingConfig): Watch {
  const task = requireTask(study, spec, 'markov-chain');
  const { layers, outputSign } = model.options ?? {};
  if (outputSign === undefined || layers !== 1) {
    return unknownTheory('The closed forms are about one linear layer: more layers and transformers have none.');
  }
  const risk = riskOf(task, n);
  if (risk === null) {
    return unknownTheory('The closed forms are about two states, uniform kernels and one group: here there are none.');
  }
  const { dimension: d } = task;
  const m = triangleSize(d);
  const rowsOf = (X: ArrayLike<number>) =>
    Array.from({ length: d }, (_, j) => Array.from({ length: m }, (_, k) => X[j * m + k]!));
  const least = minimise(risk);
  const best = bestLinearAttention(risk, { starts: 8 });
  /** A layer may reach the optimum over all X, up to rounding of the search. */
  const isRealisable = best.risk - least.risk < 1e-6 * least.risk;
  return {
    loss: {
      minimum: best.risk / 2,
      curve: [],
      source:
        'Least loss: half the least risk that one layer can have, by alternating minimisation of the exact quadratic risk. ' +
        (isRealisable
          ? 'It is the least of all X (Ding et al., Theorem 3.3).'
          : `Without the constraint that X belongs to a layer it would be ${(least.risk / 2).toPrecision(4)}.`),
    },
    matrix: {
      name: 'X, trained',
      limitName: isRealisable ? 'X* = H⁻¹h' : 'the best layer’s X',
      limit: rowsOf(isRealisable ? least.X : phi(best)),
      beside: isRealisable ? null : { name: 'X* = H⁻¹h, of no layer', matrix: rowsOf(least.X) },
      scale: 'diverging',
      axes: 'row: coordinate of the query; columns: upper triangle of the context’s second moments',
      source:
        'X = φ(b, A) are the enlarged parameters, in which the risk is quadratic with minimiser X* (Ding et al., section 3). A layer has few parameters and need not reach it.',
    },
    tracks: null,
    remark: null,
    look: (_step, parameters) => {
      const X = enlarged(parameters, d, outputSign);
      return { matrix: rowsOf(X), tracks: [], exactLoss: riskAt(risk, X) / 2 };
    },
  };
}
