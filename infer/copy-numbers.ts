/** Copies numbers between memory of one thread and memory that threads share, in Node. */

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array) => Buffer.from(buffer, byteOffset, byteLength);

/** Up to here `set` is over before `fill` has its views. */
const short = 256;

/**
 * Copies numbers to the start of a room of the same length or a greater one. Where memory is shared `set` copies word by
 * word, at half the speed of the C library's memcpy, which is what `fill` calls.
 */
export function copyNumbers(room: Float32Array, values: Float32Array): void {
  if (values.length <= short) room.set(values);
  else bytesOf(room).fill(bytesOf(values), 0, values.byteLength);
}
