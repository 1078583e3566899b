/**
 * What a pass over a graph is: a rule, and a function that gives the graph it leads to. A pass never changes what the
 * graph computes, its inputs, its outputs or its parameters, and never edits the graph it is given.
 */
import type { Graph } from '../graph.ts';

export interface PassResult {
  readonly graph: Graph;
  /** Whether anything changed; if not, `graph` is the very graph that was given. */
  readonly modified: boolean;
}

export interface PassContext {
  /** Initializers that stay in the file under their own names, used or not: trained tensors, read back by name. */
  readonly parameters: ReadonlySet<string>;
}

export interface Pass {
  readonly name: string;
  /** What it does, in one sentence. */
  readonly rule: string;
  run(graph: Graph, context: PassContext): PassResult;
}
