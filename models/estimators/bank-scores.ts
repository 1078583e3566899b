/**
 * How well every task of a bank explains every prompt: up to a constant of the prompt,
 *
 *   -||y - X w_j||^2 / 2 = const + w_j . X^T y - w_j^T X^T X w_j / 2
 *
 * The squares are expanded so that the cost per task does not grow with the context: the sum is one inner product of K =
 * (D + 1) (D + 2) / 2 - 1 numbers, the moments of the prompt, which are the lower triangle of [X y]^T [X y] row by row, with the
 * products of the entries of w_j. All prompts against all tasks: a product of matrices.
 *
 * In WebAssembly's SIMD (`models/simd/bank-scores.as`) where there is such a thing, and otherwise in TypeScript, to the same bits.
 */
import { kernelBase64 } from '../simd/bank-scores-wasm.ts';
import { growTo, type KernelMemory, kernelOnDemand } from '../simd/start-kernel.ts';

/** Prompts of one size, one after the other. */
export interface Contexts {
  /** `[count, context, dimension]` */
  readonly covariates: Float32Array;
  /** `[count, context]` */
  readonly responses: Float32Array;
  readonly count: number;
  readonly context: number;
}

export interface BankScores {
  /** Task t's of prompt b stands at t stride + b. */
  readonly scores: Float64Array;
  readonly stride: number;
}

/** The scores are good until the next call of any scorer. */
export type BankScorer = (contexts: Contexts) => BankScores;

interface Kernel {
  readonly memory: KernelMemory;
  readonly base: { readonly value: number };
  moments(x: number, y: number, to: number, scratch: number, prompts: number, rows: number, columns: number): void;
  scores(
    moments: number,
    bank: number,
    to: number,
    factors: number,
    prompts: number,
    tasks: number,
    columns: number,
  ): void;
}

const momentCount = (dimension: number): number => ((dimension + 1) * (dimension + 2)) / 2 - 1;

const roundUp = (value: number): number => 4 * Math.ceil(value / 4);

const kernelOf = kernelOnDemand<Kernel>(kernelBase64);

/**
 * @param bank `[tasks, dimension]`
 * @param implementation Default: `simd` where it runs.
 */
export function createBankScorer(bank: Float64Array, dimension: number, implementation?: 'simd' | 'plain'): BankScorer {
  const kernel = implementation === 'plain' ? undefined : kernelOf();
  return kernel === undefined ? createPlainScorer(bank, dimension) : createKernelScorer(bank, dimension, kernel);
}

function createKernelScorer(bank: Float64Array, dimension: number, { memory, base, ...kernel }: Kernel): BankScorer {
  const tasks = roundUp(bank.length / dimension);
  return ({ covariates, responses, count, context }) => {
    const stride = roundUp(count);
    const scratchAt = base.value;
    const factorsAt = scratchAt + 16 * context * (dimension + 1);
    const momentsAt = factorsAt + 32 * momentCount(dimension);
    const scoresAt = momentsAt + 8 * momentCount(dimension) * stride;
    const bankAt = scoresAt + 8 * tasks * stride;
    const xAt = bankAt + 8 * tasks * dimension;
    const yAt = xAt + 4 * covariates.length;
    growTo(memory, yAt + 4 * responses.length);
    const { buffer } = memory;
    // All scorers share the memory. What fills the last four tasks and prompts may be anything: nobody reads their scores.
    new Float64Array(buffer, bankAt, bank.length).set(bank);
    new Float32Array(buffer, xAt, covariates.length).set(covariates);
    new Float32Array(buffer, yAt, responses.length).set(responses);
    kernel.moments(xAt, yAt, momentsAt, scratchAt, count, context, dimension);
    kernel.scores(momentsAt, bankAt, scoresAt, factorsAt, stride, tasks, dimension);
    return { scores: new Float64Array(buffer, scoresAt, tasks * stride), stride };
  };
}

/** In the kernel's order, one prompt at a time. */
function createPlainScorer(bank: Float64Array, d: number): BankScorer {
  const tasks = bank.length / d;
  const moments = new Float64Array(momentCount(d));
  let scores = new Float64Array(0);
  return ({ covariates, responses, count, context }) => {
    if (scores.length !== tasks * count) scores = new Float64Array(tasks * count);
    for (let b = 0; b < count; b++) {
      addMoments(covariates, responses, { context, dimension: d, b }, moments.fill(0));
      for (let t = 0; t < tasks; t++) {
        let k = 0;
        let score = 0;
        for (let i = 0; i < d; i++) {
          const w = -bank[t * d + i]!;
          for (let j = 0; j < i; j++) score += w * bank[t * d + j]! * moments[k++]!;
          // What stands twice in w^T X^T X w stands once in the triangle.
          score += 0.5 * (w * bank[t * d + i]!) * moments[k++]!;
        }
        for (let j = 0; j < d; j++) score += bank[t * d + j]! * moments[k++]!;
        scores[t * count + b] = score;
      }
    }
    return { scores, stride: count };
  };
}

function addMoments(
  covariates: Float32Array,
  responses: Float32Array,
  { context, dimension: d, b }: { readonly context: number; readonly dimension: number; readonly b: number },
  moments: Float64Array,
): void {
  for (let row = b * context; row < (b + 1) * context; row++) {
    let k = 0;
    for (let i = 0; i <= d; i++) {
      const value = i < d ? covariates[row * d + i]! : responses[row]!;
      for (let j = 0; j < Math.min(i + 1, d); j++) moments[k] = moments[k++]! + value * covariates[row * d + j]!;
    }
  }
}
