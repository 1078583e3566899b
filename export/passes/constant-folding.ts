/**
 * Constant folding.
 *
 * 1. A node is constant if it reads only initializers that are not parameters, or values of constant nodes.
 * 2. A constant node is replaced by an initializer of the same name. It is computed in float64 and rounded once.
 * 3. Left alone: operators that {@link interpretNode} does not know, outputs of the graph, results that are not finite.
 *
 * What depends on parameters is not folded, although it is as constant: theory is evaluated at the parameters, so they
 * must be in the file, and ONNX Runtime folds what depends on them when it loads the file.
 */
import { ExportError } from '../../models/errors.ts';
import { fromFlat, type NdArray, referenceOps } from '../../models/reference-ops.ts';
import { type Initializer, integersOf, type Node, withNodes } from '../graph.ts';
import { interpretNode } from '../interpret.ts';
import type { Pass } from './pass.ts';

export const constantFolding: Pass = {
  name: 'constant-folding',
  rule: 'a node that reads constants only becomes a constant',
  run(graph, { parameters }) {
    const outputs = new Set(graph.outputs.map(({ name }) => name));
    const values = new Map<string, NdArray>();
    const integers = new Map<string, readonly number[]>();
    for (const initializer of graph.initializers) {
      if (parameters.has(initializer.name)) continue;
      if (initializer.dtype === 'int64') integers.set(initializer.name, integersOf(initializer));
      else values.set(initializer.name, fromFlat(initializer.shape, initializer.data));
    }
    const folded: Initializer[] = [];
    const nodes = graph.nodes.filter((node) => {
      const isConstant = node.inputs.every((input) => values.has(input) || integers.has(input));
      if (!isConstant || node.outputs.length !== 1 || node.outputs.some((output) => outputs.has(output))) return true;
      const result = fold(node, values, integers);
      if (result === undefined) return true;
      values.set(result.name, fromFlat(result.shape, result.data));
      folded.push(result);
      return false;
    });
    if (folded.length === 0) return { graph, modified: false };
    return { graph: withNodes(graph, nodes, [...graph.initializers, ...folded]), modified: true };
  },
};

function fold(
  node: Node,
  values: ReadonlyMap<string, NdArray>,
  integers: ReadonlyMap<string, readonly number[]>,
): Extract<Initializer, { dtype: 'float32' }> | undefined {
  if (node.domain !== '') return undefined;
  try {
    const { shape, data } = interpretNode(referenceOps, node, values, integers);
    const rounded = Float32Array.from(data);
    if (!rounded.every(Number.isFinite)) return undefined;
    return { name: node.outputs[0]!, dtype: 'float32', shape, data: rounded };
  } catch (error) {
    if (error instanceof ExportError) return undefined;
    throw error;
  }
}
