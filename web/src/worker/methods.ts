/** Everything a worker can be asked, by name. A group of methods is a file in `methods/` and a line here. */
import { adapt } from './methods/adapt.ts';
import { inspectModel } from './methods/inspect.ts';
import * as markov from './methods/markov.ts';
import * as models from './methods/models.ts';
import * as playground from './methods/playground.ts';
import * as predict from './methods/predict.ts';
import * as robustness from './methods/robustness.ts';
import { timeModel } from './methods/timing.ts';
import * as training from './methods/training.ts';
import { verify } from './methods/verify.ts';

export const methods = {
  ...markov,
  ...models,
  ...playground,
  ...predict,
  ...robustness,
  ...training,
  adapt,
  inspectModel,
  timeModel,
  verify,
};

export type Methods = typeof methods;
