import { describe, expect, it } from 'vitest';
import type { ReadOptions } from '../../infer/prompt-files.ts';
import { readText } from './prompt-reading.ts';

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
