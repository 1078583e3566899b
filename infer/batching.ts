/**
 * Cuts a batch into blocks that fit a memory budget. What a prompt costs is read off the graph's own types, so every
 * architecture, and every size of context and queries, is counted as it is. Knows nothing of sessions.
 */
import type { Dim, DType, Graph } from '../export/graph.ts';
import { UsageError } from '../models/errors.ts';

/** Lengths that are the same for every prompt of a batch. */
export interface PromptSizes {
  readonly context: number;
  readonly queries: number;
}

/** Of the types that are not here, 4 or less. */
const bytesPerElement: Readonly<Partial<Record<DType, number>>> = { int64: 8, uint64: 8, float64: 8, bool: 1 };

/** Inputs and outputs of one block are in memory twice: one block runs while the next is copied in. */
const blocksInFlight = 2;

/**
 * The length a symbolic name stands for; `context_plus_1` and `batch_times_context` are computed from their parts (see
 * export/symbolic-dims.ts).
 * @param sizes Without a batch: per prompt.
 */
export function lengthOf(dim: Dim, sizes: PromptSizes & { readonly batch?: number }): number {
  if (typeof dim === 'number') return dim;
  if (/^\d+$/.test(dim)) return Number(dim);
  const { batch = 1, context, queries } = sizes;
  if (dim === 'batch') return batch;
  if (dim === 'context') return context;
  if (dim === 'queries') return queries;
  const [left, sign, right] =
    /^(.+?)_(times)_(.+)$/.exec(dim)?.slice(1) ?? /^(.+)_(plus|minus)_(.+?)$/.exec(dim)?.slice(1) ?? [];
  if (sign === undefined) return context + queries; // Nothing is known about it: a long guess, so that memory stays small.
  const [a, b] = [lengthOf(left!, sizes), lengthOf(right!, sizes)];
  return sign === 'times' ? a * b : Math.max(0, sign === 'plus' ? a + b : a - b);
}

/** What was estimated of each graph last: runs come in batches of the same sizes, and reading a graph's types takes a while. */
const estimates = new WeakMap<Graph, PromptSizes & { readonly bytes: number }>();

/**
 * Estimates the memory of one prompt in a run, in bytes: its inputs and outputs, twice, and every value between nodes.
 * An upper bound in practice, since ONNX Runtime reuses the buffers of values that are no longer needed.
 */
export function bytesPerPrompt(graph: Graph, { context, queries }: PromptSizes): number {
  const known = estimates.get(graph);
  if (known !== undefined && known.context === context && known.queries === queries) return known.bytes;
  const bytes = estimateBytes(graph, { context, queries });
  estimates.set(graph, { context, queries, bytes });
  return bytes;
}

function estimateBytes(graph: Graph, { context, queries }: PromptSizes): number {
  const sizes = { context, queries };
  const bytesOf = ({ dtype, shape }: Graph['interior'][number]) =>
    shape.reduce<number>((product, dim) => product * lengthOf(dim, sizes), bytesPerElement[dtype] ?? 4);
  const total = (values: Graph['interior']) => values.reduce((sum, value) => sum + bytesOf(value), 0);
  // What has no batch axis is there once, not once per prompt.
  const interior = graph.interior.filter(({ shape }) => shape.some((dim) => `${dim}`.split('_').includes('batch')));
  return blocksInFlight * (total(graph.inputs) + total(graph.outputs)) + total(interior);
}

/** Most prompts in one block; a prompt that is larger than the budget by itself runs alone. */
export function promptsPerBlock(graph: Graph, sizes: PromptSizes, memoryBudget: number): number {
  return Math.max(1, Math.floor(memoryBudget / bytesPerPrompt(graph, sizes)));
}

/** A batch is cut into this many pieces per shard, so that one that is disturbed leaves some of its share to the others. */
const piecesPerShard = 3;

/** Bytes below which a piece is not worth the message that sends it to a thread. */
const smallestPiece = 2 ** 20;

/**
 * As {@link promptsPerBlock}, and not so many that a shard of several would have nothing to do, or one piece more than the
 * others.
 */
export function promptsPerPiece(
  graph: Graph,
  sizes: PromptSizes & { readonly batch: number },
  memoryBudget: number,
  shards: number,
): number {
  const { batch, context, queries } = sizes;
  const most = promptsPerBlock(graph, { context, queries }, memoryBudget);
  if (shards === 1) return most;
  const share = Math.ceil(batch / (shards * piecesPerShard));
  const size = Math.min(most, Math.max(share, promptsPerBlock(graph, { context, queries }, smallestPiece)));
  if (batch <= size) return size;
  const each = Math.ceil(batch / (shards * size));
  return Math.ceil(batch / (shards * each));
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
