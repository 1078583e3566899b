/** Graphs that were made elsewhere, behind an adapter: they answer as the same model in our own contract. */
import { describe, expect, test } from 'vitest';
import { adaptModel } from '../../export/adapt.ts';
import { buildModel } from '../../export/export-model.ts';
import { fittingSignatures, readForeign } from '../../export/foreign.ts';
import type { Model } from '../../export/graph.ts';
import { isFrozen, readModel, readRunnable } from '../../export/read-model.ts';
import { serializeModel } from '../../export/serialize.ts';
import { openSession } from '../../infer/session-node.ts';
import { verifySession } from '../../infer/verify-session.ts';
import { expectClose } from '../tolerance.ts';
import { normals, randomModel, randomPrompts, runOnCpu, taskOf } from './fixtures.ts';
import { embeddingModel, foreignDimension, input, renamedModel } from './foreign-models.ts';

const D = foreignDimension;
const prompts = randomPrompts({ batch: 3, context: 7, queries: 5, dimension: D });

/** What `embeddingModel` predicts, by loops in float64. */
function expectedByHand(): number[] {
  const width = D + 1;
  const [w, p] = [normals(width * width, 10), normals(width * width, 11)];
  const { batch, context, queries } = prompts;
  const out: number[] = [];
  for (let b = 0; b < batch; b++) {
    for (let q = 0; q < queries; q++) {
      const row = (i: number) => {
        const x =
          i < context
            ? prompts.covariates.subarray((b * context + i) * D)
            : prompts.query.subarray((b * queries + q) * D);
        return [x[0]!, x[1]!, i < context ? prompts.responses[b * context + i]! : 0];
      };
      const last = row(context);
      let sum = 0;
      for (let i = 0; i <= context; i++) {
        const token = row(i);
        let score = 0;
        let value = 0;
        for (let a = 0; a < width; a++) {
          value += token[a]! * p[a * width + D]!;
          for (let c = 0; c < width; c++) score += last[a]! * w[a * width + c]! * token[c]!;
        }
        sum += score * value;
      }
      out.push(sum);
    }
  }
  return out;
}

const adaptationOf = { isNegated: false, task: taskOf(D), contextLength: 20, origin: 'theirs.onnx' };

async function answersOf(bytes: Uint8Array): Promise<Float32Array> {
  const session = await openSession(readRunnable('adapted.onnx', bytes), { provider: 'cpu' });
  const { prediction } = await session.run(prompts);
  await session.close();
  return prediction;
}

const tolerance = { relative: 1e-4, absolute: 1e-4 };

describe('three inputs', () => {
  test.each([
    [['xs', 'ys', 'x_query'], false],
    [['xs', 'ys', 'x_query'], true],
    [['a', 'b', 'responses'], false],
  ] as const)('%j, one query per prompt: %o', async (names, isSingle) => {
    const foreign = readForeign('theirs.onnx', serializeModel(renamedModel(names, isSingle)));
    const { choice, dimension } = foreign.proposals.find(
      ({ choice }) => choice.kind === 'three-inputs' && choice.covariates === names[0],
    )!;
    expect(dimension).toBe(D);
    expect(choice).toEqual({
      kind: 'three-inputs',
      covariates: names[0],
      responses: names[1],
      query: names[2],
      output: 'y_hat',
    });
    const answers = await answersOf(adaptModel(foreign, { ...adaptationOf, choice }));
    const { prediction } = await runOnCpu(serializeModel(buildModel(randomModel(D))), prompts);
    expectClose(answers, prediction!.data as Float32Array, tolerance);
  });

  test('the names decide which is proposed first', () => {
    const { proposals } = readForeign('theirs.onnx', serializeModel(renamedModel(['xs', 'ys', 'test_x'], false)));
    expect(proposals.map(({ choice }) => choice.kind === 'three-inputs' && choice.query)).toEqual(['test_x', 'xs']);
  });
});

describe('one embedding', () => {
  test.each([
    { isTransposed: false, isWhole: true },
    { isTransposed: true, isWhole: true },
    { isTransposed: false, isWhole: false },
    { isTransposed: false, isWhole: false, opset: 13 },
  ])('%o', async (options) => {
    const foreign = readForeign('theirs.onnx', serializeModel(embeddingModel(options)));
    expect(foreign.proposals).toHaveLength(1);
    const [{ choice, dimension }] = foreign.proposals as [(typeof foreign.proposals)[0]];
    expect(dimension).toBe(D);
    expectClose(await answersOf(adaptModel(foreign, { ...adaptationOf, choice })), expectedByHand(), tolerance);
    const negated = await answersOf(adaptModel(foreign, { ...adaptationOf, choice, isNegated: true }));
    expectClose(
      negated,
      expectedByHand().map((value) => -value),
      tolerance,
    );
  });
});

test('an adapted model says where it comes from, has no reference, and can be compared between providers', async () => {
  const foreign = readForeign('theirs.onnx', serializeModel(embeddingModel()));
  const bytes = adaptModel(foreign, { ...adaptationOf, choice: foreign.proposals[0]!.choice });
  const model = readRunnable('adapted.onnx', bytes);
  expect(isFrozen(model)).toBe(false);
  expect(model.metadata).toMatchObject({
    model: 'adapted',
    convertedFrom: 'theirs.onnx, by elsewhere 2.1',
    task: taskOf(D),
  });
  expect(() => readModel('adapted.onnx', bytes)).toThrow('adapted');
  const [cpu, wasm] = [await openSession(model, { provider: 'cpu' }), await openSession(model, { provider: 'wasm' })];
  const sizes = { batches: [1, 5], contexts: [1, 7], queries: [1, 3] };
  await expect(verifySession(cpu, sizes)).rejects.toThrow('Its providers can be compared with each other');
  expect(await verifySession(wasm, { ...sizes, against: cpu })).toMatchObject({ ok: true, cases: 8 });
  await Promise.all([cpu.close(), wasm.close()]);
});

describe('what cannot be adapted says why', () => {
  const reasonOf = (model: Model) => readForeign('theirs.onnx', serializeModel(model)).reason;

  test('a fixed batch or length', () => {
    const model = embeddingModel();
    const fixed = { ...model, graph: { ...model.graph, inputs: [input('tokens', 1, 21, D + 1)] } };
    expect(reasonOf(fixed)).toContain('export it with dynamic axes');
    expect(reasonOf(fixed)).toContain('tokens float32 [1, 21, 3]');
  });

  test('other inputs', () => {
    const model = embeddingModel();
    const other = {
      ...model,
      graph: { ...model.graph, inputs: [{ name: 'tokens', dtype: 'int32' as const, shape: ['b', 's'] }] },
    };
    expect(reasonOf(other)).toContain('tokens int32 [b, s]');
    expect(reasonOf(other)).toContain(fittingSignatures);
  });

  test('an old operator set', () => {
    expect(reasonOf(embeddingModel({ opset: 11 }))).toContain('Its operator set is 11');
  });
});
