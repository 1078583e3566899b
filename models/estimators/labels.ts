/** What the classifying estimators share: the class of a pair, and scores as probabilities in the prompts' own form. */
import { type PromptBatch, responseWidth } from '../prompts.ts';

/** c: classes of the prompts, two where responses are signs. */
export const classCount = (prompts: PromptBatch): number => Math.max(2, responseWidth(prompts));

/** Writes the class of each pair of prompt b, from `out[start]` on: 0 and 1 for the signs -1 and +1. */
export function classesInto(prompts: PromptBatch, b: number, out: Int32Array, start = 0): void {
  const { context, responses } = prompts;
  const width = responseWidth(prompts);
  for (let i = 0; i < context; i++) {
    const at = (b * context + i) * width;
    if (width === 1) {
      out[start + i] = responses[at]! > 0 ? 1 : 0;
      continue;
    }
    let k = 0;
    while (k < width - 1 && responses[at + k]! < 0.5) k++;
    out[start + i] = k;
  }
}

/** Writes the softmax of `scores` as query `row`'s answer: c numbers, or of two signs the probability of +1. */
export function answerScores(prompts: PromptBatch, row: number, scores: Float64Array, out: Float64Array): void {
  const classes = scores.length;
  const width = responseWidth(prompts);
  let largest = Number.NEGATIVE_INFINITY;
  for (let k = 0; k < classes; k++) largest = Math.max(largest, scores[k]!);
  let total = 0;
  for (let k = 0; k < classes; k++) total += Math.exp(scores[k]! - largest);
  if (width === 1) out[row] = Math.exp(scores[1]! - largest) / total;
  else for (let k = 0; k < classes; k++) out[row * width + k] = Math.exp(scores[k]! - largest) / total;
}
