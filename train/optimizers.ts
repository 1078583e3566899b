/**
 * Optimizers: how a gradient changes a parameter. Each is a pure function over {@link Ops}, so that tensors and graph
 * values can both be updated by it. Whatever depends on the step is computed in float64 outside and enters as a scalar:
 * no counter, no power and no bias correction is ever rounded to float32 before its use.
 */
import { unknownName } from '../models/errors.ts';
import { type Ops, scale } from '../models/ops.ts';
import { type Shape, sizeOf } from '../models/shape.ts';

export interface SgdSpec {
  readonly name: 'sgd';
  readonly learningRate: number;
  readonly momentum: number;
}

export interface AdamSpec {
  readonly name: 'adam';
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
}

/** Adam whose parameters also shrink by themselves, at the rate `weightDecay` times the learning rate. */
export interface AdamWSpec extends Omit<AdamSpec, 'name'> {
  readonly name: 'adamw';
  readonly weightDecay: number;
}

export type OptimizerSpec = SgdSpec | AdamSpec | AdamWSpec;

/** A parameter with its state, one value per slot of the optimizer. */
export interface ParameterState<T> {
  readonly parameter: T;
  readonly slots: Readonly<Record<string, T>>;
}

/** An optimizer with its constants fixed. */
export interface Optimizer {
  /** Names of what is kept per parameter, each of the parameter's shape and 0 at the start. */
  readonly slots: readonly string[];
  /** Names of the scalars that `update` reads. */
  readonly scalarNames: readonly string[];
  /** How each follows from the learning rate and t = step + 1, for those who train with the exported graph. */
  readonly scalarFormulas: readonly string[];
  /** Their values at a step (0-based). */
  scalars(learningRate: number, step: number): Record<string, number>;
  update<T>(
    ops: Ops<T>,
    state: ParameterState<T>,
    gradient: T,
    scalars: Readonly<Record<string, T>>,
  ): ParameterState<T>;
}

interface OptimizerKind {
  readonly name: OptimizerSpec['name'];
  readonly description: string;
  readonly defaults: OptimizerSpec;
  create(spec: OptimizerSpec): Optimizer;
}

/** v <- momentum v + g,  p <- p - rate v. Without momentum nothing is kept. */
const sgd: OptimizerKind = {
  name: 'sgd',
  description: 'stochastic gradient descent, with heavy-ball momentum if it is above 0',
  defaults: { name: 'sgd', learningRate: 0.05, momentum: 0 },
  create({ momentum }: SgdSpec) {
    const hasMomentum = momentum > 0;
    return {
      slots: hasMomentum ? ['velocity'] : [],
      scalarNames: ['learningRate'],
      scalarFormulas: ['learning_rate'],
      scalars: (learningRate) => ({ learningRate }),
      update(ops, { parameter, slots }, gradient, scalars) {
        const velocity = hasMomentum ? ops.add(scale(ops, slots['velocity']!, momentum), gradient) : gradient;
        return {
          parameter: ops.sub(parameter, ops.mul(velocity, scalars['learningRate']!)),
          slots: hasMomentum ? { velocity } : {},
        };
      },
    };
  },
};

/**
 * m <- b1 m + (1 - b1) g,  v <- b2 v + (1 - b2) g^2,  p <- p - rate / (1 - b1^t) m / (sqrt(v / (1 - b2^t)) + epsilon),
 * t = step + 1. The two corrections enter as `stepSize` = rate / (1 - b1^t) and `rootCorrection` = 1 / sqrt(1 - b2^t).
 * Source: Kingma and Ba (2015), algorithm 1.
 */
const adam: OptimizerKind = {
  name: 'adam',
  description: 'adaptive moments with bias correction',
  defaults: { name: 'adam', learningRate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
  create({ beta1, beta2, epsilon }: AdamSpec | AdamWSpec) {
    return {
      slots: ['firstMoment', 'secondMoment'],
      scalarNames: ['stepSize', 'rootCorrection'],
      scalarFormulas: [`learning_rate / (1 - ${beta1} ** t)`, `1 / sqrt(1 - ${beta2} ** t)`],
      scalars: (learningRate, step) => ({
        stepSize: learningRate / (1 - beta1 ** (step + 1)),
        rootCorrection: 1 / Math.sqrt(1 - beta2 ** (step + 1)),
      }),
      update(ops, { parameter, slots }, gradient, scalars) {
        const firstMoment = ops.add(scale(ops, slots['firstMoment']!, beta1), scale(ops, gradient, 1 - beta1));
        const square = ops.mul(gradient, gradient);
        const secondMoment = ops.add(scale(ops, slots['secondMoment']!, beta2), scale(ops, square, 1 - beta2));
        const root = ops.mul(ops.sqrt(secondMoment), scalars['rootCorrection']!);
        const direction = ops.div(firstMoment, ops.add(root, ops.constant(epsilon)));
        return {
          parameter: ops.sub(parameter, ops.mul(direction, scalars['stepSize']!)),
          slots: { firstMoment, secondMoment },
        };
      },
    };
  },
};

/**
 * Adam after p <- p - rate weightDecay p, which enters as `decay` = rate * weightDecay.
 * Source: Loshchilov and Hutter (2019), algorithm 2, with the schedule in the rate.
 */
const adamw: OptimizerKind = {
  name: 'adamw',
  description: 'adaptive moments with decoupled weight decay',
  defaults: { name: 'adamw', learningRate: 0.001, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01 },
  create(spec: AdamWSpec) {
    const base = adam.create(spec);
    return {
      slots: base.slots,
      scalarNames: [...base.scalarNames, 'decay'],
      scalarFormulas: [...base.scalarFormulas, `learning_rate * ${spec.weightDecay}`],
      scalars: (learningRate, step) => ({
        ...base.scalars(learningRate, step),
        decay: learningRate * spec.weightDecay,
      }),
      update(ops, { parameter, slots }, gradient, scalars) {
        const decayed = ops.sub(parameter, ops.mul(parameter, scalars['decay']!));
        return base.update(ops, { parameter: decayed, slots }, gradient, scalars);
      },
    };
  },
};

export const optimizers: readonly OptimizerKind[] = [sgd, adam, adamw];

/** @throws {UsageError} for an unknown optimizer. */
export function createOptimizer(spec: OptimizerSpec): Optimizer {
  const kind = optimizers.find(({ name }) => name === spec.name);
  if (kind === undefined) {
    throw unknownName(
      'optimizer',
      spec.name,
      optimizers.map(({ name }) => name),
    );
  }
  return kind.create(spec);
}

/** Everything a step changes or reads, by parameter name. */
export interface UpdateInputs<T> {
  readonly states: Readonly<Record<string, ParameterState<T>>>;
  readonly gradients: Readonly<Record<string, T>>;
  readonly shapes: Readonly<Record<string, Shape>>;
  readonly scalars: Readonly<Record<string, T>>;
  /** Gradients of a larger norm are scaled down to it; null: never. */
  readonly clipNorm: number | null;
}

export interface UpdateOutputs<T> {
  readonly states: Record<string, ParameterState<T>>;
  /** Norm of all gradients together, before clipping. */
  readonly gradientNorm: T;
}

/** One optimizer step for all parameters: g <- g min(1, clipNorm / ||g||), with ||g|| over all of them, then the update. */
export function applyUpdate<T>(ops: Ops<T>, optimizer: Optimizer, inputs: UpdateInputs<T>): UpdateOutputs<T> {
  const names = Object.keys(inputs.states);
  const squares = names.map((name) => {
    const gradient = inputs.gradients[name]!;
    return scale(ops, ops.mean(ops.mul(gradient, gradient)), sizeOf(inputs.shapes[name]!));
  });
  const gradientNorm = ops.sqrt(squares.reduce((total, square) => ops.add(total, square)));
  const clip = (gradient: T): T => {
    if (inputs.clipNorm === null) return gradient;
    // A zero gradient gives clipNorm / 0 = infinity, and the minimum is 1.
    const factor = ops.minimum(ops.div(ops.constant(inputs.clipNorm), gradientNorm), ops.constant(1));
    return ops.mul(gradient, factor);
  };
  const states: Record<string, ParameterState<T>> = {};
  for (const name of names) {
    states[name] = optimizer.update(ops, inputs.states[name]!, clip(inputs.gradients[name]!), inputs.scalars);
  }
  return { states, gradientNorm };
}
