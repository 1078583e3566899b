/**
 * A command as data: name, arguments, options, examples and what it does. Help, parsing and the types of the options
 * come from it. A command returns its exit code and throws; only `main.ts` prints errors and exits.
 */
import { UsageError } from '../models/errors.ts';

/** Exit code of a command that was asked to stop, by Ctrl-C or SIGTERM. */
export const INTERRUPTED = 130;

/** One option. Its value is of type V: the parsed text, or the default when the option is not given. */
export interface Option<V> {
  /** As commander writes it: `--steps <n>`, `-o, --output <file>`, `--json`. */
  readonly flags: string;
  readonly description: string;
  /** Absent for a switch. Throws a {@link UsageError} on a bad value. */
  readonly parse?: (text: string) => unknown;
  readonly initial: V;
  /** The option may be given several times; its value is a list. */
  readonly isRepeatable?: true;
  /** What help shows as the default, where `initial` does not say it. */
  readonly shownDefault?: string;
}

export type Options = Readonly<Record<string, Option<unknown>>>;

export type OptionValues<O extends Options> = {
  readonly [K in keyof O]: O[K] extends Option<infer V> ? V : never;
};

/** What a command may use of the outside world besides files. */
export interface CommandContext {
  /** Writes a line of data to stdout; resolves when more may be written. */
  print(line: string): Promise<void>;
  /** Writes a line for people to stderr. */
  log(line: string): void;
  /** Aborted by the first Ctrl-C or SIGTERM. */
  readonly signal: AbortSignal;
  /** stderr is a terminal: progress may be animated. */
  readonly isTerminal: boolean;
}

export interface Command<O extends Options = Options> {
  readonly name: string;
  readonly summary: string;
  readonly description?: string;
  /** Positional arguments, as commander writes them: `<model>`, `[figure]`. */
  readonly arguments: readonly { readonly name: string; readonly description: string }[];
  readonly options: O;
  readonly examples: readonly string[];
  run(
    positional: readonly string[],
    options: OptionValues<O> & OptionValues<typeof commonOptions>,
    context: CommandContext,
  ): Promise<number>;
}

/** Types a command's `run` by its options. */
export function defineCommand<const O extends Options>(command: Command<O>): Command {
  return command as unknown as Command;
}

export function option<V>(
  flags: string,
  description: string,
  parse: (text: string) => V,
  initial: V,
  shownDefault?: string,
): Option<V>;
export function option<V>(flags: string, description: string, parse: (text: string) => V): Option<V | undefined>;
export function option<V>(
  flags: string,
  description: string,
  parse: (text: string) => V,
  initial?: V,
  shownDefault?: string,
): Option<V | undefined> {
  return { flags, description, parse, initial, ...(shownDefault === undefined ? {} : { shownDefault }) };
}

export function repeatable<V>(flags: string, description: string, parse: (text: string) => V): Option<readonly V[]> {
  return { flags, description, parse, initial: [], isRepeatable: true };
}

export function toggle(flags: string, description: string): Option<boolean> {
  return { flags, description, initial: false };
}

/** Every command has these. */
export const commonOptions = {
  json: toggle('--json', 'print JSON on stdout'),
  debug: toggle('--debug', 'on an error, print the stack and the causes'),
} as const;

export const text = (value: string): string => value;

/** @returns a parser for whole numbers from `least` up. */
export function wholeNumber(where: string, least: number): (value: string) => number {
  return (value) => {
    const number = Number(value);
    if (value.trim() === '' || !Number.isSafeInteger(number) || number < least) {
      const isTooLarge = Number.isInteger(number) && number > Number.MAX_SAFE_INTEGER;
      const range = isTooLarge ? ` of at most ${Number.MAX_SAFE_INTEGER}` : `, ${least} or more`;
      throw new UsageError({ where, expected: `a whole number${range}`, got: JSON.stringify(value) });
    }
    return number;
  };
}

/** @returns a parser for numbers above 0, and for a word that may stand in their place. */
export function positiveNumber(where: string): (value: string) => number;
export function positiveNumber<W extends string>(where: string, word: W): (value: string) => number | W;
export function positiveNumber(where: string, word?: string): (value: string) => number | string {
  return (value) => {
    if (value === word) return word;
    const number = Number(value);
    if (value.trim() === '' || !Number.isFinite(number) || number <= 0) {
      const expected = `a number above 0${word === undefined ? '' : `, or ${word}`}`;
      throw new UsageError({ where, expected, got: JSON.stringify(value) });
    }
    return number;
  };
}

/** @returns a parser for numbers of any size: what uses them knows which are right. */
export function number(where: string): (value: string) => number {
  return (value) => {
    const parsed = Number(value);
    if (value.trim() === '' || !Number.isFinite(parsed)) {
      throw new UsageError({ where, expected: 'a number', got: JSON.stringify(value) });
    }
    return parsed;
  };
}

/** @returns a parser for comma-separated lists. */
export function commaList<V>(where: string, parse: (item: string) => V): (value: string) => V[] {
  return (value) => {
    const items = value.split(',').map((item) => item.trim());
    if (items.some((item) => item === '')) {
      throw new UsageError({ where, expected: 'a list such as a,b,c', got: JSON.stringify(value) });
    }
    return items.map(parse);
  };
}
