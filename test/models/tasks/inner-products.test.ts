/** Responses in WebAssembly and in TypeScript are the same bits, and both are what the formula says. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { allocateForDrawing, drawInPlace } from '../../../models/drawing-memory.ts';
import { type InnerProducts, respondLinearly, respondPlainly } from '../../../models/tasks/inner-products.ts';

/** Numbers of many magnitudes, so that every rounding shows. */
function fill(length: number, seed: number): Float32Array {
  let state = seed + 1;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state / 2 ** 31) * 10 ** ((state >>> 3) % 5);
  });
}

const sizes = fc.record({
  batch: fc.integer({ min: 1, max: 40 }),
  rows: fc.integer({ min: 1, max: 45 }),
  dimension: fc.integer({ min: 1, max: 23 }),
  noiseDeviation: fc.constantFrom(0, 0.3, 2),
  seed: fc.nat(10_000),
});

function workOf({
  seed,
  ...work
}: {
  batch: number;
  rows: number;
  dimension: number;
  noiseDeviation: number;
  seed: number;
}) {
  const { batch, rows, dimension } = work;
  return (): InnerProducts => ({
    ...work,
    covariates: fill(batch * rows * dimension, seed),
    taskVectors: fill(batch * dimension, seed + 1),
    responses: fill(batch * rows, seed + 2),
  });
}

/** By the formula, a number at a time: sums in float64 in the order of the axes. */
function expected({
  covariates,
  taskVectors,
  responses,
  rows,
  dimension,
  noiseDeviation,
}: InnerProducts): Float32Array {
  return responses.map((noise, row) => {
    let sum = 0;
    const b = Math.floor(row / rows);
    for (let j = 0; j < dimension; j++) sum += covariates[row * dimension + j]! * taskVectors[b * dimension + j]!;
    return noiseDeviation > 0 ? sum + noiseDeviation * noise : sum;
  });
}

/** Room in memory in which the kernel works in place. */
const shared = allocateForDrawing([60_000, 2_000, 4_000]);
drawInPlace(shared);

/** The same work on numbers that lie there. */
function inPlace(work: InnerProducts): InnerProducts {
  const [covariates, taskVectors, responses] = [work.covariates, work.taskVectors, work.responses].map((values, i) => {
    const room = shared.arrays[i]!.subarray(0, values.length);
    room.set(values);
    return room;
  });
  return { ...work, covariates: covariates!, taskVectors: taskVectors!, responses: responses! };
}

it('are the same bits in WebAssembly, in place and not, in TypeScript and by the formula', () => {
  fc.assert(
    fc.property(sizes, (given) => {
      const make = workOf(given);
      const [fast, plain, placed] = [make(), make(), inPlace(make())];
      const want = expected(make());
      respondLinearly(fast);
      respondLinearly(placed);
      respondPlainly(plain);
      for (const { responses } of [fast, placed, plain]) expect([...responses]).toEqual([...want]);
    }),
    { numRuns: 200 },
  );
});

it('are so for a prompt that is larger than what is copied at once', () => {
  const make = workOf({ batch: 3, rows: 1001, dimension: 17, noiseDeviation: 0.5, seed: 5 });
  const work = make();
  respondLinearly(work);
  expect([...work.responses]).toEqual([...expected(make())]);
  const placed = inPlace(make());
  respondLinearly(placed);
  expect([...placed.responses]).toEqual([...work.responses]);
});
