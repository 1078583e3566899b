/** Where curves are asked: places along an axis. Draws nothing. */

/** `count` numbers from `low` to `high`, in equal ratios. */
export function geometricGrid(low: number, high: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => low * (high / low) ** (i / (count - 1)));
}

/** `count` numbers from `low` to `high`, in equal steps. */
export function linearGrid(low: number, high: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => low + ((high - low) * i) / (count - 1));
}
