/** What the kernels that draw prompts export, and the memory in which this thread has some that draw in place. */

/** See `fill` in `generator.as`. */
export interface GeneratorKernel {
  readonly buffer: { readonly value: number };
  readonly tableBlocks: { readonly value: number };
  fill(
    isExponential: number,
    key0: number,
    key1: number,
    c0: number,
    c1: number,
    c2: number,
    c3: number,
    rows: number,
    rowLength: number,
    out: number,
  ): void;
}

/** See `respond` in `inner-products.as`. */
export interface InnerProductsKernel {
  respond(
    x: number,
    w: number,
    y: number,
    scratch: number,
    prompts: number,
    rows: number,
    dimension: number,
    deviation: number,
  ): void;
}

/** Kernels whose memory holds batches too. */
export interface DrawingKernels {
  readonly generator: GeneratorKernel;
  readonly innerProducts: InnerProductsKernel;
  /** Room for float64 numbers under way. */
  readonly scratch: { readonly at: number; readonly length: number };
}

const known = new WeakMap<ArrayBufferLike, DrawingKernels>();

/** This thread's kernels of some memory; most has none. */
export const drawingKernelsAt = (memory: ArrayBufferLike): DrawingKernels | undefined => known.get(memory);

export function keepDrawingKernels(memory: ArrayBufferLike, kernels: DrawingKernels): void {
  known.set(memory, kernels);
}
