/**
 * Prompts from CSV: columns `prompt, role, x1 .. xD, y` (for c classes `y1 .. yc`) in any order, one row per pair (role `context`) or query (role
 * `query`, y empty). The rows of a prompt stand together. Streamed; a set of the prompts' names is kept, so that a name
 * that comes back is noticed.
 */
import { type CsvError, parse } from 'csv-parse';
import { DataError, didYouMean } from '../models/errors.ts';
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

interface Row {
  readonly cells: readonly string[];
  /** Number of the line on which the row ends, from 1. */
  readonly line: number;
}

/** Where each value stands in a row. */
interface Columns {
  readonly count: number;
  readonly prompt: number;
  readonly role: number;
  readonly covariates: readonly number[];
  readonly responses: readonly number[];
  /** Their names. */
  readonly responseNames: readonly string[];
}

/** The rows of a prompt that is being read. */
interface OpenPrompt {
  readonly label: string;
  readonly firstLine: number;
  readonly covariates: number[];
  readonly responses: number[];
  readonly query: number[];
}

/**
 * Records of a CSV source.
 * @param promptBytes Largest prompt, at 8 bytes per number; also the longest line.
 * @throws {DataError} naming the line and the column that is wrong.
 */
export async function* readCsv(
  source: ByteSource,
  contract: PromptContract,
  promptBytes: number,
): AsyncGenerator<RecordBlock, void, undefined> {
  const { where } = source;
  const seen = new Set<string>();
  let columns: Columns | undefined;
  let open: OpenPrompt | undefined;
  let bytesRead = 0;
  for await (const block of readRows(source, promptBytes)) {
    bytesRead = block.bytesRead;
    const records: PromptRecord[] = [];
    for (const row of block.rows) {
      if (columns === undefined) {
        columns = findColumns(`${where} line ${row.line}`, row.cells, contract);
        continue;
      }
      const label = labelOf(where, row, columns);
      if (open === undefined || label !== open.label) {
        if (open !== undefined) records.push(closePrompt(where, open, contract));
        if (seen.has(label)) throw notTogether(`${where} line ${row.line}`, label);
        seen.add(label);
        open = { label, firstLine: row.line, covariates: [], responses: [], query: [] };
      }
      addRow(`${where} line ${row.line}`, row.cells, columns, open);
      requireSize(where, open, promptBytes);
    }
    if (records.length > 0) yield { records, bytesRead };
  }
  // Whoever has seen a row still holds the last prompt.
  if (open === undefined) throw noPrompts(where, columns === undefined ? 'an empty file' : 'only a header');
  yield { records: [closePrompt(where, open, contract)], bytesRead };
}

/** Bytes that csv-parse gets at once: about 2 ms of its work. */
const sliceBytes = 1 << 14;

/**
 * Rows, in blocks. As long as no quotation mark has come up, a line is a row and commas part its cells, which is ten
 * times as fast as csv-parse; from the first one on csv-parse reads.
 */
async function* readRows(
  source: ByteSource,
  lineLimit: number,
): AsyncGenerator<{ rows: readonly Row[]; bytesRead: number }, void, undefined> {
  const breather = createBreather();
  let quoted: QuotedReader | undefined;
  let end = 0;
  for await (const { bytes, firstLine, bytesRead } of readLineBlocks(source, lineLimit)) {
    end = bytesRead;
    if (quoted === undefined && bytes.includes('"')) quoted = createQuotedReader(source.where, firstLine, lineLimit);
    if (quoted === undefined) {
      yield { rows: splitRows(bytes.toString('utf8'), firstLine), bytesRead };
      if (breather.isDue()) await breather.breathe();
      continue;
    }
    for (let at = 0; at < bytes.length; at += sliceBytes) {
      yield { rows: await quoted.read(bytes.subarray(at, at + sliceBytes)), bytesRead };
      if (breather.isDue()) await breather.breathe();
    }
  }
  if (quoted !== undefined) yield { rows: await quoted.finish(), bytesRead: end };
}

function splitRows(text: string, firstLine: number): Row[] {
  const rows: Row[] = [];
  for (const [i, line] of text.split('\n').entries()) {
    if (line.trim() !== '') rows.push({ cells: line.split(','), line: firstLine + i });
  }
  return rows;
}

interface QuotedReader {
  read(bytes: Buffer): Promise<readonly Row[]>;
  finish(): Promise<readonly Row[]>;
}

/** csv-parse as a function from bytes to rows. Its own stream of rows is left empty: it costs more than the parsing. */
function createQuotedReader(where: string, firstLine: number, lineLimit: number): QuotedReader {
  let rows: Row[] = [];
  const parser = parse({
    relax_column_count: true,
    skip_empty_lines: true,
    max_record_size: lineLimit,
    on_record: (cells: string[], { lines }) => {
      rows.push({ cells, line: lines + firstLine - 1 });
      return null;
    },
  });
  parser.on('error', () => {}); // Each call below reports its own.
  const settle = (start: (done: (error?: Error | null) => void) => void) =>
    new Promise<readonly Row[]>((resolve, reject) => {
      start((error) => {
        if (error) return reject(notCsv(where, firstLine, error as CsvError));
        resolve(rows);
        rows = [];
      });
    });
  return {
    read: (bytes) => settle((done) => parser.write(bytes, done)),
    finish: () => settle((done) => parser.end(done)),
  };
}

function notCsv(where: string, firstLine: number, cause: CsvError): DataError {
  const line = typeof cause['lines'] === 'number' ? ` line ${cause['lines'] + firstLine - 1}` : '';
  // The message repeats the line, counted from where csv-parse began, and is capitalized like a title.
  const got = cause.message
    .replace(/ at line \d+/, '')
    .replace(/^[^:]*/, (title) => title.toLowerCase())
    .replace(/\.$/, '');
  return new DataError({ where: `${where}${line}`, expected: 'CSV', got, cause });
}

/** @throws {DataError} for a column that is missing, unknown or there twice. */
function findColumns(where: string, header: readonly string[], { dimension, classes }: PromptContract): Columns {
  const names = header.map((name) => name.trim());
  const covariates = Array.from({ length: dimension }, (_, j) => `x${j + 1}`);
  const responses = classes === 0 ? ['y'] : Array.from({ length: classes }, (_, k) => `y${k + 1}`);
  const known = ['prompt', 'role', ...covariates, ...responses];
  const labels = classes === 0 ? 'y' : `y1 to y${classes} (its classes)`;
  const expected = `the columns prompt, role, x1 to x${dimension} (the model's dimension) and ${labels}`;
  for (const [i, name] of names.entries()) {
    const isTwice = names.indexOf(name) !== i;
    if (known.includes(name) && !isTwice) continue;
    const remedy = isTwice ? undefined : didYouMean(name, known);
    const got = isTwice ? `${name} twice` : `a column ${JSON.stringify(name)}`;
    throw new DataError({ where, expected, got, ...(remedy === undefined ? {} : { remedy }) });
  }
  const missing = known.find((name) => !names.includes(name));
  if (missing !== undefined) throw new DataError({ where, expected, got: `no column ${missing}` });
  return {
    count: names.length,
    prompt: names.indexOf('prompt'),
    role: names.indexOf('role'),
    covariates: covariates.map((name) => names.indexOf(name)),
    responses: responses.map((name) => names.indexOf(name)),
    responseNames: responses,
  };
}

function labelOf(where: string, { cells, line }: Row, columns: Columns): string {
  if (cells.length !== columns.count) {
    throw new DataError({
      where: `${where} line ${line}`,
      expected: `${columns.count} cells, as in the header`,
      got: String(cells.length),
    });
  }
  const label = cells[columns.prompt]!.trim();
  if (label !== '') return label;
  throw new DataError({ where: `${where} line ${line}: prompt`, expected: 'a name or number', got: 'an empty cell' });
}

function addRow(where: string, cells: readonly string[], columns: Columns, open: OpenPrompt): void {
  const role = cells[columns.role]!.trim();
  if (role !== 'context' && role !== 'query') {
    const remedy = didYouMean(role, ['context', 'query']);
    throw new DataError({
      where: `${where}: role`,
      expected: 'context or query',
      got: JSON.stringify(role),
      ...(remedy === undefined ? {} : { remedy }),
    });
  }
  for (const [k, column] of columns.responses.entries()) {
    const response = cells[column]!.trim();
    const name = columns.responseNames[k]!;
    if (role === 'context') open.responses.push(readNumber(where, name, response));
    else if (response !== '') {
      throw new DataError({
        where: `${where}: ${name}`,
        expected: 'an empty cell, since a query is what the model answers',
        got: JSON.stringify(response),
      });
    }
  }
  const points = role === 'context' ? open.covariates : open.query;
  for (let j = 0; j < columns.covariates.length; j++) {
    const cell = cells[columns.covariates[j]!]!.trim();
    points.push(readNumber(where, `x${j + 1}`, cell));
  }
}

const decimal = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

function readNumber(where: string, column: string, cell: string): number {
  if (!decimal.test(cell)) {
    const isWord = /^[+-]?(?:nan|inf|infinity)$/i.test(cell);
    const got = cell === '' ? 'an empty cell' : isWord ? cell : JSON.stringify(cell);
    throw new DataError({ where: `${where}: ${column}`, expected: 'a finite number', got });
  }
  const value = Number(cell);
  if (!Number.isFinite(Math.fround(value))) throw notFinite(`${where}: ${column}`, value, cell);
  return value;
}

function closePrompt(where: string, open: OpenPrompt, contract: PromptContract): PromptRecord {
  const { label, firstLine, covariates, responses, query } = open;
  const place = `${where} line ${firstLine}: prompt ${label}`;
  const context = covariates.length / contract.dimension;
  requireContext(place, context, contract);
  if (query.length === 0) {
    throw new DataError({
      where: place,
      expected: 'at least one row with role query',
      got: 'none',
      remedy: 'The rows of a prompt must stand together.',
    });
  }
  const queries = query.length / contract.dimension;
  const values = new Float32Array(covariates.length + responses.length + query.length);
  values.set(covariates);
  values.set(responses, covariates.length);
  values.set(query, covariates.length + responses.length);
  requireLabels(values, covariates.length, context, contract, (i) => `${place}: pair ${i}: y`);
  return { context, queries, isPoint: queries === 1, label, values };
}

const notTogether = (where: string, label: string): DataError =>
  new DataError({
    where,
    expected: 'a new prompt',
    got: `prompt ${label} again`,
    remedy: 'The rows of a prompt must stand together.',
  });

function requireSize(
  where: string,
  { label, firstLine, covariates, responses, query }: OpenPrompt,
  limit: number,
): void {
  if (8 * (covariates.length + responses.length + query.length) <= limit) return;
  throw new DataError({
    where: `${where} line ${firstLine}: prompt ${label}`,
    expected: `at most ${Math.floor(limit / 8)} numbers in a prompt`,
    got: 'more',
    remedy: 'For very long prompts use safetensors.',
  });
}
