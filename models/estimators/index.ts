/** All estimators, by name. A new one is a file beside this and a line here. */
import { UsageError, unknownName } from '../errors.ts';
import type { Estimator, EstimatorKind } from './estimator.ts';
import { leastSquares } from './least-squares.ts';
import { ridge } from './ridge.ts';
import { zero } from './zero.ts';

export type { Estimator, EstimatorKind, EstimatorOption } from './estimator.ts';

export const estimators: readonly EstimatorKind[] = [zero, leastSquares, ridge];

/**
 * An estimator with options; absent ones take their defaults.
 * @throws {UsageError} for an unknown estimator or option, naming the nearest, or an impossible value.
 */
export function createEstimator(name: string, options: Readonly<Record<string, number>> = {}): Estimator {
  const kind = estimators.find((candidate) => candidate.name === name);
  if (kind === undefined) {
    throw unknownName(
      'estimator',
      name,
      estimators.map((candidate) => candidate.name),
    );
  }
  const resolved: Record<string, number> = {};
  for (const option of kind.options) {
    const value = options[option.name] ?? option.default;
    if (value === undefined) continue;
    if (!option.accepts(value)) {
      throw new UsageError({ where: `${name}: ${option.name}`, expected: option.expected, got: String(value) });
    }
    resolved[option.name] = value;
  }
  for (const key of Object.keys(options)) {
    if (kind.options.some((option) => option.name === key)) continue;
    if (kind.options.length === 0) {
      throw new UsageError({ where: name, expected: 'no options', got: JSON.stringify(key) });
    }
    throw unknownName(
      `${name}: option`,
      key,
      kind.options.map((option) => option.name),
    );
  }
  return kind.create(resolved);
}
