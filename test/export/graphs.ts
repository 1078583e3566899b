/** Small graphs that the tests of this folder share. */
import type { Graph, Model } from '../../export/graph.ts';
import { GraphBuilder } from '../../export/graph-builder.ts';
import { graphOps } from '../../export/graph-ops.ts';
import { everyOp } from './every-op.ts';

/** Inputs `x [batch, context, 3]` and `y [batch, context]`, and an output for each operation of `everyOp`. */
export function everyOpGraph(): Graph {
  const builder = new GraphBuilder();
  const x = builder.input('x', ['batch', 'context', 3]);
  const y = builder.input('y', ['batch', 'context']);
  for (const [name, value] of Object.entries(everyOp(graphOps(builder), x, y))) builder.output(name, value);
  return builder.build('every_op');
}

/** A model around a graph, without metadata. */
export function wrapGraph(graph: Graph): Model {
  return {
    irVersion: 8,
    opsetImports: [{ domain: '', version: 17 }],
    producerName: 'test',
    producerVersion: '',
    domain: '',
    modelVersion: 0,
    docString: '',
    graph,
    metadata: {},
  };
}
