import * as ort from 'onnxruntime-node';
import { expect, test } from 'vitest';
import { GraphBuilder } from '../../export/graph-builder.ts';
import { graphOps } from '../../export/graph-ops.ts';
import { interpretGraph } from '../../export/interpret.ts';
import { serializeModel } from '../../export/serialize.ts';
import { addDims, multiplyDims, sliceDim } from '../../export/symbolic-dims.ts';
import { ExportError, ShapeError } from '../../models/errors.ts';
import { fromFlat, referenceOps } from '../../models/reference-ops.ts';
import { expectClose } from '../tolerance.ts';
import { everyOp } from './every-op.ts';
import { normals } from './fixtures.ts';
import { everyOpGraph, wrapGraph } from './graphs.ts';

const shapes = { x: [2, 5, 3], y: [2, 5] };
const data = { x: normals(30, 1), y: normals(10, 2) };

test('each operation gives what float64 gives, on ONNX Runtime, at the inferred shape', async () => {
  const graph = everyOpGraph();
  const session = await ort.InferenceSession.create(serializeModel(wrapGraph(graph)), { executionProviders: ['cpu'] });
  const outputs = await session.run({
    x: new ort.Tensor('float32', data.x, shapes.x),
    y: new ort.Tensor('float32', data.y, shapes.y),
  });
  const expected = everyOp(referenceOps, fromFlat(shapes.x, data.x), fromFlat(shapes.y, data.y));
  const lengths: Record<string, number> = {
    batch: 2,
    context: 5,
    context_minus_1: 4,
    context_plus_context: 10,
    batch_times_context: 10,
  };
  for (const { name, shape } of graph.outputs) {
    const inferred = shape.map((dim) => (typeof dim === 'string' ? lengths[dim] : dim));
    expect(outputs[name]!.dims, name).toEqual(expected[name]!.shape);
    expect(inferred, name).toEqual(expected[name]!.shape);
    expectClose(outputs[name]!.data as Float32Array, expected[name]!.data, { relative: 1e-5, absolute: 1e-6 });
  }
});

test('interpretGraph is the way back: the same numbers as the operations themselves', () => {
  const inputs = { x: fromFlat(shapes.x, data.x), y: fromFlat(shapes.y, data.y) };
  const results = interpretGraph(referenceOps, everyOpGraph(), inputs, ({ shape, data }) => fromFlat(shape, data));
  const expected = everyOp(referenceOps, inputs.x, inputs.y);
  // The one operation that is several nodes, whose rounding is another.
  for (const name of ['log_sum_exp', 'log_sum_exp_of_large']) {
    expectClose(results[name]!.data, expected[name]!.data, { relative: 1e-14, absolute: 1e-15 });
    delete results[name];
    delete expected[name];
  }
  expect(results).toEqual(expected);
});

test('interpretGraph refuses what no operation makes', () => {
  const builder = new GraphBuilder();
  const x = builder.input('x', [2, 2]);
  builder.output('z', builder.node('Sin', [x], x));
  const run = () =>
    interpretGraph(referenceOps, builder.build('g'), { x: fromFlat([2, 2], data.y.subarray(0, 4)) }, () => {
      throw new Error('no literals here');
    });
  expect(run).toThrow('node Sin_0: expected an operator that Ops can express, got Sin');
});

test('shape errors are found while the graph is built', () => {
  const builder = new GraphBuilder();
  const ops = graphOps(builder);
  const x = builder.input('x', ['batch', 'context', 3]);
  const y = builder.input('y', ['batch', 'queries', 3]);
  expect(() => ops.matMul(x, y)).toThrow(
    'MatMul: expected matrices whose inner lengths are equal, got [batch, context, 3] and [batch, queries, 3]',
  );
  expect(() => ops.add(x, y)).toThrow(ShapeError);
  expect(() => ops.concat([x, y], 2)).toThrow('Concat: expected shapes that differ along axis 2 only');
  expect(() => ops.squeeze(x, 1)).toThrow('Squeeze: expected length 1 along axis 1');
  expect(() => ops.sum(x, 3)).toThrow('ReduceSum: expected an axis of a tensor of rank 3, got 3');
  expect(() => ops.slice(x, 1, -2, 3)).toThrow('does not depend on context alone');
});

test('symbolic lengths', () => {
  expect(addDims('context', 1)).toBe('context_plus_1');
  expect(addDims(1, 'context_minus_1')).toBe('context');
  expect(addDims('a', 'b')).toBe('a_plus_b');
  expect(addDims(2, 3)).toBe(5);
  expect(multiplyDims('batch', 'context')).toBe('batch_times_context');
  expect(multiplyDims(3, 'batch')).toBe('batch_times_3');
  expect(multiplyDims('batch', 1)).toBe('batch');
  expect(multiplyDims(1, 'batch')).toBe('batch');
  expect(multiplyDims(2, 3)).toBe(6);
  expect(sliceDim('', 'context', 1, undefined)).toBe('context_minus_1');
  expect(sliceDim('', 'context_plus_1', 1, undefined)).toBe('context');
  expect(sliceDim('', 'context', 0, -1)).toBe('context_minus_1');
  expect(sliceDim('', 'context', -1, undefined)).toBe(1);
  expect(sliceDim('', 'context', 2, 5)).toBe(3);
  expect(sliceDim('', 'context', -3, -1)).toBe(2);
  expect(sliceDim('', 4, -3, 9)).toBe(3);
  expect(sliceDim('', 4, 3, 1)).toBe(0);
});

test('names: outputs and parameters exactly as asked, equal constants once', () => {
  const builder = new GraphBuilder();
  const ops = graphOps(builder);
  const x = builder.input('add_0', ['batch']);
  expect(() => builder.parameter('add_0', [1], Float32Array.of(1))).toThrow(ExportError);
  const sum = ops.add(ops.add(x, ops.constant(0.5)), ops.constant(0.5));
  builder.output('first', sum);
  builder.output('second', sum);
  builder.output('copy', x);
  const graph = builder.build('g');
  expect(graph.initializers.map(({ name }) => name)).toEqual(['scalar_0_5']);
  expect(graph.nodes.map(({ opType, inputs, outputs }) => [opType, ...inputs, ...outputs])).toEqual([
    ['Add', 'add_0', 'scalar_0_5', 'add_0_b'],
    ['Add', 'add_0_b', 'scalar_0_5', 'first'],
    ['Identity', 'first', 'second'],
    ['Identity', 'add_0', 'copy'],
  ]);
  expect(() => ops.constant(Number.NaN)).toThrow('scalar: expected a finite float32 number, got NaN');
});
