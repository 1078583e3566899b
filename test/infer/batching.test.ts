/** What a prompt costs, and that cutting a batch into blocks changes nothing. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  bytesPerPrompt,
  checkMemoryBudget,
  promptsPerBlock,
  promptsPerPiece,
  workingSetPerPrompt,
} from '../../infer/batching.ts';
import type { InferenceSession } from '../../infer/session.ts';
import { openSession } from '../../infer/session-node.ts';
import { UsageError } from '../../models/errors.ts';
import { randomPrompts } from '../export/fixtures.ts';
import { expectClose } from '../tolerance.ts';
import { frozenModel } from './models.ts';

const dimension = 5;
const model = frozenModel(dimension, { prefixes: true });

describe('the memory of a prompt', () => {
  test('holds inputs and outputs twice, and at least the scores and the pairs', () => {
    const [n, q] = [41, 3];
    const inputsAndOutputs = n * dimension + n + q * dimension + q + (n + 1) * q;
    const scoresAndPairs = q * n + n * (dimension + 1);
    const bytes = bytesPerPrompt(model.graph, { context: n, queries: q });
    expect(bytes).toBeGreaterThanOrEqual(4 * (2 * inputsAndOutputs + scoresAndPairs));
    // No more than a dozen such values lie between the nodes of one layer.
    expect(bytes).toBeLessThan(4 * (2 * inputsAndOutputs + 12 * scoresAndPairs));
  });

  test('grows with the context and the queries', () => {
    const bytes = (context: number, queries: number) => bytesPerPrompt(model.graph, { context, queries });
    expect(bytes(400, 1) / bytes(200, 1)).toBeCloseTo(2, 1);
    expect(bytes(40, 50)).toBeGreaterThan(5 * bytes(40, 5));
  });

  test('of a graph with lengths nobody knows is still counted', () => {
    const unknown = { ...model.graph, interior: [{ name: 'x', dtype: 'float32', shape: ['batch', ''] } as const] };
    const without = { ...model.graph, interior: [] };
    const sizes = { context: 100, queries: 3 };
    expect(bytesPerPrompt(unknown, sizes) - bytesPerPrompt(without, sizes)).toBe(4 * 103);
  });
});

describe('what is in use at once', () => {
  const value = (name: string, length: number) => ({ name, dtype: 'float32', shape: ['batch', length] }) as const;
  const node = (opType: string, inputs: string[], output: string) => ({
    name: output,
    opType,
    domain: '',
    inputs,
    outputs: [output],
    attributes: {},
  });
  const sizes = { context: 1, queries: 1 };

  test('is what has been computed and is still read', () => {
    const graph = {
      name: 'chain',
      inputs: [value('x', 10)],
      outputs: [value('y', 1)],
      initializers: [],
      interior: [value('a', 100), value('b', 100), value('c', 7), value('d', 7)],
      // x (10) and a (100); a and b (100); b, and c (7), which d is too; c and y (1).
      nodes: [
        node('Exp', ['x'], 'a'),
        node('Exp', ['a'], 'b'),
        node('Slice', ['b'], 'c'),
        node('Squeeze', ['c'], 'd'),
        node('ReduceSum', ['d'], 'y'),
      ],
    };
    expect(workingSetPerPrompt(graph, sizes)).toBe(4 * 200);
    const kept = { ...graph, nodes: graph.nodes.with(4, node('ReduceSum', ['d', 'x'], 'y')) };
    expect(workingSetPerPrompt(kept, sizes)).toBe(4 * 210);
  });

  test('of a model is less than the memory of a run, and the prompt at least', () => {
    const lengths = { context: 41, queries: 3 };
    const bytes = workingSetPerPrompt(model.graph, lengths);
    expect(bytes).toBeGreaterThan(4 * 41 * (dimension + 1));
    expect(bytes).toBeLessThan(bytesPerPrompt(model.graph, lengths));
  });
});

describe('blocks', () => {
  test('fill the budget and do not exceed it', () => {
    const sizes = { context: 40, queries: 5 };
    for (const budget of [2 ** 16, 2 ** 20, 64 * 2 ** 20]) {
      const prompts = promptsPerBlock(model.graph, sizes, budget);
      expect(prompts * bytesPerPrompt(model.graph, sizes)).toBeLessThanOrEqual(budget);
      expect((prompts + 1) * bytesPerPrompt(model.graph, sizes)).toBeGreaterThan(budget);
    }
  });

  test('hold one prompt at least', () => {
    expect(promptsPerBlock(model.graph, { context: 10_000, queries: 100 }, 1)).toBe(1);
  });

  test('are pieces of equal size, as many for each shard', () => {
    const sizes = { context: 40, queries: 1 };
    const budget = 100 * bytesPerPrompt(model.graph, sizes);
    const pieces = (batch: number, shards: number, most = budget) =>
      promptsPerPiece(model.graph, { ...sizes, batch }, { memoryBudget: most }, shards);
    expect(pieces(1000, 1)).toBe(100);
    expect(pieces(1000, 2)).toBe(100); // 5 for each
    expect(pieces(1001, 2)).toBe(84); // 6 for each: 11 of 84 and one of 77
    expect(pieces(1000, 4)).toBe(84); // 3 for each
    // Not worth two messages.
    expect(pieces(7, 2, 2 ** 30)).toBeGreaterThanOrEqual(7);
  });

  test.each([0, -1, Number.NaN])('need a budget that is a number of bytes, not %s', (budget) => {
    expect(() => checkMemoryBudget(budget)).toThrow(UsageError);
  });
});

describe('a batch in blocks', () => {
  const budgets = [1, 3 * bytesPerPrompt(model.graph, { context: 13, queries: 3 }), 2 ** 30];
  const sessions: InferenceSession[] = [];
  beforeAll(async () => {
    for (const memoryBudget of budgets) sessions.push(await openSession(model, { provider: 'cpu', memoryBudget }));
  });
  afterAll(async () => {
    for (const session of sessions) await session.close();
  });

  test('of one, of three and of all prompts gives the same numbers, up to the order of summation', async () => {
    const prompts = randomPrompts({ batch: 23, context: 13, queries: 3, dimension });
    const [one, three, all] = await Promise.all(sessions.map((session) => session.run(prompts)));
    expect(all!.prediction).toHaveLength(23 * 3);
    expect(all!.prefixPrediction).toHaveLength(23 * 14 * 3);
    // Not bit for bit: the CPU's matrix product sums in another order when it has one row, or a rest of rows. Some twenty
    // roundings of terms of size 10 at most.
    const tolerance = { relative: 2e-6, absolute: 2e-6 };
    for (const { prediction, prefixPrediction } of [one!, three!]) {
      expectClose(prediction, all!.prediction, tolerance);
      expectClose(prefixPrediction!, all!.prefixPrediction!, tolerance);
    }
  });

  test('in the same blocks gives the same bits again', async () => {
    const prompts = randomPrompts({ batch: 23, context: 13, queries: 3, dimension });
    for (const session of sessions) expect(await session.run(prompts)).toEqual(await session.run(prompts));
  });
});
