/**
 * Transition probabilities under one's hand: every change leaves rows that sum to 1 exactly, since they are counted in
 * thousandths. And how a kernel stands in a link. Knows no element of the page.
 */
import { UsageError } from '../../../../models/errors.ts';
import type { Field } from '../../app/fields.ts';

/** `[S, S]`, row by row. */
export type Kernel = readonly number[];

const PARTS = 1000;

export const statesOf = (kernel: Kernel): number => Math.round(Math.sqrt(kernel.length));

export const rowOf = (kernel: Kernel, from: number): readonly number[] => {
  const states = statesOf(kernel);
  return kernel.slice(from * states, (from + 1) * states);
};

function withRow(kernel: Kernel, from: number, row: readonly number[]): Kernel {
  const states = statesOf(kernel);
  return [...kernel.slice(0, from * states), ...row, ...kernel.slice((from + 1) * states)];
}

/** Shares of `total` parts in the ratio of `weights`, whole ones, by the largest remainders; equal ones if no weight is left. */
function share(weights: readonly number[], total: number): number[] {
  const sum = weights.reduce((all, weight) => all + weight, 0);
  const exact = weights.map((weight) => (sum > 0 ? (weight / sum) * total : total / weights.length));
  const parts = exact.map(Math.floor);
  const missing = total - parts.reduce((all, part) => all + part, 0);
  const order = exact.map((_, i) => i).sort((a, b) => exact[b]! - parts[b]! - (exact[a]! - parts[a]!));
  for (const i of order.slice(0, missing)) parts[i]! += 1;
  return parts;
}

/** Sets one probability; the others of its row keep their ratios. */
export function setProbability(kernel: Kernel, from: number, to: number, value: number): Kernel {
  const row = rowOf(kernel, from);
  const own = Math.round(Math.min(1, Math.max(0, value)) * PARTS);
  const others = share(
    row.filter((_, state) => state !== to),
    PARTS - own,
  );
  const parts = [...others.slice(0, to), own, ...others.slice(to)];
  return withRow(
    kernel,
    from,
    parts.map((part) => part / PARTS),
  );
}

/** Where the part of state `to` ends in its row. */
export const boundaryOf = (kernel: Kernel, from: number, to: number): number =>
  Math.round(
    PARTS *
      rowOf(kernel, from)
        .slice(0, to + 1)
        .reduce((sum, value) => sum + value, 0),
  ) / PARTS;

/** How far the boundary behind state `to` can be moved: its two neighbours' parts. */
export const boundaryRange = (kernel: Kernel, from: number, to: number): readonly [number, number] => [
  to === 0 ? 0 : boundaryOf(kernel, from, to - 1),
  boundaryOf(kernel, from, to + 1),
];

/** Moves the boundary between states `to` and `to + 1`; the parts of both change, no other. */
export function moveBoundary(kernel: Kernel, from: number, to: number, position: number): Kernel {
  const [low, high] = boundaryRange(kernel, from, to).map((end) => Math.round(end * PARTS)) as [number, number];
  const at = Math.min(high, Math.max(low, Math.round(position * PARTS)));
  const row = [...rowOf(kernel, from)];
  row[to] = (at - low) / PARTS;
  row[to + 1] = (high - at) / PARTS;
  return withRow(kernel, from, row);
}

/** The kernel with probabilities `stay` of staying, the rest equally on the other states. */
export const sticky = (states: number, stay: number): Kernel =>
  Array.from({ length: states }, (_, from) => setProbability(Array(states * states).fill(1), from, from, stay)).flatMap(
    (kernel, from) => rowOf(kernel, from),
  );

/** The kernel whose states follow each other in a ring, with this probability. */
export const cycle = (states: number, next: number): Kernel =>
  Array.from({ length: states }, (_, from) =>
    rowOf(setProbability(Array(states * states).fill(1), from, (from + 1) % states, next), from),
  ).flat();

/** The same row from every state. */
export const independent = (row: readonly number[]): Kernel => row.flatMap(() => row);

const MOST_STATES = 8;

/** In a link: `0.8,0.2_0.3,0.7`. Empty: the panel's own for the model's states. */
export const kernelField: Field<Kernel> = {
  default: [],
  format: (kernel) => Array.from({ length: statesOf(kernel) }, (_, from) => rowOf(kernel, from).join(',')).join('_'),
  parse(text) {
    if (text === '') return [];
    const rows = text.split('_').map((row) => row.split(',').map((part) => (part === '' ? Number.NaN : Number(part))));
    const states = rows.length;
    const isGood =
      states >= 2 &&
      states <= MOST_STATES &&
      rows.every(
        (row) =>
          row.length === states &&
          row.every((value) => value >= 0 && value <= 1) &&
          Math.abs(row.reduce((sum, value) => sum + value, 0) - 1) < 0.002,
      );
    if (isGood) return rows.flatMap((row) => share(row, PARTS).map((part) => part / PARTS));
    throw new UsageError({
      where: 'link',
      expected: 'rows of probabilities that sum to 1, such as 0.8,0.2_0.3,0.7',
      got: JSON.stringify(text.slice(0, 40)),
    });
  },
};
