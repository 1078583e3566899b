/**
 * The probabilities of the features, and what a query sees of them: features that it cannot tell apart form a group, and
 * by symmetry their logits stay equal, so that a column of V^T Q V has two or three different numbers instead of K.
 */
import { UsageError } from '../../errors.ts';

/** `size` features of probability `probability` each, whose logits for the query are equal. */
export interface FeatureGroup {
  readonly size: number;
  readonly probability: number;
}

/** All features as one query sees them. The first group is the query's own feature, alone. */
export interface QueryLaw {
  readonly groups: readonly FeatureGroup[];
  /** Which group is the dominant feature; null if it is the target, or if there is none. */
  readonly dominant: number | null;
}

export interface FeatureSettings {
  /** Number of features. */
  readonly K: number;
  /** Probability of the dominant feature; the others share the rest equally. 1/K: balanced. */
  readonly p1: number;
}

/** @throws {UsageError} unless K >= 2 and p1 is a probability that leaves something for the others. */
export function checkFeatures({ K, p1 }: FeatureSettings): void {
  if (!Number.isSafeInteger(K) || K < 2) {
    throw new UsageError({ where: 'K', expected: 'a whole number of features, 2 or more', got: String(K) });
  }
  if (!(p1 > 0 && p1 < 1)) {
    throw new UsageError({ where: 'p1', expected: 'a probability between 0 and 1', got: String(p1) });
  }
}

/** All features are equally likely, up to rounding. */
export const isBalanced = ({ K, p1 }: FeatureSettings): boolean => Math.abs(p1 * K - 1) < 1e-9;

/** p_1, .., p_K. */
export function featureProbabilities({ K, p1 }: FeatureSettings): number[] {
  checkFeatures({ K, p1 });
  return Array.from({ length: K }, (_, k) => (k === 0 ? p1 : (1 - p1) / (K - 1)));
}

/** Which query: the dominant feature v_1, or one of the others. With balanced features all are `balanced`. */
export type QueryKind = 'dominant' | 'rare' | 'balanced';

/** The groups of features in the order target, dominant (if it is not the target), others. Empty groups are left out. */
export function queryLaw(settings: FeatureSettings, kind: QueryKind): QueryLaw {
  checkFeatures(settings);
  const { K, p1 } = settings;
  const rare = (1 - p1) / (K - 1);
  const groups: Record<QueryKind, FeatureGroup[]> = {
    balanced: [
      { size: 1, probability: 1 / K },
      { size: K - 1, probability: 1 / K },
    ],
    dominant: [
      { size: 1, probability: p1 },
      { size: K - 1, probability: rare },
    ],
    rare: [
      { size: 1, probability: rare },
      { size: 1, probability: p1 },
      { size: K - 2, probability: rare },
    ],
  };
  return { groups: groups[kind].filter(({ size }) => size > 0), dominant: kind === 'rare' ? 1 : null };
}

/** Every feature its own group, the target first: for any probabilities. */
export function queryLawOf(probabilities: readonly number[], target: number): QueryLaw {
  const others = probabilities.filter((_, n) => n !== target);
  const groups = [probabilities[target]!, ...others].map((probability) => ({ size: 1, probability }));
  return { groups, dominant: null };
}
