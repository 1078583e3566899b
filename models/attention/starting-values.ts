/** Starting values that several architectures share. Knows parameter shapes and nothing about what they are for. */
import { fillNormals, type Generator } from '../random.ts';
import { type Shape, sizeOf } from '../shape.ts';

/** Parameter number `index` as independent normals of standard deviation `scale`. */
export function drawNormals(generator: Generator, index: number, shape: Shape, scale: number): Float32Array {
  const values = new Float32Array(sizeOf(shape));
  fillNormals(generator, { prompt: index, purpose: 0 }, values, 0, values.length);
  return values.map((value) => value * scale);
}

/** Every parameter as independent normals of standard deviation `scale`. */
export function drawAll(
  generator: Generator,
  shapes: Readonly<Record<string, Shape>>,
  scale: number,
): Record<string, Float32Array> {
  const drawn = Object.entries(shapes).map(([name, shape], i) => [name, drawNormals(generator, i, shape, scale)]);
  return Object.fromEntries(drawn);
}
