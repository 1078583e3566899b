/**
 * How far a provider's float32 may be from the float64 reference, as data.
 *
 * The rule: |got - reference| <= absolute + relative * max(|reference|, scale), where scale is the root mean square of the
 * reference over all predictions from as many pairs. A prediction is a sum whose terms may cancel, and its
 * rounding error is that of the terms: one that happens to be near 0 is held to the size its neighbours have.
 * Of probabilities the scale is at least a quarter of that of the scores that they are made of.
 */
import type { ProviderName } from './provider-table.ts';

export interface Tolerance {
  readonly relative: number;
  /** Only for what float32 cannot hold: products that underflow. */
  readonly absolute: number;
}

const underflow = 1e-30;

/**
 * Measured: the largest relative error of `verify` at its default sizes, on linear attention from both of its starts, with and
 * without prefixes: d = 2, 5, 20; and d = 100, where sums are longer. The classifier (2 to 20 classes, sure and unsure) stays
 * within 1.5e-6 on cpu, wasm and SwiftShader.
 */
export const tolerances: Readonly<Record<ProviderName, Tolerance>> = {
  /** Measured 1.0e-6; 2.1e-6 at d = 100. */
  cpu: { relative: 1e-5, absolute: underflow },
  /** Measured 1.3e-6; 1.6e-6 at d = 100. */
  wasm: { relative: 1e-5, absolute: underflow },
  /** Measured 1.2e-6 on SwiftShader, d = 5 and 20. */
  webgpu: { relative: 1e-5, absolute: underflow },
  /** Not measured yet. With NVIDIA_TF32_OVERRIDE=0; see the next row. */
  cuda: { relative: 1e-5, absolute: underflow },
};

/**
 * CUDA as it comes: on Ampere and newer, cuBLAS multiplies float32 matrices in TF32, whose significand has 11 bits, and
 * onnxruntime-node has no option against it. 2^-11 per factor, three products in a row, and the largest of thousands of
 * entries; not measured yet. Start the process with NVIDIA_TF32_OVERRIDE=0 for full float32.
 */
export const cudaTf32Tolerance: Tolerance = { relative: 5e-3, absolute: underflow };

/**
 * The tolerance for a model on a provider. Transformers divide by deviations in every layer, and their predictions are small
 * differences of tokens that are of order 1, so that float32 rounding grows: measured 1.9e-5 on transformers of 2 layers and
 * width 48, trained on d = 3, at up to 100 pairs with prefixes, the same on cpu and wasm. Per two layers as much again.
 */
export function toleranceFor(provider: ProviderName, { architecture, sizes }: ToleranceModel): Tolerance {
  const { relative, absolute } = tolerances[provider];
  // Of a model that was made elsewhere nothing is known: it may have as many layers as the largest transformers here.
  const isAdapted = architecture.name === 'adapted';
  const isTransformer = isAdapted || architecture.name.endsWith('transformer');
  const layers = isAdapted ? 24 : (sizes.options?.['layers'] ?? 1);
  return { relative: isTransformer ? relative * 5 * Math.max(1, layers / 2) : relative, absolute };
}

interface ToleranceModel {
  readonly architecture: { readonly name: string };
  readonly sizes: { readonly options?: Readonly<Record<string, number>> };
}
