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

/** Remembers what was estimated of each graph last: runs come in batches of the same sizes, and reading types takes a while. */
function remembered(
  estimate: (graph: Graph, sizes: PromptSizes) => number,
): (graph: Graph, sizes: PromptSizes) => number {
  const last = new WeakMap<Graph, PromptSizes & { readonly bytes: number }>();
  return (graph, { context, queries }) => {
    const known = last.get(graph);
    if (known !== undefined && known.context === context && known.queries === queries) return known.bytes;
    const bytes = estimate(graph, { context, queries });
    last.set(graph, { context, queries, bytes });
    return bytes;
  };
}

const bytesOf = ({ dtype, shape }: Graph['interior'][number], sizes: PromptSizes): number =>
  shape.reduce<number>((product, dim) => product * lengthOf(dim, sizes), bytesPerElement[dtype] ?? 4);

/** What has no batch axis is there once, not once per prompt. */
const isPerPrompt = ({ shape }: Graph['interior'][number]): boolean =>
  shape.some((dim) => `${dim}`.split('_').includes('batch'));

/**
 * Estimates the memory of one prompt in a run, in bytes: its inputs and outputs, twice, and every value between nodes.
 * An upper bound in practice, since ONNX Runtime reuses the buffers of values that are no longer needed.
 */
export const bytesPerPrompt = remembered((graph, sizes) => {
  const total = (values: Graph['interior']) => values.reduce((sum, value) => sum + bytesOf(value, sizes), 0);
  return blocksInFlight * (total(graph.inputs) + total(graph.outputs)) + total(graph.interior.filter(isPerPrompt));
});

/** Operators whose output is their input under another shape. */
const reshaping: readonly string[] = ['Flatten', 'Reshape', 'Squeeze', 'Unsqueeze'];

/**
 * Estimates what of one prompt is in use at once, in bytes: at the node where it is most, all values that have been computed
 * and are still read. It is what a processor's cache should hold.
 */
export const workingSetPerPrompt = remembered((graph, sizes) => {
  const own = new Map<string, string>(); // Which value's memory a value lies in.
  const at = (name: string) => own.get(name) ?? name;
  for (const { opType, inputs, outputs } of graph.nodes) {
    if (reshaping.includes(opType)) own.set(outputs[0]!, at(inputs[0]!));
  }
  const bytes = new Map<string, number>();
  for (const value of [...graph.inputs, ...graph.interior.filter(isPerPrompt), ...graph.outputs]) {
    if (at(value.name) === value.name) bytes.set(value.name, bytesOf(value, sizes));
  }
  const lastUse = new Map<string, number>();
  for (const [i, { inputs }] of graph.nodes.entries()) for (const name of inputs) lastUse.set(at(name), i);
  for (const { name } of graph.outputs) lastUse.set(at(name), graph.nodes.length);

  const live = new Set(graph.inputs.map(({ name }) => name));
  let most = 0;
  for (const [i, { outputs }] of graph.nodes.entries()) {
    for (const name of outputs) live.add(at(name));
    most = Math.max(
      most,
      [...live].reduce((sum, name) => sum + (bytes.get(name) ?? 0), 0),
    );
    for (const name of live) if ((lastUse.get(name) ?? 0) <= i) live.delete(name);
  }
  return most;
});

/** Most prompts in one block; a prompt that is larger than the budget by itself runs alone. */
export function promptsPerBlock(graph: Graph, sizes: PromptSizes, memoryBudget: number): number {
  return Math.max(1, Math.floor(memoryBudget / bytesPerPrompt(graph, sizes)));
}

/** A batch is cut into this many pieces per shard, so that one that is disturbed leaves some of its share to the others. */
const piecesPerShard = 3;

/** Bytes below which a piece is not worth the message that sends it to a thread. */
const smallestPiece = 2 ** 20;

export interface PieceBudgets {
  /** Bytes that a piece may take. */
  readonly memoryBudget: number;
  /** Bytes that should be in use at once. @default memoryBudget */
  readonly cacheBudget?: number;
}

/**
 * Most prompts in a piece that is within its budgets, and not so many that a shard of several would have nothing to do, or
 * one piece more than the others.
 */
export function promptsPerPiece(
  graph: Graph,
  sizes: PromptSizes & { readonly batch: number },
  { memoryBudget, cacheBudget = memoryBudget }: PieceBudgets,
  shards: number,
): number {
  const { batch } = sizes;
  const inCache = Math.max(1, Math.floor(cacheBudget / workingSetPerPrompt(graph, sizes)));
  const most = Math.min(promptsPerBlock(graph, sizes, memoryBudget), inCache);
  if (shards === 1) return most;
  const share = Math.ceil(batch / (shards * piecesPerShard));
  const size = Math.min(most, Math.max(share, promptsPerBlock(graph, sizes, smallestPiece)));
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
