/**
 * The engine `tfjs`: parameters and optimizer state as TensorFlow.js tensors, one {@link Engine.step} as forward pass,
 * its gradient by TensorFlow.js and the optimizer's update. Tensors are replaced, never changed; every step leaves as many
 * as it found.
 */
import type * as tf from '@tensorflow/tfjs';
import { ShapeError } from '../models/errors.ts';
import { labelAxis } from '../models/prompts.ts';
import { type Shape, sizeOf } from '../models/shape.ts';
import type { Engine, EngineOptions, StepHandle, TrainingState } from './engines.ts';
import { trainingLoss } from './losses.ts';
import { applyUpdate, createOptimizer, type ParameterState } from './optimizers.ts';
import { type DeviceName, loadDevice } from './tfjs.ts';
import { createTensorOps, type Operand, toTensor } from './tfjs-ops.ts';

/** @throws {ProviderError} if the device does not work here. */
export async function createTfjsEngine(options: EngineOptions): Promise<Engine> {
  const { architecture, sizes, loss: lossSpec, clipNorm } = options;
  const device = await loadDevice(options.device as DeviceName);
  const { tf } = device;
  const ops = createTensorOps(tf);
  const optimizer = createOptimizer(options.optimizer);
  const lossOf = trainingLoss(architecture, sizes, lossSpec);
  const shapes = architecture.parameterShapes(sizes);
  const names = Object.keys(shapes);

  let states = mapRecord(shapes, (shape) => ({
    parameter: tf.zeros([...shape]),
    slots: Object.fromEntries(optimizer.slots.map((slot) => [slot, tf.zeros([...shape])])),
  }));

  /** The current backend is one per process; another engine may have changed it. */
  const select = (): void => {
    if (tf.getBackend() !== device.backend) void tf.setBackend(device.backend);
  };

  const replaceStates = (next: Record<string, ParameterState<tf.Tensor>>): void => {
    for (const { parameter, slots } of Object.values(states)) tf.dispose([parameter, ...Object.values(slots)]);
    states = next;
  };

  const step: Engine['step'] = (batch, scalars): StepHandle => {
    select();
    const { next, report } = tf.tidy(() => {
      const { batch: count, context, queries, dimension } = batch;
      const classes = labelAxis(batch);
      const inputs = {
        covariates: tf.tensor(batch.covariates, [count, context, dimension]),
        responses: tf.tensor(batch.responses, [count, context, ...classes]),
        query: tf.tensor(batch.query, [count, queries, dimension]),
        targets: tf.tensor(batch.targets, [count, queries, ...classes]),
      };
      const loss = (...values: tf.Tensor[]): tf.Scalar => {
        const parameters = Object.fromEntries(names.map((name, i) => [name, values[i]!]));
        return toTensor(tf, lossOf<Operand>(ops, parameters, inputs)) as tf.Scalar;
      };
      const { value, grads } = tf.valueAndGrads(loss)(names.map((name) => states[name]!.parameter));
      const updated = applyUpdate<Operand>(ops, optimizer, {
        states,
        gradients: Object.fromEntries(names.map((name, i) => [name, grads[i]!])),
        shapes,
        scalars: mapRecord(scalars, (scalar) => tf.scalar(scalar)),
        clipNorm,
      });
      return {
        next: mapRecord(updated.states, ({ parameter, slots }) => ({
          parameter: toTensor(tf, parameter),
          slots: mapRecord(slots, (slot) => toTensor(tf, slot)),
        })),
        report: tf.stack([value, toTensor(tf, updated.gradientNorm)]),
      };
    });
    replaceStates(next);
    return {
      async read() {
        const [loss, gradientNorm] = (await report.data()) as Float32Array;
        report.dispose();
        return { loss: loss!, gradientNorm: gradientNorm! };
      },
    };
  };

  return {
    name: 'tfjs',
    device: device.name,
    adapter: device.adapter,
    runtime: device.runtime,
    pipelineDepth: device.pipelineDepth,
    scalars: (learningRate, at) => optimizer.scalars(learningRate, at),
    step,
    async readState() {
      const readAll = async (select: (state: ParameterState<tf.Tensor>) => tf.Tensor) => {
        const values: Record<string, Float32Array> = {};
        for (const name of names) values[name] = Float32Array.from(await select(states[name]!).data());
        return values;
      };
      const slots: Record<string, Record<string, Float32Array>> = {};
      for (const slot of optimizer.slots) slots[slot] = await readAll((state) => state.slots[slot]!);
      return { parameters: await readAll(({ parameter }) => parameter), optimizer: slots };
    },
    loadState(state) {
      select();
      // Checked as a whole before any tensor is made, so that a bad state changes nothing.
      for (const name of names) {
        checkSize(`parameters/${name}`, shapes[name]!, state.parameters[name]);
        for (const slot of optimizer.slots) {
          checkSize(`optimizer/${slot}/${name}`, shapes[name]!, state.optimizer[slot]?.[name]);
        }
      }
      const load = (values: Float32Array, shape: Shape) => tf.tensor(Float32Array.from(values), [...shape]);
      const slotsOf = (source: TrainingState['optimizer'], name: string, shape: Shape) =>
        Object.fromEntries(optimizer.slots.map((slot) => [slot, load(source[slot]![name]!, shape)]));
      replaceStates(
        mapRecord(shapes, (shape, name) => ({
          parameter: load(state.parameters[name]!, shape),
          slots: slotsOf(state.optimizer, name, shape),
        })),
      );
    },
    tensorCount: () => tf.memory().numTensors,
    dispose() {
      replaceStates({});
      device.release();
    },
  };
}

function mapRecord<A, B>(record: Readonly<Record<string, A>>, map: (value: A, name: string) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, map(value, name)]));
}

function checkSize(where: string, shape: Shape, values: Float32Array | undefined): void {
  if (values?.length !== sizeOf(shape)) {
    throw new ShapeError({
      where,
      expected: `${sizeOf(shape)} numbers`,
      got: values === undefined ? 'none' : String(values.length),
    });
  }
}
