/**
 * Whether a graph's answers show that a number in its inputs was NaN or infinite, so that it is enough to look at the
 * answers, of which there are few. Reads the graph; runs nothing.
 *
 * In floating-point arithmetic a sum or a product with a term or factor that is not finite is not finite either: 0 times
 * infinity is NaN, and so is a difference of infinities. Operators made of these hand such a number on, wherever it stands;
 * a quotient may lose it (1 / infinity is 0), and what a `Slice` leaves out is gone. Of graphs with any other operator nothing
 * is claimed: a runtime may put kernels of its own making in the place of several nodes.
 */
import type { Graph } from '../export/graph.ts';

/** Which inputs of an operator show in its output. */
const handsOn: Readonly<Record<string, 'all' | 'first' | 'none'>> = {
  Add: 'all',
  Sub: 'all',
  Mul: 'all',
  MatMul: 'all',
  Concat: 'all',
  Div: 'first',
  ReduceSum: 'first',
  Flatten: 'first',
  Reshape: 'first',
  Transpose: 'first',
  Squeeze: 'first',
  Unsqueeze: 'first',
  Slice: 'none',
};

/** True if each number of each input that is NaN or infinite makes some number of some output so. */
export function showsInAnswers(graph: Graph): boolean {
  const shown = new Map<string, ReadonlySet<string>>(graph.inputs.map(({ name }) => [name, new Set([name])]));
  for (const { opType, domain, inputs, outputs, attributes } of graph.nodes) {
    const isRunningSum = opType === 'CumSum' && attributes['exclusive'] === undefined;
    const which = domain !== '' ? undefined : isRunningSum ? 'first' : handsOn[opType];
    if (which === undefined) return false;
    const carriers = which === 'all' ? inputs : which === 'first' ? inputs.slice(0, 1) : [];
    shown.set(outputs[0]!, new Set(carriers.flatMap((name) => [...(shown.get(name) ?? [])])));
  }
  const inAnswers = new Set(graph.outputs.flatMap(({ name }) => [...(shown.get(name) ?? [])]));
  return graph.inputs.every(({ name }) => inAnswers.has(name));
}
