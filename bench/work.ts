/**
 * Counts what a graph computes, from its own nodes and shapes: additions and multiplications of its matrix products and
 * element by element, and the bytes of its inputs and outputs. The same count for every architecture.
 */
import type { Dim, Graph } from '../export/graph.ts';
import { lengthOf } from '../infer/batching.ts';
import type { WorkCount } from './benchmark.ts';

export interface WorkSizes {
  readonly batch: number;
  readonly context: number;
  readonly queries: number;
}

/** Nodes that move numbers and compute nothing. */
const moves = new Set([
  'Reshape',
  'Transpose',
  'Concat',
  'Slice',
  'Squeeze',
  'Unsqueeze',
  'Flatten',
  'Identity',
  'Cast',
]);

export function countWork(graph: Graph, sizes: WorkSizes): WorkCount {
  const count = (shape: readonly Dim[]): number =>
    shape.reduce<number>((product, dim) => product * lengthOf(dim, sizes), 1);
  const shapes = new Map<string, readonly Dim[]>();
  for (const { name, shape } of [...graph.inputs, ...graph.initializers, ...graph.interior, ...graph.outputs]) {
    shapes.set(name, shape);
  }
  let flops = 0;
  for (const { opType, inputs, outputs } of graph.nodes) {
    if (moves.has(opType)) continue;
    const made = count(shapes.get(outputs[0]!) ?? []);
    const read = shapes.get(inputs[0]!) ?? [];
    if (opType === 'MatMul') flops += 2 * made * count(read.slice(-1));
    else flops += opType.startsWith('Reduce') ? count(read) : made;
  }
  const bytes = [...graph.inputs, ...graph.outputs].reduce((sum, { shape }) => sum + 4 * count(shape), 0);
  return { flops, bytes };
}
