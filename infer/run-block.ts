/**
 * One block of prompts through an ONNX Runtime session: the frozen model's contract of names and shapes as feeds and
 * fetches. The same for `onnxruntime-node` and `onnxruntime-web`.
 */
import { labelAxis, type PromptBatch } from '../models/prompts.ts';
import { type OnnxRuntime, type OrtSession, runOptions } from './onnxruntime.ts';
import type { Predictions } from './session.ts';

/**
 * Writes the answers into `out`. The block has been checked. Errors are ONNX Runtime's own.
 * @param writesInPlace Whether this runtime computes into given output arrays: onnxruntime-node does.
 */
export async function runBlock(
  ort: OnnxRuntime,
  session: OrtSession,
  block: PromptBatch,
  out: Predictions,
  writesInPlace: boolean,
): Promise<void> {
  const { batch, context, queries, dimension } = block;
  const classes = labelAxis(block);
  const tensor = (values: Float32Array, shape: number[]) => new ort.Tensor('float32', values, shape);
  const feeds = {
    covariates: tensor(block.covariates, [batch, context, dimension]),
    responses: tensor(block.responses, [batch, context, ...classes]),
    query: tensor(block.query, [batch, queries, dimension]),
  };
  const { prediction, prefixPrediction } = out;
  const targets = [
    { name: 'prediction', values: prediction, shape: [batch, queries, ...classes] },
    ...(prefixPrediction === undefined
      ? []
      : [{ name: 'prefix_prediction', values: prefixPrediction, shape: [batch, context + 1, queries, ...classes] }]),
  ];
  const fetches = targets.map(({ name, values, shape }) => [name, writesInPlace ? tensor(values, shape) : null]);
  const results = await session.run(feeds, Object.fromEntries(fetches), writesInPlace ? undefined : runOptions);
  for (const { name, values, shape } of targets) {
    const result = results[name]!;
    if (result.dims.join() !== shape.join()) {
      throw new Error(`${name} of shape [${result.dims.join(', ')}] instead of [${shape.join(', ')}]`);
    }
    if (!writesInPlace) {
      values.set(result.data as Float32Array);
      result.dispose();
    }
  }
}
