/**
 * The safetensors format: an 8-byte header length, a JSON header with type, shape and place of each tensor, the numbers.
 * Writes float32; reads float32 and float64, the latter rounded to float32, which is what everything here computes in.
 * A file that is read is not trusted: every length is checked against the file before it is used.
 * Source: https://github.com/huggingface/safetensors, "Format".
 */
import { DataError, ExportError } from '../models/errors.ts';
import { formatShape, type Shape, sizeOf } from '../models/shape.ts';
import { fromLittleEndian, toLittleEndian } from './little-endian.ts';

export interface Tensor {
  readonly shape: Shape;
  readonly data: Float32Array;
}

export interface SafetensorsFile {
  readonly tensors: Readonly<Record<string, Tensor>>;
  /** The `__metadata__` of the header; empty if there is none. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** The header's own limit, as in the reference implementation. */
const longestHeader = 100_000_000;
const metadataKey = '__metadata__';
const bytesPerNumber: Readonly<Record<string, number>> = { F32: 4, F64: 8 };

/**
 * The bytes of a file. Tensors and metadata are written in sorted order of their names: equal content, equal bytes.
 * @throws {ExportError} if a tensor holds more or fewer numbers than its shape says, or has a reserved name.
 */
export function serializeSafetensors(
  tensors: Readonly<Record<string, Tensor>>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const header = new Map<string, unknown>();
  if (Object.keys(metadata).length > 0) {
    header.set(metadataKey, Object.fromEntries(Object.entries(metadata).sort(byName)));
  }
  const chunks: Uint8Array[] = [];
  let end = 0;
  for (const [name, { shape, data }] of Object.entries(tensors).sort(byName)) {
    if (name === metadataKey) {
      throw new ExportError({ where: 'safetensors', expected: 'a tensor name that is not reserved', got: name });
    }
    if (data.length !== sizeOf(shape)) {
      throw new ExportError({
        where: `safetensors: ${name}`,
        expected: `${sizeOf(shape)} numbers for shape ${formatShape(shape)}`,
        got: String(data.length),
      });
    }
    const begin = end;
    end += data.byteLength;
    header.set(name, { dtype: 'F32', shape, data_offsets: [begin, end] });
    chunks.push(toLittleEndian(data));
  }
  const text = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)));
  // Padded with spaces, so that the numbers begin at a multiple of 8 and readers can map them.
  const headerLength = Math.ceil(text.length / 8) * 8;
  const bytes = new Uint8Array(8 + headerLength + end).fill(0x20, 8, 8 + headerLength);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerLength), true);
  bytes.set(text, 8);
  let at = 8 + headerLength;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

interface Entry {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/**
 * @param where The file's name, for errors.
 * @throws {DataError} if the file is cut off, its header is no valid one, tensors overlap or leave gaps, or a tensor is
 *   neither float32 nor float64.
 */
export function readSafetensors(where: string, bytes: Uint8Array): SafetensorsFile {
  const { header, body } = splitHeader(where, bytes);
  const entries = Object.entries(header)
    .filter(([name]) => name !== metadataKey)
    .map(([name, value]) => readEntry(where, name, value));
  checkLayout(where, entries, body.length);
  return {
    // fromEntries defines own properties, so that a tensor called __proto__ is a tensor like any other.
    tensors: Object.fromEntries(entries.map((entry) => [entry.name, readTensor(where, entry, body)])),
    metadata: readMetadata(where, header[metadataKey]),
  };
}

function splitHeader(where: string, bytes: Uint8Array): { header: Record<string, unknown>; body: Uint8Array } {
  const expected = 'a safetensors file';
  const remedy = 'It may be cut off or of another format.';
  if (bytes.length < 8) throw new DataError({ where, expected, got: `${bytes.length} bytes`, remedy });
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true));
  if (length > longestHeader || length > bytes.length - 8) {
    throw new DataError({ where, expected, got: `${bytes.length} bytes for a header of ${length}`, remedy });
  }
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(8, 8 + length)));
  } catch (cause) {
    throw new DataError({ where, expected, got: 'a header that is not JSON', remedy, cause });
  }
  if (!isObject(header)) throw new DataError({ where, expected, got: 'a header that is no JSON object', remedy });
  return { header, body: bytes.subarray(8 + length) };
}

function readEntry(where: string, name: string, value: unknown): Entry {
  const fail = (expected: string, got: unknown) =>
    new DataError({ where: `${where}: ${name}`, expected, got: JSON.stringify(got) ?? 'nothing' });
  if (!isObject(value)) throw fail('a tensor with dtype, shape and data_offsets', value);
  const { dtype, shape, data_offsets: offsets } = value;
  const width = typeof dtype === 'string' && Object.hasOwn(bytesPerNumber, dtype) ? bytesPerNumber[dtype] : undefined;
  if (typeof dtype !== 'string' || width === undefined) throw fail('dtype F32 or F64', dtype);
  if (!isLengths(shape)) throw fail('a shape of whole numbers', shape);
  if (!isLengths(offsets) || offsets.length !== 2) throw fail('data_offsets [begin, end]', offsets);
  const [begin, end] = offsets as [number, number];
  // In floating point: a hostile shape cannot overflow into a small product.
  if (end - begin !== sizeOf(shape) * width) {
    throw fail(`data_offsets ${sizeOf(shape) * width} bytes apart for ${dtype} ${formatShape(shape)}`, offsets);
  }
  return { name, dtype, shape, begin, end };
}

/** The tensors must fill the body without overlap and without a gap, as the format asks. */
function checkLayout(where: string, entries: readonly Entry[], bodyLength: number): void {
  let end = 0;
  for (const entry of [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (entry.begin !== end) {
      const got = `${entry.begin}, which ${entry.begin < end ? 'overlaps another tensor' : 'leaves a gap'}`;
      throw new DataError({ where: `${where}: ${entry.name}`, expected: `data that begins at ${end}`, got });
    }
    end = entry.end;
  }
  if (end !== bodyLength) {
    throw new DataError({
      where,
      expected: `${end} bytes of tensors`,
      got: String(bodyLength),
      remedy: 'The file is cut off, or has something behind its tensors.',
    });
  }
}

function readTensor(where: string, { name, dtype, shape, begin, end }: Entry, body: Uint8Array): Tensor {
  const bytes = body.subarray(begin, end);
  if (dtype === 'F32') return { shape, data: fromLittleEndian(Float32Array, bytes) };
  const wide = fromLittleEndian(Float64Array, bytes);
  const data = Float32Array.from(wide);
  const lost = wide.findIndex((value, i) => Number.isFinite(value) && !Number.isFinite(data[i]!));
  if (lost >= 0) {
    throw new DataError({
      where: `${where}: ${name}`,
      expected: 'numbers that fit in float32',
      got: String(wide[lost]),
    });
  }
  return { shape, data };
}

function readMetadata(where: string, value: unknown): Record<string, string> {
  if (value === undefined) return {};
  if (isObject(value)) {
    const entries = Object.entries(value).flatMap(([key, text]) => (typeof text === 'string' ? [[key, text]] : []));
    if (entries.length === Object.keys(value).length) return Object.fromEntries(entries) as Record<string, string>;
  }
  throw new DataError({ where: `${where}: ${metadataKey}`, expected: 'strings by name', got: JSON.stringify(value) });
}

const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number =>
  a < b ? -1 : a > b ? 1 : 0;

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isLengths(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((length) => Number.isSafeInteger(length) && length >= 0);
}
