/** The playground's parts that need no browser: places, lines of equal value, pasted pairs, presets, questions that come too fast. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readModel } from '../../export/read-model.ts';
import type { TaskSpec } from '../../models/tasks/index.ts';
import { catalogue } from '../../web/catalogue.ts';
import { contourPath, extentFor, gridOf } from '../../web/src/panels/playground/geometry.ts';
import { edit } from '../../web/src/panels/playground/hands.ts';
import { drawContext, promptOf, responseKindOf } from '../../web/src/panels/playground/pairs.ts';
import { parsePairs } from '../../web/src/panels/playground/pairs-csv.ts';
import { openingValues } from '../../web/src/panels/playground/playground-fields.ts';
import { presetOf, presets } from '../../web/src/panels/playground/presets.ts';
import { type PlaneModel, situationOf, whyNoPlane } from '../../web/src/panels/playground/situation.ts';
import { Latest } from '../../web/src/worker/latest.ts';
import { redraw } from '../../web/src/worker/redraw.ts';

function modelOf(id: string): PlaneModel {
  const bytes = readFileSync(new URL(`../../web/models/${id}.onnx`, import.meta.url));
  const { metadata, sizes, architecture } = readModel(id, bytes);
  return { id, metadata, sizes, minimumContext: architecture.minimumContext } as PlaneModel;
}

const mixture: TaskSpec = {
  name: 'gaussian-mixture',
  dimension: 2,
  classes: 3,
  labels: 'one-hot',
  covariance: { kind: 'identity' },
  radius: 2,
};

describe('places', () => {
  test('a plane shows all places with a little room', () => {
    expect(extentFor([[2.9, 0]])).toBe(4);
    expect(extentFor([[0.2, -2.8]])).toBe(3);
    expect(extentFor([[200, 0]])).toBeCloseTo(220, 9);
  });

  test('the grid has the centres of cells, from the top left', () => {
    expect([...gridOf(1, 2)]).toEqual([-0.5, 0.5, 0.5, 0.5, -0.5, -0.5, 0.5, -0.5]);
  });

  test('a line of equal value of a plane lies where it should', () => {
    // v = column: the level 1.5 is crossed between columns 1 and 2, whose centres are at 1.5 and 2.5.
    const values = Array.from({ length: 9 }, (_, i) => i % 3);
    expect(contourPath(values, 3, 1.5)).toBe('M2.00 0.50L2.00 1.50M2.00 1.50L2.00 2.50');
    expect(contourPath(values, 3, 7)).toBe('');
  });
});

describe('pasted pairs', () => {
  test('headings, blank lines and other separators are understood', () => {
    const read = parsePairs('x1;x2;y\n\n0.5; -1 ;2\r\n1\t2\t3\n', { kind: 'number' });
    expect(read).toEqual([
      { x1: 0.5, x2: -1, y: 2 },
      { x1: 1, x2: 2, y: 3 },
    ]);
  });

  test.each([
    ['', 'a line of three numbers'],
    ['1,2', 'line 1: expected three numbers'],
    ['1,2,3\n1,,3', 'line 2: expected three numbers'],
    ['1,2,1e999', 'line 1'],
    ['1,2,5000', 'numbers from -1000 to 1000'],
  ])('%j is refused with a reason', (text, words) => {
    expect(() => parsePairs(text, { kind: 'number' })).toThrow(words);
  });

  test('a label that is no class is refused', () => {
    const signs = { kind: 'classes', values: [-1, 1], isOneHot: false } as const;
    expect(() => parsePairs('1,2,0', signs)).toThrow('one of the classes -1, 1');
  });
});

describe('the situation', () => {
  test.each(presets.map(({ title, values }) => ({ title, values })))(
    '$title can be shown',
    ({ title, values: its }) => {
      const values = { ...openingValues, ...its };
      const situation = situationOf(values, modelOf(values.model));
      expect(situation.problems).toEqual([]);
      expect(situation.comparison.key).toBe(its.compare ?? 'truth');
      expect(presetOf(values)?.title).toBe(title);
    },
  );

  test('every model that the catalogue offers for the plane has one', () => {
    const offered = catalogue.filter(({ panels }) => panels.some((use) => /regression|mixture/.test(use)));
    expect(offered.length).toBeGreaterThan(5);
    for (const { id } of offered) expect(whyNoPlane(modelOf(id)), id).toBeUndefined();
  });

  test('what a link asks for and cannot be is said', () => {
    const model = modelOf('zhang2023-2d');
    const problemsOf = (patch: Partial<typeof openingValues>) =>
      situationOf({ ...openingValues, ...patch }, model).problems.join();
    expect(problemsOf({ shift: 'class-prior' })).toContain('no shift "class-prior"');
    expect(problemsOf({ shift: 'covariate-scale', level: -1 })).toContain('a factor above 0');
    expect(problemsOf({ compare: 'logistic' })).toContain('no comparison "logistic"');
    expect(whyNoPlane(modelOf('zhang2023-5d'))).toContain('5 dimensions');
  });

  test('the truth is gone once a pair was changed, and the pairs stay those of the link', () => {
    const situation = situationOf({ ...openingValues, pairs: [[1, 2, 3]] }, modelOf('zhang2023-2d'));
    expect(situation.pairs).toEqual([{ x1: 1, x2: 2, y: 3 }]);
    expect(situation.comparisons.map(({ key }) => key)).toEqual(['least-squares', 'ridge']);
  });

  test('a hand adds, moves, labels and removes, down to the fewest pairs', () => {
    const at = (pairs: number[][]) => situationOf({ ...openingValues, pairs }, modelOf('zhang2023-2d'));
    const two = at([
      [0, 0, 1],
      [1, 1, 2],
    ]);
    expect(edit(two, { kind: 'move', index: 1, place: [2, 3], isFirst: true }, null)?.pairs[1]).toEqual({
      x1: 2,
      x2: 3,
      y: 2,
    });
    expect(edit(two, { kind: 'respond', index: 0, step: -1, isFine: false }, null)?.pairs[0]?.y).toBeCloseTo(0.9, 12);
    expect(edit(two, { kind: 'add', place: [1, 0] }, null)?.chosen).toBe(2);
    expect(edit(two, { kind: 'remove', index: 1 }, 1)).toEqual({ pairs: [{ x1: 0, x2: 0, y: 1 }], chosen: 0 });
    expect(edit(at([[0, 0, 1]]), { kind: 'remove', index: 0 }, 0)).toBeUndefined();
  });
});

describe('fresh contexts of one task', () => {
  test('responses of a regression are those of its task vector, with noise of the right variance', () => {
    const task = { ...(modelOf('zhang2023-2d').metadata.task as Extract<TaskSpec, { name: 'linear-regression' }>) };
    const w = Float32Array.from([0.5, -2]);
    const common = { taskParameters: w, context: 7, query: Float32Array.from([1, 1]), seed: 3, contexts: 500 };
    for (const noiseVariance of [0, 0.25]) {
      const { covariates, responses, query } = redraw({ ...common, testTask: { ...task, noiseVariance } });
      const rest = responses.map((y, i) => y - w[0]! * covariates[2 * i]! - w[1]! * covariates[2 * i + 1]!);
      const variance = rest.reduce((sum, value) => sum + value ** 2, 0) / rest.length;
      // Three standard errors of the mean of 3500 squares: 3 sqrt(2 / 3500) of the variance.
      expect(Math.abs(variance - noiseVariance)).toBeLessThan(0.072 * noiseVariance + 1e-6);
      expect(query.length).toBe(1000);
    }
  });

  test('classes keep the means of the prompt', () => {
    const { taskParameters } = drawContext(mixture, 5, 0, 1);
    const common = { testTask: mixture, taskParameters, query: new Float32Array(2), seed: 3 };
    const { covariates, responses } = redraw({ ...common, context: 30, contexts: 300 });
    for (let k = 0; k < 3; k++) {
      const rows = Array.from({ length: 9000 }, (_, row) => row).filter((row) => responses[3 * row + k] === 1);
      for (const j of [0, 1]) {
        const mean = rows.reduce((sum, row) => sum + covariates[2 * row + j]!, 0) / rows.length;
        // Four standard errors of unit variance.
        expect(Math.abs(mean - taskParameters[2 * k + j]!)).toBeLessThan(4 / Math.sqrt(rows.length));
      }
    }
  });

  test('labels become one-hot responses', () => {
    const pairs = [
      { x1: 1, x2: 2, y: 3 },
      { x1: 4, x2: 5, y: 1 },
    ];
    const prompt = promptOf(pairs, responseKindOf(mixture), new Float32Array(4));
    expect([...prompt.responses]).toEqual([0, 0, 1, 1, 0, 0]);
    expect(prompt.queries).toBe(2);
  });
});

describe('questions that come faster than answers', () => {
  const setUp = () => {
    const asked: { readonly argument: number; readonly signal: AbortSignal; done(): void }[] = [];
    const answered: number[] = [];
    const latest = new Latest<number, number>(
      (argument, signal) =>
        new Promise((resolve, reject) => {
          asked.push({ argument, signal, done: () => resolve(argument) });
          signal.addEventListener('abort', () => reject(signal.reason));
        }),
      { answered: (result) => answered.push(result), failed: (error) => expect.fail(String(error)) },
    );
    return { asked, answered, latest };
  };
  const wait = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

  test('those between are never asked', async () => {
    const { asked, answered, latest } = setUp();
    for (const each of [1, 2, 3, 4]) latest.ask(each);
    asked[0]!.done();
    await wait(5);
    asked[1]!.done();
    await wait(5);
    expect(asked.map(({ argument }) => argument)).toEqual([1, 4]);
    expect(answered).toEqual([1, 4]);
  });

  test('an old one is cancelled after a while, and not answered any more', async () => {
    const { asked, answered, latest } = setUp();
    latest.ask(1);
    latest.ask(2);
    await wait(400);
    expect(asked[0]!.signal.aborted).toBe(true);
    asked[0]!.done();
    asked[1]!.done();
    await wait(5);
    expect(answered).toEqual([2]);
  });
});
