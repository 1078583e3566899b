/** What writing and reading ONNX share: the standard's numbers, and errors that say where in a file they are. */
import { ExportError } from '../models/errors.ts';
import type { DType } from './graph.ts';

/** Numbers of `TensorProto.DataType`. */
export const dataTypes: Readonly<Record<DType, number>> = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  string: 8,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
  bfloat16: 16,
};

/** Numbers of `AttributeProto.AttributeType`. */
export const attributeTypes = { float: 1, int: 2, string: 3, ints: 7 } as const;

/** Those of attributes that hold graphs: bodies of `If`, `Loop` and `Scan`. */
export const graphAttributeTypes: readonly number[] = [5, 10];

/** Runs one rung of the ladder and puts its name into the errors of those below. */
export function rung<T>(name: string, run: () => T): T {
  try {
    return run();
  } catch (cause) {
    if (!(cause instanceof ExportError)) throw cause;
    const { expected, got, remedy } = cause;
    const where = `${name} > ${cause.where}`;
    throw new ExportError({ where, expected, got, ...(remedy === undefined ? {} : { remedy }), cause });
  }
}
