/** Where the answers are said to show a bad number, they do: in ONNX Runtime, wherever it stands. */
import { describe, expect, test } from 'vitest';
import { exportModel } from '../../export/export-model.ts';
import type { Attribute, Graph } from '../../export/graph.ts';
import { readModel } from '../../export/read-model.ts';
import { showsInAnswers } from '../../infer/numbers-shown.ts';
import { classesOf } from '../../models/architecture.ts';
import { areFinite } from '../../models/number-store.ts';
import { randomModel, randomPrompts, runOnCpu } from '../export/fixtures.ts';
import { variants } from '../models/attention/variants.ts';

const bad = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];

const linearAttention = { ...randomModel(3), name: 'linear-attention' };

const frozen = [linearAttention, ...variants].flatMap(({ name, architecture, sizes, parameters, task }) =>
  (architecture.prefixForward === undefined ? [false] : [false, true]).map((prefixes) => {
    const description = { architecture, sizes, parameters, study: 'none', task, config: {}, training: {} };
    const model = readModel('file', exportModel(description, { prefixes }));
    return { name: `${name}${prefixes ? ', with prefixes' : ''}`, model };
  }),
);
const shown = frozen.filter(({ model }) => showsInAnswers(model.graph));

test('it is so of linear attention, with prefixes and without, and not where there is a softmax', () => {
  const names = shown.map(({ name }) => name);
  expect(names).toContain('linear-attention');
  expect(names).toContain('linear-attention, with prefixes');
  expect(names.filter((name) => /^(softmax-attention|transformer)/.test(name))).toEqual([]);
});

test.each(shown)('$name shows them', async ({ model }) => {
  const sizes = { batch: 2, context: 3, queries: 2, dimension: model.sizes.dimension, classes: classesOf(model.sizes) };
  const prompts = randomPrompts(sizes);
  const isClean = async (batch: typeof prompts) =>
    Object.values(await runOnCpu(model.bytes, batch)).every(({ data }) => areFinite(data as Float32Array));
  expect(await isClean(prompts)).toBe(true);
  for (const name of ['covariates', 'responses', 'query'] as const) {
    for (let at = 0; at < prompts[name].length; at++) {
      const values = Float32Array.from(prompts[name]);
      values[at] = bad[at % bad.length]!;
      expect(await isClean({ ...prompts, [name]: values }), `${name} at ${at}`).toBe(false);
    }
  }
});

describe('a graph', () => {
  const value = (name: string) => ({ name, dtype: 'float32', shape: ['batch'] }) as const;
  const node = (opType: string, inputs: string[], attributes: Record<string, Attribute> = {}, domain = '') => ({
    name: opType,
    opType,
    domain,
    inputs,
    outputs: ['y'],
    attributes,
  });
  const graph = (...nodes: ReturnType<typeof node>[]): Graph => ({
    name: 'test',
    inputs: [value('a'), value('b')],
    outputs: [value('y'), value('b')],
    initializers: [],
    nodes,
    interior: [],
  });
  const one = { kind: 'int', value: 1 } as const;

  test.each([
    ['a sum', node('Add', ['b', 'a']), true],
    ['a product of matrices', node('MatMul', ['b', 'a']), true],
    ['a dividend', node('Div', ['a', 'b']), true],
    ['a divisor, of which 1 / infinity is nothing', node('Div', ['b', 'a']), false],
    ['a part', node('Slice', ['a', 'b']), false],
    ['a running sum', node('CumSum', ['a', 'b']), true],
    ['a running sum without the last term', node('CumSum', ['a', 'b'], { exclusive: one }), false],
    ["somebody's own operator", node('Add', ['a', 'b'], {}, 'com.somebody'), false],
  ])('of %s', (_, only, expected) => expect(showsInAnswers(graph(only))).toBe(expected));

  test('with another operator anywhere', () => {
    expect(showsInAnswers(graph(node('Softmax', ['a']), node('Add', ['a', 'b'])))).toBe(false);
  });

  test('that leaves an input out', () => expect(showsInAnswers(graph())).toBe(false));
});

test.each([...bad, 3.4e38])('%s is finite or not, wherever it stands', (number) => {
  for (let at = 0; at < 7; at++) {
    const values = new Float32Array(7).fill(-3.4e38);
    values[at] = number;
    expect(areFinite(values)).toBe(number === 3.4e38);
  }
});
