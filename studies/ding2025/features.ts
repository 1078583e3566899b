/** The features x (x) g of whole batches, and least squares on them: the paper's reference beside the trained layer. */
import type { Estimator } from '../../models/estimators/index.ts';
import type { LabelledBatch, PromptBatch } from '../../models/prompts.ts';
import { solveSemidefinite, triangleSize } from '../../models/theory/ding2025.ts';

/** `[B Q, D m]`: for every query of every prompt x_j times the upper triangle of (1/N) sum z z'. */
export function batchFeatures(prompts: PromptBatch): Float64Array {
  const { batch, context, queries, dimension: d, covariates, responses, query } = prompts;
  const m = triangleSize(d);
  const features = new Float64Array(batch * queries * d * m);
  const g = new Float64Array(m);
  for (let b = 0; b < batch; b++) {
    g.fill(0);
    for (let row = b * context; row < (b + 1) * context; row++) {
      for (let k = 0, at = 0; k <= d; k++) {
        const zk = k < d ? covariates[row * d + k]! : responses[row]!;
        if (zk === 0) {
          at += d + 1 - k;
          continue;
        }
        for (let l = k; l < d; l++, at++) g[at] = g[at]! + zk * covariates[row * d + l]!;
        g[at] = g[at]! + zk * responses[row]!;
        at++;
      }
    }
    for (let q = b * queries; q < (b + 1) * queries; q++) {
      for (let j = 0; j < d; j++) {
        const x = query[q * d + j]! / context;
        if (x === 0) continue;
        for (let r = 0, at = (q * d + j) * m; r < m; r++) features[at + r] = x * g[r]!;
      }
    }
  }
  return features;
}

/** Least squares of the targets on the features, by the normal equations; coordinates that depend on others are 0. */
export function fitFeatures(prompts: LabelledBatch): Float64Array {
  const features = batchFeatures(prompts);
  const count = prompts.targets.length;
  const size = features.length / count;
  const normal = new Float64Array(size * size);
  const right = new Float64Array(size);
  for (let row = 0; row < count; row++) {
    const at = row * size;
    for (let i = 0; i < size; i++) {
      const value = features[at + i]!;
      if (value === 0) continue;
      right[i] = right[i]! + value * prompts.targets[row]!;
      for (let j = i; j < size; j++) normal[i * size + j] = normal[i * size + j]! + value * features[at + j]!;
    }
  }
  for (let i = 0; i < size; i++) for (let j = 0; j < i; j++) normal[i * size + j] = normal[j * size + i]!;
  return solveSemidefinite(normal, right).x;
}

/** The predictor <X, x (x) g>. */
export function featureEstimator(name: string, X: Float64Array): Estimator {
  return {
    name,
    description: 'a linear function of the features x (x) g',
    parameters: {},
    needsTaskParameters: false,
    predict(prompts, out) {
      const features = batchFeatures(prompts);
      for (let row = 0; row < out.length; row++) {
        let sum = 0;
        for (let i = 0; i < X.length; i++) sum += X[i]! * features[row * X.length + i]!;
        out[row] = sum;
      }
    },
  };
}
