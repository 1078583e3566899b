/** Predictions by prompt: what of a batch's answers belongs to a piece of it. */
import type { Predictions } from './session.ts';

/** Entries of answers that belong to prompts `start` to `end`, without copying. */
export function sliceAnswers({ prediction, prefixPrediction }: Predictions, batch: number, start: number, end: number) {
  const part = (values: Float32Array) => {
    const each = values.length / batch;
    return values.subarray(start * each, end * each);
  };
  return {
    prediction: part(prediction),
    ...(prefixPrediction && { prefixPrediction: part(prefixPrediction) }),
  } satisfies Predictions;
}
