import { describe, expect, it } from 'vitest';
import { type EvaluationRow, evaluate, evaluateProgressively } from '../../infer/evaluate.ts';
import type { Estimator } from '../../models/estimators/index.ts';
import { allocateBatch } from '../../models/prompts.ts';
import { createGenerator, streams } from '../../models/random.ts';
import { shiftNamed } from '../../models/shifts/index.ts';
import { covarianceMatrix } from '../../models/tasks/covariance.ts';
import { createSampler, requireTask, type TaskSpec } from '../../models/tasks/index.ts';
import { type LinearRegressionSpec, linearRegressionDefaults } from '../../models/tasks/linear-regression.ts';
import { expectClose } from '../tolerance.ts';
import { createFakeSession } from './fake-session.ts';

const dimension = 3;
const trainingLength = 11;
/** Theorem 4.1 for Lambda = I: u U11 = I / (1 + (d + 1) / N). */
const factor = 1 / (1 + (dimension + 1) / trainingLength);
const task: LinearRegressionSpec = { ...linearRegressionDefaults, dimension };

/**
 * Section 2.1 of the derivation for Lambda' = l I, C = t I, Q = q I, noise s^2 and P = p I:
 * R = d q (p^2 e - 2 p l t + t) + s^2,  e = l^2 t (1 + (d + 1) / M) + s^2 l / M.
 */
function isotropicRisk(test: TaskSpec, M: number): number {
  const testTask = requireTask('isotropicRisk', test, 'linear-regression');
  const first = (covariance: LinearRegressionSpec['covariance']) => covarianceMatrix(covariance, dimension)![0]![0]!;
  const l = first(testTask.covariance);
  const q = first(testTask.queryCovariance ?? testTask.covariance);
  const t = first(testTask.taskCovariance);
  const s = testTask.noiseVariance;
  const e = l * l * t * (1 + (dimension + 1) / M) + (s * l) / M;
  return dimension * q * (factor * factor * e - 2 * factor * l * t + t) + s;
}

async function collect(rows: AsyncIterable<EvaluationRow>): Promise<EvaluationRow[]> {
  const all: EvaluationRow[] = [];
  for await (const row of rows) all.push(row);
  return all;
}

const session = (options = {}) => createFakeSession({ dimension, factor, ...options });
const zScore = ({ risk, theory, standardError }: EvaluationRow) => (risk - theory!) / standardError;

describe('evaluate', () => {
  it('measures the training task within 4 standard errors of theory, and the zero predictor too', async () => {
    const lengths = [2, 5, 11, 23];
    const zero = { name: 'zero' };
    const plan = { task, lengths, estimators: [zero], prompts: 20_000, seed: 5, theory: isotropicRisk };
    const rows = await collect(evaluate(session(), plan));
    expect(rows.map(({ contextLength, estimator }) => [contextLength, estimator])).toEqual(
      lengths.flatMap((length) => [
        [length, 'model'],
        [length, 'zero'],
      ]),
    );
    for (const row of rows) {
      expect(row).toMatchObject({ study: 'zhang2023', model: 'linear-attention', shift: null, level: null });
      expect(row).toMatchObject({ prompts: 20_000, provider: 'cpu', seed: 5 });
      if (row.estimator === 'model') {
        expect(Math.abs(zScore(row))).toBeLessThan(4);
        expect(row.standardError).toBeLessThan(0.05 * row.risk);
      } else {
        expect(row.theory).toBeNull();
        expect(Math.abs(row.risk - dimension) / row.standardError).toBeLessThan(4);
      }
    }
  });

  it('follows every isotropic shift, label noise included', async () => {
    const levels = { 'covariate-scale': [0.5, 1.5], 'query-scale': [2], 'task-scale': [3], 'label-noise': [0.25, 2] };
    const shifts = Object.entries(levels).map(([name, values]) => ({ shift: shiftNamed(name), levels: values }));
    const rows = await collect(
      evaluate(session(), { task, lengths: [7, 13], shifts, prompts: 8000, seed: 2, theory: isotropicRisk }),
    );
    expect(rows.map(({ shift, level, contextLength }) => [shift, level, contextLength])).toEqual(
      Object.entries(levels).flatMap(([name, values]) =>
        values.flatMap((level) => [7, 13].map((length) => [name, level, length])),
      ),
    );
    for (const row of rows) expect(Math.abs(zScore(row)), JSON.stringify(row)).toBeLessThan(4);
  });

  it('has standard errors that say how rows of other seeds scatter', async () => {
    const seeds = Array.from({ length: 24 }, (_, i) => i);
    const plan = { task, lengths: [6], prompts: 1500, queriesPerPrompt: 2, theory: isotropicRisk };
    const rows = await Promise.all(
      seeds.map(async (seed) => (await collect(evaluate(session(), { ...plan, seed })))[0]!),
    );
    const squares = rows.reduce((sum, row) => sum + zScore(row) ** 2, 0);
    // Chi square with 24 degrees of freedom: 0.05 % and 99.95 %.
    expect(squares).toBeGreaterThan(7.5);
    expect(squares).toBeLessThan(55);
  });

  it('averages the queries of a prompt before it counts it', async () => {
    const plan = { task, lengths: [5], prompts: 6000, seed: 3, theory: isotropicRisk };
    const [one] = await collect(evaluate(session(), plan));
    const [five] = await collect(evaluate(session(), { ...plan, queriesPerPrompt: 5 }));
    expect(five!.prompts).toBe(6000);
    expect(Math.abs(zScore(five!))).toBeLessThan(4);
    expect(five!.standardError).toBeLessThan(one!.standardError);
    // Queries of one prompt share its task vector, so five of them are less than five prompts.
    expect(five!.standardError).toBeGreaterThan(one!.standardError / Math.sqrt(5));
  });

  it('gives the same rows from prefixes, in one run per block, as length by length', async () => {
    const runs: number[] = [];
    const onRun = ({ context }: { context: number }) => runs.push(context);
    const estimators = [{ name: 'least-squares' }];
    const shifts = [{ shift: shiftNamed('label-noise'), levels: [0.5] }];
    const plan = { task, lengths: [2, 17, 5], shifts, estimators, prompts: 2500, seed: 7, queriesPerPrompt: 2 };
    const separate = await collect(evaluate(session({ onRun }), plan));
    expect(runs).toEqual(Array.from({ length: 3 }, () => [2, 17, 5]).flat());
    runs.length = 0;
    const together = await collect(evaluate(session({ hasPrefixes: true, onRun }), plan));
    expect(runs).toEqual([17, 17, 17]);
    runs.length = 0;
    const without = await collect(evaluate(session({ hasPrefixes: true, givesPrefixes: false, onRun }), plan));
    expect(runs).toEqual(Array.from({ length: 3 }, () => [17, 2, 5]).flat());
    const close = { relative: 1e-5, absolute: 0 };
    for (const rows of [together, without]) {
      expect(rows.map(({ contextLength }) => contextLength)).toEqual([2, 2, 17, 17, 5, 5]);
      expectClose(
        rows.map(({ risk }) => risk),
        separate.map(({ risk }) => risk),
        close,
      );
    }
  });

  it('draws the same prompts alone as among other lengths, levels and block sizes', async () => {
    const shift = shiftNamed('task-scale');
    const plan = { task, lengths: [4], prompts: 3000, seed: 9 };
    const [alone] = await collect(evaluate(session(), plan));
    const among = await collect(
      evaluate(session(), { ...plan, lengths: [400, 4], shifts: [{ shift, levels: [2, 1] }] }),
    );
    const same = among.find(({ level, contextLength }) => level === 1 && contextLength === 4)!;
    expectClose([same.risk, same.standardError], [alone!.risk, alone!.standardError], { relative: 1e-6, absolute: 0 });
  });

  it('stops when the standard errors are small enough, or the prompts are used up', async () => {
    const plan = { task, lengths: [5, 40], prompts: 50_000, seed: 1, targetStandardError: 0.04 };
    const rows = await collect(evaluate(session(), plan));
    for (const row of rows) {
      expect(row.prompts).toBeLessThan(50_000);
      expect(row.standardError).toBeLessThanOrEqual(0.04 * row.risk);
    }
    expect(rows[0]!.prompts).not.toBe(rows[1]!.prompts);
    const [few] = await collect(evaluate(session(), { ...plan, prompts: 1001, targetStandardError: 0.001 }));
    expect(few!.prompts).toBe(1001);
  });

  it('never draws into what a session still reads', async () => {
    const copies: Float32Array[] = [];
    const slow = session({ delay: 3 });
    const checked = {
      ...slow,
      async run(prompts: Parameters<typeof slow.run>[0]) {
        const before = prompts.covariates.slice();
        const predictions = await slow.run(prompts);
        copies.push(before);
        expect(prompts.covariates.every((value, i) => value === before[i])).toBe(true);
        return predictions;
      },
    };
    await collect(evaluate(checked, { task, lengths: [3, 8], prompts: 4000, seed: 4 }));
    expect(copies).toHaveLength(8);
  });

  it('reports progress and stops at once when asked to', async () => {
    const seen: number[] = [];
    const controller = new AbortController();
    const rows = evaluate(session(), {
      task,
      lengths: [5],
      prompts: 10_000,
      signal: controller.signal,
      onProgress: ({ prompts, maximum }) => {
        expect(maximum).toBe(10_000);
        seen.push(prompts);
        if (seen.length === 2) controller.abort(new Error('enough'));
      },
    });
    await expect(collect(rows)).rejects.toThrow('enough');
    expect(seen).toEqual([1024, 2048]);
  });

  it('names the estimator, level and prompt of an error that is not finite', async () => {
    const wild: Estimator = {
      name: 'wild',
      description: '',
      parameters: {},
      needsTaskParameters: false,
      predict: (_, out) => {
        out.fill(0);
        out[3] = Number.NaN;
      },
    };
    const shifts = [{ shift: shiftNamed('task-scale'), levels: [2] }];
    await expect(
      collect(evaluate(session(), { task, lengths: [5], shifts, estimators: [wild], prompts: 100 })),
    ).rejects.toThrow('evaluate: wild, length 5, task-scale 2: expected a finite squared error, got NaN at prompt 3.');
  });

  it('answers the prompts of a run, if asked for the training stream', async () => {
    const plan = { task, lengths: [7], estimators: [{ name: 'zero' }], prompts: 100, seed: 5 };
    const rows = await collect(evaluate(session(), { ...plan, stream: 'training' }));
    const drawn = allocateBatch({ batch: 100, context: 7, queries: 1, dimension });
    createSampler(task).fill(createGenerator(5, streams.training), 0, drawn);
    const mean = drawn.targets.reduce((sum, y) => sum + y * y, 0) / 100;
    expect(rows.find(({ estimator }) => estimator === 'zero')!.risk).toBeCloseTo(mean, 10);
  });

  it('passes on what a session throws', async () => {
    const broken = { ...session(), run: () => Promise.reject(new Error('device lost')) };
    await expect(collect(evaluate(broken, { task, lengths: [5], prompts: 3000 }))).rejects.toThrow('device lost');
  });

  it.each([
    [{ lengths: [] }, '--lengths: expected at least one length, got none.'],
    [{ lengths: [5, 0] }, '--lengths: expected whole numbers, 1 or more, got 0.'],
    [{ lengths: [2.5] }, '--lengths: expected whole numbers, 1 or more, got 2.5.'],
    [{ prompts: 1 }, '--prompts: expected a whole number, 2 or more, got 1.'],
    [{ queriesPerPrompt: 0 }, 'queriesPerPrompt: expected a whole number, 1 or more, got 0.'],
    [{ targetStandardError: 0 }, '--target: expected a ratio between 0 and 1, got 0.'],
    [{ task: { ...task, dimension: 5 } }, "task.dimension: expected 3, the model's dimension, got 5."],
    [{ seed: -1 }, 'seed: expected an integer from 0 to 2^53 - 1, got -1.'],
  ])('refuses %j', async (change, message) => {
    await expect(collect(evaluate(session(), { task, lengths: [5], ...change }))).rejects.toThrow(message);
  });
});

describe('evaluateProgressively', () => {
  const shifts = [{ shift: shiftNamed('task-scale'), levels: [0.5, 1, 2] }];
  const plan = { task, lengths: [4, 9], shifts, estimators: [{ name: 'ridge' }], seed: 6, theory: isotropicRisk };

  it.each([
    ['all prompts', { prompts: 2500 }],
    ['a target', { prompts: 40_000, targetStandardError: 0.04 }],
  ])('ends with the very rows of evaluate: %s', async (_, end) => {
    const whole = await collect(evaluate(session(), { ...plan, ...end }));
    let last: EvaluationRow[] = [];
    let wasDone = false;
    for await (const step of evaluateProgressively(session(), { ...plan, ...end })) {
      expect(wasDone).toBe(false);
      last = step.rows();
      wasDone = step.isDone;
    }
    expect(wasDone).toBe(true);
    expect(last).toEqual(whole);
  });

  it('goes in rounds, each of which is an evaluation of fewer prompts', async () => {
    const levels: (number | null)[][] = [];
    for await (const step of evaluateProgressively(session(), { ...plan, prompts: 3000 })) {
      const rows = step.rows();
      levels.push([...new Set(rows.map(({ level }) => level))]);
      expect(step.blockPrompts).toBe(step.prompts === 3000 ? 952 : 1024);
      if (!step.isRoundComplete) continue;
      expect(rows).toEqual(await collect(evaluate(session(), { ...plan, prompts: step.prompts })));
    }
    expect(levels).toEqual([[0.5], [0.5, 1], ...Array.from({ length: 7 }, () => [0.5, 1, 2])]);
  });

  it('rests while nobody asks, and lets the event loop turn between blocks', async () => {
    let runs = 0;
    const steps = evaluateProgressively(session({ onRun: () => runs++ }), { ...plan, lengths: [4], prompts: 5000 });
    await steps.next();
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(runs).toBe(1);
    let turned = false;
    setImmediate(() => {
      turned = true;
    });
    await steps.next();
    expect(turned).toBe(true);
    expect(runs).toBe(2);
    await steps.return();
  });

  it('ends with the reason of its signal', async () => {
    const controller = new AbortController();
    const steps = evaluateProgressively(session(), { ...plan, prompts: 5000, signal: controller.signal });
    await steps.next();
    controller.abort(new Error('enough'));
    await expect(steps.next()).rejects.toThrow('enough');
  });
});

describe('a compared model', () => {
  const theory = isotropicRisk;
  const plan = { task, lengths: [5, 12], estimators: [{ name: 'zero' }], prompts: 4000, seed: 8, theory };
  const half = () => createFakeSession({ dimension, factor: factor / 2 });

  it('answers the same prompts, and differs by what its own rows say', async () => {
    const alone = await collect(evaluate(half(), { ...plan, theory: null }));
    const rows = await collect(evaluate(session(), { ...plan, compared: { session: half(), theory: () => 7 } }));
    expect(rows.map(({ contextLength, estimator }) => [contextLength, estimator])).toEqual(
      [5, 12].flatMap((n) => ['model', 'compared-model', 'difference', 'zero'].map((name) => [n, name])),
    );
    for (const [i, length] of [5, 12].entries()) {
      const [model, compared, difference, zero] = rows.slice(4 * i, 4 * i + 4) as [
        EvaluationRow,
        EvaluationRow,
        EvaluationRow,
        EvaluationRow,
      ];
      expect({ ...compared, estimator: 'model', theory: null }).toEqual(alone[2 * i]);
      expect({ ...zero, theory: null }).toEqual(alone[2 * i + 1]);
      expect(difference.risk).toBeCloseTo(compared.risk - model.risk, 10);
      expect(difference.theory).toBeCloseTo(7 - isotropicRisk(task, length), 12);
      // Both models err on the same prompts: their difference is known better than if they had prompts of their own.
      expect(difference.standardError).toBeLessThan(Math.hypot(model.standardError, compared.standardError));
    }
  });

  it('may have prefixes where the other has none, and is left out of nothing', async () => {
    const prefixes = createFakeSession({ dimension, factor: factor / 2, hasPrefixes: true });
    const [with_, without] = await Promise.all(
      [prefixes, half()].map((compared) =>
        collect(evaluate(session(), { ...plan, compared: { session: compared, theory: null } })),
      ),
    );
    expectClose(
      with_!.map(({ risk }) => risk),
      without!.map(({ risk }) => risk),
      // The two sum in another order, in float32.
      { relative: 1e-5, absolute: 1e-5 },
    );
  });

  it('must fit the prompts too', async () => {
    const other = createFakeSession({ dimension: 5, factor });
    await expect(collect(evaluate(session(), { ...plan, compared: { session: other, theory: null } }))).rejects.toThrow(
      "task.dimension: expected 5, the model's dimension, got 3.",
    );
  });
});
