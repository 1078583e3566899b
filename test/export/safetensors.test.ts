import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readSafetensors, serializeSafetensors, type Tensor } from '../../export/safetensors.ts';
import { DataError, ExportError } from '../../models/errors.ts';
import { requireOrSkip } from '../require.ts';
import { runPython } from './fixtures.ts';

const tensors: Record<string, Tensor> = {
  key_query: { shape: [2, 3], data: Float32Array.of(1, -2, 3, 0.1, 1e-30, -1e30) },
  empty: { shape: [0, 4], data: new Float32Array() },
  scalar: { shape: [], data: Float32Array.of(7) },
};
const metadata = { step: '12', note: 'ünïcödé "quoted"' };

/** A file with any header and body. */
function file(header: unknown, body: Uint8Array = new Uint8Array()): Uint8Array {
  const text = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + text.length + body.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  bytes.set(body, 8 + text.length);
  return bytes;
}
const f32 = (shape: readonly number[], begin: number, end: number) => ({
  dtype: 'F32',
  shape,
  data_offsets: [begin, end],
});

test('what is written is read back, and equal content is equal bytes', () => {
  const bytes = serializeSafetensors(tensors, metadata);
  expect(readSafetensors('a.safetensors', bytes)).toEqual({ tensors, metadata });
  const reversed = Object.fromEntries(Object.entries(tensors).reverse());
  expect(serializeSafetensors(reversed, { note: metadata.note, step: '12' })).toEqual(bytes);
  expect(readSafetensors('none', serializeSafetensors({}))).toEqual({ tensors: {}, metadata: {} });
});

test('any tensors survive, bit for bit', () => {
  const tensor = fc.array(fc.nat(4), { maxLength: 3 }).chain((shape) => {
    const size = shape.reduce((product, length) => product * length, 1);
    return fc.float32Array({ minLength: size, maxLength: size }).map((data) => ({ shape, data }));
  });
  const names = fc.string({ unit: 'binary' }).filter((name) => name !== '__metadata__');
  fc.assert(
    fc.property(fc.dictionary(names, tensor), fc.dictionary(fc.string(), fc.string()), (some, notes) => {
      // A copy at an odd address: nothing may rely on alignment.
      const bytes = serializeSafetensors(some, notes);
      const shifted = new Uint8Array(bytes.length + 1).subarray(1);
      shifted.set(bytes);
      const read = readSafetensors('any', shifted);
      expect(new Map(Object.entries(read.metadata))).toEqual(new Map(Object.entries(notes)));
      expect(Object.keys(read.tensors).sort()).toEqual(Object.keys(some).sort());
      for (const [name, { shape, data }] of Object.entries(some)) {
        const found = Object.getOwnPropertyDescriptor(read.tensors, name)!.value as Tensor;
        expect(found.shape).toEqual(shape);
        expect(Buffer.from(found.data.buffer).equals(Buffer.from(data.buffer, data.byteOffset, data.byteLength))).toBe(
          true,
        );
      }
    }),
    { numRuns: 50 },
  );
});

test('float64 is read as float32, and refused where that would make it infinite', () => {
  const wide = (...values: number[]) =>
    file({ w: { dtype: 'F64', shape: [2], data_offsets: [0, 16] } }, new Uint8Array(Float64Array.from(values).buffer));
  expect(readSafetensors('w', wide(0.1, Number.NEGATIVE_INFINITY)).tensors['w']!.data).toEqual(
    Float32Array.of(0.1, Number.NEGATIVE_INFINITY),
  );
  expect(() => readSafetensors('w', wide(1, 1e300))).toThrow('w: w: expected numbers that fit in float32, got 1e+300');
});

const probe = runPython('import numpy; print(numpy.__version__)');
describe.runIf(requireOrSkip('numpy', probe.ok, probe.text))('an independent reader', () => {
  test('numpy reads the numbers', () => {
    const folder = mkdtempSync(join(tmpdir(), 'icl-safetensors-'));
    const path = join(folder, 'a.safetensors');
    writeFileSync(path, serializeSafetensors(tensors, metadata));
    const program = `
import json, struct, sys, numpy
data = open(sys.argv[1], 'rb').read()
length, = struct.unpack('<Q', data[:8])
header = json.loads(data[8:8 + length])
assert (8 + length) % 8 == 0
out = {'metadata': header.pop('__metadata__')}
for name, info in header.items():
    begin, end = info['data_offsets']
    assert info['dtype'] == 'F32'
    values = numpy.frombuffer(data[8 + length + begin:8 + length + end], '<f4').reshape(info['shape'])
    out[name] = [list(values.shape), [float(v) for v in values.ravel()]]
print(json.dumps(out))`;
    const { text, ok } = runPython(program, path);
    expect(ok, text).toBe(true);
    const expected = Object.entries(tensors).map(([name, { shape, data }]) => [name, [shape, [...data]]]);
    expect(JSON.parse(text)).toEqual({ metadata, ...Object.fromEntries(expected) });
    expect(readFileSync(path).subarray(8, 9).toString()).toBe('{');
    rmSync(folder, { recursive: true });
  });
});

describe('a file that is not right is a DataError that names it', () => {
  const body = new Uint8Array(16);
  test.each<[string, Uint8Array, string]>([
    ['empty', new Uint8Array(), 'expected a safetensors file, got 0 bytes'],
    ['too short for its header', file({}).subarray(0, 9), '9 bytes for a header of 2'],
    ['with a header length of 2^64 - 1', new Uint8Array(64).fill(0xff), '64 bytes for a header of'],
    ['of another format', new TextEncoder().encode('covariates,responses\n1,2\n'), 'for a header of'],
    ['with no JSON', file('{"w":'), 'got a header that is not JSON'],
    ['with bytes that are no text', file('{}').with(8, 0xff), 'got a header that is not JSON'],
    ['with a list', file([]), 'got a header that is no JSON object'],
    ['with a null header', file(null), 'got a header that is no JSON object'],
    [
      'with a tensor that is no object',
      file({ w: 3 }),
      'w: expected a tensor with dtype, shape and data_offsets, got 3',
    ],
    [
      'with another type',
      file({ w: { ...f32([2], 0, 4), dtype: 'BF16' } }, body),
      'w: expected dtype F32 or F64, got "BF16"',
    ],
    ['with a type out of the prototype', file({ w: { ...f32([2], 0, 4), dtype: 'toString' } }, body), 'expected dtype'],
    [
      'without a shape',
      file({ w: { dtype: 'F32', data_offsets: [0, 4] } }, body),
      'expected a shape of whole numbers, got nothing',
    ],
    ['with a negative length', file({ w: f32([-1], 0, 4) }, body), 'expected a shape of whole numbers, got [-1]'],
    ['with a fractional length', file({ w: f32([1.5], 0, 6) }, body), 'expected a shape of whole numbers, got [1.5]'],
    [
      'with one offset',
      file({ w: { ...f32([1], 0, 4), data_offsets: [0] } }, body),
      'expected data_offsets [begin, end]',
    ],
    ['with offsets backwards', file({ w: f32([1], 4, 0) }, body), 'expected data_offsets 4 bytes apart for F32 [1]'],
    ['with a shape that overflows', file({ w: f32([2 ** 52, 2 ** 52], 0, 0) }), 'bytes apart'],
    ['with too many bytes for a shape', file({ w: f32([3], 0, 16) }, body), 'expected data_offsets 12 bytes apart'],
    [
      'with an overlap',
      file({ a: f32([3], 0, 12), b: f32([2], 8, 16) }, body),
      'b: expected data that begins at 12, got 8, which overlaps another tensor',
    ],
    [
      'with a gap',
      file({ a: f32([1], 0, 4), b: f32([2], 8, 16) }, body),
      'b: expected data that begins at 4, got 8, which leaves a gap',
    ],
    [
      'cut off',
      file({ w: f32([4], 0, 16) }, body.subarray(0, 12)),
      'expected 16 bytes of tensors, got 12. The file is cut off',
    ],
    ['with something behind', file({ w: f32([3], 0, 12) }, body), 'expected 12 bytes of tensors, got 16'],
    [
      'with a name twice',
      file(
        '{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"w":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}}',
        body,
      ),
      'leaves a gap',
    ],
    [
      'with metadata that are no strings',
      file({ __metadata__: { step: 3 } }),
      '__metadata__: expected strings by name',
    ],
    ['with a list of metadata', file({ __metadata__: [] }), '__metadata__: expected strings by name'],
  ])('%s', (_, bytes, message) => {
    const run = () => readSafetensors('runs/a/checkpoint.safetensors', bytes);
    expect(run).toThrow(DataError);
    expect(run).toThrow(message);
    expect(run).toThrow(/^runs\/a\/checkpoint\.safetensors/);
  });

  test('cut off anywhere, or damaged anywhere', () => {
    const bytes = serializeSafetensors(tensors, metadata);
    for (let length = 0; length < bytes.length; length++) {
      expect(() => readSafetensors('cut', bytes.subarray(0, length))).toThrow(DataError);
    }
    for (let at = 0; at < bytes.length; at++) {
      try {
        readSafetensors('damaged', bytes.with(at, bytes[at]! ^ 0x11));
      } catch (error) {
        expect(error).toBeInstanceOf(DataError);
      }
    }
  });
});

test('refuses to write what cannot be read back', () => {
  const write = (name: string, tensor: Tensor) => () => serializeSafetensors({ [name]: tensor });
  expect(write('w', { shape: [3], data: new Float32Array(2) })).toThrow(ExportError);
  expect(write('w', { shape: [3], data: new Float32Array(2) })).toThrow(
    'safetensors: w: expected 3 numbers for shape [3], got 2',
  );
  expect(write('__metadata__', { shape: [], data: new Float32Array(1) })).toThrow('a tensor name that is not reserved');
});
