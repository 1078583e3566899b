/** The size option `outputSign` of label-correcting layers: which sign of the query's label after the last layer is the prediction. */
import { type ModelSizes, type SizeOption, sizeOption } from '../architecture.ts';
import { UsageError } from '../errors.ts';
import { type Ops, scale } from '../ops.ts';

const name = 'outputSign';

export const outputSignOption = (standard: -1 | 1): SizeOption => ({
  name,
  description: 'sign s of the prediction, -1 or 1',
  default: standard,
  minimum: -1,
  maximum: 1,
});

/** @throws {UsageError} if the sign is neither -1 nor 1. */
export function requireOutputSign(options: readonly SizeOption[], sizes: ModelSizes): void {
  if (sizeOption(options, sizes, name) === 0) {
    throw new UsageError({ where: `options.${name}`, expected: '-1 or 1', got: '0' });
  }
}

/** s times the label. */
export function withOutputSign<T>(ops: Ops<T>, label: T, options: readonly SizeOption[], sizes: ModelSizes): T {
  return sizeOption(options, sizes, name) === 1 ? label : scale(ops, label, -1);
}
