/** What of the playground stands in a link. */
import { choice, type Field, number, text, tuples, type ValuesOf, wholeNumber } from '../../app/fields.ts';
import { mostPairs } from './pairs.ts';

/** A number that may be left to the panel: null. */
function optional(field: Field<number>): Field<number | null> {
  return {
    default: null,
    format: (value) => (value === null ? '' : field.format(value)),
    parse: (value) => (value === '' ? null : field.parse(value)),
  };
}

export const fields = {
  model: text('zhang2023-2d', 60),
  /** Which prompt: a seed, and the number of the prompt in it. */
  seed: wholeNumber({ default: 20, low: 0, high: 2 ** 32 }),
  prompt: wholeNumber({ default: 0, low: 0, high: 1e6 }),
  /** Pairs; null: as many as in training. */
  n: optional(wholeNumber({ default: 20, low: 0, high: mostPairs })),
  /** A shift of the task's law, and its level. */
  shift: text('', 60),
  level: optional(number({ default: 1, low: -1e6, high: 1e6 })),
  /** All pairs, once the person changed one: x1, x2, y. */
  pairs: tuples([], 3, mostPairs),
  probe: tuples([[1.5, -1.5]], 2, 1),
  /** The key of a comparison; empty: the first. */
  compare: text('', 60),
  view: choice(['side', 'difference'], 'side'),
  along: choice(['x1', 'x2'], 'x1'),
  /** Half-width of the plane; null: all pairs fit. */
  half: optional(number({ default: 3, low: 0.1, high: 1000 })),
  /** Ridge's penalty; null: by the training law. */
  penalty: optional(number({ default: 1, low: 0, high: 1e6 })),
};

export type PlaygroundValues = ValuesOf<typeof fields>;

/** Without anything in the link. */
export const openingValues = Object.fromEntries(
  Object.entries(fields).map(([key, field]) => [key, field.default]),
) as PlaygroundValues;
