import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkGraph, type Graph, type Value } from '../../export/graph.ts';
import { GraphBuilder } from '../../export/graph-builder.ts';
import { graphOps } from '../../export/graph-ops.ts';
import { interpretGraph } from '../../export/interpret.ts';
import { optimizeGraph, type Pass, type PassContext, passes } from '../../export/passes/index.ts';
import { printModel } from '../../export/print.ts';
import { fromFlat, type NdArray, referenceOps } from '../../models/reference-ops.ts';

const context: PassContext = { parameters: new Set(['weight']) };
const passNamed = (name: string): Pass => passes.find((pass) => pass.name === name)!;
const textOf = (graph: Graph) => printModel({ irVersion: 8, opset: 17, graph });

/** Input `x [2, 3]`, parameter `weight [2, 3]`, outputs by name. */
function build(make: (ops: ReturnType<typeof graphOps>, x: Value, weight: Value) => Record<string, Value>): Graph {
  const builder = new GraphBuilder();
  const x = builder.input('x', [2, 3]);
  const weight = builder.parameter('weight', [2, 3], Float32Array.of(1, -2, 3, -1, 0, 2));
  for (const [name, value] of Object.entries(make(graphOps(builder), x, weight))) builder.output(name, value);
  return builder.build('g');
}

const evaluate = (graph: Graph): Record<string, NdArray> =>
  interpretGraph(referenceOps, graph, { x: fromFlat([2, 3], [3, -1, 2, 0, 5, -4]) }, ({ shape, data }) =>
    fromFlat(shape, data),
  );

const operators = (graph: Graph) => graph.nodes.map(({ opType }) => opType);

describe('constant folding', () => {
  const pass = passNamed('constant-folding');

  test('a chain of constants becomes one initializer, computed in float64 and rounded once', () => {
    const graph = build((ops, x) => ({
      y: ops.mul(x, ops.sqrt(ops.add(ops.constant(1), ops.constant(2)))),
    }));
    const { graph: folded, modified } = pass.run(graph, context);
    expect(modified).toBe(true);
    expect(operators(folded)).toEqual(['Mul']);
    expect(folded.initializers.at(-1)).toMatchObject({ name: 'sqrt_0', data: Float32Array.of(Math.sqrt(3)) });
    checkGraph(folded);
  });

  test('leaves parameters, outputs, unknown operators and results that are not finite', () => {
    const builder = new GraphBuilder();
    const ops = graphOps(builder);
    const weight = builder.parameter('weight', [2], Float32Array.of(1, 2));
    builder.output('of_parameter', ops.add(ops.mul(weight, weight), ops.constant(1)));
    builder.output('itself', ops.add(ops.constant(1), ops.constant(2)));
    const two = ops.constant(2);
    builder.output('unknown', ops.mul(builder.node('Sin', [two], two), weight));
    builder.output('infinite', ops.mul(ops.div(two, ops.constant(0)), weight));
    const graph = builder.build('g');
    expect(pass.run(graph, context)).toEqual({ graph, modified: false });
  });
});

describe('dead node elimination', () => {
  test('removes what no output depends on, but no parameter and no input', () => {
    const graph = build((ops, x) => {
      ops.sqrt(ops.mul(x, ops.constant(5)));
      return { y: ops.add(x, ops.constant(1)) };
    });
    const { graph: live, modified } = passNamed('dead-node-elimination').run(graph, context);
    expect(modified).toBe(true);
    expect(operators(live)).toEqual(['Add']);
    expect(live.initializers.map(({ name }) => name)).toEqual(['weight', 'scalar_1']);
    expect(live.interior).toEqual([]);
    expect(live.inputs).toEqual(graph.inputs);
  });
});

describe('common subexpression elimination', () => {
  const pass = passNamed('common-subexpression-elimination');

  test('what is computed twice is computed once', () => {
    const graph = build((ops, x, weight) => {
      const once = ops.sum(ops.mul(x, weight), 1);
      const twice = ops.sum(ops.mul(x, weight), 1);
      return { y: ops.add(once, twice) };
    });
    const { graph: result, modified } = pass.run(graph, context);
    expect(modified).toBe(true);
    expect(operators(result)).toEqual(['Mul', 'ReduceSum', 'Add']);
    expect(result.nodes.at(-1)!.inputs).toEqual(['reducesum_0', 'reducesum_0']);
  });

  test('other attributes, other order of inputs and other inputs are other values', () => {
    const graph = build((ops, x, weight) => ({
      y: ops.concat(
        [ops.sub(x, weight), ops.sub(weight, x), ops.cumulativeSum(x, 0), ops.cumulativeSum(x, 1)].map((value) =>
          ops.mul(value, value),
        ),
        0,
      ),
      rows: ops.concat([x, x], 0),
      columns: ops.concat([x, x], 1),
    }));
    expect(pass.run(graph, context).modified).toBe(false);
  });

  test('outputs keep their names; what equals one reads it', () => {
    const graph = build((ops, x, weight) => {
      const y = ops.mul(x, weight);
      const same = ops.mul(x, weight);
      return { y, z: ops.mul(x, weight), later: ops.sqrt(same) };
    });
    const { graph: result } = pass.run(graph, context);
    expect(result.outputs.map(({ name }) => name)).toEqual(['y', 'z', 'later']);
    expect(result.nodes.map(({ outputs }) => outputs[0])).toEqual(['y', 'z', 'later']);
    expect(result.nodes.at(-1)!.inputs).toEqual(['y']);
  });

  test('equal initializers are one, unless a parameter or of another sign of zero', () => {
    const builder = new GraphBuilder();
    const ops = graphOps(builder);
    const x = builder.input('x', [1]);
    const parameter = builder.parameter('weight', [1], Float32Array.of(0));
    const names = ['plus', 'minus', 'again'];
    const constants = [0, -0, 0].map((value, i) => builder.parameter(names[i]!, [1], Float32Array.of(value)));
    builder.output('y', ops.concat([x, parameter, ...constants], 0));
    const { graph } = pass.run(builder.build('g'), context);
    expect(graph.initializers.map(({ name }) => name)).toEqual(['weight', 'plus', 'minus']);
    expect(graph.nodes[0]!.inputs).toEqual(['x', 'weight', 'plus', 'minus', 'plus']);
  });
});

/** How a random graph grows: an operation and which of the values so far it reads. Whole numbers stay exact in float32. */
type Step = readonly [operation: number, first: number, second: number];
const steps = fc.array(fc.tuple(fc.nat(6), fc.nat(30), fc.nat(30)), { minLength: 1, maxLength: 12 });

function randomGraph(list: readonly Step[], outputs: readonly number[]): Graph {
  return build((ops, x, weight) => {
    const values: Value[] = [x, weight, ops.constant(2), ops.constant(-1)];
    for (const [operation, first, second] of list) {
      const a = values[first % values.length]!;
      const b = values[second % values.length]!;
      const make = [
        () => ops.add(a, b),
        () => ops.sub(a, b),
        () => ops.minimum(a, b),
        () => ops.mul(a, ops.constant(second % 3)),
        () => (a.shape.length === 0 ? ops.mean(a) : ops.transpose(ops.transpose(a))),
        () => (a.shape.length === 0 ? ops.add(a, a) : ops.cumulativeSum(ops.slice(a, 1, 0), 1)),
        () => ops.squeeze(ops.expandDims(a, 0), 0),
      ];
      values.push(make[operation]!());
    }
    return Object.fromEntries(outputs.map((index, i) => [`y${i}`, values[index % values.length]!]));
  });
}

test.each([...passes.map((pass) => [pass.name, [pass]] as const), ['all passes', passes] as const])(
  'a graph before and after computes the same, and a second run changes nothing: %s',
  (_, list) => {
    fc.assert(
      fc.property(steps, fc.array(fc.nat(30), { minLength: 1, maxLength: 3 }), (growth, outputs) => {
        const graph = randomGraph(growth, outputs);
        checkGraph(graph);
        const before = textOf(graph);
        const result = optimizeGraph(graph, context, list);
        expect(textOf(graph), 'the given graph is left as it is').toBe(before);
        expect(result.modified).toBe(textOf(result.graph) !== before);
        expect(evaluate(result.graph)).toEqual(evaluate(graph));
        expect(result.graph.inputs).toEqual(graph.inputs);
        expect(result.graph.outputs).toEqual(graph.outputs);
        expect(result.graph.initializers.some(({ name }) => name === 'weight')).toBe(true);
        expect(optimizeGraph(result.graph, context, list).modified).toBe(false);
      }),
      { numRuns: 200 },
    );
  },
);

test('each pass states its rule', () => {
  expect(passes.map(({ name, rule }) => `${name}: ${rule}`)).toEqual([
    'constant-folding: a node that reads constants only becomes a constant',
    'common-subexpression-elimination: what is computed twice is computed once',
    'dead-node-elimination: what no output depends on is removed',
  ]);
});
