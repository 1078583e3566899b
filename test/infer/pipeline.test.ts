/** The parts together: a model of Theorem 4.1, exported, opened on the cpu provider, asked through files and evaluated. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exportModel } from '../../export/export-model.ts';
import { readModel } from '../../export/read-model.ts';
import { type EvaluationRow, evaluate } from '../../infer/evaluate.ts';
import { inferFile } from '../../infer/infer-file.ts';
import type { InferenceSession } from '../../infer/session.ts';
import { openSession } from '../../infer/session-node.ts';
import { linearAttention } from '../../models/attention/linear-attention.ts';
import { allocateBatch } from '../../models/prompts.ts';
import { createGenerator, streams } from '../../models/random.ts';
import { shiftNamed } from '../../models/shifts/index.ts';
import { createSampler, type TaskSpec } from '../../models/tasks/index.ts';
import { linearRegressionDefaults } from '../../models/tasks/linear-regression.ts';

const spectrum = [2, 1.5, 1, 0.5, 0.25];
const dimension = spectrum.length;
const trainingLength = 20;
const trace = spectrum.reduce((a, b) => a + b, 0);
const gamma = spectrum.map((value) => (1 + 1 / trainingLength) * value + trace / trainingLength);
const task: TaskSpec = {
  ...linearRegressionDefaults,
  dimension,
  covariance: { kind: 'diagonal', spectrum },
};

/** Theorem 4.1: u = (tr Gamma^-2)^(1/4), U11 = Gamma^-1 / u, nothing else. */
function optimum(): Record<string, Float32Array> {
  const side = dimension + 1;
  const u = gamma.reduce((sum, value) => sum + value ** -2, 0) ** 0.25;
  const projectionValue = new Float32Array(side * side);
  projectionValue[side * side - 1] = u;
  const keyQuery = new Float32Array(side * side);
  gamma.forEach((value, i) => {
    keyQuery[i * side + i] = 1 / (value * u);
  });
  return { projection_value: projectionValue, key_query: keyQuery };
}

const open = (prefixes: boolean): Promise<InferenceSession> => {
  const description = {
    architecture: linearAttention,
    sizes: { dimension },
    parameters: optimum(),
    study: 'zhang2023',
    task,
    config: {},
    training: {},
  };
  const model = readModel('optimum.onnx', exportModel(description, { prefixes }));
  return openSession(model, { provider: 'cpu', threads: 1 });
};

let plain: InferenceSession;
let prefixed: InferenceSession;
let folder = '';
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'pipeline-'));
  plain = await open(false);
  prefixed = await open(true);
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await plain?.close();
  await prefixed?.close();
});

async function collect(rows: AsyncIterable<EvaluationRow>): Promise<EvaluationRow[]> {
  const all: EvaluationRow[] = [];
  for await (const row of rows) all.push(row);
  return all;
}

describe('evaluation of a frozen model', () => {
  it('finds the risks of the paper, from prefixes and length by length', async () => {
    // R(20, M) for this covariance, from Theorem 4.2.
    const known: Readonly<Record<number, number>> = { 20: 1.133976, 100: 0.458488 };
    const theory = (_: TaskSpec, length: number) => known[length] ?? null;
    const plan = { task, lengths: [20, 100], prompts: 20_000, seed: 11, theory };
    for (const session of [plain, prefixed]) {
      const rows = await collect(evaluate(session, { ...plan, estimators: [{ name: 'least-squares' }] }));
      expect(rows).toHaveLength(4);
      for (const { estimator, risk, standardError, theory: value, provider, prompts } of rows) {
        expect(provider).toBe('cpu');
        expect(prompts).toBe(20_000);
        // Without noise, least squares with 20 pairs in 5 dimensions is exact.
        if (estimator === 'least-squares') expect(risk).toBeLessThan(1e-9);
        else expect(Math.abs(risk - value!) / standardError).toBeLessThan(4);
      }
    }
  });

  it('finds the risks under covariate shift', async () => {
    const known: Readonly<Record<number, number>> = { 0.333: 0.48598, 0.5: 0.85571, 1: 0.7118, 2: 125.693 };
    const levels = Object.keys(known).map(Number);
    const shifts = [{ shift: shiftNamed('covariate-scale'), levels }];
    const rows = await collect(evaluate(plain, { task, lengths: [40], shifts, prompts: 20_000, seed: 12 }));
    expect(rows.map(({ level }) => level)).toEqual(levels);
    for (const { level, risk, standardError } of rows) {
      expect(Math.abs(risk - known[level!]!) / standardError, String(level)).toBeLessThan(4);
    }
  });
});

describe('prompts in files, answered by a frozen model', () => {
  it('gives the prediction of the formula, whatever the batch', async () => {
    const sizes = { batch: 300, context: 13, queries: 1, dimension };
    const prompts = allocateBatch(sizes);
    createSampler(task).fill(createGenerator(1, streams.evaluation), 0, prompts);
    const point = (values: Float32Array, row: number) => [...values.subarray(row * dimension, (row + 1) * dimension)];
    const file = Array.from({ length: sizes.batch }, (_, b) => ({
      covariates: Array.from({ length: sizes.context }, (_, n) => point(prompts.covariates, b * sizes.context + n)),
      responses: [...prompts.responses.subarray(b * sizes.context, (b + 1) * sizes.context)],
      query: point(prompts.query, b),
    }));
    writeFileSync(join(folder, 'in.jsonl'), file.map((prompt) => `${JSON.stringify(prompt)}\n`).join(''));
    // yhat = x_q^T Gamma^-1 (1/M) sum_i y_i x_i
    const expected = file.map(({ covariates, responses, query }) =>
      query.reduce((sum, x, j) => {
        const moment = covariates.reduce((total, row, i) => total + row[j]! * responses[i]!, 0) / sizes.context;
        return sum + (x * moment) / gamma[j]!;
      }, 0),
    );
    for (const batch of [1, 7, 1024]) {
      const output = join(folder, `out-${batch}.jsonl`);
      const result = await inferFile({ session: plain, input: join(folder, 'in.jsonl'), output, batch });
      expect(result).toMatchObject({ prompts: sizes.batch, isCutShort: false });
      const answers = readFileSync(output, 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).prediction as number);
      expect(answers).toHaveLength(sizes.batch);
      answers.forEach((answer, i) => {
        expect(Math.abs(answer - expected[i]!)).toBeLessThan(1e-5 + 1e-5 * Math.abs(expected[i]!));
      });
    }
  });
});
