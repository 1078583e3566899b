/** Each measure of single answers, by hand. */
import { describe, expect, test } from 'vitest';
import { type Measure, type MeasureName, measures, measuresFor } from '../../infer/measures.ts';
import { addAnswers, emptyTally } from '../../infer/tally.ts';
import { allocateBatch } from '../../models/prompts.ts';
import { gaussianMixtureDefaults } from '../../models/tasks/gaussian-mixture.ts';
import { linearRegressionDefaults } from '../../models/tasks/linear-regression.ts';
import { expectClose, float64 } from '../tolerance.ts';

const named = (name: MeasureName): Measure => measures.find((measure) => measure.name === name)!;

function measure(name: MeasureName, values: number[], targets: number[], posterior: number[] = []): number {
  const answer = { width: values.length, values, at: 0, target: 0 };
  return named(name).of({ ...answer, targets: Float32Array.from(targets), posterior: Float64Array.from(posterior) });
}

describe('of one answer', () => {
  test.each<[MeasureName, number[], number[], number[], number]>([
    ['squared-error', [1.5], [-2], [], 12.25],
    ['cross-entropy', [0.8], [1], [], -Math.log(0.8)],
    ['cross-entropy', [0.8], [-1], [], -Math.log(0.2)],
    ['cross-entropy', [0.2, 0.5, 0.3], [0, 1, 0], [], Math.LN2],
    // As sure as float32 can be, and wrong.
    ['cross-entropy', [1], [-1], [], 25 * Math.LN2],
    ['cross-entropy', [0], [1], [], 126 * Math.LN2],
    ['cross-entropy', [1, 0], [0, 1], [], 126 * Math.LN2],
    ['error-rate', [0.51], [1], [], 0],
    ['error-rate', [0.51], [-1], [], 1],
    ['error-rate', [0.5], [-1], [], 0.5],
    ['error-rate', [0.2, 0.5, 0.3], [0, 1, 0], [], 0],
    ['error-rate', [0.2, 0.5, 0.3], [0, 0, 1], [], 1],
    // Of classes that are equally probable one is drawn.
    ['error-rate', [0.25, 0.25, 0.25, 0.25], [0, 0, 1, 0], [], 0.75],
    ['error-rate', [0.4, 0.2, 0.4], [0, 0, 1], [], 0.5],
    ['error-rate', [0.4, 0.2, 0.4], [0, 1, 0], [], 1],
    ['total-variation', [0.7], [1], [0.2], 0.5],
    ['total-variation', [0.2, 0.5, 0.3], [0, 1, 0], [0.5, 0.5, 0], 0.3],
  ])('%s of %j for %j', (name, values, targets, posterior, expected) => {
    expectClose([measure(name, values, targets, posterior)], [expected], float64);
  });

  test.each(measures)('$name of what is not a number is not one either', ({ name }) => {
    expect(measure(name, [Number.NaN], [1], [0.5])).toBeNaN();
    if (name !== 'squared-error') {
      expect(measure(name, [Number.NaN, 0.5], [0, 1], [0.5, 0.5])).toBeNaN();
      expect(measure(name, [0.5, Number.NaN], [1, 0], [0.5, 0.5])).toBeNaN();
    }
  });
});

test('a task has its measures', () => {
  const namesOf = (task: Parameters<typeof measuresFor>[0]) => measuresFor(task).measures.map(({ name }) => name);
  expect(namesOf({ ...linearRegressionDefaults, dimension: 2 })).toEqual(['squared-error']);
  const mixture = { ...gaussianMixtureDefaults, dimension: 2 };
  expect(namesOf(mixture)).toEqual(['cross-entropy', 'error-rate', 'total-variation']);
  expect(measuresFor(mixture).posterior).toBeTypeOf('function');
});

test("a prompt counts with the mean over its queries, wherever its answers lie among others'", () => {
  const block = allocateBatch({ batch: 2, context: 1, queries: 2, dimension: 1, classes: 2 });
  block.targets.set([1, 0, 0, 1, 0, 1, 0, 1]);
  // Two numbers of others before each prompt's four, and one behind.
  const values = [9, 9, 0.9, 0.1, 0.6, 0.4, 9, 9, 9, 0.2, 0.8, 0.3, 0.7, 9];
  const wanted = [named('error-rate'), named('cross-entropy')];
  const tally = emptyTally(wanted);
  const fail = (): never => {
    throw new Error('not expected');
  };
  addAnswers(tally, wanted, block, new Float64Array(0), { values, stride: 7, offset: 2 }, fail);
  expect(tally[0]).toMatchObject({ count: 2, mean: 0.25 });
  const [first, second] = [-Math.log(0.9) - Math.log(0.4), -Math.log(0.8) - Math.log(0.7)];
  expectClose([tally[1]!.mean], [(first + second) / 4], float64);
});
