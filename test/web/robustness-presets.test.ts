/** What the robustness panel makes of its link, without a browser: every preset can be measured, nothing is changed silently. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { type FrozenModel, type RunnableModel, readModel } from '../../export/read-model.ts';
import { evaluate } from '../../infer/evaluate.ts';
import type { InferenceSession } from '../../infer/session.ts';
import { openSession } from '../../infer/session-node.ts';
import { shiftNamed } from '../../models/shifts/index.ts';
import { definitions } from '../../studies/definitions.ts';
import { requestFor } from '../../studies/evaluate-model.ts';
import { curvePlaces, resolveExperiment } from '../../web/src/panels/robustness/experiment.ts';
import { defaultValues, type RobustnessValues } from '../../web/src/panels/robustness/fields.ts';
import { presetOf, presets, valuesOf } from '../../web/src/panels/robustness/presets.ts';

const modelNamed = (id: string): FrozenModel => {
  const path = fileURLToPath(new URL(`../../web/models/${id}.onnx`, import.meta.url));
  return readModel(path, readFileSync(path));
};

/** As a worker describes it; the rest of a description is not read here. */
const describeModel = ({ metadata, sizes, architecture }: RunnableModel) => ({
  ...{ id: 'model', metadata, sizes, minimumContext: architecture.minimumContext },
  ...{ hasPrefixes: false, parameterCount: 0, bytes: 0 },
});

const resolve = (id: string, change: Partial<RobustnessValues>) =>
  resolveExperiment({ ...defaultValues, ...change, model: id }, describeModel(modelNamed(id)));

const sessions: InferenceSession[] = [];
const open = async (id: string) => {
  const session = await openSession(modelNamed(id), { provider: 'cpu', threads: 1 });
  sessions.push(session);
  return session;
};
afterAll(async () => {
  for (const session of sessions) await session.close();
});

test.each(presets.map((preset) => [preset.id, preset] as const))('the preset %s can be measured', async (_, preset) => {
  const values = valuesOf(preset);
  const session = await open(values.model);
  const { shift, levels, lengths, estimators, problems, measure } = resolveExperiment(
    values,
    describeModel(session.model),
  );
  expect(problems).toEqual([]);
  expect(levels.length).toBeGreaterThan(2);
  const compared = values.compare === '' ? undefined : await open(values.compare);
  const request = requestFor(
    session.model,
    {
      shifts: shift === null ? [] : [{ shift: shiftNamed(shift.name), levels }],
      ...{ lengths, estimators, prompts: 4, seed: 0, queriesPerPrompt: 1, targetStandardError: null },
      ...(compared === undefined ? {} : { compared }),
    },
    definitions,
  );
  let rows = 0;
  for await (const row of evaluate(session, request)) if (row.measure === measure.name) rows += 1;
  expect(rows).toBe(levels.length * (1 + estimators.length + (compared === undefined ? 0 : 2)));
  expect(presetOf(values, values.vary)).toBe(preset);
});

describe('an experiment', () => {
  test('has the usual levels of the first shift, the training length and the task’s estimators', () => {
    const { shift, levels, isUsual, lengths, estimators, scale, problems } = resolve('zhang2023-5d', {});
    expect(shift!.name).toBe('covariate-scale');
    expect(levels).toEqual(shift!.levels);
    expect({ isUsual, lengths, scale, problems }).toEqual({ isUsual: true, lengths: [20], scale: 'log', problems: [] });
    expect(estimators).toEqual(['zero', 'least-squares', 'ridge']);
  });

  test('has levels between two ends, in the steps of its axis', () => {
    expect(resolve('zhang2023-5d', { from: 0.5, to: 2, points: 3 }).levels).toEqual([0.5, 1, 2]);
    expect(resolve('zhang2023-5d', { vary: 'label-noise', from: 0, to: 1, points: 3 }).levels).toEqual([0, 0.5, 1]);
    expect(resolve('zhang2023-5d', { vary: 'length', from: 5, to: 80, points: 3 }).lengths).toEqual([5, 20, 80]);
    expect(resolve('zhang2023-5d', { vary: 'query-subspace', from: 1, to: 5, points: 9 }).levels).toEqual([
      1, 2, 3, 4, 5,
    ]);
  });

  test.each<[Partial<RobustnessValues>, string]>([
    [{ vary: 'covariate-scal' }, 'Did you mean covariate-scale?'],
    [{ measure: 'error-rate' }, 'Shown is squared-error.'],
    [{ beside: 'ridge,lasso' }, 'It is left out.'],
    [{ from: 3, to: 1 }, 'is empty'],
    [{ from: -1, to: 1 }, 'a factor above 0'],
    [{ vary: 'length', from: 50, to: 5 }, 'is empty'],
  ])('says that %j cannot be', (change, words) => {
    const { problems, levels } = resolve('zhang2023-5d', change);
    expect(problems.join(' ')).toContain(words);
    expect(levels.length).toBeGreaterThan(2);
  });

  test('leaves out usual levels that a model cannot have, and says so', () => {
    const { levels, problems } = resolve('zhang2023-2d', { vary: 'query-subspace' });
    expect(levels).toEqual([1, 2]);
    expect(problems.join(' ')).toContain('a whole number from 1 to 2');
  });

  test('leaves out estimators that its law has no use for', () => {
    expect(resolve('lu2024-20d', {}).estimators).not.toContain('dmmse');
    expect(resolve('lu2024-20d-few-tasks', {}).estimators).toContain('dmmse');
  });

  test('asks exact curves at every level first, then between, from the ends inwards', () => {
    const experiment = resolve('zhang2023-5d', {});
    const places = curvePlaces(experiment);
    expect(places.slice(0, 9)).toEqual(experiment.levels);
    expect(new Set(places).size).toBe(places.length);
    expect(places.length).toBeGreaterThan(50);
    expect(Math.min(...places)).toBe(0.25);
    expect(Math.max(...places)).toBe(3);
  });
});
