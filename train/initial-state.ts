/** Where a training starts: a function of its configuration. */
import { architectureNamed } from '../models/attention/index.ts';
import { createGenerator, streams } from '../models/random.ts';
import type { TrainingConfig } from './config.ts';
import type { TrainingState } from './engines.ts';
import { createOptimizer } from './optimizers.ts';

/** Parameters by the configuration's scheme, optimizer slots 0. */
export function initialState(config: TrainingConfig): TrainingState {
  const { model, initialisation, optimizer, seed } = config;
  const scheme = architectureNamed(model.name).initSchemes.find(({ name }) => name === initialisation.scheme)!;
  const generator = createGenerator(seed, streams.initialisation);
  const parameters = scheme.initialise(model, initialisation.options, generator);
  const zeros = () =>
    Object.fromEntries(Object.entries(parameters).map(([name, values]) => [name, new Float32Array(values.length)]));
  return {
    parameters,
    optimizer: Object.fromEntries(createOptimizer(optimizer).slots.map((slot) => [slot, zeros()])),
  };
}
