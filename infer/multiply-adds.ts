/** What answering a prompt costs, read off a graph's types: multiplications with additions, in its matrix products. */
import type { Graph } from '../export/graph.ts';
import { lengthOf, type PromptSizes } from './batching.ts';

/**
 * Multiply-adds of all `MatMul` nodes for one prompt: of `[.., m, k] x [.., k, n]` entries of the product times k. What works
 * entry by entry is left out. Null if the graph does not say the types of a product.
 */
export function multiplyAddsPerPrompt(graph: Graph, sizes: PromptSizes): number | null {
  const shapes = new Map(
    [...graph.inputs, ...graph.interior, ...graph.outputs, ...graph.initializers].map(({ name, shape }) => [
      name,
      shape,
    ]),
  );
  let total = 0;
  for (const { opType, inputs, outputs } of graph.nodes) {
    if (opType === 'Gemm' || opType === 'Einsum' || opType === 'Conv') return null;
    if (opType !== 'MatMul') continue;
    const left = shapes.get(inputs[0] ?? '');
    const product = shapes.get(outputs[0] ?? '');
    if (left === undefined || product === undefined) return null;
    total += [...product, left.at(-1) ?? 1].reduce<number>((count, dim) => count * lengthOf(dim, sizes), 1);
  }
  return total;
}
