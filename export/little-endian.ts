/**
 * Numbers as little-endian bytes, as ONNX's `raw_data` and safetensors store them, whatever this machine's own order is.
 * Always copies: nothing shares memory with a file's bytes.
 */

type NumericArray = Float32Array | Float64Array | BigInt64Array;

const isLittleEndianHost = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

export function toLittleEndian(data: NumericArray): Uint8Array {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();
  return isLittleEndianHost ? bytes : reverseEach(bytes, data.BYTES_PER_ELEMENT);
}

/**
 * Numbers from bytes; a length that is no multiple of the element's size is the caller's to refuse.
 * @param type The array to make, as in `fromLittleEndian(Float32Array, bytes)`.
 */
export function fromLittleEndian<A extends NumericArray>(
  type: { new (buffer: ArrayBuffer): A; readonly BYTES_PER_ELEMENT: number },
  bytes: Uint8Array,
): A {
  const copy = new Uint8Array(bytes);
  return new type((isLittleEndianHost ? copy : reverseEach(copy, type.BYTES_PER_ELEMENT)).buffer);
}

function reverseEach(bytes: Uint8Array<ArrayBuffer>, size: number): Uint8Array<ArrayBuffer> {
  for (let at = 0; at < bytes.length; at += size) bytes.subarray(at, at + size).reverse();
  return bytes;
}
