import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PromptFileBatch } from '../../infer/prompt-files.ts';
import { dimension, readText } from './prompt-reading.ts';

describe('all formats', () => {
  interface Prompt {
    readonly covariates: number[][];
    readonly responses: number[];
    readonly query: number[][];
  }
  const float = fc.float({ noNaN: true, noDefaultInfinity: true });
  const point = fc.array(float, { minLength: dimension, maxLength: dimension });
  const prompt: fc.Arbitrary<Prompt> = fc
    .record({
      pairs: fc.array(fc.tuple(point, float), { minLength: 1, maxLength: 4 }),
      query: fc.array(point, { minLength: 1, maxLength: 3 }),
    })
    .map(({ pairs, query }) => ({ covariates: pairs.map(([x]) => x), responses: pairs.map(([, y]) => y), query }));
  const prompts = fc.array(prompt, { minLength: 1, maxLength: 12 });

  const jsonl = (all: readonly Prompt[]) => all.map((one) => JSON.stringify(one)).join('\n');
  const csv = (all: readonly Prompt[]) =>
    [
      'prompt,role,x1,x2,y',
      ...all.flatMap(({ covariates, responses, query }, i) => [
        ...covariates.map((x, n) => `p${i},context,${x.join(',')},${responses[n]}`),
        ...query.map((x) => `p${i},query,${x.join(',')},`),
      ]),
    ].join('\n');

  /** The prompts of batches, as they would stand in a file. -0 and 0 are one number in CSV and JSON. */
  const unpack = (batches: readonly PromptFileBatch[]): Prompt[] =>
    batches.flatMap(({ batch, context, queries, covariates, responses, query }) =>
      Array.from({ length: batch }, (_, b) => ({
        covariates: rowsOf(covariates, b * context, context),
        responses: [...responses.subarray(b * context, (b + 1) * context)].map((y) => y + 0),
        query: rowsOf(query, b * queries, queries),
      })),
    );
  const rowsOf = (values: Float32Array, first: number, count: number) =>
    Array.from({ length: count }, (_, i) =>
      [...values.subarray((first + i) * dimension, (first + i + 1) * dimension)].map((x) => x + 0),
    );
  const unsigned = (all: readonly Prompt[]) => JSON.parse(JSON.stringify(all)) as Prompt[];

  it('read what was written, in its order, whatever the chunks and batches', async () => {
    await fc.assert(
      fc.asyncProperty(
        prompts,
        fc.integer({ min: 1, max: 90 }),
        fc.integer({ min: 1, max: 5 }),
        async (all, size, batch) => {
          const expected = unsigned(all);
          const fromJson = await readText(jsonl(all), { batch }, size);
          expect(unpack(fromJson)).toEqual(expected);
          expect(fromJson.every((one) => one.batch <= batch)).toBe(true);
          const fromCsv = await readText(csv(all), { batch, format: 'csv' }, size);
          expect(unpack(fromCsv)).toEqual(expected);
          expect(fromCsv.flatMap(({ labels }) => labels)).toEqual(all.map((_, i) => `p${i}`));
          const sum = fromJson.reduce((first, one) => {
            expect(one.first).toBe(first);
            return first + one.batch;
          }, 0);
          expect(sum).toBe(all.length);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('either read a damaged file or throw an error of ours', async () => {
    await fc.assert(
      fc.asyncProperty(
        prompts,
        fc.constantFrom('jsonl' as const, 'csv' as const),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 }),
        async (all, format, damages) => {
          const bytes = Buffer.from(format === 'jsonl' ? jsonl(all) : csv(all));
          for (const [at, value] of damages) bytes[at % bytes.length] = value;
          const batches = await readText(bytes, { format }, 64).catch((thrown: unknown) => thrown);
          if (Array.isArray(batches)) return;
          expect(batches).toMatchObject({ name: 'DataError' });
        },
      ),
      { numRuns: 200 },
    );
  });
});
