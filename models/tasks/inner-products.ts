/**
 * Responses of linear tasks: inner products of many covariates with the task vector of their prompt, in bulk. In WebAssembly's
 * SIMD (`models/simd/inner-products.as`) where there is such a thing, and otherwise in TypeScript, to the same bits.
 */

import { drawingKernelsAt, type InnerProductsKernel } from '../simd/drawing-kernels.ts';
import { kernelBase64 } from '../simd/inner-products-wasm.ts';
import { growTo, type KernelMemory, kernelOnDemand } from '../simd/start-kernel.ts';

export interface InnerProducts {
  /** `[B, rows, D]` */
  readonly covariates: Float32Array;
  /** `[B, D]` */
  readonly taskVectors: Float32Array;
  /** `[B, rows]`: standard normals on entry if there is noise, responses on return. */
  readonly responses: Float32Array;
  readonly batch: number;
  readonly rows: number;
  readonly dimension: number;
  /** Standard deviation of the noise that is added. */
  readonly noiseDeviation: number;
}

interface Kernel extends InnerProductsKernel {
  readonly memory: KernelMemory;
  readonly base: { readonly value: number };
}

/** Numbers that are copied into the kernel's memory at once: they stay in a core's own cache. */
const numbersAtOnce = 8192;
/** Fewer products than this are computed faster than they are copied. */
const productsForKernel = 2048;

const kernelOf = kernelOnDemand<Kernel>(kernelBase64);

/** Writes y = <w, x> + deviation * noise for every row. Sums are in float64, in the order of the axes, and rounded once. */
export function respondLinearly(work: InnerProducts): void {
  const kernel = kernelOf();
  if (kernel === undefined || work.batch * work.rows * work.dimension < productsForKernel) respondPlainly(work);
  else if (!respondInPlace(work)) respondInKernel(kernel, work);
}

/** Without copying, where all numbers lie in memory that is a kernel's. */
function respondInPlace({
  covariates,
  taskVectors,
  responses,
  batch,
  rows,
  dimension,
  noiseDeviation,
}: InnerProducts): boolean {
  const kernels = drawingKernelsAt(covariates.buffer);
  if (kernels === undefined || dimension > kernels.scratch.length) return false;
  if (taskVectors.buffer !== covariates.buffer || responses.buffer !== covariates.buffer) return false;
  const [x, w, y] = [covariates.byteOffset, taskVectors.byteOffset, responses.byteOffset];
  kernels.innerProducts.respond(x, w, y, kernels.scratch.at, batch, rows, dimension, noiseDeviation);
  return true;
}

function respondInKernel({ memory, base, respond }: Kernel, work: InnerProducts): void {
  const { covariates, taskVectors, responses, batch, rows, dimension, noiseDeviation } = work;
  const perPrompt = rows * dimension;
  const atOnce = Math.max(1, Math.floor(numbersAtOnce / perPrompt));
  const wAt = base.value + 8 * dimension;
  const yAt = wAt + 4 * atOnce * dimension;
  const xAt = yAt + 4 * atOnce * rows;
  growTo(memory, xAt + 4 * atOnce * perPrompt);
  const w = new Float32Array(memory.buffer, wAt, atOnce * dimension);
  const y = new Float32Array(memory.buffer, yAt, atOnce * rows);
  const x = new Float32Array(memory.buffer, xAt, atOnce * perPrompt);
  for (let b = 0; b < batch; b += atOnce) {
    const count = Math.min(atOnce, batch - b);
    w.set(taskVectors.subarray(b * dimension, (b + count) * dimension));
    x.set(covariates.subarray(b * perPrompt, (b + count) * perPrompt));
    const out = responses.subarray(b * rows, (b + count) * rows);
    if (noiseDeviation > 0) y.set(out);
    respond(xAt, wAt, yAt, base.value, count, rows, dimension, noiseDeviation);
    out.set(count === atOnce ? y : y.subarray(0, count * rows));
  }
}

/**
 * {@link respondLinearly} without WebAssembly. Four rows at a time: one sum alone waits for its own additions, which takes 1.6
 * times as long.
 */
export function respondPlainly(work: InnerProducts): void {
  const { covariates: x, taskVectors, responses: y, batch, rows, dimension, noiseDeviation } = work;
  const w = new Float64Array(dimension);
  const write = (row: number, sum: number): void => {
    y[row] = noiseDeviation > 0 ? sum + noiseDeviation * y[row]! : sum;
  };
  for (let b = 0, row = 0; b < batch; b++) {
    for (let j = 0; j < dimension; j++) w[j] = taskVectors[b * dimension + j]!;
    const end = row + rows;
    for (; row + 4 <= end; row += 4) {
      let [sum0, sum1, sum2, sum3] = [0, 0, 0, 0];
      for (let j = 0, at = row * dimension; j < dimension; j++, at++) {
        const weight = w[j]!;
        sum0 += x[at]! * weight;
        sum1 += x[at + dimension]! * weight;
        sum2 += x[at + 2 * dimension]! * weight;
        sum3 += x[at + 3 * dimension]! * weight;
      }
      write(row, sum0);
      write(row + 1, sum1);
      write(row + 2, sum2);
      write(row + 3, sum3);
    }
    for (; row < end; row++) {
      let sum = 0;
      for (let j = 0, at = row * dimension; j < dimension; j++, at++) sum += x[at]! * w[j]!;
      write(row, sum);
    }
  }
}
