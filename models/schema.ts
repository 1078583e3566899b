/**
 * Checking plain data from outside, configurations and the metadata of files: the kinds of values that several schemas
 * share, and a validation failure in this house's words. Knows no particular schema.
 */
import * as v from 'valibot';
import { didYouMean, UsageError } from './errors.ts';

export const finite = v.pipe(v.number('a number'), v.finite('a finite number'));
export const positive = v.pipe(finite, v.gtValue(0, 'a number above 0'));
export const nonNegative = v.pipe(finite, v.minValue(0, 'a number of 0 or more'));
export const belowOne = v.pipe(nonNegative, v.ltValue(1, 'a number from 0 to below 1'));
export const fraction = v.pipe(nonNegative, v.maxValue(1, 'a number from 0 to 1'));
export const wholeNumber = (least: number) => {
  const words = `a whole number, ${least} or more`;
  return v.pipe(v.number(words), v.safeInteger(words), v.minValue(least, words));
};
export const text = v.string('a text');

/**
 * The value as a schema has it, defaults filled in.
 * @param where What was read, for errors: a file, a command.
 * @throws {UsageError} naming the key; for an unknown key, the nearest known one.
 */
export function parseWith<Output>(where: string, schema: v.GenericSchema<unknown, Output>, value: unknown): Output {
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (result.success) return result.output;
  throw describeIssue(where, schema, result.issues[0], value);
}

function describeIssue(where: string, schema: unknown, issue: v.BaseIssue<unknown>, value: unknown): UsageError {
  const path = (issue.path ?? []).map(({ key }) => String(key));
  const place = path.length === 0 ? where : `${where}: ${path.join('.')}`;
  if (issue.type === 'strict_object' && issue.expected === 'never') {
    const known = keysAt(schema, path.slice(0, -1), value);
    const remedy = didYouMean(path.at(-1)!, known);
    return new UsageError({
      where: place,
      expected: `one of the keys ${known.join(', ')}`,
      got: JSON.stringify(path.at(-1)),
      ...(remedy === undefined ? {} : { remedy }),
    });
  }
  const isMissing = issue.input === undefined;
  const expected = issue.message.startsWith('Invalid') ? (issue.expected ?? 'another value') : issue.message;
  const got = isMissing ? 'nothing' : (JSON.stringify(issue.input)?.slice(0, 100) ?? String(issue.input));
  return new UsageError({ where: place, expected, got });
}

type Entries = Readonly<Record<string, unknown>>;
interface Inner {
  readonly type: string;
  readonly key?: string;
  readonly options?: readonly { readonly entries: Entries }[];
  readonly entries?: Entries;
}

/** The known keys of the object at a path; of a variant, those of the value's own kind. */
function keysAt(schema: unknown, path: readonly string[], root: unknown): string[] {
  let node = unwrap(schema);
  let value = root;
  for (const key of path) {
    node = unwrap(entriesOf(node, value)[key]);
    value = (value as Entries)[key];
  }
  return Object.keys(entriesOf(node, value));
}

const unwrap = (node: unknown): Inner => (node as { wrapped?: Inner }).wrapped ?? (node as Inner);

function entriesOf(node: Inner, value: unknown): Entries {
  if (node.type !== 'variant') return node.entries ?? {};
  const option = node.options!.find(({ entries }) =>
    v.is(entries[node.key!] as v.GenericSchema, (value as Entries)[node.key!]),
  );
  return option?.entries ?? {};
}
