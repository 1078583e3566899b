/**
 * What a statistician would do with Markov chains: the known kernel (an oracle, and the ceiling of everything), and counting.
 * A prediction is the mean of the next state given the query's last one, which has the least squared error; `known-kernel-mode`
 * is the likeliest state, which is right most often. For two states rounding the mean gives the same.
 */
import type { PromptBatch } from '../prompts.ts';
import type { MarkovChainSpec } from '../tasks/markov-chain.ts';
import { checkOut, type EstimatorKind, type EstimatorLaws, requireTaskParameters } from './estimator.ts';

const statesOf = ({ testTask }: EstimatorLaws): number => (testTask as MarkovChainSpec).states;

/** A known kernel, and what is answered from the row of the query's last state. */
function oracle(
  name: string,
  description: string,
  answer: (kernel: Float32Array, at: number, states: number) => number,
): EstimatorKind {
  return {
    name,
    description,
    tasks: ['markov-chain'],
    options: [],
    create(_options, laws) {
      const states = statesOf(laws);
      return {
        name,
        description,
        parameters: {},
        needsTaskParameters: true,
        predict(prompts, out) {
          checkOut(name, prompts, out);
          const { queries, dimension, query } = prompts;
          const { taskParameters } = requireTaskParameters(name, prompts);
          for (let row = 0; row < out.length; row++) {
            const prompt = Math.floor(row / queries);
            const last = query[row * dimension + dimension - 1]!;
            out[row] = answer(taskParameters, (prompt * states + last) * states, states);
          }
        },
      };
    },
  };
}

export const knownKernel = oracle('known-kernel', 'the mean under the true kernel', (kernel, at, states) => {
  let mean = 0;
  for (let s = 0; s < states; s++) mean += s * kernel[at + s]!;
  return mean;
});

export const knownKernelMode = oracle(
  'known-kernel-mode',
  'the likeliest state under the true kernel',
  (kernel, at, states) => {
    let mode = 0;
    for (let s = 1; s < states; s++) if (kernel[at + s]! > kernel[at + mode]!) mode = s;
    return mode;
  },
);

const name = 'pooled-counts';
const description = 'the mean under transition counts of all chains, plus `smoothing` each';

/** Adds the transitions inside one chain's covariates, D states in a row, to counts `[S, S]`. */
function addTransitions(counts: Float64Array, states: number, x: Float32Array, at: number, dimension: number): void {
  for (let t = 1; t < dimension; t++) {
    const k = x[at + t - 1]! * states + x[at + t]!;
    counts[k] = counts[k]! + 1;
  }
}

/** The transitions of prompt b's context `[S, S]`, `smoothing` added to each; overwrites `counts`. */
export function countTransitions(
  { context, dimension, covariates, responses }: PromptBatch,
  b: number,
  { states, smoothing }: { readonly states: number; readonly smoothing: number },
  counts: Float64Array,
): void {
  counts.fill(smoothing);
  for (let row = b * context; row < (b + 1) * context; row++) {
    addTransitions(counts, states, covariates, row * dimension, dimension);
    const k = covariates[row * dimension + dimension - 1]! * states + responses[row]!;
    counts[k] = counts[k]! + 1;
  }
}

/** P(s' | s) = (count of s s' + c) / (count of s + S c), over the context's chains and the query's own states. */
export const pooledCounts: EstimatorKind = {
  name,
  description,
  tasks: ['markov-chain'],
  options: [
    {
      name: 'smoothing',
      description: 'c, added to every count',
      default: 1,
      accepts: (value) => value > 0 && Number.isFinite(value),
      expected: 'a number above 0',
    },
  ],
  create(options, laws) {
    const states = statesOf(laws);
    const smoothing = options['smoothing']!;
    const counts = new Float64Array(states * states);
    const own = new Float64Array(states * states);
    return {
      name,
      description,
      parameters: { smoothing },
      needsTaskParameters: false,
      predict(prompts, out) {
        checkOut(name, prompts, out);
        const { batch, queries, dimension, query } = prompts;
        for (let b = 0; b < batch; b++) {
          countTransitions(prompts, b, { states, smoothing }, counts);
          for (let row = b * queries; row < (b + 1) * queries; row++) {
            own.set(counts);
            addTransitions(own, states, query, row * dimension, dimension);
            const last = query[row * dimension + dimension - 1]! * states;
            let [total, mean] = [0, 0];
            for (let s = 0; s < states; s++) {
              total += own[last + s]!;
              mean += s * own[last + s]!;
            }
            out[row] = mean / total;
          }
        }
      },
    };
  },
};
