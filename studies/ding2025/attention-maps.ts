/** Attention maps of a frozen transformer, by reading its forward pass with operations that keep what softmax gives. */
import type { FrozenModel } from '../../export/read-model.ts';
import type { Ops } from '../../models/ops.ts';
import type { PromptBatch } from '../../models/prompts.ts';
import { fromFlat, type NdArray, referenceOps } from '../../models/reference-ops.ts';

/**
 * Attention between context tokens, in the order in which layers and heads compute it: each `[B, N, N]`, rows attend to columns.
 * The last layer has none: nobody asks for the context any more.
 */
export function attentionMaps({ architecture, parameters, sizes }: FrozenModel, prompts: PromptBatch): NdArray[] {
  const { batch, context, queries, dimension } = prompts;
  const kept: NdArray[] = [];
  const recording: Ops<NdArray> = {
    ...referenceOps,
    softmax(a) {
      const result = referenceOps.softmax(a);
      const [rows, columns] = result.shape.slice(-2);
      if (rows === context && columns === context) kept.push(result);
      return result;
    },
    softMeans: (scores, values) => referenceOps.matMul(recording.softmax(scores), values),
  };
  const shapes = architecture.parameterShapes(sizes);
  const tensors = Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => [name, fromFlat(shape, parameters[name]!)]),
  );
  const prompt = {
    covariates: fromFlat([batch, context, dimension], prompts.covariates),
    responses: fromFlat([batch, context], prompts.responses),
    query: fromFlat([batch, queries, dimension], prompts.query),
  };
  architecture.forward(recording, tensors, prompt, sizes);
  return kept;
}

/** Mean over prompts and over several maps (the heads of a layer), `[N, N]`. */
export function meanMap(maps: readonly NdArray[]): number[][] {
  const n = maps[0]!.shape.at(-1)!;
  const mean = Array.from({ length: n }, () => new Array<number>(n).fill(0));
  const count = maps.reduce((sum, { data }) => sum + data.length / (n * n), 0);
  for (const { data } of maps) {
    data.forEach((value, at) => {
      const row = mean[Math.floor(at / n) % n]!;
      row[at % n] = row[at % n]! + value / count;
    });
  }
  return mean;
}

/** Mean over prompts of 1 - (share of states that differ) between two chains of the context, `[N, N]`. */
export function similarityMap(prompts: PromptBatch): number[][] {
  const { batch, context: n, dimension: d, covariates, responses } = prompts;
  const mean = Array.from({ length: n }, () => new Array<number>(n).fill(0));
  for (let b = 0; b < batch; b++) {
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) {
        let equal = +(responses[b * n + i] === responses[b * n + j]);
        for (let t = 0; t < d; t++) equal += +(covariates[(b * n + i) * d + t] === covariates[(b * n + j) * d + t]);
        mean[i]![j] = mean[i]![j]! + equal / (d + 1) / batch;
      }
    }
  }
  return mean;
}

/**
 * For each prompt a / (a + o): a is what a token pays to one of its own group, o to one of another, both in the mean; 1/2 where
 * groups do not matter. The diagonal does not count.
 */
export function ownShare(maps: readonly NdArray[], groups: number): number[] {
  const n = maps[0]!.shape.at(-1)!;
  const batch = maps[0]!.data.length / (n * n);
  const groupOf = (i: number) => Math.floor((i * groups) / n);
  return Array.from({ length: batch }, (_, b) => {
    let [own, owns, other, others] = [0, 0, 0, 0];
    for (const { data } of maps) {
      for (let i = 0; i < n; i++) {
        for (let j = 0; j < n; j++) {
          if (i === j) continue;
          const value = data[(b * n + i) * n + j]!;
          if (groupOf(i) === groupOf(j)) {
            own += value;
            owns++;
          } else {
            other += value;
            others++;
          }
        }
      }
    }
    return own / owns / (own / owns + other / others);
  });
}
