/** Fresh contexts of a task that was drawn already. Pure; knows no session. */
import { allocateBatch, type PromptBatch, responseWidth } from '../../../models/prompts.ts';
import { createGenerator, streams } from '../../../models/random.ts';
import { createSampler, type TaskSpec, taskNamed } from '../../../models/tasks/index.ts';
import { respondLinearly } from '../../../models/tasks/inner-products.ts';

export interface RedrawOptions {
  readonly testTask: TaskSpec;
  /** What the task drew. */
  readonly taskParameters: Float32Array;
  readonly context: number;
  /** `[Q, D]`, asked of every context. */
  readonly query: Float32Array;
  readonly seed: number;
  readonly contexts: number;
}

/**
 * Prompts of other pairs for the same task vector, or the same class means. Covariates and labels come from the task's sampler,
 * which draws a task for each prompt; that one is replaced: responses by those of ours, class means by moving each covariate.
 */
export function redraw(options: RedrawOptions): PromptBatch {
  const { testTask, taskParameters, context, query, seed, contexts } = options;
  const sampler = createSampler(testTask);
  const { dimension, classes } = sampler;
  const batch = allocateBatch({ batch: contexts, context, queries: query.length / dimension, ...sampler });
  sampler.fill(createGenerator(seed, streams.validation), 0, batch);
  for (let b = 0; b < contexts; b++) batch.query.set(query, b * query.length);
  if (taskNamed(testTask.name).kind === 'regression') keepTaskVector(options, batch);
  else moveMeans(batch, taskParameters, classes);
  return batch;
}

type Drawn = ReturnType<typeof allocateBatch>;

function keepTaskVector({ testTask, taskParameters, contexts, context }: RedrawOptions, batch: Drawn): void {
  const { dimension, covariates, responses } = batch;
  const noiseVariance = 'noiseVariance' in testTask ? testTask.noiseVariance : 0;
  const own = {
    covariates,
    responses: new Float32Array(contexts * context),
    batch: contexts,
    rows: context,
    dimension,
  };
  respondLinearly({ ...own, taskVectors: batch.taskParameters, noiseDeviation: 0 });
  // What the sampler's response has beyond its own task is noise; of ours it becomes the noise.
  const noise = noiseVariance > 0 ? responses.map((y, i) => y - own.responses[i]!) : undefined;
  const taskVectors = new Float32Array(contexts * dimension);
  for (let b = 0; b < contexts; b++) taskVectors.set(taskParameters, b * dimension);
  respondLinearly({ covariates, responses, taskVectors, batch: contexts, rows: context, dimension, noiseDeviation: 0 });
  noise?.forEach((value, i) => {
    responses[i] = responses[i]! + value;
  });
}

/** Each covariate keeps its place relative to its class's mean. */
function moveMeans(batch: Drawn, means: Float32Array, classes: number): void {
  const { context, dimension, covariates, responses, taskParameters } = batch;
  const width = responseWidth({ classes });
  const classOf = (row: number) =>
    width === 1 ? (responses[row]! > 0 ? 1 : 0) : responses.subarray(row * width, (row + 1) * width).indexOf(1);
  for (let row = 0; row < batch.batch * context; row++) {
    const prompt = Math.floor(row / context);
    for (let j = 0; j < dimension; j++) {
      const at = classOf(row) * dimension + j;
      const from = taskParameters[prompt * means.length + at]!;
      covariates[row * dimension + j] = covariates[row * dimension + j]! - from + means[at]!;
    }
  }
}
