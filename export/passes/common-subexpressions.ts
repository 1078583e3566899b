/**
 * Common subexpression elimination.
 *
 * 1. Two initializers of equal type, shape and bytes are one. Parameters are never merged, even when equal.
 * 2. Two nodes of equal operator and attributes that read equal values make equal values: readers of the later one read
 *    the earlier one, and the later one is removed. Random operators are exempt.
 * 3. A node that makes an output of the graph stays, since the output's name must.
 */
import { type Attribute, type Initializer, type Node, withNodes } from '../graph.ts';
import type { Pass } from './pass.ts';

export const commonSubexpressionElimination: Pass = {
  name: 'common-subexpression-elimination',
  rule: 'what is computed twice is computed once',
  run(graph, { parameters }) {
    const outputs = new Set(graph.outputs.map(({ name }) => name));
    const replacement = new Map<string, string>();

    const seenInitializers = new Map<string, string>();
    const initializers = graph.initializers.filter((initializer) => {
      if (parameters.has(initializer.name) || outputs.has(initializer.name)) return true;
      return isFirst(seenInitializers, initializerKey(initializer), initializer.name, replacement);
    });

    const seenNodes = new Map<string, string>();
    const nodes: Node[] = [];
    for (const original of graph.nodes) {
      const node = { ...original, inputs: original.inputs.map((input) => replacement.get(input) ?? input) };
      const [output, ...more] = node.outputs;
      const isExempt = more.length > 0 || randomOperators.has(node.opType) || outputs.has(output!);
      const key = nodeKey(node);
      if (isExempt) {
        if (more.length === 0 && !randomOperators.has(node.opType) && !seenNodes.has(key)) seenNodes.set(key, output!);
        nodes.push(node);
      } else if (isFirst(seenNodes, key, output!, replacement)) nodes.push(node);
    }

    if (replacement.size === 0) return { graph, modified: false };
    return { graph: withNodes(graph, nodes, initializers), modified: true };
  },
};

/** Operators whose calls differ although they look the same. */
const randomOperators: ReadonlySet<string> = new Set([
  'RandomNormal',
  'RandomNormalLike',
  'RandomUniform',
  'RandomUniformLike',
  'Bernoulli',
  'Multinomial',
  'Dropout',
]);

/** Whether this is the first value of its kind; if not, notes which one stands for it. */
function isFirst(seen: Map<string, string>, key: string, name: string, replacement: Map<string, string>): boolean {
  const first = seen.get(key);
  if (first === undefined) seen.set(key, name);
  else replacement.set(name, first);
  return first === undefined;
}

/** Bit patterns, so that 0 and -0 stay apart. */
function initializerKey({ dtype, shape, data }: Initializer): string {
  return JSON.stringify([dtype, shape, Array.from(new Uint32Array(data.buffer, data.byteOffset, data.byteLength / 4))]);
}

function nodeKey({ domain, opType, inputs, attributes }: Node): string {
  const sorted = Object.entries(attributes)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, attribute]) => [name, attribute.kind, attributeKey(attribute)]);
  return JSON.stringify([domain, opType, inputs, sorted]);
}

/** JSON writes NaN and both infinities alike, and -0 as 0; these are different attributes. */
function attributeKey(attribute: Attribute): string | readonly number[] {
  if (attribute.kind === 'ints') return attribute.values;
  if (attribute.kind === 'opaque') return Array.from(attribute.message);
  return Object.is(attribute.value, -0) ? '-0' : String(attribute.value);
}
