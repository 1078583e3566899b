/**
 * How one value of the lab stands in a link: as text, and back. A link is untrusted: what is not possible is refused with words,
 * and the panel says what it shows instead. Knows no panel.
 */
import { UsageError, unknownName } from '../../../models/errors.ts';

/** A value that a link can hold. */
export interface Field<Value> {
  /** Without it in the link, and left out of the link again. */
  readonly default: Value;
  format(value: Value): string;
  /** @throws {UsageError} saying what is possible. */
  parse(text: string): Value;
}

export type AnyFields = Readonly<Record<string, Field<unknown>>>;
export type ValuesOf<Shape extends AnyFields> = {
  readonly [Key in keyof Shape]: Shape[Key] extends Field<infer Value> ? Value : never;
};

interface Range {
  readonly default: number;
  readonly low: number;
  readonly high: number;
}

const refuse = (expected: string, got: string) => new UsageError({ where: 'link', expected, got: JSON.stringify(got) });

export function number({ default: standard, low, high }: Range): Field<number> {
  return {
    default: standard,
    format: String,
    parse(text) {
      const value = text.trim() === '' ? Number.NaN : Number(text);
      if (value >= low && value <= high) return value;
      throw refuse(`a number from ${low} to ${high}`, text);
    },
  };
}

export function wholeNumber(range: Range): Field<number> {
  const field = number(range);
  return {
    ...field,
    parse(text) {
      const value = field.parse(text);
      if (Number.isInteger(value)) return value;
      throw refuse(`a whole number from ${range.low} to ${range.high}`, text);
    },
  };
}

/** A value that a link may leave open: null. */
export function optional<Value>(field: Field<Value>): Field<Value | null> {
  return {
    default: null,
    format: (value) => (value === null ? '' : field.format(value)),
    parse: (text) => (text === '' ? null : field.parse(text)),
  };
}

/** One of a list of names. */
export function choice<const Name extends string>(names: readonly Name[], standard: NoInfer<Name>): Field<Name> {
  return {
    default: standard,
    format: (value) => value,
    parse(text) {
      const found = names.find((name) => name === text);
      if (found === undefined) throw unknownName('link', text, names);
      return found;
    },
  };
}

/** Any text up to a length; what it means is checked by who uses it. */
export function text(standard: string, longest = 200): Field<string> {
  return {
    default: standard,
    format: (value) => value,
    parse(value) {
      if (value.length <= longest) return value;
      throw refuse(`at most ${longest} characters`, `${value.slice(0, 20)}…`);
    },
  };
}

export function flag(standard: boolean): Field<boolean> {
  return {
    default: standard,
    format: (value) => (value ? 'yes' : 'no'),
    parse(value) {
      if (value === 'yes' || value === 'no') return value === 'yes';
      throw refuse('yes or no', value);
    },
  };
}

/** Tuples of numbers: `1.2,-0.5,3_0.1,2,1` is two of width 3. Values are kept to three decimals. */
export function tuples(
  standard: readonly (readonly number[])[],
  width: number,
  most: number,
): Field<readonly (readonly number[])[]> {
  return {
    default: standard,
    format: (rows) => rows.map((row) => row.map((value) => Number(value.toFixed(3))).join(',')).join('_'),
    parse(value) {
      if (value === '') return [];
      const rows = value
        .split('_')
        .map((row) => row.split(',').map((part) => (part === '' ? Number.NaN : Number(part))));
      const isGood = rows.length <= most && rows.every((row) => row.length === width && row.every(Number.isFinite));
      if (isGood) return rows;
      throw refuse(
        `at most ${most} groups of ${width} numbers, such as ${Array(width).fill('0.5').join(',')}`,
        value.slice(0, 40),
      );
    },
  };
}
