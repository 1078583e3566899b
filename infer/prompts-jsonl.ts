/**
 * Prompts from JSON Lines: one object `{covariates, responses, query}` per line; `query` is a point or a list of points.
 * Streamed: memory is bounded by the longest line allowed, and the event loop gets its turn between lines.
 */
import { DataError, didYouMean } from '../models/errors.ts';
import { responseWidth } from '../models/prompts.ts';
import { createBreather } from './breathe.ts';
import { type ByteSource, readLineBlocks } from './byte-source.ts';
import {
  noPrompts,
  notFinite,
  type PromptContract,
  type PromptRecord,
  type RecordBlock,
  requireContext,
  requireLabels,
} from './prompt-records.ts';

const keys = ['covariates', 'responses', 'query'] as const;

/** Records of a JSON Lines source. @throws {DataError} naming the line and the entry that is wrong. */
export async function* readJsonLines(
  source: ByteSource,
  contract: PromptContract,
  promptBytes: number,
): AsyncGenerator<RecordBlock, void, undefined> {
  const breather = createBreather();
  let isEmpty = true;
  let blankLine = 0;
  for await (const { bytes, firstLine, isTerminated, bytesRead } of readLineBlocks(source, promptBytes)) {
    let records: PromptRecord[] = [];
    const lines = bytes.toString('utf8').split('\n');
    if (isTerminated) lines.pop();
    for (const [i, text] of lines.entries()) {
      if (text.trim() === '') {
        blankLine ||= firstLine + i;
        continue;
      }
      // Blank lines may end a file. Within it they would shift the answers against the lines.
      if (blankLine > 0) throw notAPrompt(`${source.where} line ${blankLine}`, 'an empty line');
      const isCut = !isTerminated && i === lines.length - 1;
      records.push(parsePrompt(`${source.where} line ${firstLine + i}`, text, contract, isCut));
      isEmpty = false;
      if (breather.isDue()) {
        yield { records, bytesRead };
        records = [];
        await breather.breathe();
      }
    }
    yield { records, bytesRead };
  }
  if (isEmpty) throw noPrompts(source.where, blankLine > 0 ? 'only empty lines' : 'an empty file');
}

const notAPrompt = (where: string, got: string, remedy?: string): DataError =>
  new DataError({
    where,
    expected: 'a JSON object {"covariates": .., "responses": .., "query": ..}',
    got,
    ...(remedy === undefined ? {} : { remedy }),
  });

/**
 * One line as a record.
 * @param mayBeCut True for a last line without a newline, which is where a truncated file ends.
 */
export function parsePrompt(where: string, text: string, contract: PromptContract, mayBeCut = false): PromptRecord {
  const value = parseJson(where, text, mayBeCut);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw notAPrompt(where, describe(value), 'JSON Lines has one object per line.');
  }
  const { dimension, classes } = contract;
  const prompt = value as Readonly<Record<string, unknown>>;
  checkKeys(where, text, prompt);
  const { covariates, responses, query } = prompt;
  const rows = requireList(`${where}: covariates`, covariates, 'a list of points');
  const labels = requireList(
    `${where}: responses`,
    responses,
    classes === 0 ? 'a list of numbers' : 'a list of labels',
  );
  const asked = requireList(`${where}: query`, query, 'a point or a list of points');
  if (rows.length !== labels.length) {
    throw new DataError({
      where: `${where}: responses`,
      expected: `${rows.length} ${classes === 0 ? 'numbers' : 'labels'}, one for each row of covariates`,
      got: String(labels.length),
    });
  }
  requireContext(`${where}: covariates`, rows.length, contract);
  const isPoint = !Array.isArray(asked[0]);
  const points = isPoint ? [asked] : asked;

  const context = rows.length;
  const perContext = context * responseWidth(contract);
  const responsesAt = context * dimension;
  const queryAt = responsesAt + perContext;
  const values = new Float32Array(queryAt + points.length * dimension);
  for (let i = 0; i < context; i++) copyRow(values, i * dimension, rows[i], dimension, where, 'covariates', i);
  if (classes === 0) copyRow(values, responsesAt, labels, context, where, 'responses', null);
  else for (let i = 0; i < context; i++) copyLabel(values, responsesAt + i * classes, labels[i], classes, where, i);
  requireLabels(values, responsesAt, context, contract, (i) => `${where}: responses[${i}]`);
  for (let q = 0; q < points.length; q++) {
    copyRow(values, queryAt + q * dimension, points[q], dimension, where, 'query', isPoint ? null : q);
  }
  return { context, queries: points.length, isPoint, label: null, values };
}

/** Copies a one-hot label. */
function copyLabel(out: Float32Array, at: number, value: unknown, classes: number, where: string, i: number): void {
  const numbers = requireList(`${where}: responses[${i}]`, value, `a label of ${classes} numbers, one of them 1`);
  if (numbers.length !== classes) {
    throw new DataError({
      where: `${where}: responses[${i}]`,
      expected: `${classes} numbers, the model's classes`,
      got: String(numbers.length),
    });
  }
  copyRow(out, at, numbers, classes, where, 'responses', i);
}

/** Copies one row of numbers, or throws what is wrong with it. `row` is its number in a list of rows, if it is in one. */
function copyRow(
  out: Float32Array,
  at: number,
  value: unknown,
  length: number,
  where: string,
  key: (typeof keys)[number],
  row: number | null,
): void {
  const place = row === null ? `${where}: ${key}` : `${where}: ${key}[${row}]`;
  const numbers = requireList(place, value, `a point of ${length} numbers`);
  if (numbers.length !== length) {
    throw new DataError({
      where: place,
      expected: `${length} numbers, the model's dimension`,
      got: String(numbers.length),
    });
  }
  for (let j = 0; j < length; j++) {
    const number = numbers[j];
    if (typeof number !== 'number') {
      throw new DataError({ where: `${place}[${j}]`, expected: 'a number', got: describe(number) });
    }
    out[at + j] = number;
    const stored = out[at + j]!;
    if (stored - stored !== 0) {
      // JSON has no word for infinity: it was a numeral.
      const got = Number.isFinite(number) ? String(number) : 'a number too large for float64, such as 1e999';
      throw notFinite(`${place}[${j}]`, number, got);
    }
  }
}

function requireList(where: string, value: unknown, expected: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new DataError({ where, expected, got: describe(value) });
}

function checkKeys(where: string, text: string, prompt: Readonly<Record<string, unknown>>): void {
  for (const key of Object.keys(prompt)) {
    if ((keys as readonly string[]).includes(key)) continue;
    const remedy = didYouMean(key, keys);
    throw new DataError({
      where,
      expected: `only the keys ${keys.join(', ')}`,
      got: shorten(JSON.stringify(key)),
      ...(remedy === undefined ? {} : { remedy }),
    });
  }
  for (const key of keys) {
    if (!(key in prompt)) throw new DataError({ where, expected: `the keys ${keys.join(', ')}`, got: `no ${key}` });
  }
  // Of a repeated key JSON.parse keeps the last. Three keys have six quotation marks, and a prompt has no other strings;
  // if it does, that is reported as such when its numbers are read.
  let quotes = 0;
  for (let at = text.indexOf('"'); at >= 0 && quotes <= 6; at = text.indexOf('"', at + 1)) quotes++;
  if (quotes <= 6) return;
  for (const key of keys) {
    if (text.indexOf(`"${key}"`) !== text.lastIndexOf(`"${key}"`)) {
      throw new DataError({ where, expected: `each key once`, got: `${key} twice` });
    }
  }
}

/** Marks a word that JSON has no way to write, so that it is not taken for a string. */
const bareWord = '\u0000';

function parseJson(where: string, text: string, mayBeCut: boolean): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    // What other languages write for these numbers. Parsed once more, so that the error can name the entry.
    const quoted = text.replaceAll(/-?\b(?:nan|inf|infinity)\b/gi, '"\\u0000$&"');
    if (quoted !== text) {
      try {
        return JSON.parse(quoted);
      } catch {
        // The line has other faults too; the first error speaks of them.
      }
    }
    const reason = cause instanceof Error ? shorten(cause.message) : 'unreadable';
    throw notAPrompt(
      where,
      `text that is not JSON (${reason})`,
      mayBeCut ? 'The file may have been cut short: it does not end in a newline.' : undefined,
    );
  }
}

function describe(value: unknown): string {
  if (typeof value === 'string') return value.startsWith(bareWord) ? value.slice(1) : shorten(JSON.stringify(value));
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : `a list of ${value.length}`;
  if (value === undefined) return 'nothing';
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}

const shorten = (text: string): string => (text.length > 100 ? `${text.slice(0, 97)}...` : text);
