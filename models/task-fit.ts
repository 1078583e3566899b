/** Whether a model can be asked the prompts of a task: its dimension, its classes, and what its predictions are. */
import { classesOf, type ModelContract, type ModelSizes, type Output, outputOf } from './architecture.ts';
import { UsageError } from './errors.ts';
import { createSampler, type Sampler, type TaskSpec, taskNamed } from './tasks/index.ts';

const words: Readonly<Record<Output, string>> = {
  value: 'a value',
  sigmoid: 'the probability of a label +1',
  softmax: 'probabilities of classes',
};

/**
 * The sampler of a task, after checking that the model's responses and predictions are the task's.
 * @throws {UsageError} saying what the model lacks. @throws {UsageError} | {DataError} for an impossible task.
 */
export function samplerFor(where: string, architecture: ModelContract, sizes: ModelSizes, task: TaskSpec): Sampler {
  if (task.dimension !== sizes.dimension) {
    throw new UsageError({
      where: `${where}.dimension`,
      expected: `${sizes.dimension}, the model's dimension`,
      got: String(task.dimension),
    });
  }
  const sampler = createSampler(task);
  const { classes } = sampler;
  if (classes !== classesOf(sizes)) {
    const of = (count: number) => (count === 0 ? 'responses of one number' : `one-hot responses of ${count} classes`);
    throw new UsageError({
      where,
      expected: `${of(classesOf(sizes))}, as ${architecture.name} is built`,
      got: of(classes),
      remedy: `The model's option classes must be ${classes}${classes === 0 ? ', or absent' : ''}.`,
    });
  }
  const output = outputOf(architecture, sizes);
  const wanted: Output = taskNamed(task.name).kind === 'regression' ? 'value' : classes === 0 ? 'sigmoid' : 'softmax';
  if (output !== wanted) {
    throw new UsageError({
      where,
      expected: `a task that asks for ${words[output]}, as ${architecture.name} predicts`,
      got: `${task.name}, which asks for ${words[wanted]}`,
    });
  }
  return sampler;
}
