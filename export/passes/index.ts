/** The passes, in the order in which they run, and the loop that runs them until nothing changes. */
import { checkGraph, type Graph } from '../graph.ts';
import { commonSubexpressionElimination } from './common-subexpressions.ts';
import { constantFolding } from './constant-folding.ts';
import { deadNodeElimination } from './dead-nodes.ts';
import type { Pass, PassContext, PassResult } from './pass.ts';

export type { Pass, PassContext, PassResult } from './pass.ts';

export const passes: readonly Pass[] = [constantFolding, commonSubexpressionElimination, deadNodeElimination];

/**
 * Runs passes until none changes anything. Each change removes a node or an initializer or turns a node into an
 * initializer, so the loop ends.
 */
export function optimizeGraph(original: Graph, context: PassContext, list: readonly Pass[] = passes): PassResult {
  let graph = original;
  for (let modified = true; modified; ) {
    modified = false;
    for (const pass of list) {
      const result = pass.run(graph, context);
      graph = result.graph;
      modified ||= result.modified;
    }
  }
  checkGraph(graph);
  return { graph, modified: graph !== original };
}
