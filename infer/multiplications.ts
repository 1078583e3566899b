/** What answering a prompt costs, read off a graph's types: the multiplications and divisions it asks for. */
import type { Graph } from '../export/graph.ts';
import { lengthOf, type PromptSizes } from './batching.ts';

/** Operators whose inner products the types alone do not give. */
const uncounted = new Set([
  'Gemm',
  'Einsum',
  'Conv',
  'Attention',
  'MultiHeadAttention',
  'LSTM',
  'GRU',
  'RNN',
  'If',
  'Loop',
  'Scan',
]);

/**
 * Multiplications for one prompt: of a matrix product `[.., m, k] x [.., k, n]` its entries times k, of `Mul` and `Div` their
 * entries. Null if the graph does not say the types, or has an operator that is not counted.
 */
export function multiplicationsPerPrompt(graph: Graph, sizes: PromptSizes): number | null {
  const shapes = new Map(
    [...graph.inputs, ...graph.interior, ...graph.outputs, ...graph.initializers].map(({ name, shape }) => [
      name,
      shape,
    ]),
  );
  let total = 0;
  for (const { opType, inputs, outputs } of graph.nodes) {
    if (uncounted.has(opType)) return null;
    if (opType !== 'MatMul' && opType !== 'Mul' && opType !== 'Div') continue;
    const left = shapes.get(inputs[0] ?? '');
    const result = shapes.get(outputs[0] ?? '');
    if (left === undefined || result === undefined) return null;
    const each = opType === 'MatMul' ? (left.at(-1) ?? 1) : 1;
    total += [...result, each].reduce<number>((count, dim) => count * lengthOf(dim, sizes), 1);
  }
  return total;
}
