import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { serializeSafetensors } from '../../export/safetensors.ts';
import { type ReadOptions, readPrompts } from '../../infer/prompt-files.ts';
import { collect, dimension, folder, readText } from './prompt-reading.ts';

describe('safetensors', () => {
  const tensors = {
    covariates: { shape: [2, 3, 2], data: Float32Array.from({ length: 12 }, (_, i) => i) },
    responses: { shape: [2, 3], data: Float32Array.from({ length: 6 }, (_, i) => 20 + i) },
    query: { shape: [2, 2], data: Float32Array.of(30, 31, 32, 33) },
  };
  const read = (bytes: Uint8Array, options: Partial<ReadOptions> = {}) =>
    readText(bytes, { format: 'safetensors', ...options }, 50);
  const write = (change: object) => serializeSafetensors({ ...tensors, ...change }, {});

  it('reads a point or a list per prompt', async () => {
    const [batch] = await read(write({}));
    expect(batch).toMatchObject({ batch: 2, context: 3, queries: 1, isPoint: true, labels: null });
    expect(batch!.covariates).toEqual(tensors.covariates.data);
    expect(batch!.responses).toEqual(tensors.responses.data);
    expect(batch!.query).toEqual(tensors.query.data);
    const [list] = await read(write({ query: { shape: [2, 1, 2], data: tensors.query.data } }));
    expect(list).toMatchObject({ queries: 1, isPoint: false });
  });

  it('reads float64', async () => {
    const header = JSON.stringify({
      covariates: { dtype: 'F64', shape: [1, 1, 2], data_offsets: [0, 16] },
      query: { dtype: 'F64', shape: [1, 2], data_offsets: [16, 32] },
      responses: { dtype: 'F64', shape: [1, 1], data_offsets: [32, 40] },
    });
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(header.length));
    const data = Buffer.from(Float64Array.of(0.1, 0.2, 0.3, 0.4, 0.5).buffer);
    const [batch] = await read(Buffer.concat([length, Buffer.from(header), data]));
    expect([...batch!.covariates, ...batch!.query, ...batch!.responses]).toEqual(
      [0.1, 0.2, 0.3, 0.4, 0.5].map(Math.fround),
    );
  });

  const tensor = (shape: number[], fill = 1) => ({
    shape,
    data: new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(fill),
  });
  const holed = tensor([2, 3, 2]);
  holed.data[7] = Number.NaN;
  it.each([
    ['NaN', { covariates: holed }, ': covariates[1, 0, 1]: expected a finite number, got NaN.'],
    ['infinity', { responses: tensor([2, 3], -1 / 0) }, ': responses[0, 0]: expected a finite number, got -Infinity.'],
    [
      'another dimension',
      { covariates: tensor([2, 3, 3]) },
      ": covariates: expected shape [prompts, pairs, 2], 2 being the model's dimension, got [2, 3, 3].",
    ],
    ['a flat tensor', { covariates: tensor([12]) }, 'got [12].'],
    ['too few responses', { responses: tensor([2, 2]) }, ': responses: expected shape [2, 3], got [2, 2].'],
    ['too few queries', { query: tensor([1, 2]) }, ': query: expected shape [2, 2] or [2, queries, 2], got [1, 2].'],
    ['no query', { query: tensor([2, 0, 2]) }, 'got [2, 0, 2].'],
    ['an empty context', { covariates: tensor([2, 0, 2]), responses: tensor([2, 0]) }, 'got an empty context.'],
    [
      'no prompts',
      { covariates: tensor([0, 3, 2]), responses: tensor([0, 3]), query: tensor([0, 2]) },
      ': expected at least one prompt, got tensors with none.',
    ],
    [
      'an unknown tensor',
      { querys: tensor([2, 2]) },
      ': expected only the tensors covariates, responses, query, got "querys". Did you mean query?',
    ],
  ])('names the tensor of %s', async (_, change, message) => {
    const error = await read(write(change)).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: 'DataError' });
    expect((error as Error).message).toMatch(/^standard input: /);
    expect((error as Error).message).toContain(message);
  });

  it('refuses a missing tensor, another type, a truncated file, an empty one and one above the limit', async () => {
    const { query: _, ...rest } = tensors;
    await expect(read(serializeSafetensors(rest, {}))).rejects.toThrow(
      'standard input: expected the tensors covariates, responses, query, got no query.',
    );
    const half = Buffer.from(Buffer.from(write({})).toString('latin1').replace('"F32"', '"F16"'), 'latin1');
    await expect(read(half)).rejects.toThrow(/^standard input: .*F16/);
    for (const cut of [1, 7, 20, 200, write({}).length - 1]) {
      await expect(read(write({}).subarray(0, cut))).rejects.toThrow(/^standard input: expected /);
    }
    await expect(read(new Uint8Array(0))).rejects.toThrow('expected at least one prompt, got an empty file.');
    await expect(read(write({}), { fileBytes: 100 })).rejects.toThrow('expected at most 100 bytes');
    const path = join(folder, 'large.safetensors');
    writeFileSync(path, write({}));
    await expect(collect(readPrompts({ path, dimension, fileBytes: 100 }))).rejects.toThrow(
      `${path}: expected at most 100 bytes`,
    );
    expect(existsSync(path)).toBe(true);
  });
});
