/**
 * Cuts a batch into blocks that fit a memory budget. What a prompt costs is read off the graph's own types, so every
 * architecture, and every size of context and queries, is counted as it is. Knows nothing of sessions.
 */
import type { Dim, Graph } from '../export/graph.ts';
import { UsageError } from '../models/errors.ts';

/** Lengths that are the same for every prompt of a batch. */
export interface PromptSizes {
  readonly context: number;
  readonly queries: number;
}

const bytesPerElement = { float32: 4, int64: 8, bool: 1 } as const;

/** Inputs and outputs of one block are in memory twice: one block runs while the next is copied in. */
const blocksInFlight = 2;

/** The length a symbolic name stands for; names such as `context_plus_1` are sums (see export/symbolic-dims.ts). */
function lengthOf(dim: Dim, { context, queries }: PromptSizes): number {
  if (typeof dim === 'number') return dim;
  if (dim === 'batch') return 1;
  if (dim === 'context') return context;
  if (dim === 'queries') return queries;
  const sum = /^(.+)_(plus|minus)_(.+?)$/.exec(dim);
  if (sum === null) return context + queries; // Nothing is known about it: a long guess, so that memory stays small.
  const [, left, sign, right] = sum;
  const term = (text: string) => (/^\d+$/.test(text) ? Number(text) : lengthOf(text, { context, queries }));
  return Math.max(0, sign === 'plus' ? term(left!) + term(right!) : term(left!) - term(right!));
}

/**
 * Estimates the memory of one prompt in a run, in bytes: its inputs and outputs, twice, and every value between nodes.
 * An upper bound in practice, since ONNX Runtime reuses the buffers of values that are no longer needed.
 */
export function bytesPerPrompt(graph: Graph, sizes: PromptSizes): number {
  const bytesOf = ({ dtype, shape }: Graph['interior'][number]) =>
    shape.reduce<number>((product, dim) => product * lengthOf(dim, sizes), bytesPerElement[dtype]);
  const total = (values: Graph['interior']) => values.reduce((sum, value) => sum + bytesOf(value), 0);
  // What has no batch axis is there once, not once per prompt.
  const interior = graph.interior.filter(({ shape }) => shape.includes('batch'));
  return blocksInFlight * (total(graph.inputs) + total(graph.outputs)) + total(interior);
}

/** Most prompts in one block; a prompt that is larger than the budget by itself runs alone. */
export function promptsPerBlock(graph: Graph, sizes: PromptSizes, memoryBudget: number): number {
  return Math.max(1, Math.floor(memoryBudget / bytesPerPrompt(graph, sizes)));
}

/** @throws {UsageError} unless the budget is a positive number of bytes. */
export function checkMemoryBudget(memoryBudget: number): void {
  if (!(memoryBudget >= 1)) {
    throw new UsageError({
      where: 'memoryBudget',
      expected: 'a number of bytes, 1 or more',
      got: String(memoryBudget),
    });
  }
}
