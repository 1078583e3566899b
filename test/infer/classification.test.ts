/** A frozen classifier from file to file, and its measured risk beside numbers that another program simulated. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { exportModel } from '../../export/export-model.ts';
import { readModel } from '../../export/read-model.ts';
import { readSafetensors, serializeSafetensors } from '../../export/safetensors.ts';
import { type EvaluationRow, evaluate } from '../../infer/evaluate.ts';
import { inferFile } from '../../infer/infer-file.ts';
import { openSession } from '../../infer/session-node.ts';
import { verifySession } from '../../infer/verify-session.ts';
import { linearAttention } from '../../models/attention/linear-attention.ts';
import { linearAttentionClassifier } from '../../models/attention/linear-attention-classifier.ts';
import { type GaussianMixtureSpec, gaussianMixtureDefaults } from '../../models/tasks/gaussian-mixture.ts';
import { createSampler } from '../../models/tasks/index.ts';
import { expectClose } from '../tolerance.ts';

const folder = mkdtempSync(join(tmpdir(), 'icl-classes-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** W = w I on prompts of c classes; 0: two signs. */
function classifier(dimension: number, classes: number, w: number, prefixes = true) {
  const task: GaussianMixtureSpec =
    classes === 0
      ? { ...gaussianMixtureDefaults, dimension }
      : { ...gaussianMixtureDefaults, dimension, classes, labels: 'one-hot' };
  const keyQuery = new Float32Array(dimension ** 2);
  for (let i = 0; i < dimension; i++) keyQuery[i * (dimension + 1)] = w;
  const description = {
    architecture: linearAttentionClassifier,
    sizes: { dimension, ...(classes === 0 ? {} : { options: { classes } }) },
    parameters: { key_query: keyQuery },
    study: 'shen2024',
    task,
    config: {},
    training: {},
  };
  return { task, model: readModel('classifier', exportModel(description, { prefixes })) };
}

/** Two pairs in two dimensions, W = 3 I: p_1 = (1, 0) / 2, p_2 = 0, p_3 = (0, 2) / 2. */
const prompt = { covariates: [[1, 0], [0, 2]], responses: [[1, 0, 0], [0, 0, 1]], query: [[1, 1], [0, -1]] }; // biome-ignore format: a matrix
const softmax = (z: number[]) => z.map((value) => Math.exp(value) / z.reduce((sum, other) => sum + Math.exp(other), 0));
const answers = [softmax([1.5, 0, 3]), softmax([0, 0, -3])];
const float32 = { relative: 1e-6, absolute: 1e-7 };

describe('three classes, from file to file', async () => {
  const session = await openSession(classifier(2, 3, 3).model, { provider: 'cpu' });
  afterAll(() => session.close());
  const run = async (name: string, content: string | Uint8Array, to: string, prefixes = false) => {
    const input = join(folder, name);
    const output = join(folder, to);
    writeFileSync(input, content);
    await inferFile({ session, input, output, prefixes });
    return readFileSync(output);
  };

  test('JSON Lines, with prefixes', async () => {
    const line = `${JSON.stringify(prompt)}\n`;
    const written = JSON.parse(String(await run('a.jsonl', line, 'a.out.jsonl', true)));
    expectClose(written.prediction.flat(), answers.flat(), float32);
    expect(written.prefixPrediction).toHaveLength(3);
    expectClose(written.prefixPrediction[0].flat(), new Array(6).fill(1 / 3), float32);
    expectClose(written.prefixPrediction[1].flat(), [...softmax([3, 0, 0]), ...softmax([0, 0, 0])], float32);
    expectClose(written.prefixPrediction[2].flat(), answers.flat(), float32);
    // A single point is answered by a single list.
    const point = JSON.stringify({ ...prompt, query: [1, 1] });
    expectClose(JSON.parse(String(await run('p.jsonl', point, 'p.out.jsonl'))).prediction, answers[0]!, float32);
  });

  test('CSV', async () => {
    const rows = [
      'prompt,role,x1,x2,y1,y2,y3',
      'a,context,1,0,1,0,0',
      'a,context,0,2,0,0,1',
      'a,query,1,1,,,',
      'a,query,0,-1,,,',
    ];
    const [header, ...lines] = String(await run('a.csv', rows.join('\n'), 'a.out.csv'))
      .trim()
      .split('\n');
    expect(header).toBe('prompt,query,prediction1,prediction2,prediction3');
    const cells = lines.map((line) => line.split(','));
    expect(cells.map(([name, query]) => [name, query])).toEqual([['a', '0'], ['a', '1']]); // biome-ignore format: a table
    expectClose(
      cells.flatMap((line) => line.slice(2).map(Number)),
      answers.flat(),
      float32,
    );
  });

  test('safetensors', async () => {
    const tensor = (shape: number[], values: number[]) => ({ shape, data: Float32Array.from(values) });
    const bytes = serializeSafetensors(
      {
        covariates: tensor([1, 2, 2], prompt.covariates.flat()),
        responses: tensor([1, 2, 3], prompt.responses.flat()),
        query: tensor([1, 2, 2], prompt.query.flat()),
      },
      {},
    );
    const written = await run('a.safetensors', bytes, 'a.out.safetensors', true);
    const { prediction, prefix_prediction: prefixes } = readSafetensors('out', written).tensors;
    expect(prediction!.shape).toEqual([1, 2, 3]);
    expectClose(prediction!.data, answers.flat(), float32);
    expect(prefixes!.shape).toEqual([1, 3, 2, 3]);
  });

  test.each([
    [
      'a label as a number',
      { ...prompt, responses: [0, 2] },
      'responses[0]: expected a label of 3 numbers, one of them 1, got 0',
    ],
    ['a label of two numbers', { ...prompt, responses: [[1, 0], [0, 1]] }, "expected 3 numbers, the model's classes, got 2"], // biome-ignore format: a matrix
    ['no class', { ...prompt, responses: [[1, 0, 0], [0, 0, 0]] }, 'responses[1]: expected a label: 3 numbers, one of them 1'], // biome-ignore format: a matrix
    ['two classes', { ...prompt, responses: [[1, 0, 1], [0, 0, 1]] }, 'responses[0]: expected a label'], // biome-ignore format: a matrix
    [
      'a label too few',
      { ...prompt, responses: [[1, 0, 0]] },
      'expected 2 labels, one for each row of covariates, got 1',
    ],
  ])('%s is refused', async (_, bad, message) => {
    await expect(run('bad.jsonl', JSON.stringify(bad), 'bad.out.jsonl')).rejects.toThrow(message);
  });

  test('CSV with one column of labels is refused', async () => {
    const rows = 'prompt,role,x1,x2,y\na,context,1,0,1\na,query,1,1,\n';
    await expect(run('bad.csv', rows, 'bad.out.csv')).rejects.toThrow('and y1 to y3 (its classes), got a column "y"');
  });
});

test('labels 0 and 1 are refused by a model of -1 and +1', async () => {
  const session = await openSession(classifier(2, 0, 3).model, { provider: 'cpu' });
  const [input, output] = [join(folder, 'zero.jsonl'), join(folder, 'zero.out.jsonl')];
  writeFileSync(input, '{"covariates":[[1,0],[0,2]],"responses":[1,0],"query":[1,1]}\n');
  await expect(inferFile({ session, input, output })).rejects.toThrow(
    'line 1: responses[1]: expected a label, -1 or +1, got 0.',
  );
  await session.close();
});

test('a task whose answers the model does not give is refused when the file is read', () => {
  const { task } = classifier(2, 0, 1);
  const bytes = exportModel({
    architecture: linearAttention,
    sizes: { dimension: 2 },
    parameters: { projection_value: new Float32Array(9), key_query: new Float32Array(9) },
    study: 'none',
    task,
    config: {},
    training: {},
  });
  expect(() => readModel('file', bytes)).toThrow(
    'expected a task that asks for a value, as linear-attention predicts, got gaussian-mixture, which asks for the probability of a label +1',
  );
});

describe('the risk of W = w_N I, N = 100, beside a simulation by another program (d = 20, r = 2)', () => {
  // Total variation and accuracy at test length M, of 10^5 prompts and more, to three digits; w_N from the same program.
  test.each([
    { classes: 0, w: 1.735, M: 40, tv: 0.083, accuracy: 0.883, bayes: 0.917 },
    { classes: 0, w: 1.735, M: 100, tv: 0.054, accuracy: 0.902, bayes: 0.917 },
    { classes: 5, w: 3.5, M: 100, tv: 0.206, accuracy: 0.692, bayes: 0.775 },
    { classes: 10, w: 5.19, M: 40, tv: 0.467, accuracy: 0.371, bayes: 0.651 },
  ])('$classes classes, M = $M', async ({ classes, w, M, tv, accuracy, bayes }) => {
    const { task, model } = classifier(20, classes, w);
    const session = await openSession(model, { provider: 'cpu' });
    const rows: EvaluationRow[] = [];
    const plan = {
      task,
      lengths: [M],
      prompts: 2000,
      queriesPerPrompt: 4,
      estimators: [{ name: 'posterior' }, { name: 'uniform' }],
    };
    for await (const row of evaluate(session, plan)) rows.push(row);
    await session.close();
    expect(rows.map(({ estimator, measure }) => `${estimator} ${measure}`)).toEqual(
      ['model', 'posterior', 'uniform'].flatMap((name) =>
        ['cross-entropy', 'error-rate', 'total-variation'].map((measure) => `${name} ${measure}`),
      ),
    );
    const row = (i: number) => rows[i]!;
    // The other program's last digit and error, and four of ours.
    const expectNear = ({ risk, standardError }: EvaluationRow, expected: number) =>
      expect(Math.abs(risk - expected), `${risk} beside ${expected}`).toBeLessThan(4 * standardError + 0.0015);
    expectNear(row(2), tv);
    expectNear(row(1), 1 - accuracy);
    expectNear(row(4), 1 - bayes);
    expect(row(5)).toMatchObject({ risk: 0, standardError: 0 });
    const c = classes === 0 ? 2 : classes;
    expectClose([row(6).risk, row(7).risk], [Math.log(c), 1 - 1 / c], { relative: 1e-12, absolute: 0 });
    // Nobody beats who knows the task, whatever is measured.
    expect(row(3).risk).toBeLessThan(row(0).risk);
  });
});

test('prefix predictions of classes give the same rows as length by length', async () => {
  const rowsOf = async (prefixes: boolean) => {
    const { task, model } = classifier(3, 3, 2, prefixes);
    const session = await openSession(model, { provider: 'cpu' });
    const rows: EvaluationRow[] = [];
    for await (const row of evaluate(session, { task, lengths: [3, 9, 1], prompts: 1500, queriesPerPrompt: 2 }))
      rows.push(row);
    await session.close();
    return rows;
  };
  const [separate, together] = [await rowsOf(false), await rowsOf(true)];
  expectClose(
    together.map(({ risk }) => risk),
    separate.map(({ risk }) => risk),
    { relative: 1e-6, absolute: 0 },
  );
  expect(createSampler(classifier(3, 3, 2).task).classes).toBe(3);
});

test('a sharp classifier is judged by its scores, and a wrong one is found', async () => {
  const { model } = classifier(20, 4, 400);
  const session = await openSession(model, { provider: 'cpu' });
  const sizes = { batches: [3, 33], contexts: [1, 17], queries: [1, 2] };
  const good = await verifySession(session, sizes);
  expect(good, JSON.stringify(good)).toMatchObject({ ok: true });
  // 1.2e-6 at most was measured; its rounding is that of float32 scores of some hundreds.
  expect(good.maxRelative).toBeLessThan(2e-6);
  const wrong = {
    ...session,
    run: async (prompts: Parameters<typeof session.run>[0]) => {
      const { prediction, prefixPrediction } = await session.run(prompts);
      return { prediction: prediction.map((p) => p * 0.9), prefixPrediction: prefixPrediction! };
    },
  };
  expect(await verifySession(wrong, { ...sizes, contexts: [17] })).toMatchObject({ ok: false });
  await session.close();
});
