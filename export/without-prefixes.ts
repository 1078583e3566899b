/**
 * The same model without the output `prefix_prediction`. Where a graph has it, its prediction is the last prefix of the whole
 * curve: with thousands of queries against one context, nearly all of the work is for what nobody asked.
 */
import { exportModel } from './export-model.ts';
import { type FrozenModel, readModel } from './read-model.ts';

/** @returns The model itself if it has no prefixes. Predictions differ by rounding only. */
export function withoutPrefixes(where: string, model: FrozenModel): FrozenModel {
  if (!model.hasPrefixes) return model;
  const { architecture, sizes, parameters, metadata, opset } = model;
  const { study, task, config, training, parity, author, license, convertedFrom } = metadata;
  const description = {
    architecture,
    sizes,
    parameters,
    study,
    task,
    config,
    training,
    author,
    license,
    convertedFrom,
  };
  const bytes = exportModel(
    { ...description, ...(parity === null ? {} : { parity }) },
    { opset: opset === 21 ? 21 : 17, prefixes: false },
  );
  return readModel(where, bytes);
}
