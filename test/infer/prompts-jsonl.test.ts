import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { formatOf, type ReadOptions, readPrompts } from '../../infer/prompt-files.ts';
import { collect, dimension, folder, good, listed, longer, readText } from './prompt-reading.ts';

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
