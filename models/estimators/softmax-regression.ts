/**
 * Softmax regression of many contexts, with a penalty:
 *
 *   V = argmin sum_i -log softmax(V (x_i, 1))_{y_i} + (penalty / 2) |V|^2
 *
 * By a fixed bound on the Hessian instead of the Hessian, which changes with every step: on V whose classes sum to 0, as all
 * iterates do, it is at most X^T X / 2 + penalty I for each class. One inverse for a prompt, and each step descends. The last
 * class's weights are what the others' lack to 0.
 *
 * In WebAssembly's SIMD (`models/simd/softmax-regression.as`) where there is such a thing, and otherwise in TypeScript, to the same
 * bits: so a prompt's answer depends neither on where it is computed nor on its neighbours.
 *
 * Source of the bound: Böhning (1992), "Multinomial logistic regression algorithm".
 */
import { kernelBase64 } from '../simd/softmax-regression-wasm.ts';
import { growTo, type KernelMemory, kernelOnDemand } from '../simd/start-kernel.ts';
import { createPlainRegression } from './softmax-regression-plain.ts';

/** Contexts of one size, one after the other. */
export interface LabelledContexts {
  /** `[count, context, dimension]` */
  readonly covariates: Float32Array;
  /** The class of each pair, `[count, context]`. */
  readonly labels: Int32Array;
  readonly count: number;
  readonly context: number;
  readonly dimension: number;
  readonly classes: number;
  readonly penalty: number;
}

/** Steps end when no entry of V moves by this much, or after so many. */
export const tolerance = 1e-3;
export const mostSteps = 200;

/** Fits all contexts: V `[count, classes, dimension + 1]`, or longer; good until the next call of any regression. */
export type Regression = (contexts: LabelledContexts) => Float64Array;

interface Kernel {
  readonly memory: KernelMemory;
  readonly base: { readonly value: number };
  regress(
    x: number,
    labels: number,
    out: number,
    scratch: number,
    prompts: number,
    rows: number,
    columns: number,
    classes: number,
    penalty: number,
    tolerance: number,
    mostSteps: number,
  ): void;
}

const kernelOf = kernelOnDemand<Kernel>(kernelBase64);

/** @param implementation Default: `simd` where it runs. */
export function createRegression(implementation?: 'simd' | 'plain'): Regression {
  const kernel = implementation === 'plain' ? undefined : kernelOf();
  return kernel === undefined ? createPlainRegression() : createKernelRegression(kernel);
}

function createKernelRegression({ memory, base, regress }: Kernel): Regression {
  return ({ covariates, labels, count, context, dimension, classes, penalty }) => {
    const size = dimension + 1;
    const scratchAt = base.value;
    const outAt = scratchAt + 16 * (context * (size + 2 * classes + 1) + size * (size + classes + 3));
    const xAt = outAt + 8 * count * classes * size;
    const labelsAt = xAt + 4 * covariates.length;
    growTo(memory, labelsAt + 4 * labels.length);
    new Float32Array(memory.buffer, xAt, covariates.length).set(covariates);
    new Int32Array(memory.buffer, labelsAt, labels.length).set(labels);
    regress(xAt, labelsAt, outAt, scratchAt, count, context, dimension, classes, penalty, tolerance, mostSteps);
    return new Float64Array(memory.buffer, outAt, count * classes * size);
  };
}
