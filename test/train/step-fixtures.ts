/** Training steps, run in float64 and on ONNX Runtime's CPU provider. */
import * as ort from 'onnxruntime-node';
import { linearAttention } from '../../models/attention/linear-attention.ts';
import { differentiate } from '../../models/autodiff.ts';
import { type LabelledBatch, labelAxis } from '../../models/prompts.ts';
import { fromFlat, type NdArray, referenceOps } from '../../models/reference-ops.ts';
import { sizeOf } from '../../models/shape.ts';
import { trainingLoss } from '../../train/losses.ts';
import { applyUpdate, createOptimizer, type OptimizerSpec } from '../../train/optimizers.ts';
import { exportTrainingStep, type StepDescription, type TrainingStep } from '../../train/training-step.ts';

export const origin = { study: 'zhang2023', task: { name: 'linear-regression' }, config: { seed: 7 } };

export const describeStep = (
  dimension: number,
  optimizer: OptimizerSpec,
  clipNorm: number | null = null,
): StepDescription => ({ architecture: linearAttention, sizes: { dimension }, optimizer, clipNorm });

/** State vectors in the graph's order. */
export type Vectors = readonly Float32Array[];

/** The parameters of a vector by name, in float64. */
export function unflatten(step: TrainingStep, vector: ArrayLike<number>): Record<string, NdArray> {
  return Object.fromEntries(
    step.parameters.map(({ name, shape, offset }) => {
      const values = Array.from({ length: sizeOf(shape) }, (_, i) => vector[offset + i]!);
      return [name, fromFlat(shape, values)];
    }),
  );
}

export interface StepResult {
  /** State vectors after the step. */
  readonly state: readonly ArrayLike<number>[];
  readonly loss: number;
  readonly gradientNorm: number;
}

/** One step in float64, from the same numbers. */
export function referenceStep(
  step: TrainingStep,
  { architecture, sizes, optimizer: spec, clipNorm, loss }: StepDescription,
  state: Vectors,
  batch: LabelledBatch,
  scalars: Readonly<Record<string, number>>,
): StepResult & { readonly gradient: Float64Array } {
  const optimizer = createOptimizer(spec);
  const { batch: count, context, queries, dimension } = batch;
  const inputs = {
    covariates: fromFlat([count, context, dimension], batch.covariates),
    responses: fromFlat([count, context, ...labelAxis(batch)], batch.responses),
    query: fromFlat([count, queries, dimension], batch.query),
    targets: fromFlat([count, queries, ...labelAxis(batch)], batch.targets),
  };
  const named = state.map((vector) => unflatten(step, vector));
  const { value, gradients } = differentiate(referenceOps, trainingLoss(architecture, sizes, loss), named[0]!, inputs);
  const shapes = Object.fromEntries(step.parameters.map(({ name, shape }) => [name, shape]));
  const { states, gradientNorm } = applyUpdate(referenceOps, optimizer, {
    states: Object.fromEntries(
      step.parameters.map(({ name }) => [
        name,
        {
          parameter: named[0]![name]!,
          slots: Object.fromEntries(optimizer.slots.map((slot, i) => [slot, named[i + 1]![name]!])),
        },
      ]),
    ),
    gradients,
    shapes,
    scalars: Object.fromEntries(Object.entries(scalars).map(([name, scalar]) => [name, fromFlat([], [scalar])])),
    clipNorm,
  });
  const flat = (pick: (name: string) => NdArray): Float64Array =>
    Float64Array.from(step.parameters.flatMap(({ name }) => [...pick(name).data]));
  return {
    state: step.state.map(({ slot }) =>
      flat((name) => (slot === null ? states[name]!.parameter : states[name]!.slots[slot]!)),
    ),
    loss: value.data[0]!,
    gradientNorm: gradientNorm.data[0]!,
    gradient: flat((name) => gradients[name]!),
  };
}

/** Feeds of one step, as another program would make them. */
export function feedsOf(
  step: TrainingStep,
  state: Vectors,
  batch: LabelledBatch,
  scalars: Readonly<Record<string, number>>,
): Record<string, ort.Tensor> {
  const { batch: count, context, queries, dimension } = batch;
  const tensor = (values: Float32Array, shape: number[]) => new ort.Tensor('float32', values, shape);
  return {
    ...Object.fromEntries(step.state.map(({ input }, i) => [input, tensor(state[i]!, [step.size])])),
    ...Object.fromEntries(
      step.scalars.map(({ scalar, input }) => [input, tensor(Float32Array.of(scalars[scalar]!), [])]),
    ),
    covariates: tensor(batch.covariates, [count, context, dimension]),
    responses: tensor(batch.responses, [count, context, ...labelAxis(batch)]),
    query: tensor(batch.query, [count, queries, dimension]),
    targets: tensor(batch.targets, [count, queries, ...labelAxis(batch)]),
  };
}

/** One step on ONNX Runtime. */
export async function runStep(
  step: TrainingStep,
  description: StepDescription,
  state: Vectors,
  batch: LabelledBatch,
  scalars: Readonly<Record<string, number>>,
): Promise<StepResult> {
  const session = await ort.InferenceSession.create(exportTrainingStep(description, origin), {
    executionProviders: ['cpu'],
    logSeverityLevel: 4,
  });
  const outputs = await session.run(feedsOf(step, state, batch, scalars));
  await session.release();
  return {
    state: step.state.map(({ output }) => outputs[output]!.data as Float32Array),
    loss: outputs['loss']!.data[0] as number,
    gradientNorm: outputs['gradient_norm']!.data[0] as number,
  };
}
