/**
 * Dead node elimination.
 *
 * 1. A value is live if it is an output of the graph or a live node reads it; a node is live if a value it makes is.
 * 2. Nodes and initializers that are not live are removed. Parameters and inputs of the graph stay.
 */
import { withNodes } from '../graph.ts';
import type { Pass } from './pass.ts';

export const deadNodeElimination: Pass = {
  name: 'dead-node-elimination',
  rule: 'what no output depends on is removed',
  run(graph, { parameters }) {
    const live = new Set([...graph.outputs.map(({ name }) => name), ...parameters]);
    // Nodes come after those they read, so one walk from the end sees every reader before what it reads.
    const nodes = graph.nodes
      .toReversed()
      .filter((node) => {
        const isLive = node.outputs.some((output) => live.has(output));
        if (isLive) for (const input of node.inputs) live.add(input);
        return isLive;
      })
      .toReversed();
    const initializers = graph.initializers.filter(({ name }) => live.has(name));
    if (nodes.length === graph.nodes.length && initializers.length === graph.initializers.length) {
      return { graph, modified: false };
    }
    return { graph: withNodes(graph, nodes, initializers), modified: true };
  },
};
