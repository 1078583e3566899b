import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serializeSafetensors } from '../../export/safetensors.ts';
import { formatOf, type PromptFileBatch, type ReadOptions, readPrompts } from '../../infer/prompt-files.ts';

const dimension = 2;
let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'prompts-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function collect(batches: AsyncIterable<PromptFileBatch>): Promise<PromptFileBatch[]> {
  const all: PromptFileBatch[] = [];
  for await (const batch of batches) all.push(batch);
  return all;
}

/** Reads a text from standard input, in chunks of `size` bytes. */
function readText(text: string | Uint8Array, options: Partial<ReadOptions> = {}, size = 7): Promise<PromptFileBatch[]> {
  const bytes = Buffer.from(text as Uint8Array);
  const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
    bytes.subarray(i * size, (i + 1) * size),
  );
  return collect(readPrompts({ path: '-', dimension, stdin: Readable.from(chunks), ...options }));
}

const good = '{"covariates":[[1,2],[3,4]],"responses":[5,6],"query":[7,8]}';
const listed = '{"covariates":[[1,2],[3,4]],"responses":[5,6],"query":[[7,8]]}';
const longer = '{"covariates":[[1,2],[3,4],[9,9]],"responses":[5,6,9],"query":[7,8]}';

describe('JSON Lines', () => {
  it('reads numbers, whatever the white space, line ends and chunks', async () => {
    const spaced = good.replaceAll(/([[\],:{}])/g, ' $1\t');
    for (const text of [good, `${good}\n`, `\ufeff${good}\r\n`, `${spaced}\n\n  \n`]) {
      for (const size of [1, 5, 1000]) {
        const [batch, ...rest] = await readText(text, {}, size);
        expect(rest).toEqual([]);
        expect(batch).toMatchObject({ batch: 1, context: 2, queries: 1, dimension: 2, first: 0, isPoint: true });
        expect([...batch!.covariates]).toEqual([1, 2, 3, 4]);
        expect([...batch!.responses]).toEqual([5, 6]);
        expect([...batch!.query]).toEqual([7, 8]);
        expect(batch!.bytesRead).toBe(Buffer.byteLength(text));
      }
    }
  });

  it('groups consecutive prompts of one shape, in order, up to the limits', async () => {
    const lines = [good, good, good, longer, good, listed, listed];
    const shapes = async (options: Partial<ReadOptions>) =>
      (await readText(lines.join('\n'), options)).map(({ batch, first, context, isPoint }) => [
        batch,
        first,
        context,
        isPoint,
      ]);
    expect(await shapes({})).toEqual([
      [3, 0, 2, true],
      [1, 3, 3, true],
      [1, 4, 2, true],
      [2, 5, 2, false],
    ]);
    expect((await shapes({ batch: 2 })).map(([batch]) => batch)).toEqual([2, 1, 1, 1, 2]);
    // A prompt of 2 pairs has 8 numbers of 4 bytes.
    expect((await shapes({ batchBytes: 2 * 32 })).map(([batch]) => batch)).toEqual([2, 1, 1, 1, 2]);
    expect((await shapes({ batchBytes: 1 })).map(([batch]) => batch)).toEqual([1, 1, 1, 1, 1, 1, 1]);
  });

  it('reads an empty context if the model needs none', async () => {
    const [batch] = await readText('{"covariates":[],"responses":[],"query":[[1,2],[3,4]]}', { minimumContext: 0 });
    expect(batch).toMatchObject({ context: 0, queries: 2, isPoint: false });
  });

  const prompt = (covariates: string, responses = '[5,6]', query = '[7,8]') =>
    `{"covariates":${covariates},"responses":${responses},"query":${query}}`;
  const pairs = '[[1,2],[3,4]]';
  it.each([
    ['NaN', prompt('[[1,2],[3,NaN]]'), ': covariates[1][1]: expected a number, got NaN.'],
    ['-Infinity', prompt(pairs, '[5,-Infinity]'), ': responses[1]: expected a number, got -Infinity.'],
    ['nan', prompt(pairs, '[5,6]', '[nan,1]'), ': query[0]: expected a number, got nan.'],
    ['a string', prompt('[[1,"2"],[3,4]]'), ': covariates[0][1]: expected a number, got "2".'],
    ['null', prompt(pairs, '[null,6]'), ': responses[0]: expected a number, got null.'],
    ['true', prompt(pairs, '[true,6]'), ': responses[0]: expected a number, got true.'],
    [
      '1e999',
      prompt(pairs, '[1e999,6]'),
      'expected a finite number, got a number too large for float64, such as 1e999.',
    ],
    [
      '1e39',
      prompt('[[1,2],[1e39,4]]'),
      ': covariates[1][0]: expected a finite number, got 1e+39, too large for float32.',
    ],
    ['a ragged row', prompt('[[1,2],[3]]'), ": covariates[1]: expected 2 numbers, the model's dimension, got 1."],
    ['a wide row', prompt('[[1,2,3],[3,4,5]]'), ": covariates[0]: expected 2 numbers, the model's dimension, got 3."],
    ['a flat list', prompt('[1,2]'), ': covariates[0]: expected a point of 2 numbers, got 1.'],
    ['a nested number', prompt('[[1,[2]],[3,4]]'), ': covariates[0][1]: expected a number, got a list of 1.'],
    ['no list', prompt('{}'), ': covariates: expected a list of points, got an object.'],
    [
      'too few responses',
      prompt(pairs, '[5]'),
      ': responses: expected 2 numbers, one for each row of covariates, got 1.',
    ],
    [
      'an empty context',
      prompt('[]', '[]'),
      ': covariates: expected a context of at least 1 pair, got an empty context.',
    ],
    ['a wide query', prompt(pairs, '[5,6]', '[1,2,3]'), ": query: expected 2 numbers, the model's dimension, got 3."],
    ['an empty query', prompt(pairs, '[5,6]', '[]'), ": query: expected 2 numbers, the model's dimension, got 0."],
    [
      'a ragged query',
      prompt(pairs, '[5,6]', '[[1,2],[3]]'),
      ": query[1]: expected 2 numbers, the model's dimension, got 1.",
    ],
    ['a mixed query', prompt(pairs, '[5,6]', '[[1,2],3]'), ': query[1]: expected a point of 2 numbers, got 3.'],
    [
      'an unknown key',
      good.replace('query', 'querry'),
      ': expected only the keys covariates, responses, query, got "querry". Did you mean query?',
    ],
    [
      '__proto__',
      good.replace('query', '__proto__'),
      ': expected only the keys covariates, responses, query, got "__proto__".',
    ],
    [
      'a missing key',
      '{"covariates":[[1,2]],"responses":[5]}',
      ': expected the keys covariates, responses, query, got no query.',
    ],
    ['a key twice', good.replace('{', '{"query":[1,1],'), ': expected each key once, got query twice.'],
    ['an array', '[1,2]', 'got a list of 2. JSON Lines has one object per line.'],
    ['a number', '3', 'got 3. JSON Lines has one object per line.'],
    ['no JSON', 'hello', 'got text that is not JSON (Unexpected token'],
    [
      'an empty line',
      '',
      ': expected a JSON object {"covariates": .., "responses": .., "query": ..}, got an empty line.',
    ],
  ])('names the line and entry of %s', async (_, line, message) => {
    const error = await readText(`${good}\n${good}\n${line}\n${good}\n`).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: 'DataError', exitCode: 1 });
    expect((error as Error).message).toMatch(/^standard input line 3: /);
    expect((error as Error).message).toContain(message);
  });

  it('says that a file may have been cut short', async () => {
    await expect(readText(`${good}\n${good.slice(0, 30)}`)).rejects.toThrow(
      /^standard input line 2: .* The file may have been cut short: it does not end in a newline\.$/,
    );
  });

  it.each(['', '\ufeff', '\n', ' \n\n'])('refuses a file without prompts: %j', async (text) => {
    await expect(readText(text)).rejects.toThrow('standard input: expected at least one prompt, got ');
  });

  it('names the line that is not UTF-8', async () => {
    const bytes = Buffer.concat([Buffer.from(`${good}\n${good}\n`), Buffer.from([0x7b, 0xe4, 0x0a])]);
    await expect(readText(bytes)).rejects.toThrow('standard input line 3: expected text in UTF-8, got other bytes.');
    const utf16 = Buffer.from(`\ufeff${good}\n`, 'utf16le');
    await expect(readText(utf16, {}, 1000)).rejects.toThrow('line 1: expected text in UTF-8, got UTF-16.');
  });

  it.each([5, 1000])('refuses a line above the limit, ended or not, in chunks of %i', async (size) => {
    const limit = { promptBytes: good.length };
    const message = `standard input line 2: expected at most ${good.length} bytes in a line, got a longer one.`;
    await expect(readText(`${good}\n${good} \n`, limit, size)).rejects.toThrow(message);
    await expect(readText(`${good}\n${good} `, limit, size)).rejects.toThrow(message);
    expect(await readText(`${good}\n${good}`, limit, size)).toHaveLength(1);
  });

  it('gives batches before it reports what is wrong behind them', async () => {
    const batches = readPrompts({
      path: '-',
      dimension,
      batch: 1,
      stdin: Readable.from([`${good}\n${good}\n`, 'x\n']),
    });
    expect((await batches.next()).value).toMatchObject({ first: 0 });
    await expect(batches.next()).rejects.toThrow('line 3');
  });
});

describe('files', () => {
  it('reads a path, with the format from its extension', async () => {
    const path = join(folder, 'a.jsonl');
    writeFileSync(path, `${good}\n`);
    expect(await collect(readPrompts({ path, dimension }))).toHaveLength(1);
  });

  it('says what is wrong with a path', async () => {
    const read = (path: string) => collect(readPrompts({ path, dimension, format: 'jsonl' }));
    const missing = join(folder, 'missing.jsonl');
    await expect(read(missing)).rejects.toThrow(
      `${missing}: expected a file that can be read, got a missing file or folder.`,
    );
    await expect(read(folder)).rejects.toThrow(`${folder}: expected a file that can be read, got a folder.`);
  });

  it.each([
    ['a.jsonl', 'jsonl'],
    ['a.NDJSON', 'jsonl'],
    ['b.c/a.csv', 'csv'],
    ['a.safetensors', 'safetensors'],
    ['-', 'jsonl'],
  ])('takes %s for %s', (path, format) => expect(formatOf('--prompts', path)).toBe(format));

  it.each(['a', 'a.json', 'dir.csv/a', 'a.txt'])('does not know %s', (path) => {
    expect(() => formatOf('--prompts', path)).toThrow(/^--prompts: expected a file ending in \.jsonl, /);
  });

  it('stops when the signal aborts, with its reason', async () => {
    const controller = new AbortController();
    const stdin = new Readable({ read() {} });
    const next = readPrompts({ path: '-', dimension, stdin, signal: controller.signal }).next();
    controller.abort(new Error('enough'));
    await expect(next).rejects.toThrow('enough');
  });
});

describe('CSV', () => {
  const header = 'prompt,role,x1,x2,y';
  const rows = ['a,context,1,2,5', 'a,context,3,4,6', 'a,query,7,8,'];
  const read = (text: string, options: Partial<ReadOptions> = {}, size = 7) =>
    readText(text, { format: 'csv', ...options }, size);

  it('reads prompts by name, in any order of columns and line ends', async () => {
    const swapped = 'y, x2 ,role,prompt,x1\n5,2,context,a,1\n,8,query,a,7\n6, 4 ,context,a,+3.0e0';
    for (const text of [`${header}\n${rows.join('\n')}\n`, `\ufeff${header}\r\n${rows.join('\r\n')}`, swapped]) {
      const [batch, ...rest] = await read(text);
      expect(rest).toEqual([]);
      expect(batch).toMatchObject({ batch: 1, context: 2, queries: 1, isPoint: true, labels: ['a'] });
      expect([...batch!.covariates]).toEqual([1, 2, 3, 4]);
      expect([...batch!.responses]).toEqual([5, 6]);
      expect([...batch!.query]).toEqual([7, 8]);
    }
  });

  it('reads quoted cells, also behind unquoted ones, and groups by shape', async () => {
    const text = [
      header,
      ...rows,
      '"b, the ""second""",context,"1",2,5',
      '"b, the ""second""",context,3,4,6',
      '"b, the ""second""",query,7,8,""',
      'c,context,1,1,1',
      'c,query,7,8,',
      'c,query,9,9,',
    ].join('\n');
    for (const size of [9, 100, 10_000]) {
      const [two, one] = await read(text, {}, size);
      expect(two).toMatchObject({ batch: 2, context: 2, labels: ['a', 'b, the "second"'] });
      expect(one).toMatchObject({ batch: 1, first: 2, context: 1, queries: 2, isPoint: false, labels: ['c'] });
    }
  });

  const row = (line: string) => [header, ...rows, line].join('\n');
  it.each([
    [
      'a missing column',
      'prompt,role,x1,y\n',
      "line 1: expected the columns prompt, role, x1 to x2 (the model's dimension) and y, got no column x2.",
    ],
    ['an unknown column', 'prompt,rol,x1,x2,y\n', 'got a column "rol". Did you mean role?'],
    ['too many dimensions', 'prompt,role,x1,x2,x3,y\n', 'got a column "x3".'],
    ['a column twice', 'prompt,role,x1,x1,x2,y\n', 'got x1 twice.'],
    ['a wrong role', row('b,test,1,2,3'), 'line 5: role: expected context or query, got "test".'],
    ['a near role', row('b,querry,1,2,'), 'got "querry". Did you mean query?'],
    [
      'a query with a y',
      row('b,query,1,2,3'),
      'line 5: y: expected an empty cell, since a query is what the model answers, got "3".',
    ],
    ['a pair without y', row('b,context,1,2,'), 'line 5: y: expected a finite number, got an empty cell.'],
    ['NaN', row('b,context,NaN,2,3'), 'line 5: x1: expected a finite number, got NaN.'],
    ['inf', row('b,context,1,-inf,3'), 'line 5: x2: expected a finite number, got -inf.'],
    ['1e999', row('b,context,1,1e999,3'), 'line 5: x2: expected a finite number, got 1e999.'],
    ['1e39', row('b,context,1,1e39,3'), 'line 5: x2: expected a finite number, got 1e39, too large for float32.'],
    ['hexadecimal', row('b,context,1,0x10,3'), 'line 5: x2: expected a finite number, got "0x10".'],
    ['a word', row('b,context,1,2,hi'), 'line 5: y: expected a finite number, got "hi".'],
    ['a short row', row('b,context,1,2'), 'line 5: expected 5 cells, as in the header, got 4.'],
    ['a long row', row('b,context,1,2,3,4'), 'line 5: expected 5 cells, as in the header, got 6.'],
    ['no name', row(',context,1,2,3'), 'line 5: prompt: expected a name or number, got an empty cell.'],
    [
      'an empty context',
      row('b,query,1,2,'),
      'line 5: prompt b: expected a context of at least 1 pair, got an empty context.',
    ],
    ['no query', row('b,context,1,2,3'), 'line 5: prompt b: expected at least one row with role query, got none.'],
    [
      'a prompt in two parts',
      row('b,context,1,2,3\nb,query,1,2,\na,query,1,1,'),
      'line 7: expected a new prompt, got prompt a again.',
    ],
    [
      'a broken quotation',
      row('"b",context,1,2,3\n"b",query,1,"2"3",'),
      'line 6: expected CSV, got invalid closing quote',
    ],
    ['an open quotation', row('"b,context,1,2,3\n'), 'line 5: expected CSV, got quote not closed'],
    ['only a header', `${header}\n`, ': expected at least one prompt, got only a header.'],
    ['nothing', '', ': expected at least one prompt, got an empty file.'],
  ])('names the line and column of %s', async (_, text, message) => {
    const error = await read(text, {}, 1000).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: 'DataError', exitCode: 1 });
    expect((error as Error).message).toMatch(/^standard input(?: line \d+)?: /);
    expect((error as Error).message).toContain(message);
  });

  it('bounds a prompt', async () => {
    const text = [header, ...rows.slice(0, 2), 'a,context,1,2,3', 'a,query,1,2,'].join('\n');
    expect(await read(text, { promptBytes: 8 * 11 })).toHaveLength(1);
    await expect(read(text, { promptBytes: 8 * 10 })).rejects.toThrow(
      'prompt a: expected at most 10 numbers in a prompt',
    );
  });
});

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
